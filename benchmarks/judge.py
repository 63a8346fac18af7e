"""What a compressed prompt is worth: the definitions behind every column, in code. Knows no product and no file.

A session is replayed turn by turn: before each message of the assistant, the prompt so far is compressed as an agent
loop would send it. `prepare` finds out once what the session asks of any product; a `Replay` follows one product.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from headroom.core import tokens

Message: TypeAlias = dict[str, Any]

CACHED_PRICE = 0.1
"""A token that the provider has in its prefix cache, relative to a plain input token."""
FRESH_PRICE = 1.25
"""A token that is read anew and written into that cache."""
OUTPUT_PRICE = 5.0
CALL_TOKENS = 60
"""What the model writes to ask for an original."""
ANSWER_TOKENS = 400
"""What comes back."""
TOKENS_AROUND_MESSAGE = 4
PROSE_CHARACTERS = 4_000
"""Shorter user messages are words of a person: changing them is a fault."""

_JSON_ESCAPES = (("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\/", "/"), ("\\\\", "\\"))
_RUN = re.compile(r"[A-Za-z0-9_#$@./:\-]+")
_TELLING = re.compile(r"[0-9]|[a-z][A-Z]|(?<=.)[_#$@./:\-](?=.)")


# --- texts ------------------------------------------------------------------------------------------------------------


def text_of(content: Any) -> str:
    """The words of a message's content, whatever its shape."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for block in content:
        if isinstance(block, str):
            parts.append(block)
        elif isinstance(block, dict) and isinstance(block.get("text"), str):
            parts.append(block["text"])
        elif isinstance(block, dict) and "content" in block:
            parts.append(text_of(block["content"]))
    return "\n".join(parts)


def _calls_of(message: Message) -> list[tuple[str, str]]:
    """(name, arguments) of the message's tool calls."""
    functions = [call.get("function", {}) for call in message.get("tool_calls") or ()]
    pairs = [(function.get("name", ""), function.get("arguments", "")) for function in functions]
    return [(name, given if isinstance(given, str) else json.dumps(given)) for name, given in pairs]


def said(message: Message) -> str:
    """All that a message says, a call's arguments included."""
    return "\n".join([text_of(message.get("content")), *(plain(arguments) for _, arguments in _calls_of(message))])


def plain(text: str) -> str:
    """The text without the escapes of a JSON string: a value is the same value in either dress."""
    if "\\" not in text:
        return text
    for escaped, character in _JSON_ESCAPES:
        text = text.replace(escaped, character)
    return text


def message_tokens(message: Message) -> int:
    """What a message costs to send: text, calls and the frame around them, in tokens of o200k_base."""
    text = text_of(message.get("content")) + "".join(name + arguments for name, arguments in _calls_of(message))
    return (tokens.count(text) if text else 0) + TOKENS_AROUND_MESSAGE


def values_in(text: str) -> set[str]:
    """What could not have been guessed: ids, paths, numbers and names of 4 to 120 characters.

    A run of letters, digits and the characters that join them counts if it has a digit, a joint inside it, or a
    capital within a word. Plain words do not.
    """
    runs = (run.lstrip("./:-").rstrip("./:-#$@") for run in _RUN.findall(text))
    return {run for run in runs if 4 <= len(run) <= 120 and _TELLING.search(run)}


def readable(value: str, text: str) -> bool:
    """Whether `value` stands in `text`; a path may stand there as its folder and its name."""
    if value in text:
        return True
    folder, slash, name = value.rpartition("/")
    if not slash or not name or name not in text:
        return False
    return folder in text or folder.rpartition("/")[2] in text


# --- what a session asks ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """One message of the assistant."""

    at: int
    """Its index: the prompt is everything before it."""
    wanted: list[str]
    """The values it quotes that only a tool output can have taught it."""


@dataclass(frozen=True)
class Prepared:
    """A session and what follows from it alone."""

    messages: list[Message]
    tokens: list[int]
    turns: list[Turn]


def prepare(messages: list[Message]) -> Prepared:
    """Find the turns, and what each wants to know."""
    turns: list[Turn] = []
    from_tools = elsewhere = ""
    for index, message in enumerate(messages):
        if message["role"] == "assistant" and index:
            quoted = sorted(values_in(said(message)))
            turns.append(Turn(index, [value for value in quoted if value not in elsewhere and value in from_tools]))
        if message["role"] == "tool":
            from_tools += "\n" + plain(text_of(message.get("content")))
        else:
            elsewhere += "\n" + said(message)
    return Prepared(messages, [message_tokens(message) for message in messages], turns)


# --- what a product made of it ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loss:
    """A value that the next turn quotes and the prompt no longer shows."""

    turn: int
    value: str
    reached: bool


