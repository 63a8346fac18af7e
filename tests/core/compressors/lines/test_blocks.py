"""Repeated blocks: shown once, marked with where they stand, and a decoder turns the marks back into the lines."""

from __future__ import annotations

import random
import re

import pytest

from headroom.core.compressors.lines.blocks import fold_blocks
from headroom.core.compressors.lines.folds import Folded, fold_lines
from headroom.core.compressors.logs import Logs
from headroom.core.compressors.text import Text
from headroom.core.types import Request
from headroom.core.worth import Query

TRACE = [
    "Traceback (most recent call last):",
    *(f'  File "./app/module_{i}.py", line {i * 31}, in step_{i}\n    return next_step(context, retries={i})' for i in range(4)),
    "app.errors.StepFailedError: step 3 gave up",
]
_RUN = re.compile(r"\[… (?:previous line ([\d,]+) more times?|([\d,]+) more blank lines?)\]$")
_BLOCK = re.compile(r"\[… ([\d,]+) lines as in lines (\d+)-(\d+)(?:, from .*)?\]$")


def folded(text: str) -> Folded:
    return fold_blocks(fold_lines(text, formatting=False, lossless=True))


def decoded(text: str) -> str:
    """Every line again. Written from what the marks say."""
    lines: list[str] = []
    for line in text.split("\n"):
        run, block = _RUN.match(line), _BLOCK.match(line)
        if run:
            lines += [lines[-1]] * int((run[1] or run[2]).replace(",", ""))
        elif block:
            again = lines[int(block[2]) - 1 : int(block[3])]
            assert len(again) == int(block[1].replace(",", ""))
            lines += again
        else:
            lines.append(line)
    return "\n".join(lines)


def test_a_trace_that_stands_again_is_a_mark() -> None:
    text = "\n".join(["first failed", *TRACE, "second failed", *TRACE, "done"])
    result = folded(text)
    assert result.text() == "\n".join(
        [
            "first failed",
            *TRACE,
            "second failed",
            "[… 10 lines as in lines 2-11, from 'Traceback (most recent call last):' to 'app.errors.StepFailedError: step 3 gave ']",
            "done",
        ]
    )
    assert result.done == ("10 lines in repeated blocks",)
    assert decoded(result.text()) == text


def test_lines_of_blanks_have_nothing_to_quote() -> None:
    block = [" " * width for width in (90, 70, 110)]
    text = "\n".join(["first", *block, "second", *block, "third", "fourth"])
    result = folded(text)
    assert result.text() == "\n".join(["first", *block, "second", "[… 3 lines as in lines 2-4]", "third", "fourth"])
    assert decoded(result.text()) == text


def test_the_units_behind_a_mark_count_on_as_the_lines_do() -> None:
    result = folded("\n".join(["first failed", *TRACE, "second failed", *TRACE, "done"]))
    assert list(zip(result.first, result.last, strict=True))[-3:] == [(12, 12), (13, 22), (23, 23)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join([*TRACE, "", *[line.replace("3", "4") for line in TRACE]]),  # alike, not the same
        "\n".join(["short lines"] * 2 + ["of no worth", "a", "b"] * 2),
        "",
        "one line",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert "lines as in" not in folded(text).text()


def test_runs_within_a_block_are_part_of_it() -> None:
    block = [*TRACE[:3], *["waiting for the lock of the database"] * 9, *TRACE[3:]]
    text = "\n".join([*block, "again", *block])
    result = folded(text).text()
    assert result.count("previous line") == 1
    assert decoded(result) == text
    other = [*TRACE[:3], *["waiting for the lock of the database"] * 8, *TRACE[3:]]
    assert decoded(folded("\n".join([*block, "again", *other])).text()) == "\n".join([*block, "again", *other])


def test_a_decoder_gives_back_two_thousand_random_texts() -> None:
    random_ = random.Random(9)
    marked = 0
    for _ in range(2_000):
        blocks = [
            [f"line {random_.randrange(99)} of the block {n} " + "x" * random_.randrange(60) for _ in range(random_.randrange(1, 9))]
            for n in range(4)
        ]
        lines: list[str] = []
        for _ in range(random_.randrange(1, 14)):
            block = random_.choice(blocks)
            start = random_.randrange(len(block))
            lines += random_.choice((block, block[start:], block[:start], ["", ""], [random_.choice(block)] * 4))
        text = "\n".join(lines)
        result = folded(text)
        assert decoded(result.text()) == text
        assert list(result.last)[-1:] == [text.count("\n") + 1]
        marked += "lines as in" in result.text()
    assert marked > 300


@pytest.mark.parametrize("compressor", [Text(), Logs()], ids=["text", "logs"])
def test_kinds_made_of_lines_fold_them(compressor: Text | Logs) -> None:
    text = "\n".join(f"request {i} failed with status 500\n" + "\n".join(TRACE) for i in range(5))
    shortened = compressor.compress(text, Request(Query(), 650, 0.07, lossless=True))
    assert shortened is not None and not shortened.lossy
    assert shortened.text.count("Traceback") == 1 + shortened.text.count("from 'Traceback")
    assert shortened.note == "40 lines in repeated blocks"


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"line number {i % 3} of a period of three lines that goes on" for i in range(60_000)),
        "\n".join("a line of the same words" if i % 2 else f"{i}" for i in range(60_000)),
        ("x" * 11 + "\n") * 60_000,
    ],
    ids=["period", "every other", "short"],
)
def test_long_periods_are_folded_and_end(text: str) -> None:
    assert len(folded(text).text()) <= len(text)
