"""Tables on narrow and wide terminals, and with names that anyone may have chosen."""

from __future__ import annotations

import pytest

from headroom.cli.tables import Column, table
from headroom.cli.terminal import width

COLUMNS = [Column("tool"), Column("texts", number=True), Column("in all requests", number=True)]
ROWS = [("search_onestop_flight", "22", "1,234"), ("think", "4", "-")]


def test_a_table_as_wide_as_it_needs() -> None:
    assert table(COLUMNS, ROWS, 80).splitlines() == [
        "",
        "  tool                    texts   in all requests",
        " ─────────────────────────────────────────────────",
        "  search_onestop_flight      22             1,234",
        "  think                       4                 -",
        "",
    ]


def test_headings_are_folded_before_names() -> None:
    assert table(COLUMNS, ROWS, 44).splitlines() == [
        "",
        "                                    in all",
        "  tool                    texts   requests",
        " ──────────────────────────────────────────",
        "  search_onestop_flight      22      1,234",
        "  think                       4          -",
        "",
    ]


def test_names_are_folded_and_numbers_never() -> None:
    assert table(COLUMNS, ROWS, 20, "-").splitlines() == [
        "",
        "                           in all",
        "  tool           texts   requests",
        " ---------------------------------",
        "  search_           22      1,234",
        "  onestop_",
        "  flight",
        "  think              4          -",
        "",
    ]


@pytest.mark.parametrize("room", [60, 80, 200])
@pytest.mark.parametrize("name", ["查询订单列表" * 9, "🙂" * 40, "e\u0301" * 90, "\x1b[2J" * 20, "a\nb", "x" * 100_000, ""])
def test_no_name_breaks_a_table(room: int, name: str) -> None:
    lines = table(COLUMNS, [(name, "1", "2"), *ROWS], room).splitlines()
    assert len(lines) < 30
    assert all(line.replace("─", "").isprintable() and width(line) <= room for line in lines)
    ends = {width(line) for line in lines if line.endswith(("1,234", "-", " 2"))}
    assert len(ends) == 1, "numbers stand below each other"


def test_an_empty_row_is_an_empty_line() -> None:
    assert table([Column("text")], [("a",), ("",), ("b",)], 80).splitlines()[3:6] == ["  a", "", "  b"]


def test_no_rows() -> None:
    assert table([Column("text")], [], 80) == "\n  text\n ──────\n\n"
