"""What stands out in a table, and what the rows left out have in common: facts computed exactly, cell by cell."""

from __future__ import annotations

import math
from collections import Counter
from itertools import compress

from headroom.core.compressors.json_table import Table
from headroom.core.compressors.json_text import NUMBERS

MAX_CATEGORIES = 12
"""Distinct values up to which a column is a category."""
RARE_SHARE = 0.05
CATEGORY_WORTH = 1.2
RARE_WORTH = 2.0
OUTLIER_WORTH = 2.0
EXTREME_WORTH = 1.0
DEVIATIONS = 4.0
NOTE_CHARACTERS = 110
"""Of facts: with the words around them a note stays below about 40 tokens."""


def row_worths(table: Table) -> list[float]:
    """Per row, how far it stands out by itself: rare and first values of categories, numeric outliers, first of a shape."""
    worths = [0.0] * table.count
    for cells in table.cells:
        _rate_column(cells, worths)
    return worths


def _rate_column(cells: list[str], worths: list[float]) -> None:
    counts = Counter(cells)
    if len(counts) <= MAX_CATEGORIES and len(counts) * 2 <= len(cells):
        bonuses: dict[str, float] = {}
        for value, number in counts.items():
            _raise(worths, cells.index(value), CATEGORY_WORTH)
            if number <= max(1, RARE_SHARE * len(cells)):
                bonuses[value] = RARE_WORTH / math.sqrt(number)
        if bonuses:
            for index, value in enumerate(cells):
                if value in bonuses:
                    _raise(worths, index, bonuses[value])
        return
    if "" in counts:
        # the first row that has the key and the first that has not: two shapes
        _raise(worths, cells.index(""), CATEGORY_WORTH)
        _raise(worths, next(i for i, cell in enumerate(cells) if cell), CATEGORY_WORTH)
    _rate_numbers(cells, worths)


def _rate_numbers(cells: list[str], worths: list[float]) -> None:
    numbers = numbers_of(cells)
    if numbers is None or len(numbers) < 8:
        return
    low, high = min(numbers), max(numbers)
    _raise(worths, numbers.index(low), EXTREME_WORTH)
    _raise(worths, numbers.index(high), EXTREME_WORTH)
    if not math.isfinite(high - low):
        return
    middle = sum(number / len(numbers) for number in numbers)
    # scaled by the range: the squares of very large numbers would overflow
    span = (high - low) or 1.0
    deviation = span * math.sqrt(sum(((number - middle) / span) ** 2 for number in numbers) / len(numbers))
    floor, ceiling = middle - DEVIATIONS * deviation, middle + DEVIATIONS * deviation
    if low >= floor and high <= ceiling:
        return
    for index, number in enumerate(numbers):
        if number < floor or number > ceiling:
            _raise(worths, index, OUTLIER_WORTH)


def _raise(worths: list[float], index: int, worth: float) -> None:
    if worths[index] < worth:
        worths[index] = worth


def numbers_of(cells: list[str]) -> list[float] | None:
    """The numbers of a column of JSON numbers; None if it holds anything else."""
    if not cells[0] or cells[0][0] not in "-0123456789" or NUMBERS.fullmatch("\n".join(cells)) is None:
        return None
    return list(map(float, cells))


def facts(table: Table, omitted: list[bool]) -> str:
    """What the rows marked in `omitted` share, in a few words: "all status=ok; kind: 400 a, 12 b; price 3-900"; or ""."""
    same: list[str] = []
    counted: list[tuple[int, str]] = []
    ranges: list[str] = []
    for name, cells in zip(table.header, table.cells, strict=True):
        left = list(compress(cells, omitted))
        counts = Counter(left)
        if len(counts) == 1:
            if len(left) > 1 and left[0] and len(left[0]) <= 40:
                same.append(f"{name}={left[0]}")
        elif len(counts) <= 4 and len(counts) * 4 <= len(left) and max(map(len, counts)) <= 24:
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            counted.append((len(counts), f"{name}: " + ", ".join(f"{number} {value or 'missing'}" for value, number in ranked)))
        elif (numbers := numbers_of(left)) is not None:
            low, high = left[numbers.index(min(numbers))], left[numbers.index(max(numbers))]
            ranges.append(f"{name} {low} to {high}")
    parts = ["all " + ", ".join(same[:3])] if same else []
    parts += [words for _, words in sorted(counted)[:1]] + ranges[:2]
    kept = ""
    for part in parts:
        longer = f"{kept}; {part}" if kept else part
        if len(longer) <= NOTE_CHARACTERS:
            kept = longer
    return kept
