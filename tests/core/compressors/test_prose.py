"""Prose: the outline stays, gaps are marked, paragraphs that were asked for are whole."""

from __future__ import annotations

import re
import time

import pytest

from headroom.core.compressors.prose import Prose
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import Request
from headroom.core.worth import Query

PROSE = Prose()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def request(budget: int, query: Query | None = None) -> Request:
    return Request(query or Query(), budget, 0.0)


def handbook(chapters: int = 12) -> str:
    lines = ["# The ferry handbook", ""]
    for n in range(chapters):
        story = (
            f"Route {n} is the way that the boat of pier {n} takes in the morning. It leaves when the tide is high. The crew of boat {n} "
            "counts every passenger by hand. Nobody has ever been left behind on this route, as far as we know. "
            f"If the fog is thick, the captain waits for the bell of tower {n * 7}."
        )
        lines += [f"## Route {n}", "", story, ""]
        lines += [f"- Ask for the blue ticket of kind {n}", f"- The dog of pier {n} is friendly", f"- Bring warm clothes for hour {n}", ""]
        lines += ["```sh", f"ferry --route {n} --check", f"ferry --route {n} --go", "```", ""]
    return "\n".join(lines)


def test_it_is_prose() -> None:
    assert PROSE.claims(Sample(handbook()))
    plain = "The committee met on Tuesday and it was agreed that the roof is to be mended.\nMoney for it will come from the fund.\n"
    assert PROSE.claims(Sample(plain * 4))


def test_the_outline_stays() -> None:
    text = handbook()
    shortened = PROSE.compress(text, request(600))
    assert shortened is not None and shortened.lossy
    for n in range(12):
        assert f"## Route {n}" in shortened.text
    assert "Route 0 is the way that the boat of pier 0 takes in the morning." in shortened.text
    assert estimate(shortened.text) <= 640
    assert re.fullmatch(r"\d+ of \d+ lines left out, \d+ paragraphs shortened", shortened.note)


def test_what_is_shown_is_the_original_in_its_order() -> None:
    text = handbook()
    shortened = PROSE.compress(text, request(500))
    assert shortened is not None
    at = 0
    for piece in re.split(r"\s*\[… [^\]]*\]\s*", shortened.text):
        found = text.find(piece, at)
        assert found >= 0, piece
        at = found + len(piece)


def test_a_paragraph_that_was_asked_for_is_whole() -> None:
    shortened = PROSE.compress(handbook(), request(350, Query((("tower 49", 6.0),))))
    assert shortened is not None
    assert "Route 7 is the way that the boat" in shortened.text and "the captain waits for the bell of tower 49." in shortened.text
    assert "The crew of boat 7 counts every passenger by hand." in shortened.text


def test_a_paragraph_that_comes_again_is_a_pointer() -> None:
    notice = "Please note that the ferry does not run on the first day of the year, and that the harbour is closed to all. " * 2
    text = f"# Times\n\n{notice}\n\n# Prices\n\nThe price of it is low.\n\n{notice}\n"
    shortened = PROSE.compress(text, LOSSLESS)
    assert shortened is not None and not shortened.lossy and shortened.note == "1 repeated block left as pointers"
    assert shortened.text == f"# Times\n\n{notice}\n\n# Prices\n\nThe price of it is low.\n\n[… the same as line 3]\n"


def test_more_budget_never_shows_less() -> None:
    text = handbook()
    shown: set[str] = set()
    for budget in range(60, 2_500, 120):
        shortened = PROSE.compress(text, request(budget))
        pieces = re.split(r"\[… [^\]]*\]|\n|(?<=\.) ", text if shortened is None else shortened.text)
        kept = {piece.strip() for piece in pieces} - {"", "```", "```sh"}
        assert shown <= kept
        shown = kept


def test_a_little_over_the_budget_is_left_whole() -> None:
    assert PROSE.compress(handbook(), request(estimate(handbook()) * 9 // 10)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def run(self):\n    # the way that we run it is the way of the world\n    return self.value\n" * 6,
        "2024-01-01 10:00:00 INFO the server is ready to take the calls of the client\n" * 8,
        "src/a.py:12: the value of the key is not in the list of the names\n" * 8,
        "a1b2c3d Fix the thing that is in the way of the other thing\n" * 8,
        '{"text": "It is the way of the world and of the sea, and it is to be."}\n' * 8,
        "commit " + "0f" * 20 + "\nAuthor: Ann\n\n    It is the way of the world that this is in the log.\n" * 6,
    ],
)
def test_other_texts_are_not_claimed(text: str) -> None:
    assert not PROSE.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "the of and to is in that. " * 100_000,
        "# " * 100_000,
        "```\n" * 30_000,
        "word " * 300_000,
        "A. " * 200_000,
        "\ud800 the of and\x00 to is in it\n" * 500,
        ("x" * 300 + "\n\n") * 5_000,
        "-" * 1_000_000,
    ],
)
def test_hostile_texts_never_raise(text: str) -> None:
    started = time.process_time()
    PROSE.claims(Sample(text))
    for limits in (LOSSLESS, request(10)):
        PROSE.compress(text, limits)
    assert time.process_time() - started < 3
