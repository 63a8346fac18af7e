"""What is counted, when it is counted, and what the totals say."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headroom import CompressResult, MemoryStore, Savings, compress
from headroom.core import tokens
from tests import shop


def _compressed() -> CompressResult:
    return compress(shop.conversation(), "gpt-4o", store=MemoryStore())


def test_totals_are_the_sums_of_the_results() -> None:
    savings, result = Savings(), _compressed()
    savings.add(result)
    savings.add(result)
    assert savings.requests == 2
    assert savings.tokens_before == 2 * result.tokens_before
    assert savings.tokens_saved == 2 * result.tokens_saved > 0
    assert savings.savings_percent == pytest.approx(100 * result.compression_ratio)


def test_the_summary_is_fit_for_json_and_names_everything() -> None:
    savings = Savings()
    assert savings.summary()["savings_percent"] == 0.0
    savings.add(_compressed())
    savings.add_retrieval()
    summary = json.loads(json.dumps(savings.summary()))
    assert summary["tokens_before"] - summary["tokens_after"] == summary["tokens_saved"] == savings.tokens_saved
    assert (summary["requests"], summary["retrievals"], summary["failures"]) == (1, 1, 0)


def test_nothing_is_counted_before_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    savings, result = Savings(), _compressed()
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "count_texts", _never)
        savings.add(result)
    assert savings.tokens_before > 0


def _never(*_: Any) -> int:
    raise AssertionError("counted in the user's request")


def test_many_requests_that_nobody_looks_at_are_counted_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    counted_by: set[str] = set()
    count_one = Savings._count_one

    def spy(self: Savings) -> bool:
        counted_by.add(threading.current_thread().name)
        return count_one(self)

    monkeypatch.setattr(Savings, "_count_one", spy)
    savings, result = Savings(most_remembered=5), _compressed()
    for _ in range(100):
        savings.add(result)
    while savings._counting:
        time.sleep(0.01)
    assert counted_by == {"headroom-savings"}
    assert len(savings._uncounted) < 100
    assert savings.tokens_saved == 100 * result.tokens_saved
    assert len(savings.recent) == 5


def test_a_failure_is_a_request_that_saved_nothing_and_says_why() -> None:
    savings = Savings()
    savings.add_failure("gpt-4o", ValueError("odd"))
    assert (savings.requests, savings.failures, savings.tokens_saved) == (1, 1, 0)
    assert savings.recent[-1].failure == savings.summary()["last_failure"] == "ValueError: odd"


def test_a_failing_store_counts_as_a_failure() -> None:
    class Full(MemoryStore):
        def put_many(self, *arguments: Any, **options: Any) -> Any:
            raise OSError("disk full")

    savings = Savings()
    savings.add(compress(shop.conversation(), "gpt-4o", store=Full()))
    assert savings.failures == 1
    assert "disk full" in savings.summary()["last_failure"]


def test_reset_starts_from_zero() -> None:
    savings = Savings()
    savings.add(_compressed())
    savings.add_failure("m", ValueError())
    savings.reset()
    assert savings.summary() == Savings().summary()
    assert savings.recent == []


def test_copies_count_together_and_other_processes_for_themselves() -> None:
    savings = Savings()
    savings.add(_compressed())
    assert copy.deepcopy(savings) is savings
    assert pickle.loads(pickle.dumps(savings)).requests == 0


def test_threads_lose_nothing() -> None:
    savings, result = Savings(), _compressed()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: (savings.add(result), savings.summary()), range(400)))
    assert savings.requests == 400
    assert savings.tokens_saved == 400 * result.tokens_saved
