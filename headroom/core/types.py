"""The words that the rooms of core share: small, frozen, without behaviour worth a test of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from headroom.core.worth import Query

Message: TypeAlias = dict[str, Any]
"""One message of a conversation, as the wire format writes it."""

Path: TypeAlias = tuple[int | str, ...]
"""Where a text sits: (message index, key, index, key, ...), e.g. (7, "content", 0, "content")."""

ContentKind: TypeAlias = str
"""What a text is: the `kind` of the compressor that claims it, e.g. "json_records"."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the assistant made, with the words it said beside it."""

    id: str
    name: str
    arguments: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class ContentBlock:
    """A text in place: what `split` takes out of a message and `join` puts back."""

    path: Path
    text: str
    role: str
    """"tool" or "user": the only roles whose text may ever change."""
    call_id: str = ""
    tool_name: str = ""
    """As the message itself names it; most formats do so only in the call."""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a compressor may know about the text it is given: everything here is causal.

    `size` below is an estimate in tokens (see `tokens.estimate`), of the text once folded.
    """

    query: Query
    budget_tokens: int
    """Tokens that a digest may always keep."""
    budget_share: float
    """... and the share of the folded text that it may keep on top."""
    lossless: bool = False
    """Fold only: leave nothing out."""
    seen: Callable[[Sequence[str]], bytearray] | None = None
    """Which of some lines an earlier output shows already: 1 for each. They will be left as pointers, at little cost."""
    budget_most: int = 6_000
    """The budget never grows beyond this: context windows do not grow with outputs."""
    outline: Literal["lines", "parser"] = "lines"
    """What finds the definitions in source code, see `CompressConfig.outline`."""

    def allowance(self, size: int) -> int:
        """Tokens (estimated) that may remain of a text of `size` tokens: the digest's budget."""
        return size if self.lossless else int(min(self.budget_tokens + self.budget_share * size, max(self.budget_tokens, self.budget_most)))


@dataclass(frozen=True, slots=True)
class Shortened:
    """What a compressor made of a text."""

    text: str
    """The new text, without a marker; the pipeline adds that."""
    note: str
    """What a marker says in words a model can act on: "412 of 500 rows left out, all status=ok".

    Empty if the text needs no word (minified JSON): then nothing may be missing from it.
    """
    lossy: bool
    """True if any value or line of the original is not in `text`."""
    saved_at_least: int = 0
    """Tokens that are surely saved, if the compressor knows: spares the counting. A line left out is at least one."""
    implied: bool = False
    """True if something that stood there can now only be worked out (the line number between two others)."""
