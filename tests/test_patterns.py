"""No regular expression of the package runs away, whatever text it is given.

`tests/patterns.py` finds the patterns and makes the inputs. What is searched for in a text of limited length only may
grow faster within that limit: it stands in BOUNDED with what bounds it.
"""

from __future__ import annotations

import re
import time

import pytest

from headroom import MemoryStore, compress
from headroom.core import pipeline
from headroom.core.compressors.grids.repr_scanner import _row_pattern
from tests.patterns import SUPER_LINEAR, Found, all_patterns, runs_away

MATCH = frozenset(("match",))

BOUNDED = {
    "headroom.core.compressors.grids.layouts.aligned": (4_000, "a header of at most MAX_HEADER characters"),
    "headroom.core.compressors.code.parsers._SIGNS": (300, "the first 300 characters of a line"),
    "headroom.core.compressors.code.outline._OPENING": (1_000, "a line shorter than _LONGEST_LINE"),
    "headroom.core.compressors.reports.diagnostics._RULES": (400, "the first 400, or last 120, characters of a line"),
    "headroom.core.compressors.reports.diagnostics._NUMBERS": (200, "the first 200 characters of a line"),
    "headroom.core.store.units._PROSE_WORD": (2_000, "the first ENDLESS_LINE characters of a line"),
}
"""Pattern: (the most characters that it is given, why). """

MADE_AT_RUN_TIME: dict[str, list[Found]] = {
    "headroom.proxy.dashboard._hash": [],  # its one input is a file of ours
    "headroom.core.compressors.lines.labels._in_all": [
        Found("labels: the same everywhere", re.compile(r"=a1,")),
        Found("labels: a number in a place", re.compile(r"\ worker\-a[0-9]+b\ ")),
        Found("labels: the first number", re.compile(r"\A[0-9]+\Z")),
    ],
    "headroom.core.compressors.grids.repr_scanner._row_pattern": [
        Found("rows of tuples", _row_pattern("(", [], 4), MATCH),
        Found("rows of dicts", _row_pattern("{", ["'a'", "'b'"], 2), MATCH),
        Found("rows of calls", _row_pattern("Row", ["a", "b"], 2), MATCH),
    ],
    "headroom.core.store.search._hits": [Found("a word of a query", re.compile(r"(?<!\w)a\.a\.a(?!\w)"))],
}
"""What the functions that make patterns at run time make, some of it."""

RUNNING_AWAY = {
    "many splits": r"(?:a+)+$",
    "two repeats of the same": r"x\w+\w*:",
    "a search begun anew": r"\s+$",
    "an opening repeated": r"<a[^>]*>",
    "blanks around something optional": r"\[\s*,?\s*\]",
    "anything, twice": r"key.*=.*;",
    "branches that overlap": r"(?:a|ab|b)*c",
}
WELL_BEHAVED = (r"\w+", r"(?<!\s)\s+$", r"\[[^\[\]]*\]", r"(?:\d{1,3}\.){3}\d{1,3}", r'"[^"\\]*(?:\\.[^"\\]*)*"?')


@pytest.fixture(scope="module")
def patterns() -> tuple[list[Found], set[str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network
        return all_patterns()


def test_every_pattern_is_found(patterns: tuple[list[Found], set[str]]) -> None:
    found, made_at_run_time = patterns
    assert len(found) > 150
    assert made_at_run_time == set(MADE_AT_RUN_TIME), "a pattern made at run time needs an example here"
    assert set(BOUNDED) <= {one.where for one in found}


def test_none_runs_away(patterns: tuple[list[Found], set[str]]) -> None:
    bad = {one.where: how for one in patterns[0] if one.where not in BOUNDED and (how := runs_away(one))}
    assert not bad


@pytest.mark.parametrize("where", BOUNDED)
def test_within_its_limit_none_takes_long(patterns: tuple[list[Found], set[str]], where: str) -> None:
    # What grows with the square is too quick at this size to be looked at; the cube, or worse, is not.
    assert not [how for one in patterns[0] if one.where == where and (how := runs_away(one, most=250))]


@pytest.mark.parametrize("where", MADE_AT_RUN_TIME)
def test_nor_does_one_made_at_run_time(where: str) -> None:
    assert not [how for one in MADE_AT_RUN_TIME[where] if (how := runs_away(one))]


@pytest.mark.parametrize("name", RUNNING_AWAY)
def test_one_that_runs_away_is_noticed(name: str) -> None:
    assert runs_away(Found(name, re.compile(RUNNING_AWAY[name])))


@pytest.mark.parametrize("pattern", WELL_BEHAVED)
def test_one_that_does_not_is_left_in_peace(pattern: str) -> None:
    assert runs_away(Found(pattern, re.compile(pattern))) is None


def test_a_pasted_line_of_tildes_hangs_nobody() -> None:
    # Found so, through the front door: a million of them took more than half an hour.
    few, many = (min(_seconds_to_compress("look:\n" + "~" * n) for _ in range(3)) for n in (20_000, 80_000))
    assert many < SUPER_LINEAR * max(few, 0.005)


def _seconds_to_compress(pasted: str) -> float:
    pipeline._remembered.clear()
    start = time.thread_time()
    compress([{"role": "user", "content": pasted}], "gpt-4o", store=MemoryStore())
    return time.thread_time() - start
