import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core import tokens
from headroom.core.store.search import lines_of, search
from headroom.core.store.units import body_of, units_of

any_text = st.text(st.characters(exclude_categories=()))

ORDERS = [
    {"order_id": 4300 + i, "status": "failed" if i in (7, 411) else "ok", "city": "Málaga" if i == 30 else "Oslo", "note": "no remarks"}
    for i in range(500)
]
LOG = [f"2024-05-01 10:{i // 60 % 60:02d}:{i % 60:02d} INFO worker-{i % 7} finished job {1000 + i}" for i in range(400)]
LOG[119] = "2024-05-01 10:01:59 WARN disk of node-3 is almost full"
MANUAL = "\n\n".join(
    f"## Chapter {i}\n\nThis chapter explains, in plain and simple words, how the machine of kind {i} is to be used.\n"
    "It was written by several people, and all of them have used the machine for a long time."
    for i in range(60)
)


def rows(answer):
    return [line for line in answer.splitlines() if line.startswith("row ")]


# --- rows ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write", [json.dumps, lambda o: json.dumps(o, separators=(",", ":")), lambda o: json.dumps({"total": 500, "orders": o})]
)
@pytest.mark.parametrize("query", ["order_id 4711", '"order_id": 4711', "order_id=4711", "'order_id':4711", "4711", "order 4711"])
def test_finds_the_row(write, query):
    text = write(ORDERS)
    answer = search(text, query)
    assert rows(answer)[0].startswith("row 412 of 500: ")
    shown = rows(answer)[0].split(": ", 1)[1]
    assert shown in text and json.loads(shown)["order_id"] == 4711


def test_counts_what_matched_and_what_is_shown():
    answer = search(json.dumps(ORDERS), "failed")
    assert answer.splitlines()[0] == '2 of 500 rows match "failed" (2 as written); 2 shown:'
    assert len(rows(answer)) == 2
    many = search(json.dumps(ORDERS), "Oslo", budget_tokens=400)
    assert many.splitlines()[0].startswith('499 of 500 rows match "Oslo" (499 as written); ')
    assert f"; {len(rows(many))} shown, the best: add words" in many


def test_rows_stay_as_they_are_written():
    text = '[\n  {"a": 1.10, "b": 12345678901234567890},\n  {"a": 2.0,   "b": "x"}\n]'
    assert '{"a": 1.10, "b": 12345678901234567890}' in search(text, "1.10")


def test_escapes_in_rows_are_understood():
    assert '"city": "M\\u00e1laga"' in search(json.dumps(ORDERS), "málaga")


def test_what_stands_beside_the_rows_is_found_too():
    text = json.dumps({"total": 500, "warning": "two orders look doubtful", "orders": ORDERS})
    assert "two orders look doubtful" in search(text, "doubtful")


def test_json_lines_and_tables():
    text = "\n".join(json.dumps(order) for order in ORDERS)
    answer = search(text, "order 4711")
    assert "line 412: " + json.dumps(ORDERS[411]) in answer
    table = "order_id,status,city\n" + "\n".join(f"{order['order_id']},{order['status']},{order['city']}" for order in ORDERS)
    answer = search(table, "4711").splitlines()
    assert answer[1:] == ["line 1: order_id,status,city", "line 413: 4711,failed,Oslo"] or answer[1:] == [
        "line 1- order_id,status,city",
        "line 413: 4711,failed,Oslo",
    ]


def test_looks_inside_an_envelope_and_outside_of_it():
    text = json.dumps({"exit_code": 3, "output": "\n".join(LOG)})
    assert "line 120: " + LOG[119] in search(text, "disk full")
    assert '"exit_code": 3' in search(text, "exit_code")


# --- lines, sections, endless lines ---------------------------------------------------------------------------------------


def test_finds_the_line_with_its_neighbours():
    assert search("\n".join(LOG), "disk of node-3").splitlines() == [
        '1 of 400 lines match "disk of node-3" (1 as written); 1 shown:',
        "line 118- " + LOG[117],
        "line 119- " + LOG[118],
        "line 120: " + LOG[119],
        "line 121- " + LOG[120],
        "line 122- " + LOG[121],
    ]


