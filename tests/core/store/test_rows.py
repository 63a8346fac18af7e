"""A gap of a digest, copied whole, gives exactly the rows that stand between its neighbours."""

import json
import re

import pytest

from headroom import MemoryStore, compress, retrieve
from headroom.core.store.rows import row_lists
from headroom.core.store.search import lines_of

COUNT = 600
RECORDS = [{"name": f"pod-{i:04d}", "cpu": i * 37 % 101, "memory": i * 7919 % 8191, "zone": f"eu-{i * 13 % 17}"} for i in range(COUNT)]
NAMES = list(RECORDS[0])
CELLS = [[str(value) for value in record.values()] for record in RECORDS]
WIDTHS = [12, 6, 8, 8]


def padded(cells):
    return "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def barred(cells):
    return "| " + " | ".join(cell.ljust(8) for cell in cells) + " |"


def psql(cells):
    return " " + " | ".join(cell.ljust(8) for cell in cells)


RULE = "+" + "+".join(["-" * 10] * 4) + "+"


def table(write, *above, below=()):
    rows = [write(cells) for cells in CELLS]
    return "\n".join([*above, *rows, *below]), rows


LAYOUTS = {
    "csv": table(",".join, ",".join(NAMES)),
    "csv_below_a_command": table(",".join, "$ cat pods.csv", ",".join(NAMES)),
    "csv_headerless": table(",".join),
    "tsv": table("\t".join, "\t".join(NAMES)),
    "tsv_headerless": table("\t".join),
    "markdown": table(barred, barred(NAMES), "|---|---|---|---|"),
    "psql": table(psql, psql(NAMES), "+".join(["-" * 10] * 4), below=[f"({COUNT} rows)"]),
    "mysql": table(barred, RULE, barred(NAMES), RULE, below=[RULE]),
    "kubectl": table(padded, padded([name.upper() for name in NAMES])),
}
JSON_ROWS = [json.dumps(record) for record in RECORDS]
LAYOUTS |= {
    "json": (json.dumps(RECORDS), JSON_ROWS),
    "json_pretty": ("[\n" + ",\n".join(JSON_ROWS) + "\n]", JSON_ROWS),
    "json_object": (json.dumps({"total": COUNT, "pods": RECORDS}), JSON_ROWS),
    "json_lines": ("\n".join(JSON_ROWS), JSON_ROWS),
    "json_lines_blank": ("\n\n".join(JSON_ROWS), JSON_ROWS),
    "reprs": (repr(RECORDS), [repr(record) for record in RECORDS]),
    "reprs_tuples": (repr([tuple(r.values()) for r in RECORDS]), [repr(tuple(record.values())) for record in RECORDS]),
    "reprs_lines": ("\n".join(map(repr, RECORDS)), [repr(record) for record in RECORDS]),
}
NUMBERED = "\n".join(f"{i},{','.join(cells[:3])}" for i, cells in enumerate(CELLS))


def shortened(text):
    store = MemoryStore()
    call = {"id": "c1", "type": "function", "function": {"name": "list_pods", "arguments": "{}"}}
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": text}]
    result = compress(messages, "gpt-4o", store=store)
    return result.messages[-1]["content"], result.references[0], store


def marks(digest):
    return re.findall(r"\[… (?:\d+ \w+, (?:\d+-\d+)|row \d+)\]", digest)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_mark_copied_whole_gives_its_rows(layout):
    text, rows = LAYOUTS[layout]
    digest, reference, store = shortened(text)
    found = marks(digest)
    assert found
    for mark in found:
        numbers = [int(number) for number in re.findall(r"\d+", mark.rpartition(" ")[2])]
        expected = "\n".join(rows[numbers[0] - 1 : numbers[-1]])
        assert retrieve(reference, lines=mark, store=store) == expected, mark


@pytest.mark.parametrize("layout", LAYOUTS)
def test_shown_and_left_out_rows_are_all_rows(layout):
    text, _ = LAYOUTS[layout]
    digest, reference, store = shortened(text)
    left_out = "\n".join(retrieve(reference, lines=mark, store=store) for mark in marks(digest))
    shown = re.sub(r"\[….*?\]", "", digest)
    names = [f"pod-{i:04d}" for i in range(COUNT)]
    assert all((name in left_out) != (name in shown) for name in names)


@pytest.mark.parametrize("header", [",name,cpu,memory", "id,name,cpu,cpu"])
def test_a_header_with_an_empty_or_doubled_name_counts_as_the_digest_counts_it(header):
    digest, reference, store = shortened(f"{header}\n{NUMBERED}")
    assert marks(digest)
    for mark in marks(digest):
        before = digest.partition(mark)[0].rstrip("\n").rpartition("\n")[2]
        first = retrieve(reference, lines=mark, store=store).partition("\n")[0]
        assert int(first.partition(",")[0]) == int(before.partition(",")[0]) + 1


def test_of_several_lists_each_is_named():
    old = [{"id": i, "name": f"old-{i}", "n": i * 37 % 101} for i in range(300)]
    new = [{"id": i, "name": f"newer-{i}", "n": i * 31 % 101} for i in range(380)]
    text = json.dumps({"old": old, "new": new})
    answer = lines_of(text, "[… 183 rows, 117-299]")
    assert answer.splitlines()[:3] == [
        "[2 lists of this original have such rows]",
        "[rows 117-299 of 300 in old:]",
        json.dumps(old[116]),
    ]
    assert f"[rows 117-299 of 380 in new:]\n{json.dumps(new[116])}" in answer
    assert lines_of(text, "rows 301-302") == f"{json.dumps(new[300])}\n{json.dumps(new[301])}"


def test_of_two_tables_each_is_named():
    one = "\n".join(["a,b,c", *(f"x{i},{i * 7 % 11},{i}" for i in range(300))])
    two = "\n".join(["d,e,f", *(f"y{i},{i * 7 % 11},{i}" for i in range(310))])
    answer = lines_of(f"{one}\n\n{two}", "[… 226 rows, 74-299]")
    assert "[rows 74-299 of 300 in the table from line 1:]\nx73," in answer
    assert "[rows 74-299 of 310 in the table from line 303:]\ny73," in answer
    assert lines_of(f"{one}\n\n{two}", "rows 305").startswith("y304,")


def test_of_many_lists_the_outermost_is_shown_and_the_others_are_named():
    orders = [{"id": i, "items": [{"sku": f"{i}-{k}", "n": k} for k in range(20)]} for i in range(40)]
    answer = lines_of(json.dumps({"orders": orders}), "rows 3-4").splitlines()
    assert answer[0].startswith("[41 lists of this original have such rows: the first is shown; for the others (orders[1].items,")
    assert answer[2:] == [json.dumps(orders[2]), json.dumps(orders[3])]


def test_rows_with_line_ends_in_quotes_stay_whole():
    text = "id,note,city\n" + "\n".join(f'{i},"one{chr(10) if i > 9 else " "}two {i}",Oslo' for i in range(50))
    assert lines_of(text, "rows 13-14") == '12,"one\ntwo 12",Oslo\n13,"one\ntwo 13",Oslo'


@pytest.mark.parametrize(
    "text", ["", "[", "{}", "[]", "[1,", "a\nb", "\ud800", "[" * 5_000 + "]" * 5_000, "(1, 2", '["\\ud800"]', '["\ud800"]']
)
def test_odd_texts_have_no_rows_or_some(text):
    assert isinstance(row_lists(text), list)
