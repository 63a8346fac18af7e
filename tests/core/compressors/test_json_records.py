"""JSON: folds lose nothing (a decoder of their own proves it), digests show only what is there and mark every gap."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom.core.compressors.json_records import JsonRecords
from headroom.core.compressors.records.digest import digest
from headroom.core.compressors.records.table import fold as fold_value
from headroom.core.compressors.records.text import read
from headroom.core.compressors.records.units import Outline
from headroom.core.detect import Sample
from headroom.core.types import Request, Shortened
from headroom.core.worth import Query
from tests.core.compressors.json_decoder import Number, decode, parse_json

MARK = re.compile(r"\[… (?:(\d+) rows, (\d+)-(\d+)|row (\d+))\]")


def lossless() -> Request:
    return Request(Query(), 800, 0.08, lossless=True)


def within(tokens: int, *terms: str) -> Request:
    return Request(Query(tuple((term, 6.0) for term in terms)), tokens, 0.0)


def shorten(text: str, request: Request) -> Shortened:
    result = JsonRecords().compress(text, request)
    assert result is not None
    return result


def fold(value: Any) -> str:
    return shorten(value if isinstance(value, str) else json.dumps(value, indent=2), lossless()).text


def orders(count: int, seed: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "id": f"ord-{number:04}",
            "status": "ok",
            "region": "eu",
            "customer": {"name": f"Customer {number}", "tier": ["gold", "basic"][number * seed % 3 // 2]},
            "prices": {"net": number * 37 * seed % 8_000 / 100, "tax": 19},
            "items": number % 5,
        }
        for number in range(1, count + 1)
    ]


def rows_left_out(text: str) -> int:
    return sum(int(many) if many else 1 for many, _, _, _ in MARK.findall(text))


# --- folding -------------------------------------------------------------------------------------------------------


def test_an_array_of_nested_records_becomes_a_table() -> None:
    assert fold(orders(3)).split("\n") == [
        "all rows: status=ok,region=eu,prices.tax=19",
        "id,customer.name,customer.tier,prices.net,items",
        "ord-0001,Customer 1,gold,0.37,1",
        "ord-0002,Customer 2,basic,0.74,2",
        "ord-0003,Customer 3,gold,1.11,3",
    ]


def test_values_of_every_type_stay_apart() -> None:
    rows = (
        '[{"first":null,"second":1.10},{"first":true,"second":"1.10"},{"first":"true","second":""},'
        '{"first":"","second":"x, y"},{"second":-0},{"first":[1,"2"],"second":{}}]'
    )
    assert fold("\n" + rows + "\n") == 'first,second\nnull,1.10\ntrue,"1.10"\n"true",""\n"","x, y"\n,-0\n[1,"2"],{}'
    assert decode(fold(" " + rows + " ")) == parse_json(rows)


def test_numbers_stay_as_written() -> None:
    big = 2**70
    text = f'{{ "price": 1.10, "large": {big}, "exponent": 1e5, "tiny": 1.0E-7, "huge": 1e999, "zero": -0.0, "whole": -0 }}'
    assert fold(text) == text.replace(" ", "")


def test_a_table_inside_a_document_is_named_where_it_stood() -> None:
    text = json.dumps({"total": 3, "orders": orders(3), "next": None}, indent=1)
    folded = shorten(text, lossless())
    lines = folded.text.split("\n")
    assert lines[0] == '{"total":3,"orders":[table orders: 3 rows],"next":null}'
    assert lines[1] == "table orders, all rows: status=ok,region=eu,prices.tax=19"
    assert len(lines) == 6
    assert folded.note == "3 rows as CSV: orders"
    assert decode(folded.text) == parse_json(text)


def test_an_object_of_alike_objects_becomes_a_table_with_its_keys() -> None:
    text = json.dumps({f"card_{n}": {"source": "card", "brand": "visa", "last": f"{n:04}"} for n in (7, 8, 9, 10)})
    assert fold(text).split("\n")[:3] == ["all rows: source=card,brand=visa", "(key),last", "card_7,0007"]
    assert decode(fold(text)) == parse_json(text)


def test_an_array_of_arrays_of_records_is_one_row_an_array() -> None:
    leg = {"flight": "A1", "from": "JFK", "to": "SEA", "seats": 3}
    text = json.dumps([[{**leg, "seats": n}, {**leg, "flight": f"B{n}"}] for n in range(4)])
    assert fold(text).split("\n")[1] == "[0].seats,[1].flight"
    assert decode(fold(text)) == parse_json(text)


def test_points_in_time_need_no_brackets() -> None:
    text = json.dumps({"series": [[1_700_000_000 + 60 * n, f"0.{n}71"] for n in range(90)]}, indent=1)
    assert fold(text).split("\n")[2:4] == ["[0],[1]", '1700000000,"0.071"']
    assert decode(fold(text)) == parse_json(text)


def test_unlike_rows_stay_objects() -> None:
    rows = [{f"key_{n}": n, f"other_{n}": [n]} for n in range(6)]
    assert fold(rows) == json.dumps(rows, separators=(",", ":"))


def test_keys_that_are_no_words_are_quoted() -> None:
    text = json.dumps([{"a.b": n, "c d": {"": n, "e,f": n + 1}, "g[0]": [n], "ok-key": "x y"} for n in range(5)])
    assert fold(text).split("\n")[1] == '"a.b","c d"."","c d"."e,f","g[0]"[0]'
    assert decode(fold(text)) == parse_json(text)


def test_strings_are_written_without_escapes() -> None:
    assert fold('{"name": "caf\\u00e9 \\/ \\ud83d\\ude00", "tab": "a\\tb"}') == '{"name":"café / 😀","tab":"a\\tb"}'


def test_json_lines_become_a_table() -> None:
    rows = orders(5)
    text = "\n".join(json.dumps(row) for row in rows) + "\n"
    assert JsonRecords().claims(Sample(text))
    assert decode(fold(text)) == parse_json(json.dumps(rows))
    assert shorten(text, lossless()).note == "5 rows as CSV"


def test_unlike_json_lines_stay_lines() -> None:
    text = '{"a": 1, "bb": 2}\n\n{"c": [1, 2]}\n{"d": {"e": 1.50}}\n'
    assert fold(text) == '{"a":1,"bb":2}\n{"c":[1,2]}\n{"d":{"e":1.50}}'


def test_text_that_looks_like_a_placeholder_stays_text() -> None:
    text = json.dumps({"note": "[table orders: 3 rows]", "orders": [*orders(3), {**orders(1)[0], "id": "table x"}]})
    assert decode(fold(text)) == parse_json(text)
    assert '"note":"[table orders: 3 rows]"' in fold(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '[{"a": 1, "b": {"c": 1, "c": 1}}, {"a": "\\u0022:"}]',
        '{"a\\u0022": 1, "a\\"": 2}',
        '{"a": NaN}',
        '{"a": [Infinity, -Infinity]}',
        '{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        '{"a": 1,}',
        "[1, 2",
        "{}{}",
        "[" * 100 + "1, 2" + "]" * 100,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        "[" + "9" * 10_000 + ", 1]",
        "",
        "\0",
        '"just text"',
        '{"a": 1, "a": 1}\n{"a": 2}\n{"a": 3}\n',
        "[INFO] started\n[INFO] done [ok]",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_what_cannot_be_kept_exactly_is_refused(text: str) -> None:
    for request in (lossless(), within(10)):
        assert JsonRecords().compress(text, request) is None


def test_claims_looks_at_both_ends() -> None:
    yes = ['{"a": 1}', " [1, 2]\n", "[]", '[\n  {"a": 1}\n]', '{"a":1}\n{"a":2}\n{"a":3}\n{"a":']
    no = ["", "[INFO] up [ok]", '{"a": 1', "plain", "{% if x %}", "{a: 1}", '{"a": 1} and so on', "[x]"]
    assert [JsonRecords().claims(Sample(text)) for text in yes] == [True] * len(yes)
    assert [JsonRecords().claims(Sample(text)) for text in no] == [False] * len(no)


def test_what_is_minified_already_is_left_alone() -> None:
    text = json.dumps({"a": [1, 2, {"b": "c"}], "d": "e"}, separators=(",", ":"))
    assert JsonRecords().compress(text, within(800)) is None
    folded = fold({"a": 1, "b": [1, 2]})
    assert JsonRecords().compress(folded, within(800)) is None


# --- folding: any document -----------------------------------------------------------------------------------------

numerals = st.sampled_from(["0", "-0", "7", "-12", "1.10", "1e5", "-2.50E-3", "0.0", str(2**70), "1e999", "100"])
words = st.sampled_from(
    [
        *[
            "",
            "a",
            "true",
            "null",
            "12",
            "1.10",
            "-0",
            "a b",
            " a",
            "a ",
            "x,y",
            'say "hi"',
            "back\\",
            "new\nline",
            "[1]",
            "{",
            "…",
            "é",
            "😀",
        ],
        *["table t: 1 rows", "[table t: 2 rows]", "all rows: a=1", "(key)", "\x00", "\u2028", "a" * 450, "a=b", '":', "NaN", "007", "+1"],
    ]
) | st.text(max_size=6)
keys = st.sampled_from(["id", "name", "a.b", "", "x y", "items", "c[0]", "(key)", "t", "all rows", "é", '"', "k:v"]) | st.text(max_size=3)
scalars = st.none() | st.booleans() | numerals.map(Number) | words
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=5)


MAKERS: dict[str, st.SearchStrategy[Any]] = {
    "word": words,
    "number": numerals.map(Number),
    "any": values,
    "object": st.fixed_dictionaries({"x": scalars}, optional={"": scalars, "y.z": scalars}),
    "pair": st.tuples(scalars, scalars).map(list),
    "same": st.just("same"),
}


@st.composite
def records(draw: st.DrawFn, objects: bool = True) -> Any:
    """An array (or object) of records that mostly share their keys and the types of their values."""
    columns = draw(st.dictionaries(keys, st.sampled_from(sorted(MAKERS)), min_size=1, max_size=4))
    record = {key: MAKERS[kind] for key, kind in columns.items()}
    rare = record.popitem()
    row = st.fixed_dictionaries(record, optional=dict([rare]))
    if objects and draw(st.booleans()):
        return draw(st.dictionaries(keys, row, min_size=3, max_size=5))
    return draw(st.lists(row, min_size=2, max_size=5))


documents = (
    records() | st.dictionaries(keys, records() | values, max_size=4) | st.lists(records() | values, min_size=1, max_size=4) | values
)


def to_text(value: Any, ascii_only: bool, gap: str) -> str:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        members = (json.dumps(key, ensure_ascii=ascii_only) + f"{gap}:{gap}" + to_text(v, ascii_only, gap) for key, v in value.items())
        return "{" + gap + f",{gap}".join(members) + "}"
    if isinstance(value, list):
        return "[" + gap + f",{gap}".join(to_text(item, ascii_only, gap) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def test_a_column_that_repeats_another_one_is_named_once() -> None:
    cards = {f"card_{i}": {"id": f"card_{i}", "owner": f"user_{i * 7}", "payer": f"user_{i * 7}", "limit": i} for i in range(12)}
    text = json.dumps(cards)
    folded = fold(text)
    assert folded.split("\n")[0] == "all rows: id=[same as (key)],payer=[same as owner]"
    assert decode(folded) == parse_json(text)


def test_a_column_is_no_repetition_if_one_cell_differs_or_it_is_short() -> None:
    rows = [{"name": f"pod-{i}", "host": f"pod-{i}" if i != 5 else "pod-x", "a": i, "b": i} for i in range(9)]
    assert "same as" not in fold(json.dumps(rows))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(values, min_size=3, max_size=8), st.booleans(), st.data())
def test_repeated_columns_decode_to_the_original(column: list[Any], keyed: bool, data: st.DataObject) -> None:
    rows = [{"first": value, "long name of a second": value, "other": i, "third": {"x": value}} for i, value in enumerate(column)]
    for row in rows:
        for name in ("first", "long name of a second"):
            if data.draw(st.integers(0, 30)) == 0:
                del row[name]
    text = to_text({f"key {i}": row for i, row in enumerate(rows)} if keyed else rows, False, " ")
    result = JsonRecords().compress(text, lossless())
    if result is not None:
        assert decode(result.text) == parse_json(text)


ROLES = ["arn:aws:iam::112233445566:role/nightly-backup, of all", "arn:aws:iam::112233445566:role/reader"]


def test_long_values_of_many_rows_are_written_once() -> None:
    rows = [{"id": i, "role": ROLES[i % 2], "when": {"days": [1, 15, i % 2], "zone": "Europe/Oslo", "at": "04:00"}} for i in range(9)]
    result = shorten(json.dumps({"jobs": rows}), lossless())
    document, title, repeated, header, first, *_ = result.text.split("\n")
    assert (document, title) == (
        '{"jobs":[table jobs: 9 rows]}',
        "table jobs, all rows: when.days[0]=1,when.days[1]=15,when.zone=Europe/Oslo,when.at=04:00",
    )
    assert repeated == f'repeated: [a]="{ROLES[0]}",[b]={ROLES[1]}'
    assert (header, first) == ("id,role,when.days[2]", "0,[a],0")
    assert result.note == "9 rows as CSV: jobs, repeated values once" and not result.lossy
    assert decode(result.text) == parse_json(json.dumps({"jobs": rows}))


def test_a_whole_table_may_begin_with_repeated_values() -> None:
    rows = [{"id": i, "role": ROLES[i % 2]} for i in range(9)]
    folded = fold(json.dumps(rows))
    assert folded.startswith("repeated: [a]=")
    assert decode(folded) == parse_json(json.dumps(rows))


def test_short_and_rare_values_stay_in_their_rows() -> None:
    rows = [
        {"id": i, "state": ("waiting", "running")[i % 2], "role": ROLES[0] if i == 3 else f"role {i} of its own, which is long"}
        for i in range(9)
    ]
    assert "repeated: " not in fold(json.dumps(rows))


def test_repeated_values_are_written_once_where_all_rows_fit_by_that() -> None:
    rows = [{"id": i, "role": ROLES[i % 2], "note": f"note {i}"} for i in range(40)]
    text = json.dumps(rows)
    roomy, tight = (JsonRecords().compress(text, within(budget)) for budget in (300, 100))
    assert roomy is not None and not roomy.lossy and roomy.text.startswith("repeated: ")
    assert tight is not None and tight.lossy and "repeated: " not in tight.text


def test_repeated_values_decode_to_the_original_two_thousand_times() -> None:
    random_ = random.Random(5)
    wide: list[Any] = [
        *ROLES,
        ["a list", "that is long enough to be worth it"],
        {"[a]": 1, "x": ROLES[0]},
        "[a],[b] is no label, but a string",
        None,
        7,
    ]
    labelled = 0
    for _ in range(2_000):
        values = random_.sample(wide, random_.randrange(1, 4))
        rows: list[dict[str, Any]] = [
            {"n": i, "first": random_.choice(values), "second": random_.choice(values), "of": {"it": random_.choice(values)}}
            for i in range(random_.randrange(3, 9))
        ]
        for row in rows:
            if random_.random() < 0.05:
                del row["second"]
        text = json.dumps({"rows": rows, "more": rows[:3]} if len(rows) % 2 else rows)
        result = JsonRecords().compress(text, lossless())
        assert result is not None
        assert decode(result.text) == parse_json(text)
        labelled += "repeated: " in result.text
    assert labelled > 500


@settings(max_examples=2_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(documents, st.booleans(), st.sampled_from(["", " ", "\n  "]))
def test_a_fold_decodes_to_the_original(value: Any, ascii_only: bool, gap: str) -> None:
    text = to_text(value, ascii_only, gap)
    result = JsonRecords().compress(text, lossless())
    if result is None:
        return
    assert not result.lossy
    assert len(result.text) < len(text)
    assert decode(result.text) == parse_json(text)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(records(objects=False) | st.lists(st.dictionaries(keys, values, min_size=1), min_size=2, max_size=5))
def test_json_lines_decode_to_the_original(rows: list[Any]) -> None:
    text = "\n".join(to_text(row, False, " ") for row in rows)
    result = JsonRecords().compress(text, lossless())
    if result is not None:
        assert decode(result.text) == [parse_json(to_text(row, False, "")) for row in rows]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents, st.booleans())
def test_a_digest_with_room_for_everything_decodes_to_the_original(value: Any, many: bool) -> None:
    value = [value] * 4 if many else {"all": value}
    text = to_text(value, False, " ")
    try:
        folded = fold_value(read(text))
    except ValueError:
        return
    whole = digest(Outline(folded, len(text)), within(0), 1_000_000)
    assert whole.complete
    if folded.whole is not None:
        assert decode(whole.text) == parse_json(text)
        return
    document, *tables = whole.text.split("\ntable ")
    assert decode("\ntable ".join([document.replace(",\n", ","), *tables])) == parse_json(text)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents, st.integers(0, 200))
def test_a_digest_of_anything_never_fails(value: Any, budget: int) -> None:
    text = to_text([value] * 3, False, " ")
    result = JsonRecords().compress(text, within(budget, "name", "12"))
    assert result is None or len(result.text) < len(text)


# --- digesting -----------------------------------------------------------------------------------------------------


def test_a_digest_shows_rows_of_the_table_in_order() -> None:
    text = json.dumps(orders(400))
    every = fold(text).split("\n")
    shown = shorten(text, within(400)).text.split("\n")
    positions = [every.index(line) for line in shown if not MARK.fullmatch(line)]
    assert positions == sorted(positions)
    assert positions[:3] == [0, 1, 2]
    assert positions[-1] == len(every) - 1


def test_marks_and_note_count_exactly() -> None:
    for budget in (60, 150, 400, 1_000):
        result = shorten(json.dumps(orders(400)), within(budget))
        left_out = rows_left_out(result.text)
        assert result.lossy
        assert result.note.startswith(f"{left_out} of 400 rows left out")
        assert len([line for line in result.text.split("\n")[2:] if not MARK.fullmatch(line)]) == 400 - left_out


def test_a_digest_keeps_to_its_budget() -> None:
    for budget in (100, 300, 1_000):
        assert len(shorten(json.dumps(orders(900)), within(budget)).text) / 3.6 < budget * 1.1 + 60


def test_rows_that_were_asked_for_come_first() -> None:
    text = json.dumps(orders(500))
    assert "ord-0317" not in shorten(text, within(200)).text
    assert "ord-0317,Customer 317," in shorten(text, within(200, "ord-0317")).text


def test_trouble_is_shown() -> None:
    rows = orders(500)
    rows[244]["status"] = "declined"
    rows[311]["customer"]["name"] = "connection refused by peer"
    rows[400]["prices"]["net"] = 99_999.5
    rows[123]["error"] = {"code": 7}
    shown = shorten(json.dumps(rows), within(300)).text
    for wanted in ("ord-0245,declined", "connection refused by peer", "99999.5", "ord-0124"):
        assert wanted in shown


def test_a_row_with_a_large_cell_stays_one_line() -> None:
    rows = [{"name": f"job-{n}", "steps": [{"run": f"step {n}.{i} " + "x" * 70, "ok": i != n} for i in range(n % 7)]} for n in range(40)]
    lines = shorten(json.dumps(rows), within(500, "job-34")).text.split("\n")
    assert lines[0] == "name,steps"
    assert all(line.startswith("job-") or MARK.fullmatch(line) for line in lines[1:])
    assert "step 34.5" in "".join(lines)


def test_the_note_says_what_the_rest_have_in_common() -> None:
    rows = orders(300)
    rows[100]["status"] = "declined"
    for number, row in enumerate(rows):
        row["queue"] = "slow" if number % 10 == 3 else "fast"
    result = shorten(json.dumps(rows), within(150))
    assert "all status=ok" in result.note
    assert len(result.note) < 160
    match = re.search(r"customer.tier: (\d+) gold, (\d+) basic", result.note)
    assert match
    assert int(match[1]) + int(match[2]) == rows_left_out(result.text)


def test_a_count_of_the_document_stays_beside_the_marked_gap() -> None:
    result = shorten(json.dumps({"count": 400, "orders": orders(400)}), within(200))
    assert result.text.startswith('{"count":400,"orders":[table orders: 400 rows]}\n')
    assert rows_left_out(result.text) > 300
    assert " of 400 rows of orders left out" in result.note


def test_unlike_rows_are_shown_whole_one_a_line() -> None:
    rows = [{f"kind_{n % 7}": f"value {n}", f"extra_{n}": "x" * 60} for n in range(200)]
    text = shorten(json.dumps(rows), within(300)).text
    known = {json.dumps(row, separators=(",", ":")) for row in rows}
    lines = text.removeprefix("[").removesuffix("]").split(",\n")
    assert all(line in known or re.fullmatch(r"\[… .*\]", line) for line in lines)
    assert any(line.startswith("[… ") for line in lines)


def test_json_lines_are_shown_whole_one_a_line() -> None:
    rows = [json.dumps({f"kind_{n % 40}": n, "message": "m" * (n % 50)}, separators=(",", ":")) for n in range(300)]
    result = shorten("\n".join(rows), within(300))
    lines = result.text.split("\n")
    assert all(line in set(rows) or MARK.fullmatch(line) for line in lines)
    assert result.note == f"{rows_left_out(result.text)} of 300 rows left out"


def test_a_long_string_keeps_head_tail_and_what_was_asked_for() -> None:
    sentences = [f"Sentence {n} speaks of matter {n * 7} at some length." for n in range(300)]
    body = " ".join(sentences)
    result = shorten(json.dumps({"title": "Report", "body": body}), within(200, "matter 1043"))
    assert result.text.startswith('{"title":"Report","body":"Sentence 0 speaks')
    assert result.text.endswith(body[-60:] + '"}')
    assert sentences[149] in result.text
    parts = re.split(r'"\[… (\d+) characters\]"', result.text[len('{"title":"Report","body":"') : -2])
    assert len("".join(parts[::2])) + sum(map(int, parts[1::2])) == len(body)
    at = 0
    for shown, gap in zip(parts[::2], [*map(int, parts[1::2]), 0], strict=True):
        assert body.startswith(shown, at)
        at += len(shown) + gap


def pods(count: int) -> dict[str, Any]:
    def pod(number: int) -> dict[str, Any]:
        containers = [
            {
                "name": f"app-{c}",
                "image": f"registry.example/app-{number}:{c}",
                "env": [{"name": f"V{i}", "value": f"{number}-{c}-{i}"} for i in range(6)],
            }
            for c in range(1 + number % 3)
        ]
        waiting = {"reason": "CrashLoopBackOff", "message": f"back-off 5m0s restarting pod-{number}"}
        return {
            "metadata": {"name": f"pod-{number}", "labels": {f"label-{i}": f"{number}.{i}" for i in range(number % 9)}},
            "spec": {"nodeName": f"node-{number % 3}", "containers": containers},
            "status": {
                "phase": "Running",
                "containerStatuses": [{"ready": number != 5, "state": {"waiting": waiting} if number == 5 else {}}],
            },
        }

    return {"apiVersion": "v1", "kind": "List", "items": [pod(number) for number in range(count)], "metadata": {"resourceVersion": "81"}}


def test_a_large_object_keeps_its_structure_and_its_trouble() -> None:
    text = json.dumps(pods(40), indent=2)
    result = shorten(text, within(500))
    assert '"kind":"List"' in result.text
    assert "back-off 5m0s restarting pod-5" in result.text
    assert "[… " in result.text
    assert result.lossy
    assert result.note
    assert "pod-23" in shorten(text, within(500, "pod-23")).text


def unique_values(count: int) -> dict[str, Any]:
    """A document of many shapes in which every string is unique."""
    chance = random.Random(3)
    numbers = iter(range(100_000))

    def value(depth: int) -> Any:
        kind = chance.randrange(6) if depth < 5 else 0
        if kind == 0:
            return f"v{next(numbers)}."
        if kind == 1:
            return " ".join(f"v{next(numbers)}." for _ in range(chance.randrange(150)))
        if kind == 2:
            return [{"a": f"v{next(numbers)}.", "b": value(5), "c": value(5)} for _ in range(chance.randrange(2, 40))]
        if kind == 3:
            return [value(depth + 1) for _ in range(chance.randrange(6))]
        return {f"k{i}": value(depth + 1) for i in range(chance.randrange(1, 8))}

    return {f"part{i}": value(1) for i in range(count)}


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        (orders(300), r"ord-\d+"),
        ({"a": orders(80), "b": orders(60, 2)}, r"ord-\d+,Customer \d+"),
        (pods(30), r"pod-\d+|registry[^\"]+|\d+-\d-\d"),
        (unique_values(30), r"v\d+\."),
        (list(range(10_000, 15_000)), r"1\d{4}"),
    ],
)
def test_more_budget_never_shows_less(value: Any, pattern: str) -> None:
    text = json.dumps(value)
    before: set[str] = set()
    for budget in (0, 20, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 20_000):
        result = shorten(text, within(budget, "v77", "pod-7", "customer 41"))
        shown = set(re.findall(pattern, re.sub(r"\[… [^\]]*\]", "", result.text)))
        assert before <= shown, budget
        before = shown


def test_everything_shown_is_in_the_original() -> None:
    value = unique_values(40)
    text = json.dumps(value)
    for budget in (100, 500, 2_000):
        shown = re.findall(r"v\d+\.", shorten(text, within(budget)).text)
        assert len(shown) == len(set(shown))
        assert set(shown) <= set(re.findall(r"v\d+\.", text))


def test_lossless_leaves_nothing_out() -> None:
    result = shorten(json.dumps(orders(2_000)), Request(Query(), 10, 0.0, lossless=True))
    assert not result.lossy
    assert result.text.count("\n") == 2_001
    assert result.note == "2000 rows as CSV"


def test_a_digest_is_not_taken_for_json() -> None:
    for value in (orders(300), pods(30), list(range(5_000))):
        digest = shorten(json.dumps(value), within(100)).text
        assert JsonRecords().compress(digest, within(100)) is None


def test_five_hundred_nested_rows_lose_more_than_half_of_their_characters() -> None:
    text = json.dumps(orders(500))
    assert len(fold(text)) < 0.4 * len(text)


def test_a_column_of_numbers_may_end_with_a_missing_one() -> None:
    rows = [{"id": number, "size": number * 3, "name": f"part {number}"} for number in range(300)]
    del rows[-1]["size"]
    assert rows_left_out(shorten(json.dumps(rows), within(200)).text) > 200


def test_a_pruned_object_keeps_head_and_tail_of_its_strings() -> None:
    issues = [{f"field_{n}_{i}": f"value {i}" for i in range(40)} | {"body": f"Issue {n} " + "words " * 90 + "the end."} for n in range(9)]
    shown = shorten(json.dumps({"issues": issues, "next": None}), within(700)).text
    assert re.search(r'"body":"Issue 0 words [a-z ]+"\[… \d+ characters\]"[a-z ]+the end\.', shown)
    assert "[… 40 keys" in shown or "[… 3" in shown


def test_rows_are_left_out_whole_rather_than_in_pieces() -> None:
    rows = [{"name": f"group-{n}", "rules": [{"port": n * i, "from": "10.0.0.0/8"} for i in range(1, 9)]} for n in range(60)]
    result = shorten(json.dumps({"groups": rows}), within(400))
    lines = [line for line in result.text.split("\n")[3:] if not MARK.fullmatch(line)]
    assert len(lines) > 3
    assert all(line.startswith("group-") and "…" not in line for line in lines)


def test_the_note_says_where_how_much_is_missing() -> None:
    value = {"groups": orders(80), "routes": orders(60, 2), "tags": [f"tag number {n} of many" for n in range(200)]}
    note = shorten(json.dumps(value), within(700)).note
    assert re.fullmatch(r"\d+ of 200 items of tags, \d+ of 80 rows of groups, \d+ of 60 rows of routes left out", note) or re.fullmatch(
        r"\d+ of 80 rows of groups, \d+ of 60 rows of routes, \d+ of 200 items of tags left out", note
    )
