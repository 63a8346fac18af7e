"""Numbered views: a light margin says everything that the whole one said."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headroom.core.compressors.code.views import margin_step, numbering_of, read_view, write_view

_NUMBERED = re.compile(r"([1-9][0-9]*)\t")


def decode(text: str) -> list[tuple[int, str]]:
    """The reference decoder: (number or 0, code) of each line.

    Two numbers that are as far apart as their lines have code between them, else words.
    """
    lines = text.split("\n")
    known = [(at, int(match[1]), line[match.end() :]) for at, line in enumerate(lines) if (match := _NUMBERED.match(line))]
    decoded = [(0, line) for line in lines]
    for at, number, code in known:
        decoded[at] = (number, code)
    for (at, number, _), (later, later_number, _) in pairwise(known):
        if later - at == later_number - number:
            for between in range(at + 1, later):
                decoded[between] = (number + between - at, lines[between])
    return decoded


code = st.sampled_from(["x = 1", "", "    return x", "\tgo()", "12\ttable", "def f():", "```"])
section = st.tuples(st.integers(1, 400), st.lists(code, min_size=2, max_size=30))
words = st.sampled_from(["```", "...", "a/b.py", "", "3: oops"])


@settings(max_examples=300)
@given(st.lists(st.tuples(words, section), min_size=1, max_size=6))
@example([("```", (1, ["x = 1"] * 15)), ("```", (1, [""] * 15))])
def test_a_decoder_gets_every_line_and_number_back(sections: list[tuple[str, tuple[int, list[str]]]]) -> None:
    lines: list[str] = []
    expected: list[tuple[int, str]] = []
    for said, (first, body) in sections:
        lines.append(said)
        expected.append((0, said))
        lines += [f"{first + i:6d}\t{text}" for i, text in enumerate(body)]
        expected += [(first + i, text) for i, text in enumerate(body)]
    view = read_view(lines)
    if not view.numbers:
        return  # too little to go by
    assert [(number, line) for number, line in zip(view.numbers, view.lines, strict=True)] == expected
    if margin_step(view) > 1:
        assert decode(write_view(view)) == expected
    else:
        assert all(f"{number}\t{text}" in write_view(view) for number, text in expected if number)


def test_sections_as_far_apart_as_the_words_between_them_keep_every_number() -> None:
    lines = [f"{i}\tx" for i in range(1, 8)] + ["..."] + [f"{i}\tx" for i in range(9, 15)]
    view = read_view(lines)
    assert margin_step(view) == 1
    assert write_view(view).split("\n") == lines


def test_a_lone_number_between_words_keeps_its_words() -> None:
    lines = [f"{i}:code" for i in range(1, 9)] + ["3: oops, said the tool"]
    assert read_view(lines).lines[-1] == "3: oops, said the tool"


def test_an_odd_indentation_is_the_margin_s_blank() -> None:
    assert read_view([f"{i}:     y()" for i in range(5, 12)]).lines[0] == "    y()"
    assert read_view([f"{i}:    y()" for i in range(5, 12)]).lines[0] == "    y()"


def test_other_columns_are_no_margin() -> None:
    for lines in (
        [f"{i}\tAda\tLeeds" for i in range(1, 30)],
        [f"{i * 8}\t./folder" for i in range(1, 30)],
        [f"{i}. do it" for i in range(1, 30)],
        [f"{0:03d}{i}\tx" for i in range(1, 30)],
        ["no number at all"] * 30,
        [],
    ):
        assert not read_view(lines).numbers


@pytest.mark.parametrize(
    "table",
    [
        " id | name | amt \n----+------+-----\n" + "\n".join(f"{i:4d} | n{i} | {i * 7 % 90:3d}" for i in range(60)),
        "a\tb\tc\n" + "\n".join(f"{i}\t\t{i * 37 % 4000}" for i in range(60)),
    ],
)
def test_a_table_whose_first_column_counts_is_no_view(table: str) -> None:
    assert numbering_of(table.split("\n")) is None
