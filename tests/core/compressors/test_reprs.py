"""Python reprs: every value survives the fold, whatever the strings look like."""

from __future__ import annotations

import ast
import datetime
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.compressors.grids.repr_scanner import read
from headroom.core.compressors.reprs import Reprs
from headroom.core.detect import Sample
from headroom.core.types import Request, Shortened
from headroom.core.worth import Query
from tests.core.compressors.row_decoder import decode_rows

REPRS = Reprs()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def fold(text: str) -> Shortened:
    assert REPRS.claims(Sample(text))
    shortened = REPRS.compress(text, LOSSLESS)
    assert shortened is not None and not shortened.lossy
    return shortened


def test_rows_become_lines() -> None:
    text = repr([("Lima", 3, 1.10, None), ("Cusco, PE", -4, 2e10, None), ("12", 5, 0.5, None)])
    assert fold(text).text == "all rows: c4=None\nc1,c2,c3\nLima,3,1.1\n'Cusco, PE',-4,20000000000.0\n'12',5,0.5"
    assert fold(text).note == "3 tuples as CSV"


def test_calls_are_written_shorter() -> None:
    rows = [(n, Decimal(f"{n}.10"), datetime.datetime(2024, 5, n, 8, 30), datetime.date(2024, 1, n), f"2024-05-0{n}") for n in range(1, 5)]
    shortened = fold(repr(rows))
    assert shortened.text.splitlines()[:2] == ["c1,c2 (Decimal),c3,c4,c5", "1,1.10,2024-05-01 08:30,2024-01-01,'2024-05-01'"]
    assert decode_rows(shortened.text) == [list(row) for row in rows]


def test_one_column_is_a_list_and_runs_are_counted() -> None:
    assert fold(repr([("Tirana",)] * 3 + [("Wien",)] * 4 + [("Graz x2",)])).text == "Tirana x3\nWien x4\n'Graz x2'"
    assert fold(str(["alpha", "beta", "None", "7"])).text == "alpha\nbeta\n'None'\n'7'"


def test_dicts_and_objects_have_headers() -> None:
    assert fold(repr([{"id": n, "name": f"user {n}"} for n in range(3)])).text == "id,name\n0,user 0\n1,user 1\n2,user 2"
    text = "[" + ", ".join(f"User(id={n}, name='u{n}')" for n in range(3)) + "]"
    assert fold(text).text == "User(id,name)\n0,u0\n1,u1\n2,u2"
    assert fold("\n".join(f"('row', {n})" for n in range(4))).text == "all rows: c1=row\nc2\n0\n1\n2\n3"


def test_a_text_cut_off_keeps_its_whole_rows_and_its_tail() -> None:
    text = repr([(n, f"name {n}") for n in range(50)])[:-40]
    shortened = fold(text)
    assert shortened.text.startswith("0,name 0\n1,name 1\n")
    assert shortened.text.count("\n") >= 45 and text.endswith(shortened.text.rsplit("\n", 1)[1].lstrip(", "))


STRINGS = st.text(max_size=8) | st.sampled_from(
    ["None", "True", "1", "1.50", "nan", "a, b", "it's", 'say "hi"', "x (1)", " x", "x ", "", "2024-01-02", "2024-01-02 03:04",
     "all rows: a=b", "Tirana x3", "é", "a\\b", "{}", "b", "0x1f", "1_000", "-", "c1", "…"]
)  # fmt: skip
VALUES = (
    STRINGS
    | st.integers()
    | st.floats(allow_nan=False)
    | st.none()
    | st.booleans()
    | st.binary(max_size=4)
    | st.lists(st.integers(), max_size=3)
    | st.datetimes(min_value=datetime.datetime(1900, 1, 1))
    | st.dates(min_value=datetime.date(1900, 1, 1))
)


@given(st.data())
def test_random_rows_decode(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    decimals = st.decimals(allow_nan=False, allow_infinity=False)
    kinds = [data.draw(st.sampled_from([VALUES, STRINGS, st.integers(), decimals])) for _ in range(width)]
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=3, max_size=8))
    shortened = REPRS.compress(repr(rows), LOSSLESS)
    if shortened is None or "Decimal('" in shortened.text or "x4=" in shortened.text:
        return
    assert repr(decode_rows(shortened.text)) == repr([list(row) for row in rows])


