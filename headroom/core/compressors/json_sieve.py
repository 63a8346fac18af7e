"""A large document, sieved: the few rows and members that a digest may show, and what is known about the rest.

The document is read once, run by run, and no run stays in memory. What stays of each large container is a `Sift`:
what its columns hold, and where rows stand that are asked for or tell of trouble. Then the best of its rows, some
more than fit the budget, are read again, and go the way of a small document with their own numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from headroom.core.compressors.json_columns import Column
from headroom.core.compressors.json_parts import key_of, lines, parts, stripped
from headroom.core.compressors.json_sight import Sight
from headroom.core.compressors.json_table import MAX_LEAVES, gain_of, split
from headroom.core.compressors.json_text import MAX_DEPTH, raw_items, raw_members, read, read_line_part, read_part
from headroom.core.tokens import CHARACTERS_PER_TOKEN, estimate
from headroom.core.types import Request

LARGE = 300_000
"""Characters from which a document is sieved."""
SPARE = 1.5
"""How many more rows are taken out than are likely to fit."""
SPARE_ROWS = 20
RAW_LEAST = 60_000
RAW_SHARED = 600_000
"""Bytes of rows read again: so many for each container, and so many shared by size."""
PLACE_LEVEL = 0.85
EDGE_WORTH = 2.0


@dataclass(slots=True)
class _Run:
    """Small neighbours: data[start:end] holds the parts `first` and following."""

    start: int
    end: int
    first: int
    count: int


@dataclass(slots=True)
class _Giant:
    """A large part: a container sieved by itself, or a long string."""

    number: int
    key: bytes
    start: int
    end: int
    sift: Sift | None


@dataclass(slots=True, eq=False)
class Sift:
    """What is known about a large container."""

    data: bytes = field(repr=False)
    start: int
    end: int
    """The container is data[start:end], brackets included, or these are JSON Lines."""
    shape: str
    """Its opening bracket, or "" for JSON Lines."""
    total: int = 0
    """Rows, items or members."""
    numbers: list[int] = field(default_factory=list)
    """Which of them were taken out, counted from 1."""
    standing: dict[int, float] = field(default_factory=dict)
    """Worth of the rows that stand out by themselves."""
    columns: dict[str, Column] = field(default_factory=dict)
    characters: int = 0
    """Of all rows that are in no column, minified."""
    runs: list[_Run] = field(default_factory=list)
    giants: list[_Giant] = field(default_factory=list)

    @property
    def size(self) -> int:
        """About the characters of all rows, folded."""
        varying = [column for column in self.columns.values() if not (column.is_single and column.rows == self.total)]
        return self.characters + sum(column.characters for column in varying)

    def is_constant(self, path: str, cell: str) -> bool:
        """Whether all rows, also those left out, have this cell."""
        column = self.columns.get(path)
        return column is not None and column.is_constant(self.total, cell)

    def pick(self, numbers: list[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """(number, key, value) of these rows in order, as they are written; b"" for a key where there are none."""
        at = 0
        for run in self.runs:
            stop = at
            while stop < len(numbers) and numbers[stop] < run.first + run.count:
                stop += 1
            if stop == at:
                continue
            body = self.data[run.start : run.end]
            if self.shape == "{":
                members = list(raw_members(b"{" + body + b"}").items())
                yield from ((n, write_key(members[n - run.first][0]), members[n - run.first][1]) for n in numbers[at:stop])
            else:
                items = raw_items(b"[" + body + b"]") if self.shape else [line for line in body.split(b"\n") if line.strip()]
                yield from ((n, b"", items[n - run.first]) for n in numbers[at:stop])
            at = stop

    def cells(self, path: str, number: int) -> str:
        """The cell of one row in one column, as a table writes it."""
        raise NotImplementedError
