"""What a large table's columns hold, learnt run by run: only counts, a few places and the numbers stay in memory."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from headroom.core.compressors.records.facts import (
    CATEGORY_WORTH,
    DEVIATIONS,
    EXTREME_WORTH,
    MAX_CATEGORIES,
    OUTLIER_WORTH,
    RARE_SHARE,
    RARE_WORTH,
)
from headroom.core.compressors.records.table import MISSING, cell_text, cell_texts

MANY = 64
"""Distinct values past which a column is no category, and they are not counted any more."""
MAX_PLACES = 400
"""Rows that are remembered of one value. A value with more of them is not rare."""
FREQUENT = 0.1
"""Share of a run from which a value is not rare; then only its first row is of interest."""
_ONE_KIND: tuple[set[type], ...] = ({str}, {int}, {bool})

Telling = Callable[[str], bool]
"""Whether a value is asked for, or tells of trouble: then all of its rows are of interest."""


class Column:
    """One column of a table of which only a run of rows is in memory at a time."""

    __slots__ = ("characters", "counts", "first_missing", "first_present", "numbers", "places", "rows", "telling")

    def __init__(self, first: int) -> None:
        self.rows = 0
        """Rows seen, with a cell or without."""
        self.characters = 0
        """Of all cells, about."""
        self.counts: dict[str, int] | None = {}
        """Cell -> its number of rows; None if there are more than MANY distinct ones."""
        self.places: dict[str, list[int]] = {}
        """Cell -> some rows that have it (counted from 1), while they were counted."""
        self.telling: dict[str, bool] = {}
        self.numbers: array[float] | None = array("d")
        """The value in each row, if all are numbers."""
        self.first_missing = 0 if first == 1 else 1
        """The first row without a cell, and the first with one; 0 if there is none."""
        self.first_present = 0

    def add(self, values: list[Any], first: int, telling: Telling) -> str | None:
        """Take in the next rows, `first` and following. Their cells, one a line, if they are too many for a category."""
        kinds = set(map(type, values))
        self.rows += len(values)
        self._note_missing(values, kinds, first)
        self._add_numbers(values, kinds)
        if self.counts is not None:
            keys = values if kinds in _ONE_KIND else cell_texts(values)
            fresh = Counter(keys)
            if len(fresh) <= MANY:
                self._count(fresh, keys, keys is values, first, telling)
                if len(self.counts) > MANY:
                    self.counts = None
                return None
            self.counts = None
        text = lines_of(values, kinds)
        self.characters += len(text)
        return text

    def miss(self, first: int) -> None:
        """A run that begins at row `first` has no such column."""
        self.first_missing = self.first_missing or first
        self.numbers = None

    def is_constant(self, rows: int, cell: str) -> bool:
        """Whether all of `rows` rows have this cell."""
        return self.counts is not None and len(self.counts) == 1 and self.rows == rows and cell in self.counts

    @property
    def is_single(self) -> bool:
        """Whether all rows seen have the same cell."""
        return self.counts is not None and len(self.counts) == 1

    def rate(self, standing: dict[int, float]) -> None:
        """Raise the worths of rows that stand out by this column, as `json_facts.row_worths` does for a small table."""
        counts = self.counts
        if counts is not None and len(counts) <= MAX_CATEGORIES and len(counts) * 2 <= self.rows:
            for value, number in counts.items():
                places = self.places[value]
                _raise(standing, places[0], CATEGORY_WORTH)
                if number <= max(1, RARE_SHARE * self.rows):
                    for place in places:
                        _raise(standing, place, RARE_WORTH / math.sqrt(number))
            return
        if self.first_missing and self.first_present:
            _raise(standing, self.first_missing, CATEGORY_WORTH)
            _raise(standing, self.first_present, CATEGORY_WORTH)
        if self.numbers is not None and len(self.numbers) >= 8:
            _rate_numbers(self.numbers, standing)

    def _note_missing(self, values: list[Any], kinds: set[type], first: int) -> None:
        if object in kinds:
            if not self.first_missing:
                self.first_missing = first + values.index(MISSING)
            if not self.first_present:
                self.first_present = next((first + i for i, value in enumerate(values) if value is not MISSING), 0)
        elif not self.first_present:
            self.first_present = first

    def _add_numbers(self, values: list[Any], kinds: set[type]) -> None:
        if self.numbers is None:
            return
        if not kinds <= {int, msgspec.Raw}:
            self.numbers = None
            return
        try:
            if kinds == {int}:
                self.numbers.extend(values)
            else:
                self.numbers.extend([float(value) if type(value) is int else float(bytes(value)) for value in values])
        except (OverflowError, ValueError):  # a whole number beyond any float; a Raw that is no number
            self.numbers = None

    def _count(self, fresh: dict[Any, int], keys: list[Any], are_values: bool, first: int, telling: Telling) -> None:
        assert self.counts is not None
        for key, number in fresh.items():
            cell = cell_text(key) if are_values else key
            self.counts[cell] = self.counts.get(cell, 0) + number
            self.characters += number * (len(cell) + 1)
            places = self.places.setdefault(cell, [])
            if len(places) >= MAX_PLACES:
                continue
            if cell not in self.telling:
                self.telling[cell] = telling(cell)
            if number > FREQUENT * len(keys) and not self.telling[cell]:
                if not places:
                    places.append(first + keys.index(key))
                continue
            at = -1
            for _ in range(min(number, MAX_PLACES - len(places))):
                at = keys.index(key, at + 1)
                places.append(first + at)


def lines_of(values: list[Any], kinds: set[type]) -> str:
    """Values one a line, for searching; `kinds` are their types."""
    if kinds == {int}:
        return "\n".join(map(str, values))
    if kinds == {msgspec.Raw}:
        return b"\n".join(values).decode()
    cells = values if kinds == {str} else cell_texts(values)
    text = "\n".join(cells)
    return text if text.count("\n") == len(cells) - 1 else "\n".join([cell.replace("\n", " ") for cell in cells])


def _rate_numbers(numbers: array[float], standing: dict[int, float]) -> None:
    low, high = min(numbers), max(numbers)
    _raise(standing, numbers.index(low) + 1, EXTREME_WORTH)
    _raise(standing, numbers.index(high) + 1, EXTREME_WORTH)
    span = (high - low) or 1.0
    if not math.isfinite(span) or not math.isfinite(total := math.fsum(numbers)):
        return
    middle = total / len(numbers)
    deviation = span * math.sqrt(math.fsum([((number - middle) / span) ** 2 for number in numbers]) / len(numbers))
    floor, ceiling = middle - DEVIATIONS * deviation, middle + DEVIATIONS * deviation
    if low >= floor and high <= ceiling:
        return
    for place, number in enumerate(numbers, 1):
        if number < floor or number > ceiling:
            _raise(standing, place, OUTLIER_WORTH)


def _raise(standing: dict[int, float], place: int, worth: float) -> None:
    if standing.get(place, 0.0) < worth:
        standing[place] = worth