@given(st.lists(st.fixed_dictionaries({"id": st.integers(), "name": STRINGS, "on": st.booleans() | st.none()}), min_size=3, max_size=8))
def test_random_dicts_decode(rows: list[dict[str, Any]]) -> None:
    shortened = REPRS.compress(repr(rows), LOSSLESS)
    if shortened is None:
        return
    text = shortened.text
    for row, got in zip(rows, decode_rows(text, named=True), strict=True):
        assert sorted(map(repr, row.values())) == sorted(map(repr, got))


@given(st.lists(st.tuples(STRINGS, st.none() | st.integers() | st.lists(STRINGS, max_size=3)), min_size=2, max_size=6))
def test_the_scanner_agrees_with_python(rows: list[tuple[Any, ...]]) -> None:
    found = read(repr(rows))
    assert found is not None
    assert [tuple(map(ast.literal_eval, fields)) for fields in found.fields] == rows


def cities(count: int = 400) -> str:
    return repr([(f"City {n}", n * 1_000, "PE" if n != 77 else "XX") for n in range(count)])


def test_a_digest_shows_the_rare_the_asked_and_the_ends() -> None:
    shortened = REPRS.compress(cities(), Request(Query((("city 123", 5.0),)), 200, 0.08))
    assert shortened is not None and shortened.lossy
    for name in ("City 0,", "City 77,", "City 123,", "City 399,"):
        assert name in shortened.text
    shown = sum(line.startswith("City ") for line in shortened.text.splitlines())
    assert shortened.note.startswith(f"{400 - shown} of 400 rows left out, all c3=PE")


def test_gaps_of_counted_rows_speak_of_the_original_rows() -> None:
    text = repr([(f"City {n // 3}",) for n in range(1_200)])
    shortened = REPRS.compress(text, Request(Query(), 100, 0.0))
    assert shortened is not None and " rows left out" in shortened.note
    left_out, total = (int(number.replace(",", "")) for number in shortened.note.split(" rows")[0].split(" of "))
    marks = [line for line in shortened.text.splitlines() if line.startswith("[… ")]
    spans = [mark.rsplit(", ", 1)[1].rstrip("]").split("-") for mark in marks]
    assert total == 1_200 and left_out == sum(int(last) - int(first) + 1 for first, last in spans)


def test_more_budget_never_shows_less() -> None:
    shown: set[str] = set()
    for budget in range(20, 4_000, 170):
        shortened = REPRS.compress(cities(), Request(Query(), budget, 0.05))
        assert shortened is not None
        rows = {line.split(",")[0] for line in shortened.text.splitlines() if line.startswith("City ")}
        assert shown <= rows
        shown = rows


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "[1, 2, 3]", '["a", "b"]', "(see above)", "[INFO] started\n" * 5, "print('x')\nprint('y')\n", "# Title\n\ntext"],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert not REPRS.claims(Sample(text)) or REPRS.compress(text, LOSSLESS) is None


@pytest.mark.parametrize(
    "text",
    [
        "[(" * 50_000,
        "[('a', 1), (" + "'" * 100_001,
        "[" + "('\\" * 40_000,
        "[('a'), ('b')]" * 10_000,
        "[(1, 2), (3, 4)" + "]" * 100_000,
        "[('\ud800', 1), ('\x00', 2), ('b', 3)]",
        "[(1, 'a'), " + "9" * 1_000_000,
        "[" + "Foo(a=1, b=" * 30_000,
        "('a',)\n" * 3 + "(" * 9_000,
        "{'a': " * 20_000,
        "[" + ", ".join(f"Order(id={n if n != 7 else ''}, status='s{n}')" for n in range(40)) + "]",
    ],
)
def test_hostile_texts_never_raise(text: str) -> None:
    started = time.process_time()
    REPRS.claims(Sample(text))
    for limits in (LOSSLESS, Request(Query(), 10, 0.0)):
        REPRS.compress(text, limits)
    assert time.process_time() - started < 2


def test_time_grows_with_the_text() -> None:
    text = cities(60_000)
    started = time.process_time()
    REPRS.compress(text, Request(Query(), 800, 0.08))
    assert time.process_time() - started < 4