def test_as_written_before_all_words_before_some():
    lines = ["-"] * 60
    lines[5], lines[20], lines[40] = "the red big house", "a big red house", "something red"
    answer = search("\n".join(lines), "big red")
    assert answer.index("a big red house") < answer.index("the red big house")
    assert "1 as written, 1 with all words, 1 with some words" in answer


def test_identifiers_are_found_whole_and_in_parts():
    lines = ["-"] * 90
    lines[10], lines[40], lines[70] = "edit src/user_service.py now", "the UserService of the py module", "class User:"
    answer = search("\n".join(lines), "user_service.py")
    assert answer.index("line 11:") < answer.index("line 41:")
    assert "line 71:" not in answer
    assert "line 41:" in search("\n".join(lines), "user service")


def test_a_plural_finds_the_singular():
    assert "line 45: " + LOG[44] in search("\n".join(LOG), "jobs 1044")


def test_finds_the_section():
    answer = search(MANUAL, "chapter 17")
    assert "lines 86-89:\n## Chapter 17\n\nThis chapter explains" in answer
    assert lines_of(MANUAL, "86-89") in answer


def test_an_endless_line_is_shown_in_passages():
    text = "".join(random.Random(1).choices("abcde ", k=30_000)) + " needle in it " + "".join(random.Random(2).choices("abcde ", k=30_000))
    answer = search(text, "needle")
    first, last = answer.splitlines()[1].split(":")[0].removeprefix("characters ").split("-")
    assert "needle" in text[int(first) : int(last)] and text[int(first) : int(last)] in answer


def test_a_row_above_the_budget_is_cut_and_says_where_the_rest_is():
    for text in (
        json.dumps([{"id": 1, "body": "x" * 20_000 + " needle " + "y" * 20_000}, {"id": 2}]),
        "first\n" * 100 + "x" * 20_000 + " needle " + "y\n" * 20_000 + "last\n" * 100,
    ):
        answer = search(text, "needle", budget_tokens=500)
        assert " needle " in answer
        assert tokens.estimate(answer) <= 500
        if "more characters" in answer:
            offset = int(answer.rsplit("offset=", 1)[1].rstrip("]"))
            assert text[offset - 50 : offset] in answer


def test_offsets_count_through_envelopes():
    inner = 'say "hi"\n\tnaïve ' * 100
    for text in (json.dumps({"output": inner}), f"<output>\n{inner}x</output>\n", f"```\n{inner}x\n```"):
        body = body_of(text)
        at = body.text.index("naïve", 500)
        assert text[body.place(at) :].startswith(("na\\u00efve", "naïve"))


@pytest.mark.parametrize("alphabet", ["abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789+/", "ab,;(){}= .xy"])
def test_every_piece_of_an_endless_line_is_found(alphabet):
    text = "".join(random.Random(3).choices(alphabet, k=8_000))
    for at in range(0, len(text) - 40, 37):
        piece = text[at : at + 40]
        answer = search(text, piece)
        assert "as written" in answer.split("\n", 1)[0] and (piece in answer or piece != piece.strip())


def test_what_stands_over_a_line_end_is_found():
    piece = LOG[7][-20:] + "\n" + LOG[8][:20]
    assert piece in search("\n".join(LOG), piece)


def test_blanks_of_a_query_count():
    assert "=>  ((" in search("first\nx =>  (( y\nlast", "=>  ((")


def test_pairs_of_surrogates_are_one_character():
    rows = [{"id": i, "note": "\U0001f600 done" if i == 30 else "né"} for i in range(60)]
    assert '"id": 30' in search(json.dumps(rows), "\U0001f600")
    assert '"id": 30' in search("\n".join(map(json.dumps, rows)), "\U0001f600")


# --- any query, any text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ['"', "*", "a* OR b", "NEAR/x(a, b)", "x:y", "(((", "[a-z]+", "\\d", "^$", "DROP", "%_", "';--", "\0", "\ud800", "-" * 5000]
)
def test_a_query_is_never_a_pattern(query):
    answer = search("\n".join(LOG), query)
    assert answer.startswith("Nothing in this original matches")
    assert query in search(f"first\n{query} here\nlast", query) or len(query) > 1000


