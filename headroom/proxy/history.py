"""What the proxy has done: totals, minute by minute, kind by kind, and the newest requests. Bounded, in memory only."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from headroom import CompressResult

MINUTES = 24 * 60
MOST_REQUESTS = 50
MOST_TEXTS = 20
"""Of one request, and only with --show-texts."""
MOST_CHARACTERS = 8_000
MOST_KEPT_CHARACTERS = 20_000_000
"""Of whole conversations, kept for /inspect with --show-texts: the newest that fit."""


@dataclass(slots=True)
class Entry:
    """One request that carried a conversation."""

    number: int
    at: float
    """Seconds since the epoch."""
    path: str
    model: str
    status: int = 0
    tokens_before: int = 0
    tokens_after: int = 0
    retrievals: int = 0
    seconds: float = 0.0
    """Until the last byte."""
    own_seconds: float = 0.0
    """Of these, what reading and compressing took before anything was sent on."""
    failure: str = ""
    kinds: dict[str, int] = field(default_factory=dict)
    """Kind -> tokens saved."""
    texts: list[dict[str, str]] = field(default_factory=list)
    namespace: str = ""
    """Where its originals are."""
    result: CompressResult | None = None
    """The whole conversation, before and after, while it is kept."""

    def figures(self) -> dict[str, Any]:
        """Everything but texts, fit for JSON."""
        return {
            "number": self.number,
            "at": round(self.at, 3),
            "path": self.path,
            "model": self.model,
            "status": self.status,
            "tokens_before": self.tokens_before,
            "tokens_after": self.tokens_after,
            "tokens_saved": self.tokens_before - self.tokens_after,
            "retrievals": self.retrievals,
            "seconds": round(self.seconds, 4),
            "own_seconds": round(self.own_seconds, 4),
            "failure": self.failure,
            "kinds": self.kinds,
            "texts": len(self.texts),
            "whole": self.result is not None,
        }


@dataclass(slots=True)
class Minute:
    """All requests of one minute."""

    at: int
    requests: int = 0
    tokens_before: int = 0
    tokens_saved: int = 0


@dataclass(slots=True)
class KindTotal:
    """All texts of one kind that were shortened."""

    texts: int = 0
    tokens_before: int = 0
    tokens_saved: int = 0


class History:
    """Safe to use from many threads. Texts are kept only if `show_texts`, and only of the newest requests."""

    def __init__(self, show_texts: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.show_texts = show_texts
        self._clock = clock
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._minutes: deque[Minute] = deque(maxlen=MINUTES)
        self._kinds: dict[str, KindTotal] = {}
        self._latest: deque[Entry] = deque(maxlen=MOST_REQUESTS)

    def begin(self, path: str) -> Entry:
        """A request that has just come in."""
        return Entry(next(self._numbers), self._clock(), path, "")

    def add(self, entry: Entry, result: CompressResult | None) -> None:
        """A request that is over. Counts tokens, which takes a while: not for the event loop."""
        totals = self._measure(entry, result) if result is not None else {}
        with self._lock:
            minute = self._minute_of(entry)
            minute.requests += 1
            minute.tokens_before += entry.tokens_before
            minute.tokens_saved += entry.tokens_before - entry.tokens_after
            for kind, total in totals.items():
                known = self._kinds.setdefault(kind, KindTotal())
                known.texts += total.texts
                known.tokens_before += total.tokens_before
                known.tokens_saved += total.tokens_saved
            self._latest.append(entry)
            if self.show_texts and result is not None:
                entry.result = result
                self._forget_old_results()

    def _forget_old_results(self) -> None:
        left = MOST_KEPT_CHARACTERS
        for entry in reversed(self._latest):
            if entry.result is not None:
                left -= _characters(entry.result)
                entry.result = entry.result if left >= 0 else None

    def _measure(self, entry: Entry, result: CompressResult) -> dict[str, KindTotal]:
        entry.model = result.model[:200]  # what a client says may be anything
        entry.tokens_before, entry.tokens_after = result.tokens_before, result.tokens_after
        totals: dict[str, KindTotal] = {}
        for block in result.blocks:
            if block.changed:
                total = totals.setdefault(block.kind, KindTotal())
                total.texts += 1
                total.tokens_before += block.tokens_before
                total.tokens_saved += block.tokens_saved
        entry.kinds = {kind: total.tokens_saved for kind, total in totals.items()}
        if self.show_texts:
            changed = [block for block in result.blocks if block.changed][-MOST_TEXTS:]
            entry.texts = [
                {"kind": block.kind, "before": block.before[:MOST_CHARACTERS], "after": block.after[:MOST_CHARACTERS]} for block in changed
            ]
        return totals

    def _minute_of(self, entry: Entry) -> Minute:
        at = int(entry.at // 60) * 60
        for known in reversed(self._minutes):  # requests end in another order than they began
            if known.at == at:
                return known
            if known.at < at:
                break
        self._minutes.append(Minute(at))
        return self._minutes[-1]

    def summary(self) -> dict[str, Any]:
        """Over time, by kind, and the newest requests, newest first; no texts."""
        with self._lock:
            return {
                "over_time": [
                    {"at": m.at, "requests": m.requests, "tokens_before": m.tokens_before, "tokens_saved": m.tokens_saved}
                    for m in sorted(self._minutes, key=lambda minute: minute.at)
                ],
                "kinds": self.kinds(),
                "latest": [entry.figures() for entry in reversed(self._latest)],
            }

    def kinds(self) -> list[dict[str, Any]]:
        """What each kind saved, the most first."""
        known = sorted(self._kinds.items(), key=lambda item: -item[1].tokens_saved)
        return [
            {"kind": kind, "texts": total.texts, "tokens_before": total.tokens_before, "tokens_saved": total.tokens_saved}
            for kind, total in known
        ]

    def entry(self, number: int | None = None) -> Entry | None:
        """One of the newest requests whose whole conversation is kept, the newest by default; None if there is none such."""
        with self._lock:
            kept = (entry for entry in reversed(self._latest) if entry.result is not None)
            return next((entry for entry in kept if number in (None, entry.number)), None)

    def texts_of(self, number: int) -> list[dict[str, str]] | None:
        """Before and after of one of the newest requests; None if it is not among them."""
        with self._lock:
            return next((entry.texts for entry in self._latest if entry.number == number), None)


def _characters(result: CompressResult) -> int:
    return sum(len(block.before) + len(block.after) for block in result.blocks)
