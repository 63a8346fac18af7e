"""What transcripts would have saved: by kind of text, by tool, by session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from headroom import CompressResult
from headroom.inspect.examined import Examined

UNTOUCHED = "left alone (small, retrieved)"
INSTRUCTIONS = "instructions, answers, calls"
USER = "(the user)"
NO_TOOL = f"({INSTRUCTIONS})"


@dataclass(slots=True)
class Sum:
    """Texts that belong together. `before` and `saved` are tokens of each text once; `sent_*` of every request it was in."""

    texts: int = 0
    shortened: int = 0
    before: int = 0
    saved: int = 0
    sent_before: int = 0
    sent_saved: int = 0
    requests: int = 0
    """Of a session, or of all."""

    def add(self, before: int, saved: int, sent: int, *, shortened: bool, texts: int = 1) -> None:
        """One text, or several that no tool gave."""
        self.texts += texts
        self.shortened += shortened
        self.before += before
        self.saved += saved
        self.sent_before += before * sent
        self.sent_saved += saved * sent

    def without(self, others: Iterable[Sum]) -> Sum:
        """What is left of a sum when some of its parts are taken out."""
        parts = list(others)
        names = [name.name for name in fields(Sum)]
        return Sum(**{name: getattr(self, name) - sum(getattr(part, name) for part in parts) for name in names})


@dataclass(slots=True)
class Figures:
    """Sums over conversations; add() each."""

    total: Sum = field(default_factory=Sum)
    sessions: list[tuple[str, Sum]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    exact: bool = True
    """Whether every token was counted with its model's own vocabulary."""
    _kinds: dict[str, Sum] = field(default_factory=dict)
    _tools: dict[str, Sum] = field(default_factory=dict)

    def add(self, examined: Examined) -> None:
        """Count one conversation in."""
        result = examined.result
        session = Sum(requests=max(1, len(examined.requests)))
        self.sessions.append((examined.name, session))
        self.total.requests += session.requests
        self.exact = self.exact and result.tokens_exact
        rest = _tokens_by_message(result)
        for block in result.blocks:
            index = int(block.path[0])
            sent, before, saved = examined.sent(index), block.tokens_before, block.tokens_saved
            rest[index] -= before
            kind = self._kinds.setdefault(block.kind if block.changed else UNTOUCHED, Sum())
            tool = self._tools.setdefault(examined.tools.get(block.path) or USER, Sum())
            for part in (kind, tool, session, self.total):
                part.add(before, saved, sent, shortened=block.changed)
        for index, tokens in enumerate(rest):
            if tokens > 0:
                kind, tool = self._kinds.setdefault(INSTRUCTIONS, Sum()), self._tools.setdefault(NO_TOOL, Sum())
                for part in (kind, tool, session, self.total):
                    part.add(tokens, 0, examined.sent(index), shortened=False)

    def by_kind(self) -> list[tuple[str, Sum]]:
        """What each kind saved, the most first."""
        return _ordered(self._kinds)

    def by_tool(self) -> list[tuple[str, Sum]]:
        """What each tool's outputs saved, the most first."""
        return _ordered(self._tools)

    def as_dict(self) -> dict[str, Any]:
        """Everything, fit for JSON."""
        return {
            "total": asdict(self.total),
            "tokens_exact": self.exact,
            "kinds": {name: asdict(part) for name, part in self.by_kind()},
            "tools": {name: asdict(part) for name, part in self.by_tool()},
            "sessions": [{"name": name, **asdict(part)} for name, part in self.sessions],
            "problems": self.problems,
        }


def _ordered(sums: dict[str, Sum]) -> list[tuple[str, Sum]]:
    return sorted(sums.items(), key=lambda item: (-item[1].saved, -item[1].before, item[0]))


def _tokens_by_message(result: CompressResult) -> list[int]:
    """Tokens of every message as it came: of what leaves, and what was saved on it."""
    saved = [0] * len(result.messages)
    for block in result.blocks:
        saved[int(block.path[0])] += block.tokens_saved
    left = [CompressResult([message], [], result.model, [message]).tokens_before for message in result.messages]
    return [tokens + more for tokens, more in zip(left, saved, strict=True)]
