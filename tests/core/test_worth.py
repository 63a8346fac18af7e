"""What is worth showing: words of the question, and lines that report trouble."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.types import ToolCall
from headroom.core.worth import MAX_TERMS, TROUBLE, Query, QueryBuilder, reports_trouble, specificity, terms_of, trouble_in

TEXT = st.text(st.characters(codec=None, categories=None), max_size=200)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR payment declined",
        "java.lang.NullPointerException: null",
        "Traceback (most recent call last):",
        "3 tests failed",
        "INFO worker FATAL out of memory",
        "connection refused",
        "request timed out",
        "/bin/sh: foo: not found",
        "error_count=3",
        "errors: 0, failures: 2",
        "pod is unhealthy, Back-off: CrashLoopBackOff",
    ],
)
def test_lines_that_report_trouble(line: str) -> None:
    assert reports_trouble(line)


@pytest.mark.parametrize(
    "line",
    ["error_count=0", "0 errors", "no failures", "failed: 0", '"error": null', "without any errors", "errors: []", "all is well", ""],
)
def test_lines_that_deny_it_do_not(line: str) -> None:
    assert not reports_trouble(line)


@given(TEXT)
def test_any_text_has_an_answer(text: str) -> None:
    assert reports_trouble(text) in (True, False)
    terms = terms_of(text)
    assert len(set(terms)) == len(terms) and all(len(term) >= 3 for term in terms)


def test_terms_are_the_words_worth_looking_for() -> None:
    assert terms_of("Find the error in src/app/main.py for order ORD-4711, then find ord-4711 again") == [
        "src/app/main.py",
        "order",
        "ord-4711",
        "again",
    ]


def test_identifiers_tell_more_than_words_and_long_words_more_than_short() -> None:
    assert specificity("ord-4711") > specificity("payments") > specificity("pay")


@given(st.lists(st.sampled_from(["user_id", "4711", "naïve", "a.b", "status"]), max_size=6).map(" ".join), TEXT)
def test_hits_are_the_places_where_terms_stand(words: str, text: str) -> None:
    query = QueryBuilder()
    query.hear(words)
    built = query.build(None)
    haystack = text + " USER_ID " + text
    terms = {term for term, _ in built.terms}
    for offset, weight in built.hits(haystack):
        assert weight > 0 and any(haystack[offset : offset + len(term)].lower() == term for term in terms)
    assert bool(built.hits("x user_id y")) == (built.score("x user_id y") > 0) == ("user_id" in terms)


def test_a_letter_that_grows_when_lowered_shifts_no_offset() -> None:
    assert Query((("4711", 1.0),)).hits("İİİ 4711") == [(4, 1.0)]


def test_a_term_that_stands_everywhere_tells_little() -> None:
    query = Query((("row", 1.0),))
    assert sum(weight for _, weight in query.hits("row " * 10_000)) < 20


def test_the_call_weighs_more_than_the_words_and_those_more_than_the_first_question() -> None:
    builder = QueryBuilder()
    builder.hear("first question about alpha_service")
    builder.hear("now about beta_service")
    weights = dict(builder.build(ToolCall("1", "read", '{"path": "gamma_service"}', "let me open delta_service")).terms)
    assert weights["gamma_service"] > weights["delta_service"] >= weights["beta_service"] > weights["alpha_service"]


@given(st.lists(TEXT, max_size=5), TEXT)
def test_equal_words_make_an_equal_query_of_bounded_size(heard: list[str], arguments: str) -> None:
    built = []
    for _ in range(2):
        builder = QueryBuilder()
        for words in heard:
            builder.hear(words)
        built.append(builder.build(ToolCall("1", "read", arguments)))
    assert built[0] == built[1] and len(built[0].terms) <= MAX_TERMS


@given(
    st.lists(
        st.sampled_from(
            ["error", "fail", "failed", "failover", "timed out", "time-out", "warn", "warning", "oom", "room", "x", " ", "assertion"]
        )
    )
)
def test_looking_stem_by_stem_finds_what_the_pattern_finds(words: list[str]) -> None:
    text = "".join(words)
    assert [match.span() for match in trouble_in(text)] == [match.span() for match in re.finditer(TROUBLE.pattern, text)]


def test_every_alternative_of_the_pattern_has_its_stem() -> None:
    for corpus in ("can't open", "could not", "no such file", "segmentation fault", "out of memory", "unhealthy", "evicted", "timedout"):
        assert [match.span() for match in trouble_in(corpus)] == [match.span() for match in re.finditer(TROUBLE.pattern, corpus)] != []
