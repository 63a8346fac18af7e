"""What stays in memory of a large container: where its parts stand, and what is known about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from headroom.core.compressors.records.columns import Column
from headroom.core.compressors.records.sight import Places
from headroom.core.compressors.records.table import MAX_LEAVES, cell_text, gain_of, split
from headroom.core.compressors.records.text import raw_items, raw_members, read_line_part, read_part
from headroom.core.worth import Query

Leaves = list[tuple[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class Run:
    """Small neighbours: data[start:end] holds the parts `first` and following."""

    start: int
    end: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Giant:
    """A large part: a container sieved by itself, or a long string."""

    number: int
    key: bytes
    """With its quotes; b"" in an array."""
    start: int
    end: int
    sift: Sift | None


@dataclass(slots=True, eq=False)
class Sift:
    """A large container: an array, an object, or JSON Lines."""

    data: bytes = field(repr=False)
    """The whole document."""
    bracket: str
    """How it begins; "" for JSON Lines."""
    total: int = 0
    """Rows, items or members."""
    numbers: list[int] = field(default_factory=list)
    """Which of them were taken out to be chosen from, in order, counted from 1."""
    standing: dict[int, float] = field(default_factory=dict)
    """Worth of the rows that stand out by themselves."""
    columns: dict[str, Column] = field(default_factory=dict)
    characters: int = 0
    """Of all rows that are in no column, minified."""
    places: Places = field(default_factory=Places)
    runs: list[Run] = field(default_factory=list)
    giants: list[Giant] = field(default_factory=list)

    @property
    def size(self) -> int:
        """About the characters of all rows, folded."""
        varying = (column for column in self.columns.values() if not (column.is_single and column.rows == self.total))
        return self.characters + sum(column.characters for column in varying)

    def is_constant(self, path: str, cell: str) -> bool:
        """Whether all rows, also those left out, have this cell."""
        column = self.columns.get(path)
        return column is not None and column.is_constant(self.total, cell)

    def values(self, start: int, end: int) -> tuple[list[str], list[Any]]:
        """Keys ([] where there are none) and values of a run. ValueError if they are not JSON that can be kept exactly."""
        body = self.data[start:end]
        if self.bracket == "{":
            members = read_part(b"{" + body + b"}")
            return list(members), list(members.values())
        return [], read_part(b"[" + body + b"]") if self.bracket else read_line_part(body)

    def texts(self, run: Run) -> list[tuple[bytes, bytes]]:
        """(key, value) of a run's parts as they are written, minified; b"" for a key where there are none."""
        body = self.data[run.start : run.end]
        if self.bracket == "{":
            return raw_members(b"{" + body + b"}")
        if not self.bracket:
            body = b",".join(line for line in body.split(b"\n") if not line.isspace() and line)
        return [(b"", item) for item in raw_items(b"[" + body + b"]")]

    def pick(self, numbers: list[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """(number, key, value) of these parts of runs, as they are written."""
        at = 0
        for run in self.runs:
            stop = at
            while stop < len(numbers) and numbers[stop] < run.first + run.count:
                stop += 1
            if stop > at:
                texts = self.texts(run)
                yield from ((number, *texts[number - run.first]) for number in numbers[at:stop])
                at = stop

    def cell(self, path: str, number: int) -> str:
        """The cell of one row in one column, as a table writes it; "" if it has none."""
        for run in self.runs:
            if run.first <= number < run.first + run.count:
                leaves = leaves_of(self.values(run.start, run.end)[1], self.bracket == "{") or []
                return next((cell_text(values[number - run.first]) for name, values in leaves if name == path), "")
        return ""

    def names(self, first: int, last: int) -> list[str]:
        """The keys of these members."""
        found: list[str] = []
        for run in self.runs:
            if run.first <= last and first < run.first + run.count:
                keys = self.values(run.start, run.end)[0]
                found += keys[max(0, first - run.first) : last + 1 - run.first]
        return found


def leaves_of(rows: list[Any], keyed: bool) -> Leaves | None:
    """The leaf columns of rows that make a table; None if they are too unlike."""
    kinds = set(map(type, rows))
    leaves: Leaves = []
    if kinds != {dict} and (keyed or kinds != {list}):
        return None
    if not split(rows, "", leaves, 0, not keyed) or len(leaves) > MAX_LEAVES or gain_of(leaves) < 0:
        return None
    return leaves


class Sifted:
    """What is known about a document of which only a part is at hand."""

    def __init__(self) -> None:
        self.sifts: dict[int, Sift] = {}
        """By the `id` of the container at hand."""
        self.partial: set[int] = set()
        """The `id` of every container from which something is missing, at any depth."""
        self.trouble = 1.0
        """How much a word of trouble tells, 1.0 at most: less where many rows have one."""
        self.hits: dict[str, int] = {}
        """Term -> how often it stands in the whole document, as far as hits are counted."""
        self._kept: list[Any] = []  # while an `id` is known here, nothing else may get it

    def note(self, container: Any, sift: Sift | None, inner: list[Any]) -> None:
        """Take in a container: what is known if parts are missing (else None), and those of its parts that may be partial."""
        if sift is not None:
            self.sifts[id(container)] = sift
        elif self.partial.isdisjoint(map(id, inner)):
            return
        self.partial.add(id(container))
        self._kept.append(container)

    def replace(self, old: Any, new: Any) -> None:
        """`new` stands for `old` from now on."""
        if id(old) in self.partial:
            self.note(new, self.sifts.get(id(old)), [old])

    def hits_in(self, text: str, query: Query) -> Iterator[tuple[int, float]]:
        """`query.hits` for a part of the document: each hit weighs what it does among those of the whole."""
        for term, weight in query.terms:
            found = Query(((term, weight),)).hits(text)
            share = weight / max(1, len(found), self.hits.get(term, 0)) ** 0.5
            yield from ((offset, share) for offset, _ in found)
