"""What of a text is still to be seen in the shorter one: line by line, a list of JSON records row by row.

A comparison for eyes, made after the fact from the two texts alone: it knows nothing of what the compressor meant.
Lines are equal if their words are, whatever margin or indentation they lost.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from headroom.core.detect import unwrap_all
from headroom.core.store.units import units_of
from headroom.inspect.cuts import CUT, Cuts

State = Literal["shown", "earlier", "left out", "mark"]
"""`earlier`: an earlier text of the conversation shows it. `mark`: a line that Headroom wrote."""

LONG_LINE = 400
LEAST_RUN = 3
"""Words in a row that are nowhere in the shorter text: fewer may only be written another way."""
ROW_SHARE = 0.7
"""Of the words of a line of the shorter text, how many a row must have to be the one it shows."""
MOST_CANDIDATES = 12
EVERYWHERE = 0.9
"""Of the rows: a word that so many have tells none from another."""

_WORD = re.compile(r"\w+")
_MARGIN = re.compile(r"\s{0,8}\d{1,7}(?:[:|\t→]|\s)")
_GAP = re.compile(r"\s*\[… [^\n]{0,300}\]\s*")
_TAIL = re.compile(r"(?:headroom_retrieve ref=[a-z2-7]{10,52}-[a-z2-7]{3}|; check=[a-z2-7]{3})\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, in order; `block` if it stands on lines of its own."""

    text: str
    state: State
    block: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """Both texts in pieces. `unwrapped`: the original was shown out of its envelope (a JSON string), escapes undone."""

    before: list[Piece]
    after: list[Piece]
    unwrapped: bool = False


class Comparer:
    """Compares the texts of one conversation, in order: a line counts as shown earlier once a text has shown it."""

    def __init__(self) -> None:
        self._earlier: set[str] = set()

    def compare(self, before: str, after: str, *, lossy: bool, points_back: bool) -> Difference:
        """The original and what is sent for it, in pieces. If nothing is left out, nothing of the original is marked."""
        inner, inner_after = unwrap_all(before)[0], unwrap_all(after)[0]
        at = before.find(inner)
        unwrapped = at < 0
        around = ("", "") if unwrapped else (before[:at], before[at + len(inner) :])
        if not lossy and not points_back:
            pieces = [Piece(inner, "shown")]
        else:
            lost: State = "left out" if lossy else "earlier"
            pieces = list(self._pieces(inner, inner_after if unwrapped else after, lost, points_back))
        pieces = [piece for piece in (Piece(around[0], "shown"), *pieces, Piece(around[1], "shown")) if piece.text]
        self.show(after)
        return Difference(_merged(pieces), _merged(_marked(inner_after if unwrapped else after)), unwrapped)

    def show(self, text: str) -> None:
        """Take in a text as it leaves."""
        for line in text.split("\n"):
            self._earlier.update(_keys(line))

    def _pieces(self, before: str, after: str, lost: State, points_back: bool) -> Iterator[Piece]:
        units = units_of(before)
        if units.name == "row" or (units.name == "line" and not units.with_context):  # records, or a table
            yield from self._rows(before, after)
            return
        lines = before.split("\n")
        shown = matched([_key(line) for line in lines], [_key(line) for line in after.split("\n")])
        words = set(_WORD.findall(after))
        cuts = Cuts(after)
        for number, line in enumerate(lines):
            text = line if number == len(lines) - 1 else line + "\n"
            if number in shown or not _key(line):
                yield Piece(text, "shown")
            elif (parts := cuts.of(line)) is not None:
                yield from (Piece(part, "shown" if kept else lost) for part, kept in parts)
                yield Piece(text[len(line) :], "shown")
            elif len(line) > LONG_LINE:
                yield from self._long(text, words, after)
            else:
                yield Piece(text, "earlier" if points_back and not self._earlier.isdisjoint(_keys(line)) else lost)

    def _long(self, line: str, words: set[str], after: str) -> Iterator[Piece]:
        if line.lstrip()[:1] in ("[", "{") and units_of(line).name == "row":
            yield from self._rows(line, after)
        else:
            yield from _runs(line, words)

    def _rows(self, before: str, after: str) -> Iterator[Piece]:
        """The rows of a list: is there a line in the shorter text that has their words?"""
        units = units_of(before)
        rows = [units.shown(unit) for unit in range(len(units.lowered))]
        table = _Table(rows, after)
        at = 0
        for number, row in enumerate(rows):
            start = before.find(row, at)
            if start < 0:
                continue
            if start > at:
                yield Piece(before[at:start], "shown")
            at = start + len(row)
            if table.shows(number):
                yield from _runs(row, table.words, block=True)
            else:
                yield Piece(row, "left out", block=True)
        if at < len(before):
            yield Piece(before[at:], "shown")


