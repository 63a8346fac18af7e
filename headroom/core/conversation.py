"""What was known when a message arrived, and what was made of it: grows by one message, never looks ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headroom.core.detect import unwrap_all
from headroom.core.formats import ITEM, MessageParts
from headroom.core.hooks import CompressContext
from headroom.core.protect import OURS
from headroom.core.rereads import VisibleLines
from headroom.core.result import BlockReport
from headroom.core.store.base import CompressionStore
from headroom.core.types import ContentBlock, Message, Path, ToolCall
from headroom.core.worth import Query, QueryBuilder


@dataclass(slots=True)
class Outcome:
    """What became of one message."""

    reports: list[BlockReport] = field(default_factory=list)
    replacements: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(slots=True)
class Conversation:
    """A conversation as far as it has been read. Equal messages always lead to an equal Conversation."""

    messages: list[Message] = field(default_factory=list)
    """Copies of what was read: a caller may change its own objects at any time."""
    biases: list[float] = field(default_factory=list)
    biased: bool = False
    """Whether any bias was other than 1."""
    delicate: list[int] = field(default_factory=list)
    """Indexes of the messages that may be equal to others and say something else: 1 is True, and 1.0 too."""
    outcomes: list[Outcome] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    """Indexes of the messages that leave with another text."""
    reports: list[BlockReport] = field(default_factory=list)
    originals: dict[str, str] = field(default_factory=dict)
    """Reference -> text, of everything that leaves shortened and must be in the store."""
    unsaved: set[str] = field(default_factory=set)
    """References in `originals` that no store has acknowledged yet."""
    saved_in: Callable[[], CompressionStore | None] = lambda: None
    """The store that has acknowledged the others, if it is still there."""
    arrived: dict[str, None] = field(default_factory=dict)
    """References in markers that came with the messages."""
    visible: VisibleLines = field(default_factory=VisibleLines)
    characters: int = 0
    _calls: dict[str, ToolCall] = field(default_factory=dict)
    _call_names: list[str] = field(default_factory=list)
    _left_out: dict[tuple[str, str], bool] = field(default_factory=dict)
    _queries: QueryBuilder = field(default_factory=QueryBuilder)
    _latest_user: str = ""
    _turns: int = 0
    _in_turn: bool = False
    """One turn of the assistant may be many Responses items: its words, its calls."""
    _dialect: str = ""

    def __len__(self) -> int:
        return len(self.messages)

    def hear(self, parts: MessageParts) -> None:
        """Take in what a message adds to the context of its own texts and of all later ones."""
        if parts.role == "user" and parts.words:
            self._latest_user = "\n".join(parts.words)
            self._queries.hear(self._latest_user)
        elif parts.role == "assistant":
            self._turns += not self._in_turn
            for call in parts.calls:
                self._calls[call.id] = call
                self._call_names.append(call.name)
        self._in_turn = parts.role == "assistant" or (self._in_turn and parts.role == ITEM)
        if parts.dialect != "openai":
            self._dialect = parts.dialect

    def call_of(self, block: ContentBlock) -> ToolCall | None:
        """The call that this output answers, if the conversation holds it. A user's text answers none."""
        return None if block.role == "user" else self._calls.get(block.call_id)

    def query_for(self, call: ToolCall | None) -> Query:
        """What the agent wanted to know when it made this call."""
        return self._queries.build(call)

    def asks_again(self, call: ToolCall | None) -> bool:
        """Whether the last output of this very call had something left out: the agent tells us that it needs it."""
        return call is not None and self._left_out.get((call.name, call.arguments), False)

    def remember(self, message: Message, bias: float, parts: MessageParts, outcome: Outcome) -> None:
        """Add a message that has been dealt with."""
        if outcome.replacements:
            self.changed.append(len(self.messages))
        if _is_delicate(message):
            self.delicate.append(len(self.messages))
        self.messages.append(_copy(message))
        self.biases.append(bias)
        self.biased = self.biased or bias != 1.0
        self.outcomes.append(outcome)
        self.characters += sum(len(block.text) for block in parts.blocks)
        self.reports += outcome.reports
        calls: dict[tuple[str, str], bool] = {}
        for block, report in zip(parts.blocks, outcome.reports, strict=True):
            if report.reference is None:
                pass
            elif report.changed:
                self.originals[report.reference] = block.text
                self.unsaved.add(report.reference)
            else:
                self.arrived[report.reference] = None
            before = unwrap_all(report.before)[0]
            if not report.changed:
                self.visible.add(before, report.before)
            else:
                self.visible.add(unwrap_all(report.after)[0], report.before, unfolded="" if report.lossy else before)
            if report.reason == OURS:
                self.visible.records.forget()
            else:
                self.visible.records.add(before, lossy=report.lossy)
            call = self.call_of(block)
            if call is not None:
                key = (call.name, call.arguments)
                calls[key] = calls.get(key, False) or report.lossy
        self._left_out.update(calls)

    def context(self, model: str) -> CompressContext:
        """What the hooks are told."""
        return CompressContext(model, self._latest_user, self._turns, list(self._call_names), _provider(model, self._dialect))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(inner) for inner in value]
    return value


def _is_delicate(value: Any) -> bool:
    """Whether it holds a number."""
    if isinstance(value, dict):
        return any(map(_is_delicate, value.values()))
    if isinstance(value, list):
        return any(map(_is_delicate, value))
    return isinstance(value, (int, float))


def says_the_same(one: Any, other: Any) -> bool:
    """Whether two equal values are written alike, too, the order of their keys aside: 1 is not 1.0."""
    if isinstance(one, dict):
        return all(says_the_same(inner, other[key]) for key, inner in one.items())
    if isinstance(one, list):
        return all(map(says_the_same, one, other))
    return not isinstance(one, (int, float)) or (type(one) is type(other) and repr(one) == repr(other))


_PROVIDERS = (
    ("claude", "anthropic"),
    ("gemini", "google"),
    ("mistral", "mistral"),
    ("command", "cohere"),
    ("deepseek", "deepseek"),
    ("grok", "xai"),
    ("llama", "meta"),
    ("qwen", "alibaba"),
)


def _provider(model: str, dialect: str) -> str:
    name = model.lower()
    for word, provider in _PROVIDERS:
        if word in name:
            return provider
    return "anthropic" if dialect == "anthropic" else "openai"
