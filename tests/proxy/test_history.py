"""What the proxy remembers of its work: bounded, and without texts unless asked."""

from __future__ import annotations

from headroom import CompressResult, MemoryStore, compress
from headroom.proxy.history import MINUTES, MOST_CHARACTERS, MOST_REQUESTS, History
from tests.shop import info_log, turn


def _result() -> CompressResult:
    return compress(turn(info_log({})), store=MemoryStore())


def _filled(history: History, number: int, result: CompressResult | None) -> None:
    for _ in range(number):
        history.add(history.begin("/v1/messages"), result)


def test_totals_by_minute_and_by_kind() -> None:
    times = iter([60.0, 61.0, 130.0, 119.0])
    history = History(clock=lambda: next(times))
    result = _result()
    _filled(history, 4, result)
    summary = history.summary()
    assert [(minute["at"], minute["requests"]) for minute in summary["over_time"]] == [(60, 3), (120, 1)]
    assert summary["over_time"][1]["tokens_saved"] == result.tokens_saved
    (kind,) = summary["kinds"]
    assert (kind["kind"], kind["texts"], kind["tokens_saved"]) == ("logs", 4, 4 * result.tokens_saved)


def test_it_does_not_grow() -> None:
    now = iter(range(0, 60 * (MINUTES + 100), 60))
    history = History(clock=lambda: float(next(now)))
    _filled(history, MINUTES + 100, None)
    summary = history.summary()
    assert (len(summary["over_time"]), len(summary["latest"])) == (MINUTES, MOST_REQUESTS)
    assert summary["latest"][0]["number"] == MINUTES + 100


def test_texts_are_kept_only_when_asked_for_and_cut() -> None:
    quiet, open = History(), History(show_texts=True)
    for history in (quiet, open):
        _filled(history, 1, _result())
    assert quiet.texts_of(1) == []
    (text,) = open.texts_of(1) or []
    assert text["kind"] == "logs"
    assert len(text["before"]) == MOST_CHARACTERS
    assert open.texts_of(2) is None
    assert "handled" not in str(open.summary())