class _Table:
    """Rows of an original, and the lines that may show them. Words that nearly every row has (keys, constants) tell nothing."""

    def __init__(self, rows: list[str], after: str) -> None:
        self._rows = [set(_WORD.findall(row)) for row in rows]
        self._counts = Counter(word for row in self._rows for word in row)
        telling = {word for word, count in self._counts.items() if count < EVERYWHERE * len(rows) or len(rows) == 1}
        lines = [set(_WORD.findall(line)) for line in after.split("\n") if not _is_mark(line)]
        self.words = set().union(*lines)
        self._lines = [line & telling if line & telling else set() for line in lines]
        self._strange = [len(line - self._counts.keys()) for line in lines]
        self._places: dict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self._lines):
            for word in line:
                self._places[word].append(number)

    def shows(self, number: int) -> bool:
        """Whether a line is made of this row's words: one that only this row has among them, if it has such words."""
        row = self._rows[number]
        if not any(word in self._places or self._counts[word] == 1 for word in row):
            return True  # as all others
        own = {word for word in row if self._counts[word] == 1}
        known = sorted((self._places[word] for word in own or row if word in self._places), key=len)
        return any(self._is_of(row, place) for places in known[:3] for place in places[:MOST_CANDIDATES])

    def _is_of(self, row: set[str], place: int) -> bool:
        line = self._lines[place]
        return len(line & row) >= ROW_SHARE * (len(line) + self._strange[place])


def matched(before: Sequence[str], after: Sequence[str]) -> set[int]:
    """Which lines of `before` are lines of `after` too, in the same order. About linear.

    Lines that occur once on both sides are anchors; between two of them, each line is matched with the next equal one.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(before):
        places[key].append(number)
    counts = Counter(after)
    once = [(places[key][0], at) for at, key in enumerate(after) if counts[key] == 1 and len(places.get(key, ())) == 1]
    found: set[int] = set()
    start, at = 0, 0
    for end, until in [*_rising(once), (len(before), len(after))]:
        found.update(_between(places, after, start, end, at, until))
        if end < len(before):
            found.add(end)
        start, at = end + 1, until + 1
    return found


def _between(places: dict[str, list[int]], after: Sequence[str], start: int, end: int, at: int, until: int) -> Iterator[int]:
    for position in range(at, until):
        known = places.get(after[position], [])
        nearest = bisect_left(known, start)
        if nearest < len(known) and known[nearest] < end:
            yield known[nearest]
            start = known[nearest] + 1


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rise on both sides; `pairs` rise on the second already."""
    tops: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for position, (value, _) in enumerate(pairs):
        length = bisect_right(tops, value)
        tops[length : length + 1] = [value]
        ends[length : length + 1] = [position]
        previous.append(ends[length - 1] if length else -1)
    out = []
    at = ends[-1] if ends else -1
    while at >= 0:
        out.append(pairs[at])
        at = previous[at]
    return out[::-1]


def _runs(text: str, words: set[str], block: bool = False) -> Iterator[Piece]:
    """A text in which runs of words that the shorter text does not have are left out."""
    at, start, length, end = 0, 0, 0, 0
    pieces: list[Piece] = []
    for match in [*_WORD.finditer(text), None]:
        if match is not None and match[0] not in words:
            start = match.start() if not length else start
            length, end = length + 1, match.end()
            continue
        if length >= LEAST_RUN:
            pieces += [Piece(text[at:start], "shown"), Piece(text[start:end], "left out")]
            at = end
        length = 0
    pieces.append(Piece(text[at:], "shown"))
    if block and len(pieces) == 1:
        yield Piece(text, "shown", block=True)
    else:
        yield from (piece for piece in pieces if piece.text)


def _marked(after: str) -> Iterator[Piece]:
    lines = after.split("\n")
    for number, line in enumerate(lines):
        text = line if number == len(lines) - 1 else line + "\n"
        if _is_mark(line):
            yield Piece(text, "mark")
            continue
        for place, part in enumerate(CUT.split(text)):
            yield Piece(part, "mark" if place % 2 else "shown")


def _is_mark(line: str) -> bool:
    return _GAP.fullmatch(line) is not None or _TAIL.search(line, max(0, len(line) - 400)) is not None


def _key(line: str) -> str:
    """A line's words, without its margin: columns and separators may be written another way. "" for a line without words."""
    margin = _MARGIN.match(line)
    return " ".join(_WORD.findall(line, margin.end() if margin else 0))


def _keys(line: str) -> set[str]:
    """What an earlier showing of this line may look like; too short ones say nothing."""
    return {key for key in (_key(line),) if len(key) >= 12}


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    out: list[Piece] = []
    for (state, block), group in groupby(pieces, key=lambda piece: (piece.state, piece.block)):
        alike = list(group)
        out += alike if block else [Piece("".join(piece.text for piece in alike), state)]
    return out
