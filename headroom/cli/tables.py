"""Tables of text and numbers, as wide as they may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headroom.cli.terminal import clipped, fold, padded, plain, width

GAP = 3
LONGEST_CELL = 200
"""Characters; more of a name tells nobody more, and would make every other row as long."""
NARROWEST_TEXT = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and what stands below it."""

    name: str
    number: bool = False
    """Numbers are set to the right, and never folded."""


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], room: int, rule: str = "─") -> str:
    """The rows below their headings, with an empty line before and after; a row of empty cells is an empty line.

    `room`: columns of the terminal. Headings are folded first, then the widest texts; where even that is too wide, lines
    are longer than that, since nothing is cut. `rule`: what the line below the headings is drawn with.
    """
    cells = [[clipped(plain(cell), LONGEST_CELL) for cell in row] for row in rows]
    widths = _widths(columns, cells, room - GAP * len(columns) - 1)
    line = " " + rule * (sum(widths) + GAP * len(columns) - 1)
    head = _lines([column.name for column in columns], columns, widths, at_the_bottom=True)
    body = [line for row in cells for line in _lines(row, columns, widths)]
    return "\n".join(["", *head, line, *body, "", ""])


def _lines(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], *, at_the_bottom: bool = False) -> list[str]:
    folded = [fold(cell, columns) for cell, columns in zip(cells, widths, strict=True)]
    height = max(map(len, folded))
    for parts in folded:
        missing = [""] * (height - len(parts))
        parts[:] = missing + parts if at_the_bottom else parts + missing
    return [_line(parts, columns, widths) for parts in zip(*folded, strict=True)]


def _line(parts: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    set_out = (padded(part, wide, right=column.number) for part, column, wide in zip(parts, columns, widths, strict=True))
    return ("  " + (" " * GAP).join(set_out)).rstrip(" ")


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    below = [max((width(row[index]) for row in cells), default=0) for index in range(len(columns))]
    widths = [max(width(column.name), wide) for column, wide in zip(columns, below, strict=True)]
    words = [max(map(width, column.name.split()), default=0) for column in columns]
    texts = [wide if column.number else min(wide, NARROWEST_TEXT) for column, wide in zip(columns, below, strict=True)]
    for narrowest in (below, texts):  # first the headings fold, then the texts
        least = [max(pair) for pair in zip(words, narrowest, strict=True)]
        while sum(widths) > room and widths != least:
            widest = max((index for index, wide in enumerate(widths) if wide > least[index]), key=lambda index: widths[index])
            widths[widest] -= 1
    return widths
