"""What stands out in a table, and what the rows left out have in common: facts computed exactly, cell by cell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING

from headroom.core.compressors.records.table import Table
from headroom.core.compressors.records.text import NUMBERS

if TYPE_CHECKING:
    from headroom.core.compressors.records.sift import Sift

MAX_CATEGORIES = 12
"""Distinct values up to which a column is a category."""
RARE_SHARE = 0.05
CATEGORY_WORTH = 1.2
RARE_WORTH = 2.0
OUTLIER_WORTH = 2.0
EXTREME_WORTH = 1.0
DEVIATIONS = 4.0
LARGEST_EXACT = float(2**53)
NOTE_CHARACTERS = 110
"""Of facts: with the words around them a note stays below about 40 tokens."""


def row_worths(table: Table) -> list[float]:
    """Per row at hand, how far it stands out by itself: rare and first values of categories, numeric outliers, first of a shape."""
    if table.sift is not None:
        return [table.sift.standing.get(number, 0.0) for number in table.numbers]
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
    if not cells or not cells[0] or not cells[-1] or cells[0][0] not in "-0123456789" or NUMBERS.fullmatch("\n".join(cells)) is None:
        return None
    return list(map(float, cells))


def facts(table: Table, shown: Sequence[int]) -> str:
    """What the rows share that are not `shown` (a flag for each row at hand), in a few words, or "".

    "all status=ok; kind: 400 a, 12 b; price 3 to 900".
    """
    same: list[str] = []
    counted: list[tuple[int, str]] = []
    ranges: list[str] = []
    rest = table.count - sum(shown)
    for name, cells in zip(table.header, table.cells, strict=True):
        left = list(compress(cells, map(not_, shown))) if table.sift is None else []
        counts = Counter(left) if table.sift is None else _rest_counts(table.sift, name, compress(cells, shown))
        if len(counts) == 1:
            value = next(iter(counts))
            if rest > 1 and value and len(value) <= 40:
                same.append(f"{name}={value}")
        elif 1 < len(counts) <= 4 and len(counts) * 4 <= rest and max(map(len, counts)) <= 24:
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            counted.append((len(counts), f"{name}: " + ", ".join(f"{number} {value or 'missing'}" for value, number in ranked)))
        elif len(ranges) < 2 and (ends := _range(table, name, left, shown)) is not None:
            ranges.append(f"{name} {ends[0]} to {ends[1]}")
    parts = ["all " + ", ".join(same[:3])] if same else []
    parts += [words for _, words in sorted(counted)[:1]] + ranges
    kept = ""
    for part in parts:
        longer = f"{kept}; {part}" if kept else part
        if len(longer) <= NOTE_CHARACTERS:
            kept = longer
    return kept


def _beyond_floats(numbers: Sequence[float]) -> bool:
    """Whether some are so large that different whole numbers look equal: then nobody can say which is the least."""
    return max(numbers) > LARGEST_EXACT or min(numbers) < -LARGEST_EXACT


def _rest_counts(sift: Sift, name: str, shown: Iterable[str]) -> Counter[str]:
    """The distinct cells of the rows that are not shown, and how many have each; empty if that is not known."""
    column = sift.columns.get(name)
    if column is None or column.counts is None or column.rows != sift.total:
        return Counter()
    return Counter(column.counts) - Counter(shown)


def _range(table: Table, name: str, left: list[str], shown: Sequence[int]) -> tuple[str, str] | None:
    """The least and the greatest number of a column among the rows that are not shown; None if it holds anything else."""
    if table.sift is None:
        numbers = numbers_of(left)
        return (
            None if numbers is None or _beyond_floats(numbers) else (left[numbers.index(min(numbers))], left[numbers.index(max(numbers))])
        )
    column = table.sift.columns.get(name)
    if column is None or column.numbers is None or len(column.numbers) != table.count or _beyond_floats(column.numbers):
        return None
    ends = []
    for beyond, best in ((math.inf, min), (-math.inf, max)):
        rest = column.numbers[:]
        for number in compress(table.numbers, shown):
            rest[number - 1] = beyond
        ends.append(table.sift.cell(name, rest.index(best(rest)) + 1))
    return ends[0], ends[1]