@dataclass
class Tally:
    """Sums over turns: add them up, then ask for the shares."""

    sessions: int = 0
    failed: int = 0
    turns: int = 0
    before: int = 0
    after: int = 0
    cost_before: float = 0.0
    cost_after: float = 0.0
    cost_of_asking: float = 0.0
    wanted: int = 0
    kept: int = 0
    reached: int = 0
    turns_that_miss: int = 0
    broke: int = 0
    touched: int = 0
    milliseconds: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another session's."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def saved(self) -> float:
        """Share of the tokens of all prompts that is gone."""
        return 1 - self.after / max(1, self.before)

    @property
    def cost(self) -> float:
        """Share of the price that is gone where the provider caches prefixes."""
        return 1 - self.cost_after / max(1e-9, self.cost_before)

    @property
    def net(self) -> float:
        """The same, after paying one retrieval for every turn that misses a value."""
        return 1 - (self.cost_after + self.cost_of_asking) / max(1e-9, self.cost_before)

    @property
    def recall(self) -> float:
        """Share of the wanted values that stand in the prompt."""
        return self.kept / self.wanted if self.wanted else 1.0

    @property
    def reachable(self) -> float:
        """... or come back when the model asks for an original."""
        return (self.kept + self.reached) / self.wanted if self.wanted else 1.0


Retrieve: TypeAlias = Callable[[str], str]


class Replay:
    """Follows one product through one session: tell it every prompt, in order."""

    def __init__(self, session: Prepared) -> None:
        self._session = session
        self.tally = Tally(sessions=1)
        self.lost: list[Loss] = []
        self.prompt: list[Message] = []
        """The compressed prompt of the latest turn."""
        self.tokens: list[int] = []
        """Of its messages."""
        self.sent: list[int] = []
        """Tokens of each message, over all prompts so far."""
        self._plain: list[str] = []
        self._touched: list[bool] = []
        self._originals: dict[str, str] = {}

    def turn(self, turn: Turn, same: int, new: list[Message], milliseconds: float, references: list[str], retrieve: Retrieve) -> None:
        """The prompt of `turn`: the first `same` messages of the one before it, then `new`.

        `retrieve` gives the original behind one of the `references` that the prompt offers. ValueError for a prompt
        of another length than the session's.
        """
        earlier = len(self.prompt)
        if same + len(new) != turn.at:
            raise ValueError(f"{turn.at} messages went in, {same + len(new)} came out")
        leading = same + _leading(self.prompt[same:], new)
        self._replace(same, new)
        tally = self.tally
        tally.turns += 1
        tally.milliseconds.append(milliseconds)
        tally.before += sum(self._session.tokens[: turn.at])
        tally.after += sum(self.tokens)
        tally.cost_before += _price(self._session.tokens[: turn.at], earlier)
        tally.cost_after += _price(self.tokens, leading)
        tally.broke += leading < earlier
        tally.touched += sum(self._touched)
        self.sent += [0] * (turn.at - len(self.sent))
        for index, count in enumerate(self.tokens):
            self.sent[index] += count
        self._look_for(turn, references, retrieve)

    def _replace(self, same: int, new: list[Message]) -> None:
        self.prompt[same:] = new
        self.tokens[same:] = [message_tokens(message) for message in new]
        self._plain[same:] = [plain(said(message)) for message in new]
        self._touched[same:] = [_touched(*pair) for pair in zip(self._session.messages[same:], new, strict=False)]

    def _look_for(self, turn: Turn, references: list[str], retrieve: Retrieve) -> None:
        if not turn.wanted:
            return
        text = "\n".join(self._plain)
        missing = [value for value in turn.wanted if not readable(value, text)]
        self.tally.wanted += len(turn.wanted)
        self.tally.kept += len(turn.wanted) - len(missing)
        if not missing:
            return
        later = sum(other.at > turn.at for other in self._session.turns)
        again = CACHED_PRICE * sum(self.tokens) + OUTPUT_PRICE * CALL_TOKENS + FRESH_PRICE * ANSWER_TOKENS
        self.tally.cost_of_asking += again + CACHED_PRICE * (CALL_TOKENS + ANSWER_TOKENS) * later
        self.tally.turns_that_miss += 1
        for reference in references:
            if reference not in self._originals:
                self._originals[reference] = plain(retrieve(reference))
        behind = "\n".join(self._originals[reference] for reference in references)
        losses = [Loss(turn.at, value, readable(value, behind)) for value in missing]
        self.tally.reached += sum(loss.reached for loss in losses)
        self.lost += losses


def _leading(one: list[Message], other: list[Message]) -> int:
    """How many leading messages are equal."""
    for index, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return index
    return min(len(one), len(other))


def _price(counts: list[int], cached: int) -> float:
    return CACHED_PRICE * sum(counts[:cached]) + FRESH_PRICE * sum(counts[cached:])


def _touched(before: Message, after: Message) -> bool:
    """Whether words that must stay were changed."""
    words = said(before)
    is_prose = before["role"] != "tool" and (before["role"] != "user" or len(words) < PROSE_CHARACTERS)
    return is_prose and words != said(after)
