"""Tables: every cell survives the fold, and a digest shows the rows that stand out and counts the rest."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.compressors.tables import Tables
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import Request, Shortened
from headroom.core.worth import Query
from tests.core.compressors.row_decoder import decode_table

TABLES = Tables()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def request(budget: int = 800, **terms: float) -> Request:
    return Request(Query(tuple(terms.items())), budget, 0.08)


def fold(text: str) -> Shortened:
    assert TABLES.claims(Sample(text))
    shortened = TABLES.compress(text, LOSSLESS)
    assert shortened is not None and not shortened.lossy
    return shortened


def aligned(rows: list[list[str]], gap: int = 3) -> str:
    widths = [max(map(len, column)) + gap for column in zip(*rows, strict=True)]
    return "\n".join("".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def boxed(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = ["|" + "|".join(f" {cell.ljust(width)} " for cell, width in zip(row, widths, strict=True)) + "|" for row in rows]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def pods(count: int = 200) -> str:
    rows = [["NAME", "READY", "STATUS", "RESTARTS", "AGE", "NODE"]]
    for n in range(count):
        status = "CrashLoopBackOff" if n == 57 else "Pending" if n == 120 else "Running"
        ready = "1/1" if status == "Running" else "0/1"
        rows.append([f"cart-{n:04}-x{n * 7 % 97}", ready, status, "14" if n == 57 else "0", "3d", f"node-{n % 5}"])
    return aligned(rows)


def test_padding_goes_and_constant_columns_are_stated_once() -> None:
    header = ["NAME", "READY", "STATUS", "AGE"]
    text = aligned([header, ["web-1", "1/1", "Running", "3d"], ["web-2", "0/1", "Running", "4h"], ["db", "1/1", "Running", "9d"]])
    assert fold(text).text == "all rows: STATUS=Running\nNAME READY AGE\nweb-1 1/1 3d\nweb-2 0/1 4h\ndb 1/1 9d"


def test_cells_with_blanks_are_separated_by_commas() -> None:
    text = aligned([["ID", "STATUS", "PORTS"], ["a1", "Up 2 hours", "80/tcp"], ["b2", "Up 3 days", ""], ["c3", "Exited (0)", "443/tcp"]])
    assert fold(text).text == "ID,STATUS,PORTS\na1,Up 2 hours,80/tcp\nb2,Up 3 days,\nc3,Exited (0),443/tcp"


def test_cells_with_commas_are_separated_by_bars() -> None:
    rows = [["a", "app=x,tier=1", "1 day"], ["b b", "app=y,tier=2", "2 days"], ["c", "app=z,tier=2", "2 days"]]
    text = aligned([["NAME", "LABELS", "AGE"], *rows])
    assert fold(text).text.splitlines()[:2] == ["NAME|LABELS|AGE", "a|app=x,tier=1|1 day"]


def test_right_aligned_columns_and_a_last_one_with_blanks() -> None:
    text = "\n".join(
        ["USER       PID %CPU %MEM COMMAND"]
        + [f"root   {n:>7} {n % 3:>2}.{n % 10} {n % 7:>2}.0 /usr/bin/python app-{n}.py --port {8000 + n}"[:80] for n in range(1, 6)]
    )
    shortened = TABLES.compress(text, LOSSLESS)
    assert shortened is not None
    names, rows, _ = decode_table(shortened.text)
    assert names[-1] == "COMMAND" and all(row[-1].startswith("/usr/bin/python app-") for row in rows)


def test_boxes_and_markdown_lose_their_drawing() -> None:
    rows = [["id", "name"], ["1", "Ann Lee"], ["2", "Bob, Jr."], ["3", ""]]
    assert fold(boxed(rows) + "\n3 rows in set").text == "id|name\n1|Ann Lee\n2|Bob, Jr.\n3|\n3 rows in set"
    markdown = "| id | name |\n|----|:-----|\n" + "".join(f"| {a} | {b}      |\n" for a, b in rows[1:])
    assert fold(markdown).text == "id|name\n1|Ann Lee\n2|Bob, Jr.\n3|\n"
    psql = " id | name  \n----+-------\n  1 | Ann\n  2 | Bob\n  3 | Eve\n(3 rows)\n"
    assert fold(psql).text == "id|name\n1|Ann\n2|Bob\n3|Eve\n(3 rows)\n"


def test_csv_keeps_its_values_and_loses_quotes_and_constant_columns() -> None:
    text = '"id","city","note","country"\n' + "".join(f'"{n}","Lima","a ""b"", {n}","PE"\n' for n in range(4))
    shortened = fold(text)
    names, rows, constants = decode_table(shortened.text.rstrip("\n"))
    assert constants == {"city": "Lima", "country": "PE"} and names == ["id", "note"]
    assert rows[2] == ["2", 'a "b", 2']


def test_words_around_a_table_stay() -> None:
    text = "Context: prod\n" + pods(6) + "\n\n6 pods listed"
    assert fold(text).text.startswith("Context: prod\n") and fold(text).text.endswith("\n\n6 pods listed")


def test_a_row_of_dashes_is_a_row() -> None:
    rows = [[str(n), f"name {n}", "see the remark"] for n in range(30)]
    for dashes in (["-", "-", "-"], ["---", "---", "---"]):
        table = "| id | name | remark |\n|----|------|--------|\n" + "".join(f"| {' | '.join(row)} |\n" for row in [*rows, dashes])
        shortened = fold(table)
        names, got, constants = decode_table(shortened.text.rstrip("\n"))
        assert (names, got, constants) == (["id", "name", "remark"], [*rows, dashes], {})
        assert shortened.note == "31 rows without padding"
    text = "NAME   CPU   AGE\n-      -     -\n" + "".join(f"web-{n}  {n}     3d\n" for n in range(5))
    assert "- - -\n" in fold(text).text
    bars = "name|note\n-|-\n" + "".join(f"web {n}|n{n}\n" for n in range(20))
    shown = TABLES.compress(bars, LOSSLESS)
    assert shown is None or "-|-" in shown.text


def test_a_table_that_follows_at_once_is_another_table() -> None:
    first, second = ([["id", name], *([str(n), f"{name} {n}"] for n in range(30))] for name in ("name", "city"))
    shortened = fold(boxed(first) + "\n" + boxed(second))
    assert shortened.note.startswith("60 rows")
    assert "29|name 29\nid|city\n0|city 0\n" in shortened.text


def test_rows_of_several_lines_between_rules_are_left_alone() -> None:
    rule = "+----+-----------+\n"
    tall = rule + "| id | text      |\n" + rule + "".join(f"| {n:<2} | first  {n:<2} |\n|    | second {n:<2} |\n{rule}" for n in range(12))
    assert TABLES.compress(tall, LOSSLESS) is None
    flat = rule + "| id | text      |\n" + rule + "".join(f"| {n:<2} | first  {n:<2} |\n{rule}" for n in range(12))
    assert fold(flat).note == "12 rows without padding"
    psql = " id |   text\n----+----------\n" + "".join(f"  {n:<2}| first   +\n    | second\n" for n in range(12))
    assert TABLES.compress(psql, LOSSLESS) is None


@pytest.mark.parametrize("delimiter", "|;\t")
@pytest.mark.parametrize("hard", ["a|b", "first\nsecond, third", 'say "a|b"'])
def test_cells_that_hold_bars_or_lines_stay_in_quotes(delimiter: str, hard: str) -> None:
    rows = [[f"row {n}", f"{hard} {n}", f"text {n}", "running well"] for n in range(30)]
    rows[:5] = [[f"row {n}", f"easy {n}", f"text {n}", "running well"] for n in range(5)]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows([["name", "expr", "note", "status"], *rows])
    names, got, constants = decode_table(fold(buffer.getvalue().rstrip("\n")).text)
    assert names == ["name", "expr", "note"] and constants == {"status": "running well"}
    assert got == [row[:3] for row in rows]


def test_a_cell_without_a_value_does_not_move_the_others() -> None:
    header = "COMMAND     PID   TID USER   FD      TYPE DEVICE SIZE/OFF NODE NAME"
    rows = [
        f"{command:<10}{1000 + n:>5} {thread:>5} {'bob':<5} {'cwd':>4}  {'DIR':>8} {'8,1':>6} {4096:>8} {n:>4} /home/bob/{name}"
        for n, (command, thread, name) in enumerate([("firefox", "", "my file"), ("GMain", "1234", "x")] * 20)
    ]
    shortened = TABLES.compress("\n".join([header, *rows]), LOSSLESS)
    assert shortened is None or "1000 bob" not in shortened.text


def test_a_first_column_without_a_name_counts_the_rows() -> None:
    text = ",name,cpu\n" + "".join(f"{n},worker-{n},{n * 7 % 50}\n" for n in range(300))
    shortened = TABLES.compress(text, request(200))
    assert shortened is not None and shortened.text.startswith(",name,cpu\n0,worker-0,0\n")
    assert " of 300 rows left out" in shortened.note
    for first, last, after in re.findall(r"\[… [\d,]+ rows, (\d+)-(\d+)\]\n(\d+),", shortened.text):
        assert int(first) <= int(last) == int(after)


NAME = st.text("ABCDEFGH", min_size=1, max_size=8)
CELL = st.text("abcXYZ019.,-_/\"'=<>é", min_size=1, max_size=9)
SPACED = st.lists(CELL, min_size=1, max_size=3).map(" ".join)


@given(st.data())
def test_aligned_tables_decode(data: st.DataObject) -> None:
    names = data.draw(st.lists(NAME, min_size=3, max_size=6, unique=True))
    rows = data.draw(st.lists(st.lists(SPACED, min_size=len(names), max_size=len(names)), min_size=3, max_size=8))
    text = aligned([names, *rows])
    shortened = TABLES.compress(text, LOSSLESS)
    if shortened is None or any(cell in [row[i] for row in rows] for i, cell in enumerate(names)):
        return
    got_names, got_rows, constants = decode_table(shortened.text)
    assert sorted([*got_names, *constants]) == sorted(names)
    for row, got in zip(rows, got_rows, strict=True):
        assert dict(zip(names, row, strict=True)) == dict(zip(got_names, got, strict=True)) | constants


@given(st.data())
def test_csv_decodes(data: st.DataObject) -> None:
    names = data.draw(st.lists(NAME, min_size=3, max_size=5, unique=True))
    cell = st.text('ab ,"\n;1é', max_size=6)
    rows = data.draw(st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), min_size=3, max_size=8))
    buffer = io.StringIO()
    quoting = data.draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    csv.writer(buffer, lineterminator="\n", quoting=quoting).writerows([names, *rows])
    text = buffer.getvalue().rstrip("\n")
    shortened = TABLES.compress(text, LOSSLESS)
    if shortened is None or shortened.text.count("\n") > text.count("\n") or list(csv.reader(io.StringIO(text))) != [names, *rows]:
        return
    body = shortened.text
    constants = {}
    if body.startswith("all rows: "):
        reader = csv.reader(io.StringIO(body.removeprefix("all rows: ")))
        constants = dict(item.split("=", 1) for item in next(reader))
        got = list(reader)
    elif "|" in body.split("\n")[0]:
        return
    else:
        got = list(csv.reader(io.StringIO(body)))
    for row, values in zip(rows, got[1:], strict=True):
        assert dict(zip(names, row, strict=True)) == dict(zip(got[0], values, strict=True)) | constants


def test_a_digest_shows_what_stands_out_and_counts_the_rest() -> None:
    shortened = TABLES.compress(pods(), request(300))
    assert shortened is not None and shortened.lossy
    assert "cart-0057" in shortened.text and "cart-0120" in shortened.text
    assert "cart-0000" in shortened.text and "cart-0199" in shortened.text
    shown = sum(line.startswith("cart-") for line in shortened.text.splitlines())
    assert shortened.note.startswith(f"{200 - shown} of 200 rows left out, all ") and "STATUS=Running" in shortened.note
    assert len(shortened.note) < 125


def test_a_row_that_was_asked_for_is_shown() -> None:
    shortened = TABLES.compress(pods(), Request(Query((("cart-0133", 6.0),)), 300, 0.08))
    assert shortened is not None and "cart-0133" in shortened.text


def test_long_cells_are_cut_before_rows_go() -> None:
    rows = [[f"web-{n}", "Running", ",".join(f"label{k}=value{k * n}" for k in range(20))] for n in range(1, 15)]
    shortened = TABLES.compress(aligned([["NAME", "STATUS", "LABELS"], *rows]), request(500))
    assert shortened is not None and "characters]" in shortened.text and "long cells cut" in shortened.note
    assert shortened.text.count("web-") >= 10


def test_more_budget_never_shows_less() -> None:
    text = pods()
    shown: set[str] = set()
    for budget in range(50, 4_000, 130):
        shortened = TABLES.compress(text, request(budget))
        assert shortened is not None
        rows = {line for line in shortened.text.splitlines() if line.startswith("cart-")}
        assert shown <= rows
        shown = rows


def test_a_digest_keeps_to_its_budget() -> None:
    for budget in (100, 300, 900):
        shortened = TABLES.compress(pods(400), request(budget))
        assert shortened is not None
        assert estimate(shortened.text) <= budget + 0.08 * estimate(pods(400)) + 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" * 50,
        "just a sentence, with a comma\nand another one, with more\nand a third, here\nand a fourth, there\n",
        "def f(a, b):\n    return a, b\n\nx, y = f(1, 2)\nprint(x, y)\n" * 3,
        "Name:         web\nNamespace:    default\nStatus:       Running\nIP:           10.0.0.1\nNode:         n1\n",
        '{"a": 1, "b": 2}\n{"a": 1, "b": 2}\n{"a": 1, "b": 2}\n{"a": 1, "b": 2}\n',
        "2024-01-01 10:00:00,123 INFO started the server\n" * 8,
        "- one\n- two\n- three\n- four\n- five\n",
    ],
)
def test_other_texts_are_not_claimed(text: str) -> None:
    assert not TABLES.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "|" * 10_000 + "\n" + "-|" * 5_000 + "\n" + "|" * 10_000,
        "a,b\n" * 3 + '"' * 9_999,
        "NAME  AGE\n" + "\ud800  1\n" * 20,
        "A  B  C\n" + "x" * 1_000_000,
        "A,B,C\n" + "\x00,1,2\n" * 9,
        "a\tb\n" + "\t" * 5_000,
        "+--+--+\n" * 3_000,
        ("A   B   C\n" + "1   2   3\n" * 3 + "\n") * 200,
    ],
)
def test_hostile_texts_never_raise(text: str) -> None:
    started = time.process_time()
    TABLES.claims(Sample(text))
    for limits in (LOSSLESS, request(10)):
        TABLES.compress(text, limits)
    assert time.process_time() - started < 2


def test_time_grows_with_the_text() -> None:
    text = pods(20_000)
    started = time.process_time()
    TABLES.compress(text, request())
    assert time.process_time() - started < 3
