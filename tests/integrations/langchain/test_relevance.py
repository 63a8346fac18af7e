"""BM25 with the document frequencies of the documents at hand, cosines, and maximal marginal relevance."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.integrations.langchain.relevance import by_vectors, by_words

TEXTS = ["the refund for order 4711", "the warehouse and the shelf", "the refund policy", "unrelated words"]
words = st.text(st.sampled_from("abc éß数 \n"), max_size=30)


def test_scores_are_those_of_the_formula() -> None:
    (first, *_) = by_words(TEXTS, "refund 4711").scores
    rarity = {"refund": math.log(1 + 2.5 / 2.5), "4711": math.log(1 + 3.5 / 1.5)}
    norm = 1.2 * (0.25 + 0.75 * 5 / (15 / 4))
    assert first == pytest.approx(2.2 / (1 + norm) * sum(rarity.values()) / sum(rarity.values()))


def test_rare_words_count_more_than_common_ones() -> None:
    order = by_words(TEXTS, "refund 4711").order()
    assert order[:2] == [0, 2]


def test_words_that_any_text_may_hold_count_only_where_there_are_no_others() -> None:
    assert by_words(["the day of the dog", "a refund"], "what is the state of my refund").scores[0] == 0.0
    assert by_words(["the day of the dog", "a refund"], "of the").order() == [0, 1]


def test_a_word_that_no_document_has_decides_nothing() -> None:
    assert by_words(TEXTS, "refund zebra").scores == by_words(TEXTS, "refund").scores
    assert by_words(TEXTS, "zebra").scores == by_words(TEXTS, "").scores == [1.0] * 4
    assert by_words(TEXTS, "zebra").order() == [0, 1, 2, 3]


def test_case_and_alphabet_do_not_matter() -> None:
    assert by_words(["STRASSE 数据", "x"], "straße 数据").order() == [0, 1]


@given(st.lists(words, max_size=6), words, st.floats(0, 1))
def test_any_texts(texts: list[str], query: str, weight: float) -> None:
    found = by_words(texts, query)
    assert all(0 <= score <= 1 for score in found.scores)
    assert sorted(found.order()) == sorted(found.diverse_order(len(texts), weight)) == list(range(len(texts)))
    assert found.diverse_order(2, 1.0) == found.order()[:2]


def test_of_two_alike_the_second_waits() -> None:
    texts = ["refund order refund", "refund order refund", "refund shelf"]
    found = by_words(texts, "refund order")
    assert found.order() == [0, 1, 2]
    assert found.diverse_order(3, 0.5) == [0, 2, 1]


def test_cosines() -> None:
    found = by_vectors([[1.0, 0.0], [3.0, 4.0], [-1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    assert found.scores == pytest.approx([1.0, 0.6, 0.0, 0.0])
    assert found.diverse_order(2, 0.1) == [0, 2]
