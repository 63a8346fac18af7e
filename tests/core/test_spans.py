"""Machine-made spans in a text: found whole, never overlapping, never more than there is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.spans import Span, fenced_spans, json_spans, log_spans, machine_spans
from tests.conversations import NASTY, USER_TEXTS

ROWS = json.dumps([{"id": i, "note": '[{"}]'} for i in range(50)])
LOG = "\n".join(f"2026-01-01T10:00:{i:02d} INFO handled request {i}" for i in range(40))


def found(text: str, spans: list[Span]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


@given(
    st.one_of(USER_TEXTS, NASTY, st.lists(st.sampled_from(["\n```\n", ROWS, LOG, "\n", "words: ", "~~~~\n", "[", "{"])).map("".join)),
    st.integers(0, 400),
)
def test_spans_are_ordered_inside_the_text_and_large_enough(text: str, least: int) -> None:
    for spans in (machine_spans(text, least), json_spans(text, least), fenced_spans(text, least), log_spans(text, least)):
        end = 0
        for span in spans:
            assert end <= span.start <= span.end <= len(text) and span.end - span.start >= least
            end = span.end


@pytest.mark.parametrize("before", ["", "Look:\n", "answer: ", "result= ", "  \t", "words\n    "])
@pytest.mark.parametrize("after", ["", "\nDone.", " and so on", "\n\n[1]"])
def test_json_is_found_whole_wherever_it_starts_a_line_or_follows_a_colon(before: str, after: str) -> None:
    text = before + ROWS + after
    assert found(text, json_spans(text, 100)) == [ROWS]


def test_only_the_outermost_document_counts_and_every_one_of_several() -> None:
    text = f"a:\n{ROWS}\nb:\n{json.dumps({'x': json.loads(ROWS)}, indent=1)}\nc"
    assert found(text, json_spans(text, 100)) == [ROWS, json.dumps({"x": json.loads(ROWS)}, indent=1)]


@pytest.mark.parametrize("broken", [ROWS[:-1], ROWS.replace(",", ";"), "[" * 50_000, "{" * 50_000, '["' + "x" * 5_000, "\n[" * 20_000])
def test_broken_json_is_no_span(broken: str) -> None:
    assert json_spans("look: " + broken, 100) == []


def test_json_after_a_broken_document_is_still_found() -> None:
    text = "one: [1, 2\ntwo: " + ROWS
    assert found(text, json_spans(text, 100)) == [ROWS]


def test_huge_numbers_are_only_passed_over() -> None:
    text = "[" + "9" * 10_000 + "]"
    assert found(text, json_spans(text, 100)) == [text]


def test_a_fences_body_is_a_span_without_its_fence() -> None:
    text = f"Look:\n```log\n{LOG}\n```\nand\n~~~~\n{LOG}\n```\n~~~~\n"
    assert found(text, fenced_spans(text, 100)) == [LOG, LOG + "\n```"]


@pytest.mark.parametrize("text", ["```\nnever closed", "```\n```", "text ```inline``` text", "```" * 10_000, "```\n" * 10_001])
def test_fences_around_nothing_are_no_spans(text: str) -> None:
    assert fenced_spans(text, 10) == []


def test_log_lines_are_a_span_with_a_few_other_lines_between() -> None:
    text = f"Why?\n\n{LOG}\n  at frame one\n  at frame two\n{LOG}\n\nThanks,\nAda"
    assert found(text, log_spans(text, 100)) == [f"{LOG}\n  at frame one\n  at frame two\n{LOG}"]
    apart = f"{LOG}\nprose\nprose\nprose\nprose\n{LOG}"
    assert found(apart, log_spans(apart, 100)) == [LOG, LOG]


@pytest.mark.parametrize(
    "words",
    [
        "Then I moved the service.\nAnswer in French and delete nothing.",
        "Answer in French.",
        "\nAnswer in French.\n",
        "\n    Answer in French.",
        "10:00:00 Answer in French",
        "12:1: Answer in French",
    ],
)
def test_what_a_user_writes_between_two_logs_is_in_neither(words: str) -> None:
    text = f"Our log:\n{LOG}\n{words}\n{LOG}\nThanks"
    assert found(text, log_spans(text, 100)) == [LOG, LOG]


@pytest.mark.parametrize(
    "line",
    [
        "08:15:00 please call the supplier about contract number {}",
        "2026-03-01 08:15 please call the supplier about contract number {}",
        "Mar 12 08:15 please call the supplier about contract number {}",
        "REQ:12: the system shall answer in French, see number {}",
    ],
)
def test_a_plan_whose_lines_begin_with_times_is_no_log(line: str) -> None:
    assert machine_spans("\n".join(line.format(number) for number in range(100)), 100) == []


@pytest.mark.parametrize(
    "line", ["10:00:00.123 done {}", "10:00:00 [main] done {}", "10:00:00 - INFO done {}", "src/a.py:12: done {}", "ERROR {}"]
)
def test_times_with_more_of_a_log_are_one(line: str) -> None:
    log = "\n".join(line.format(number) for number in range(100))
    assert found(log, machine_spans(log, 100)) == [log]


@pytest.mark.parametrize("closing", ["```", "  ```", "\t```", "````", "```  "])
def test_a_fence_is_closed_however_it_is_indented(closing: str) -> None:
    text = f"```\n{LOG}\n{closing}\nAnswer in French.\n  ```sh\n{LOG}\n```"
    assert found(text, fenced_spans(text, 10)) == [LOG, LOG]


def test_a_fence_with_words_behind_it_closes_nothing() -> None:
    text = f"```\n{LOG}\n```python\n{LOG}\n```\nAnswer in French.\n```\n{LOG}\n```"
    assert found(text, fenced_spans(text, 10)) == [f"{LOG}\n```python\n{LOG}", LOG]


def test_where_a_fence_never_closes_all_are_doubtful() -> None:
    assert fenced_spans(f"```\n{LOG}\n```\nAnswer in French.\n```\n{LOG}\n```\n```\n", 10) == []


RULES = "Answer in French, and never delete what somebody else has written. " * 20


@pytest.mark.parametrize("place", ["{}", "Do this:\n{}\nThanks", "```json\n{}\n```"])
def test_of_a_prompt_written_as_json_only_the_data_are_spans(place: str) -> None:
    prompt = json.dumps({"task": RULES, "orders": json.loads(ROWS), "more": {"rules": RULES, "also": json.loads(ROWS)}, "limit": 5})
    text = place.format(prompt)
    assert found(text, machine_spans(text, 100)) == [ROWS, ROWS]


def test_a_document_without_many_words_is_one_span() -> None:
    document = json.dumps({"name": "orders of March", "key": "x" * 900, "orders": json.loads(ROWS)})
    assert found(document, machine_spans(document, 100)) == [document]


def test_a_prompt_in_a_prompt_in_a_prompt_is_left_alone() -> None:
    prompt: object = json.loads(ROWS)
    for _ in range(300):
        prompt = {"rules": RULES, "more": prompt}
    assert machine_spans(json.dumps(prompt), 100) == []


def test_prose_is_no_span() -> None:
    assert machine_spans("Please look at the order. It failed at 10 o'clock, see [1] and {this}.\n" * 60, 100) == []


def test_the_first_kind_that_claims_a_stretch_has_it() -> None:
    text = f"Look:\n```json\n{ROWS}\n```\n{LOG}"
    assert found(text, machine_spans(text, 100)) == [ROWS, LOG]


@pytest.mark.parametrize("text", ["10:00:00 x", "[]", "a\n10:00:00 b\n\n\n\n\n10:00:00 c", "```\n\n```", ""])
def test_no_least_size_finds_no_span_before_the_text(text: str) -> None:
    assert all(0 <= span.start <= span.end <= len(text) for span in machine_spans(text, 0))
