"""What a client never saw of a turn, remembered so that it can be put back when the conversation comes again.

A turn is what the model said from one message of the client's to the next: one or more rounds, all but the last ended
by calls of our tool. The client has one message of it, without those calls. What the provider has cached holds them.
"""

from __future__ import annotations

import hashlib
import json
import threading
import weakref
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headroom.service import CompressionService

Json = dict[str, Any]
MOST_TURNS = 512
MOST_CHARACTERS = 16_000_000
MOST_CALLS_AT_ONCE = 12
TOO_MANY_AT_ONCE = "Not answered: too many calls at once. Ask again for this one alone if you still need it."
LAST_ONE = "\n[No more retrievals in this turn: go on with what you have.]"


@dataclass(frozen=True, slots=True)
class OurCall:
    """A call of `headroom_retrieve`, as the model made it."""

    id: str
    arguments: Any


@dataclass(slots=True)
class Round:
    """What the model said in one round trip, our calls included, and what these were told."""

    parts: list[Json]
    """Anthropic: content blocks. Responses: output items. OpenAI chat: the one message."""
    calls: list[OurCall] = field(default_factory=list)
    others: bool = False
    """Whether it also calls something that the client must answer."""
    asks: bool = False
    """Whether it ended so that calls are answered: not cut off, not refused."""
    usage: Json = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    last: bool = False
    """Whether the model may ask no more in this turn."""
    id: str = ""
    """The response's own: where the provider keeps the conversation, the next request goes on from it."""

    @property
    def goes_on(self) -> bool:
        """Whether all that this round waits for is ours to give."""
        return self.asks and bool(self.calls) and not self.others

    def answered(self, service: CompressionService) -> dict[str, str]:
        """Call id -> answer: found out once, when first needed."""
        for place, call in enumerate(self.calls):
            if call.id not in self.answers:
                told = TOO_MANY_AT_ONCE if place >= MOST_CALLS_AT_ONCE else service.answer("headroom_retrieve", call.arguments)
                self.answers[call.id] = told + LAST_ONE if self.last else told
        return self.answers


@dataclass(frozen=True, slots=True)
class HiddenTurn:
    """A turn that held calls of ours: its rounds, in order."""

    rounds: list[Round]
    characters: int = 0


class HiddenTurns:
    """The newest turns that held calls of ours, bounded in number and size, found by what the client sends back.

    A key is what the turn looks like to the client (the ids of its calls, or else its words) and a fingerprint of all
    that the client sent before it. Safe to share between threads.
    """

    def __init__(self, most: int = MOST_TURNS, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._most_characters = most_characters
        self._lock = threading.Lock()
        self._turns: OrderedDict[tuple[str, str], HiddenTurn] = OrderedDict()
        self._looks: Counter[str] = Counter()
        self._characters = 0
        self._names: OrderedDict[str, str] = OrderedDict()
        self._toolless: OrderedDict[str, None] = OrderedDict()
        self._threads: OrderedDict[str, None] = OrderedDict()

    def keep(self, look: str, before: str, rounds: list[Round]) -> None:
        """Remember a turn; the ones that were not asked for the longest are forgotten."""
        turn = HiddenTurn(rounds, sum(_size(part) for said in rounds for part in said.parts) + 40_000 * len(rounds))
        with self._lock:
            self._drop(look, before)
            self._turns[look, before] = turn
            self._looks[look] += 1
            self._characters += turn.characters
            while len(self._turns) > self._most or self._characters > self._most_characters:
                self._drop(*next(iter(self._turns)))

    def may_know(self, look: str) -> bool:
        """Whether a turn that looks like this is remembered, whatever came before it: a cheap first question."""
        return look in self._looks

    def find(self, look: str, before: str) -> HiddenTurn | None:
        """The turn that looks like this and came after exactly that."""
        with self._lock:
            turn = self._turns.get((look, before))
            if turn is not None:
                self._turns.move_to_end((look, before))
            return turn

    def rename(self, first: str, last: str) -> None:
        """A response that the client may know under the id of its first round has the id of its last one at the provider."""
        with self._lock:
            self._names[first] = last
            if len(self._names) > self._most:
                self._names.popitem(last=False)

    def renamed(self, first: Any) -> str | None:
        """The newer id of a response, None if it has none."""
        return self._names.get(first) if isinstance(first, str) else None

    def note_thread(self, last_id: str) -> None:
        """A conversation that the provider keeps, up to this response, was begun with our tool."""
        with self._lock:
            self._threads[last_id] = None
            if len(self._threads) > self._most:
                self._threads.popitem(last=False)

    def knows_thread(self, last_id: Any) -> bool:
        """Whether a conversation that goes on from this response has our tool."""
        return isinstance(last_id, str) and last_id in self._threads

    def takes_no_tools(self, model: str) -> bool:
        """Whether a request to this model was refused because of our tool."""
        return model in self._toolless

    def note_without_tools(self, model: str) -> None:
        """This model takes no tools: it is not offered ours again."""
        with self._lock:
            self._toolless[model] = None
            if len(self._toolless) > self._most:
                self._toolless.popitem(last=False)

    def _drop(self, look: str, before: str) -> None:
        turn = self._turns.pop((look, before), None)
        if turn is not None:
            self._characters -= turn.characters
            self._looks[look] -= 1
            if not self._looks[look]:
                del self._looks[look]

    def __len__(self) -> int:
        return len(self._turns)


_OF_SERVICES: weakref.WeakKeyDictionary[CompressionService, HiddenTurns] = weakref.WeakKeyDictionary()


def hidden_turns_of(service: CompressionService) -> HiddenTurns:
    """The memory that belongs to a service: what one tenant's model said is never put into another's conversation."""
    return _OF_SERVICES.setdefault(service, HiddenTurns())


class Before:
    """A fingerprint of the messages up to some place, taken only as far as somebody asks."""

    def __init__(self, messages: list[Any]) -> None:
        self._messages = messages
        self._digest = hashlib.blake2b(digest_size=16)
        self._done = 0

    def upto(self, index: int) -> str:
        """The fingerprint of messages[:index]; `index` may only grow."""
        for message in self._messages[self._done : index]:
            for text in texts_of(message):
                self._digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
            self._digest.update(b"\1")
        self._done = max(self._done, index)
        return self._digest.hexdigest()


_TELLING = ("role", "type", "call_id", "tool_call_id", "tool_use_id", "content", "text", "output", "arguments")
_WRITTEN_EITHER_WAY = ("text", "input_text", "output_text", "message")
"""Types that a client may write or leave out: a string and a list with one text say the same."""


def texts_of(value: Any) -> Iterator[str]:
    """The texts and ids in a message: what stays the same when a client moves its cache marks or writes a text as a block."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, Mapping):
        for key in _TELLING:
            if key in value and not (key == "type" and value[key] in _WRITTEN_EITHER_WAY):
                yield from texts_of(value[key])


def look_of(call_ids: Iterable[str], words: Iterable[str]) -> str:
    """How a turn is recognised: by the ids of its calls, by its words if it has none; "" if it has neither."""
    ids = [call_id for call_id in call_ids if call_id]
    if ids:
        return "\0".join(["calls", *ids])
    said = "".join("".join(words).split())  # clients join and trim texts as they please
    return "words" + hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest() if said else ""


def waiting_look(call_id: str) -> str:
    """How a round is found that left calls of ours open beside this call of the client's."""
    return f"waiting\0{call_id}"


def _size(part: Json) -> int:
    return len(json.dumps(part, default=str))
