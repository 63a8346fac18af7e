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


def test_prose_is_no_span() -> None:
    assert machine_spans("Please look at the order. It failed at 10 o'clock, see [1] and {this}.\n" * 60, 100) == []


def test_the_first_kind_that_claims_a_stretch_has_it() -> None:
    text = f"Look:\n```json\n{ROWS}\n```\n{LOG}"
    assert found(text, machine_spans(text, 100)) == [ROWS, LOG]


@pytest.mark.parametrize("text", ["10:00:00 x", "[]", "a\n10:00:00 b\n\n\n\n\n10:00:00 c", "```\n\n```", ""])
def test_no_least_size_finds_no_span_before_the_text(text: str) -> None:
    assert all(0 <= span.start <= span.end <= len(text) for span in machine_spans(text, 0))
