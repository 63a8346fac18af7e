"""What a terminal may be shown: nothing that acts on it, and as wide as it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headroom.cli.terminal import clipped, fold, padded, plain, width


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("list_orders", "list_orders"),
        ("查询订单 🙂 naïve", "查询订单 🙂 naïve"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("over\rwrite\b\nline", r"over\rwrite\x08\nline"),
        ("txt.\u202egnp", r"txt.\u202egnp"),
        ("hidden\u200b\ufeff", r"hidden\u200b\ufeff"),
        ("\ud800 alone", r"\ud800 alone"),
        ("👨\u200d👩 می\u200cخواهم", "👨\u200d👩 می\u200cخواهم"),
    ],
)
def test_what_would_act_on_the_terminal_is_written_out(name: str, shown: str) -> None:
    assert plain(name) == shown


@given(some.text())
def test_nothing_that_acts_gets_through(text: str) -> None:
    shown = plain(text)
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert plain(shown) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("查询", 4), ("🙂", 2), ("ｆｕｌｌ", 8), ("e\u0301", 1), ("नि", 2), ("\u1112\u1161\u11ab", 2), ("", 0)],
)
def test_columns_that_a_text_takes(text: str, columns: int) -> None:
    assert width(text) == columns
    assert padded(text, 9) == text + " " * (9 - columns)
    assert padded(text, 9, right=True) == " " * (9 - columns) + text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("left alone (small, retrieved)", ["left alone", "(small,", "retrieved)"]),
        ("search_onestop_flight", ["search_", "onestop_", "flight"]),
        ("a" * 25, ["a" * 12, "a" * 12, "a"]),
        ("查询订单列表详情", ["查询订单列表", "详情"]),
    ],
)
def test_folded_between_words_where_that_is_possible(text: str, lines: list[str]) -> None:
    assert fold(text, 12) == lines


@given(some.text(max_size=60), some.integers(min_value=-2, max_value=20))
def test_folding_loses_only_spaces(text: str, columns: int) -> None:
    lines = fold(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= max(columns, 2) for line in lines)


def test_clipped() -> None:
    assert clipped("12345", 5) == "12345"
    assert clipped("123456", 5) == "1234…"
