"""Counters of the proxy, and the text in which Prometheus reads them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from headroom import Savings
from headroom.proxy.history import History
from headroom.proxy.limits import Room

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Histogram:
    """How many measurements were at most so many seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(SECONDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterable[str]:
        """In Prometheus' format: counts that include all smaller ones."""
        total = 0
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._rejected: Counter[str] = Counter()
        self._own_seconds = Histogram()

    def answered(self, provider: str, dialect: str, status: int) -> None:
        """A request is over; `dialect` is "" where it carried no conversation."""
        with self._lock:
            self._requests[provider, dialect or "other", status] += 1

    def rejected(self, reason: str) -> None:
        """A request got an answer of our own; `reason` is one of few words."""
        with self._lock:
            self._rejected[reason] += 1

    def prepared(self, seconds: float) -> None:
        """A conversation was read and compressed."""
        with self._lock:
            self._own_seconds.add(seconds)

    def summary(self) -> dict[str, Any]:
        """Fit for JSON."""
        with self._lock:
            answered = [
                {"provider": provider, "dialect": dialect, "status": status, "requests": number}
                for (provider, dialect, status), number in sorted(self._requests.items())
            ]
            return {"answered": answered, "rejected": dict(self._rejected)}

    def text(self, savings: Savings, history: History, room: Room) -> str:
        """All of it, as Prometheus reads it."""
        with self._lock:
            requests = [
                ({"provider": provider, "dialect": dialect, "status": str(status)}, number)
                for (provider, dialect, status), number in sorted(self._requests.items())
            ]
            rejected = [({"reason": reason}, number) for reason, number in sorted(self._rejected.items())]
            histogram = list(self._own_seconds.lines("headroom_own_seconds"))
        totals = savings.summary()
        kinds = [({"kind": kind["kind"]}, kind["tokens_saved"]) for kind in history.kinds()]
        lines = [
            *_metric("requests_total", "counter", "Requests answered.", requests),
            *_metric("rejected_total", "counter", "Requests refused by the proxy itself.", rejected),
            *_metric("open_requests", "gauge", "Requests under way.", [({}, room.open)]),
            *_metric("conversations_total", "counter", "Requests whose conversation was read.", [({}, totals["requests"])]),
            *_metric("tokens_before_total", "counter", "Tokens as they came.", [({}, totals["tokens_before"])]),
            *_metric("tokens_saved_total", "counter", "Tokens removed.", [({}, totals["tokens_saved"])]),
            *_metric("tokens_saved_by_kind_total", "counter", "Tokens removed, by kind of text.", kinds),
            *_metric("retrievals_total", "counter", "Calls of headroom_retrieve answered.", [({}, totals["retrievals"])]),
            *_metric("failures_total", "counter", "Requests sent on uncompressed because of trouble here.", [({}, totals["failures"])]),
            "# HELP headroom_own_seconds Reading and compressing, before a request is sent on.",
            "# TYPE headroom_own_seconds histogram",
            *histogram,
        ]
        return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, help: str, values: Iterable[tuple[Mapping[str, str], int]]) -> Iterable[str]:
    yield f"# HELP headroom_{name} {help}"
    yield f"# TYPE headroom_{name} {kind}"
    for labels, value in values:
        written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"headroom_{name}{{{written}}} {value}" if written else f"headroom_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