@pytest.mark.parametrize("query", ["", "   ", "\n"])
def test_an_empty_query(query):
    assert search("\n".join(LOG), query).startswith("The query is empty.")


def test_no_match_says_how_to_ask_otherwise():
    answer = search("\n".join(LOG), "unheard-of")
    assert f"{len(chr(10).join(LOG)):,} characters, 400 lines" in answer and 'lines="1-200"' in answer
    assert "500 rows" in search(json.dumps(ORDERS), "unheard-of")


@settings(deadline=None)
@given(text=any_text, query=any_text, budget=st.integers(300, 3000))
def test_never_raises_and_keeps_the_budget(text, query, budget):
    assert tokens.estimate(search(text, query, budget)) <= budget


@pytest.mark.parametrize("query", ["finished job", "worker-3 1044", "the", "INFO"])
@pytest.mark.parametrize("budget", [200, 1500, 5000])
def test_keeps_the_budget(query, budget):
    for text in ("\n".join(LOG), json.dumps(ORDERS), MANUAL, json.dumps({"output": "\n".join(LOG)})):
        assert tokens.estimate(search(text, query, budget)) <= budget


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "[",
        "[" * 10_000 + "]" * 10_000,
        "{}",
        "[]",
        "[[],[]]",
        "\ud800" * 3000,
        "\0\n\0",
        "İ" * 5000 + "\nİ",
        '{"a":' * 5000,
        "```\n```",
        "[1,2,3]",
    ],
)
def test_odd_texts(text):
    assert isinstance(search(text, "i 1"), str)
    assert len(units_of(text).lowered) >= 1


def test_ten_megabytes_in_time():
    text = "\n".join(LOG * 400)
    assert len(text) > 8_000_000
    started = time.process_time()
    search(text, "INFO worker-3 job 1044")
    assert time.process_time() - started < 3, "0.7 s on an idle machine"


def test_quadratic_traps():
    for text in ("\n" * 1_000_000, " \n" * 500_000, "a" * 2_000_000, '"\\' * 500_000, ", " * 500_000, "# a\n\n" * 100_000):
        started = time.process_time()
        search(text, "a b-c.d")
        lines_of(text, "1-5")
        assert time.process_time() - started < 2


# --- by numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("120-180", LOG[119:180]),
        ("120", LOG[119:120]),
        ("390-", LOG[389:]),
        ("-50", LOG[:50]),
        ("390-9999", LOG[389:]),
        (" lines 3 - 4 ", LOG[2:4]),
        ("3..4", LOG[2:4]),
        ("3 to 4", LOG[2:4]),
        ("0-2", LOG[:2]),
    ],
)
def test_lines_by_number(lines, expected):
    assert lines_of("\n".join(LOG), lines) == "\n".join(expected)


@pytest.mark.parametrize("lines", ["", "-", "a", "5-3", "0", "-0", "1-2-3", "1,5", "401", "500-600", "²", "9" * 5000, "lines"])
def test_lines_that_cannot_be(lines):
    with pytest.raises(ValueError, match="lines="):
        lines_of("\n".join(LOG), lines)


@given(st.text("ab\r\n\x0b\u2028"), st.integers(1, 9), st.integers(0, 9))
def test_lines_are_verbatim(text, first, more):
    lines = text.split("\n")
    if first <= len(lines):
        assert lines_of(text, f"{first}-{first + more}") == "\n".join(lines[first - 1 : first + more])


def test_lines_count_inside_an_envelope():
    assert lines_of(json.dumps({"output": "\n".join(LOG)}), "120") == LOG[119]
    assert lines_of("<output>\n" + "\n".join(LOG) + "\n</output>", "120") == LOG[119]


def test_rows_by_number():
    text = json.dumps(ORDERS)
    assert lines_of(text, "rows 412-413") == json.dumps(ORDERS[411]) + "\n" + json.dumps(ORDERS[412])
    assert lines_of(text, "412-413") == lines_of(text, "rows 412-413")
    assert lines_of(json.dumps(ORDERS, indent=1), "2") == " {", "pretty JSON has lines of its own"
    with pytest.raises(ValueError, match="500 rows"):
        lines_of(text, "rows 501")
