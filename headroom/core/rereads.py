"""Re-reads: runs of lines that an earlier output of this conversation already shows, and shows still.

Only lines of texts as they left (already compressed) are known here, or of texts of which nothing was left out, so a
pointer never points at something that was itself left out. Views with and without a margin of line numbers have the
same lines; a number counts as margin only where its neighbours count on from it, so that amounts, times and ids are
never taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from headroom.core.relookups import VisibleRecords

LEAST_CHARACTERS = 240
"""Shorter runs are shown again: a pointer costs about 35 tokens, and a reader's jump."""
LEAST_LINES = 3
LEAST_KEY = 12
"""Runs start at lines of at least so many characters: shorter ones stand everywhere."""
MOST_PLACES = 4
"""How many earlier places of one line are tried as the start of a run."""
GAP = "[… "
"""What every mark of something left out begins with: equal marks may stand for different lines."""
_QUOTE = 36
_MARGIN = re.compile(r"[ \t]{0,8}(\d{1,7})(?:[:|\t→]|[ ](?=[ \t]|\S)|[ \t]*\Z)")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text whose re-read runs are pointers now."""

    text: str
    lines: int
    """How many lines the pointers stand for."""


@dataclass(frozen=True, slots=True)
class _View:
    """A text read line by line."""

    lines: list[str]
    keys: list[str]
    """The lines without their margin: what two views of the same lines have in common."""
    counting: dict[int, int]
    """Line -> its number in the margin less its place: the same for all lines of a stretch without a gap."""
    stops: list[int]
    """Line -> the end of the stretch that a run from there may cover; empty where no line is counted."""


@dataclass(slots=True)
class VisibleLines:
    """The lines of all texts that the model can see so far."""

    exact: bool = False
    """Margins belong to the lines: for folds that no store backs."""
    records: VisibleRecords = field(default_factory=VisibleRecords)
    """The same for JSON objects, which are one line each."""
    _keys: list[list[str]] = field(default_factory=list)
    _originals: list[str] = field(default_factory=list)
    _places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _unfolded_places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, text: str, original: str, *, unfolded: str = "") -> None:
        """Take in a text as it leaves, and the one that it was made of.

        `unfolded`: the latter's lines, if `text` shows all of them in another writing. They are known in places of
        their own: whoever gets the folded text again knows nothing of them, and must find the same runs in it.
        """
        self._add(text, original, self._places)
        if unfolded:
            self._add(unfolded, original, self._unfolded_places)

    def _add(self, text: str, original: str, places: dict[str, list[tuple[int, int]]]) -> None:
        if len(text) < LEAST_CHARACTERS:
            return
        keys = _read(text, self.exact).keys
        number = len(self._keys)
        self._keys.append(keys)
        self._originals.append(original)
        for position, key in enumerate(keys):
            if len(key) >= LEAST_KEY and GAP not in key:
                known = places.setdefault(key, [])
                if len(known) < MOST_PLACES:
                    known.append((number, position))

    def fold(self, text: str, original: str) -> Folded | None:
        """Replace runs that are visible already by pointers; None if there are none worth it.

        Where something is left out of both texts, a run goes on over it only if they have the same `original`.
        """
        if not self._keys or len(text) < LEAST_CHARACTERS:
            return None
        view = _read(text, self.exact)
        out: list[str] = []
        pointed = at = 0
        for start, end in self._runs(view, original):
            out += view.lines[at:start]
            out.append(_pointer(view, start, end))
            pointed += end - start
            at = end
        out += view.lines[at:]
        return Folded("\n".join(out), pointed) if pointed else None

    def seen(self, lines: Sequence[str], original: str) -> bytearray:
        """Which of `lines`, taken together, `fold` would replace by pointers: 1 for each."""
        marked = bytearray(len(lines))
        if self._keys:
            for start, end in self._runs(_read("\n".join(lines), self.exact), original):
                marked[start:end] = b"\x01" * (end - start)
        return marked

    def _runs(self, view: _View, original: str) -> Iterator[tuple[int, int]]:
        """(start, end) of the runs that are worth a pointer, in order."""
        same = {number for number, known in enumerate(self._originals) if known == original}
        at = 0
        while at < len(view.keys):
            end = self._run_from(view, at, same)
            if end - at >= LEAST_LINES and sum(map(len, view.lines[at:end])) >= LEAST_CHARACTERS:
                yield at, end
                at = end
            else:
                at += 1  # a run that is worth it may start inside of one that is not

    def _run_from(self, view: _View, start: int, same: set[int]) -> int:
        """The end of the longest visible run that starts at `start`."""
        keys = view.keys
        best = start
        key = keys[start]
        stop = view.stops[start] if view.stops else len(keys)
        for number, position in chain(self._places.get(key, ()), self._unfolded_places.get(key, ())):
            earlier = self._keys[number]
            most = min(len(earlier) - position, (len(keys) if number in same else stop) - start)
            length = 0
            while length < most and earlier[position + length] == keys[start + length]:
                if GAP in keys[start + length] and number not in same:
                    break
                length += 1
            best = max(best, start + length)
        return best


def _read(text: str, exact: bool) -> _View:
    lines = text.split("\n")
    if exact:
        return _View(lines, lines, {}, [])
    keys = [line.rstrip() for line in lines]  # a fold may have taken trailing blanks off one of two views
    counting: dict[int, int] = {}
    before: tuple[int, int, int] | None = None  # the last line that starts with a number: place, counting, end of its margin
    for place, line in enumerate(lines):
        match = _MARGIN.match(line)
        if match is None:
            continue
        here = (place, int(match[1]) - place, match.end())
        if before is not None and before[1] == here[1]:
            for number, offset, end in (before, here):
                counting[number] = offset
                keys[number] = lines[number][end:].rstrip()
        before = here
    return _View(lines, keys, counting, _stretches(counting, len(lines)) if counting else [])


def _stretches(counting: dict[int, int], length: int) -> list[int]:
    """For a run from each line, where it stops counting on at the latest: a pointer names its first and its last line only."""
    stops = [length] * (length + 1)
    following = length
    for place in range(length - 1, -1, -1):
        if place not in counting:
            stops[place] = stops[place + 1]
            continue
        counts_on = counting.get(following, counting[place]) == counting[place]
        stops[place] = stops[following] if counts_on else following
        following = place
    return stops


def _pointer(view: _View, start: int, end: int) -> str:
    quotes = [key.strip() for key in view.keys[start:end] if key.strip() and GAP not in key]
    first, last = quotes[0][:_QUOTE], quotes[-1][:_QUOTE]
    counted = next((place for place in range(start, end) if place in view.counting), None)
    here = ""
    if counted is not None and not any(GAP in key for key in view.keys[start:end]):  # the same lines may have other numbers in this view
        offset = view.counting[counted]
        here = f" here {offset + start}-{offset + end - 1},"
    return f"{GAP}{end - start} lines shown earlier,{here} from {first!r} to {last!r}]"
