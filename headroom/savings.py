"""What a program's requests have saved so far: counted by every integration, read by whoever asks."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from headroom.core.result import CompressResult

_MOST_UNCOUNTED = 32
"""Results wait to be counted until somebody looks; beyond this many another thread counts, so that no request does."""


@dataclass(frozen=True, slots=True)
class RequestSavings:
    """One request: tokens of its texts as they came and as they left, what ran, and why nothing did ("" if all went well)."""

    at: float
    """Seconds since the epoch."""
    model: str
    tokens_before: int
    tokens_after: int
    transforms_applied: tuple[str, ...] = ()
    failure: str = ""

    @property
    def tokens_saved(self) -> int:
        """Tokens removed."""
        return self.tokens_before - self.tokens_after


class Savings:
    """Totals since the start or the last `reset()`, and the newest requests one by one. Safe to use from many threads."""

    def __init__(self, most_remembered: int = 100) -> None:
        self._lock = threading.Lock()
        self._count_lock = threading.Lock()
        self._uncounted: deque[tuple[float, CompressResult]] = deque()
        self._recent: deque[RequestSavings] = deque(maxlen=most_remembered)
        self._requests = self._failures = self._before = self._saved = self._retrievals = 0
        self._last_failure = ""
        self._counting = False
        self._epoch = 0

    def add(self, result: CompressResult) -> None:
        """A request that was compressed, or found to hold nothing to save."""
        failure = _failure_in(result)
        with self._lock:
            self._requests += 1
            if failure:
                self._failures += 1
                self._last_failure = failure
            self._uncounted.append((time.time(), result))
            waiting = len(self._uncounted) > _MOST_UNCOUNTED and not self._counting
            self._counting = self._counting or waiting
        if waiting:
            threading.Thread(target=self._count_aside, name="headroom-savings", daemon=True).start()

    def add_failure(self, model: str, error: BaseException) -> None:
        """A request that went out as it came, because of trouble of ours."""
        with self._lock:
            self._requests += 1
            self._failures += 1
            self._last_failure = f"{type(error).__name__}: {error}"
            self._recent.append(RequestSavings(time.time(), model, 0, 0, failure=self._last_failure))

    def add_failed_text(self, error: BaseException) -> None:
        """A text that a failing redactor withheld from a request that is counted anyway."""
        with self._lock:
            self._failures += 1
            self._last_failure = f"{type(error).__name__}: {error}"

    def add_retrieval(self) -> None:
        """A call of `headroom_retrieve` that was answered."""
        with self._lock:
            self._retrievals += 1

    @property
    def requests(self) -> int:
        """Requests seen."""
        return self._requests

    @property
    def failures(self) -> int:
        """Requests in which something of ours failed: they went out as they came, wholly or in part. And texts withheld."""
        return self._failures

    @property
    def retrievals(self) -> int:
        """Calls of `headroom_retrieve` answered."""
        return self._retrievals

    @property
    def tokens_before(self) -> int:
        """Tokens of all requests' texts as they came."""
        self._count()
        return self._before

    @property
    def tokens_saved(self) -> int:
        """Tokens removed from all requests."""
        self._count()
        return self._saved

    @property
    def savings_percent(self) -> float:
        """Of the tokens that came, how many were removed: 0 to 100."""
        before = self.tokens_before
        return 100 * self._saved / before if before else 0.0

    @property
    def recent(self) -> list[RequestSavings]:
        """The newest requests, oldest first."""
        self._count()
        with self._lock:
            return list(self._recent)

    def summary(self) -> dict[str, Any]:
        """Everything above as one dict, fit for JSON."""
        self._count()
        with self._lock:
            return {
                "requests": self._requests,
                "tokens_before": self._before,
                "tokens_after": self._before - self._saved,
                "tokens_saved": self._saved,
                "savings_percent": round(100 * self._saved / self._before, 2) if self._before else 0.0,
                "retrievals": self._retrievals,
                "failures": self._failures,
                "last_failure": self._last_failure,
            }

    def reset(self) -> None:
        """Start from zero."""
        with self._lock:
            self._epoch += 1
            self._uncounted.clear()
            self._recent.clear()
            self._requests = self._failures = self._before = self._saved = self._retrievals = 0
            self._last_failure = ""

    def _count_aside(self) -> None:
        try:
            self._count()
        finally:
            self._counting = False

    def _count(self) -> None:
        with self._count_lock:  # whoever looks waits for what is being counted
            while self._count_one():
                pass

    def _count_one(self) -> bool:
        with self._lock:
            if not self._uncounted:
                return False
            at, result = self._uncounted.popleft()
            epoch = self._epoch
        saved, before = result.tokens_saved, result.tokens_before  # outside the lock: no request waits for a tokenizer
        applied = tuple(result.transforms_applied)
        request = RequestSavings(at, result.model, before, before - saved, applied, _failure_in(result))
        with self._lock:
            if epoch == self._epoch:  # else reset() came between
                self._before += before
                self._saved += saved
                self._recent.append(request)
        return True

    def __deepcopy__(self, memo: object) -> Savings:
        return self  # frameworks copy models and agents for every run; what they save belongs together

    def __reduce__(self) -> tuple[type[Savings], tuple[int]]:
        return Savings, (self._recent.maxlen or 0,)  # another process counts for itself

    def __repr__(self) -> str:
        return f"Savings({self._requests} requests)"


def _failure_in(result: CompressResult) -> str:
    """Why a text of this result was left alone by trouble of ours, "" if none was."""
    return next((block.reason.removeprefix("failed: ") for block in result.blocks if block.failed), "")
