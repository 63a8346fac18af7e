"""The fallback: regions of any text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core.compressors.text import Text
from headroom.core.detect import Sample
from headroom.core.types import Request
from headroom.core.worth import Query


def request(budget: int = 400, lossless: bool = False, **terms: float) -> Request:
    return Request(Query(tuple((term.replace("_", " "), weight) for term, weight in terms.items())), budget, 0.05, lossless)


NAMES = ["anchor", "basalt", "cedar", "delta", "ember", "fjord", "glacier", "harbor", "island", "juniper", "kelp", "lagoon", "meadow"]


def essay(count: int = 300) -> str:
    return "\n".join(
        " ".join(NAMES[(i * step + step) % 13] for step in (1, 2, 3, 5, 7, 11)) + f" near the {NAMES[i % 13]} {i}." for i in range(count)
    )


def test_claims_everything() -> None:
    assert Text().claims(Sample(""))
    assert Text().claims(Sample("\0"))


def test_the_region_around_what_was_asked_is_shown_in_one_piece() -> None:
    lines = essay().split("\n")
    lines[150] = "The treasurer keeps the sealed ledger in the north tower."
    result = Text().compress("\n".join(lines), request(sealed_ledger=6.0))
    assert result is not None
    assert "\n".join(lines[146:155]) in result.text
    assert result.lossy
    assert result.text.startswith("\n".join(lines[:3]))
    assert lines[-1] in result.text


def test_the_digest_is_of_few_pieces() -> None:
    result = Text().compress(essay(), request())
    assert result is not None
    assert result.text.count("[… ") <= 6


def test_headings_are_preferred() -> None:
    lines = essay().split("\n")
    lines[200:200] = ["", "# Tides and moorings", ""]
    result = Text().compress("\n".join(lines), request())
    assert result is not None
    assert "# Tides and moorings" in result.text


def test_a_text_barely_over_its_allowance_is_left_whole() -> None:
    assert Text().compress(essay(24), request()) is None


def test_note_counts_lines() -> None:
    text = essay()
    result = Text().compress(text, request())
    assert result is not None
    shown = [line for line in result.text.split("\n") if not line.startswith("[… ")]
    marked = sum(int(n.replace(",", "")) for n in re.findall(r"\[… ([\d,]+) lines, ", result.text)) + result.text.count("[… line ")
    assert len(shown) + marked == 300
    assert result.note == f"{marked} of 300 lines left out"
    place = iter(text.split("\n"))
    assert all(line in place for line in shown), "shown lines are a subsequence of the original's"


def test_colours_and_blanks_are_kept_but_runs_are_counted() -> None:
    text = "\x1b[1mtitle\x1b[0m  \n" + "\n" * 300 + "the same thing again and again\n" * 5 + "end"
    result = Text().compress(text, request())
    assert result is not None
    assert result.text == (
        "\x1b[1mtitle\x1b[0m  \n\n[… 299 more blank lines]\nthe same thing again and again\n[… previous line 4 more times]\nend"
    )
    assert not result.lossy
    assert result.note == "303 repeated lines counted"


def test_one_giant_line() -> None:
    text = ", ".join(f"('{NAMES[i % 13]} {i}', {i * 31})" for i in range(4_000))
    result = Text().compress(text, request(**{"elk 17": 1.0, "cedar 2004": 8.0}))
    assert result is not None
    assert "'cedar 2004'" in result.text or "cedar 2004" not in text
    pieces = re.split(r"\[… [\d,]+ characters\]", result.text)
    assert result.note == "1 long line cut"
    assert sum(map(len, pieces)) + sum(int(n.replace(",", "")) for n in re.findall(r"\[… ([\d,]+) characters\]", result.text)) == len(text)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from(["# head", "plain words here", "", "def f(x):", "    return x", "b" * 1300, "see p/q.py:3", "error"]),
        min_size=1,
        max_size=150,
    )
)
def test_more_budget_never_shows_less(lines: list[str]) -> None:
    text = "\n".join(f"{line} {index}" for index, line in enumerate(lines))
    seen: set[str] = set()
    for budget in (0, 40, 90, 200, 400, 900):
        result = Text().compress(text, request(budget, head=2.0))
        now = set((result.text if result else text).split("\n"))
        now = {line for line in now if "[… " not in line}
        if result is not None and result.lossy:
            assert seen <= now
        seen = now


@pytest.mark.parametrize(
    "text", ["", "\n" * 200_000, "y" * 500_000, "\ud83d\n" * 50_000, "\0\f" * 50_000, "a b\r\n" * 40_000, "İ" * 50_000, "#\n" * 90_000]
)
def test_hostile_texts(text: str) -> None:
    result = Text().compress(text, request(a_b=1.0))
    assert result is None or len(result.text) < len(text)
