"""A text as units that are shown whole or not at all: its lines, and the pieces of very long lines.

The counterpart of `lines.py` for texts whose units know where in the original they stand: gap marks carry original
line numbers after folding, and a cut inside a line says how many characters it hides.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from headroom.core.compressors.lines import choosing as chooser
from headroom.core.compressors.lines.folds import Folded

LONG_LINE = 1_000
"""Characters above which a line is cut into pieces."""
PIECE = 160
_SEPARATORS = " ,;|)}\t"
_JOINERS = frozenset("\u200d\u200c\ufe0e\ufe0f\u20e3")


@dataclass(frozen=True, slots=True)
class Units:
    """`texts[i]` stands for the original's lines first[i] to last[i], or for a piece of one line."""

    texts: list[str]
    first: Sequence[int]
    last: Sequence[int]
    costs: list[int]
    """Estimated tokens, a unit's repeat mark included."""
    repeats: dict[int, str]
    joined: bytearray | None
    """1 where a unit continues the line of the unit before it; None if no line was cut."""
    total_lines: int
    """Of the original; the empty text behind a last newline is a unit, and no line."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a choice of units came to."""

    text: str
    omitted: int
    """Original lines of which nothing is shown."""
    cut: int
    """Lines of which a part is shown."""
    hidden: int
    """Characters that are not shown."""


def total_lines(folded: Folded) -> int:
    """Lines of the original: the empty text behind its last newline is none."""
    total = folded.last[-1] if len(folded.last) else 0
    return total - 1 if total > 1 and not folded.texts[-1] else total


def units_of(folded: Folded) -> Units:
    """The units of a folded text."""
    texts, first, last, repeats = folded.texts, folded.first, folded.last, folded.repeats
    total = total_lines(folded)
    joined: bytearray | None = None
    if max(map(len, texts), default=0) > LONG_LINE:
        texts, first, last, repeats, joined = _cut_long_lines(folded)
    costs = [len(text) * 5 // 18 + 1 for text in texts]  # 3.6 characters a token, without floats
    for index in repeats:
        costs[index] += 9
    return Units(texts, first, last, costs, repeats, joined, total)


def _cut_long_lines(folded: Folded) -> tuple[list[str], list[int], list[int], dict[int, str], bytearray]:
    texts: list[str] = []
    first: list[int] = []
    last: list[int] = []
    repeats: dict[int, str] = {}
    joined = bytearray()
    for index, line in enumerate(folded.texts):
        pieces = [line] if len(line) <= LONG_LINE else pieces_of(line)
        texts += pieces
        first += [folded.first[index]] * len(pieces)
        last += [folded.last[index]] * len(pieces)
        joined += b"\x00" + b"\x01" * (len(pieces) - 1)
        if index in folded.repeats:
            repeats[len(texts) - 1] = folded.repeats[index]
    return texts, first, last, repeats, joined


def pieces_of(line: str, size: int = PIECE) -> list[str]:
    """`line` in pieces of about `size` characters, cut behind a separator where there is one, never inside a grapheme."""
    pieces = []
    start, length = 0, len(line)
    while length - start > size + size // 2:
        end = start + size
        cut = max(line.rfind(separator, end - size // 3, end) for separator in _SEPARATORS) + 1
        end = safe_cut(line, cut or end)
        pieces.append(line[start:end])
        start = end
    pieces.append(line[start:])
    return pieces


def safe_cut(text: str, at: int) -> int:
    """The first place from `at` on (at most 64 later) where a cut splits no grapheme and no surrogate pair."""
    for place in range(at, min(at + 64, len(text))):
        following, preceding = text[place], text[place - 1]
        if following < "\u0300" and preceding < "\u0300":
            if following != "\n" or preceding != "\r":
                return place
        elif not _extends(following) and preceding != "\u200d" and not _pair(preceding, following):
            return place
    return min(at + 64, len(text))


def _extends(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= character <= "\U0001f3ff"


def _pair(preceding: str, following: str) -> bool:
    surrogates = "\ud800" <= preceding <= "\udbff" and "\udc00" <= following <= "\udfff"
    flags = "\U0001f1e6" <= preceding <= "\U0001f1ff" and "\U0001f1e6" <= following <= "\U0001f1ff"
    return surrogates or flags


def choose_units(units: Units, worths: Sequence[float], budget: int) -> bytearray:
    """The units to keep within `budget` estimated tokens, gap marks included; nested in the budget."""
    keep = chooser.choose(worths, units.costs, budget, chooser.GAP_TOKENS)
    chooser.sink(keep, units.texts)
    chooser.bridge(keep, units.costs)
    return keep


def show(units: Units, keep: bytearray) -> Shown:
    """Write the kept units, with a mark in place of each gap."""
    parts: list[str] = []
    omitted = hidden = 0
    cut: set[int] = set()
    start, length = 0, len(keep)
    while start < length:
        end = keep.find(1 - keep[start], start)
        end = length if end < 0 else end
        if keep[start]:
            _write_kept(units, start, end, parts)
        else:
            omitted += _write_gap(units, start, end, parts, cut)
            hidden += sum(map(len, units.texts[start:end]))
        start = end
    return Shown("".join(parts), omitted, len(cut), hidden)


def _write_kept(units: Units, start: int, end: int, parts: list[str]) -> None:
    if start and not _continues(units, start):
        parts.append("\n")
    if units.joined is None and not units.repeats:
        parts.append("\n".join(units.texts[start:end]))
        return
    for index in range(start, end):
        if index > start and not _continues(units, index):
            parts.append("\n")
        parts.append(units.texts[index])
        if index in units.repeats:
            parts.append("\n" + units.repeats[index])


def _write_gap(units: Units, start: int, end: int, parts: list[str], cut: set[int]) -> int:
    """Mark the gap of the units from `start` to before `end`; returns how many whole lines it hides."""
    head, tail = start, end
    while head < end and _continues(units, head):  # the rest of a line whose beginning is shown
        head += 1
    if end < len(units.texts) and _continues(units, end):  # the beginning of a line whose rest is shown
        while tail > head and _continues(units, tail):
            tail -= 1
    if head > start:
        parts.append(_cut_mark(units, start, head))
        cut.add(units.first[start])
        if head - 1 in units.repeats:
            parts.append("\n" + units.repeats[head - 1])
    omitted = 0
    if tail > head:
        first, last = units.first[head], min(units.last[tail - 1], units.total_lines)
        parts.append(("\n" if head else "") + chooser.gap_mark(first, last))
        omitted = last - first + 1
    if end > tail and head < end:
        parts.append(("\n" if tail else "") + _cut_mark(units, tail, end))
        cut.add(units.first[end - 1])
    return omitted


def _cut_mark(units: Units, start: int, end: int) -> str:
    return f"[… {sum(map(len, units.texts[start:end])):,} characters]"


def _continues(units: Units, index: int) -> bool:
    return units.joined is not None and units.joined[index] == 1
