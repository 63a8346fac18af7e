"""Numbered views of files (`cat -n` and its kin): the margin taken off, the numbers kept, and both written again.

A margin costs about a quarter of a view's tokens, yet its numbers run on by one. They are shown at the first and last
line of each section and at every tenth, in the form of `cat -n` without its padding (`120<tab>code`); the lines
between are the bare code, so an edit finds them verbatim.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from headroom.core.compressors.lines.choosing import gap_mark

NO_NAMES: Mapping[int, str] = MappingProxyType({})
MOST_NAMES = 8
EVERY = 10
"""One line in this many keeps its number."""

_STYLES = (
    re.compile(r"[ \t]{0,12}([1-9][0-9]{0,6})→"),
    re.compile(r" {0,12}([1-9][0-9]{0,6})\t"),
    re.compile(r" {0,12}L?([1-9][0-9]{0,6}):"),
    re.compile(r" {0,12}([1-9][0-9]{0,6}) ?[|│]"),
    re.compile(r" {0,12}([1-9][0-9]{0,6}) "),
)
_TABLE_RULE = re.compile(r"[ |+]*--[-: ]*[|+][-|+: ]*$")
_LOOKS_NUMBERED = re.compile(r"[0-9]{1,7}\t")
_SAMPLED_LINES = 150
_LEAST_RUN = 4
_FIRST_LOOK = 30
"""Lines after which a style that hardly occurs is given up."""


@dataclass(frozen=True, slots=True)
class View:
    """A text's lines without margins."""

    lines: list[str]
    """The code, indentation exact; lines without a number (headers, fences, gap signs) as they were."""
    numbers: list[int]
    """The file's line number of each line; 0 where it has none. Empty if the text is not a numbered view."""

    def runs_on(self, index: int) -> bool:
        """Whether line `index` follows the line before it in the file."""
        if not self.numbers:
            return True
        number = self.numbers[index]
        return index > 0 and number > 1 and self.numbers[index - 1] == number - 1


def read_view(lines: list[str]) -> View:
    """Take the margins off `lines`; the lines themselves, and no numbers, if they have none. Linear."""
    style = numbering_of(lines[: 4 * _SAMPLED_LINES])
    if style is None:
        return View(lines, [])
    numbers = [0] * len(lines)
    cuts = [0] * len(lines)
    for index, line in enumerate(lines):
        match = style.match(line)
        if match is not None:
            numbers[index] = int(match[1])
            cuts[index] = match.end()
    _drop_loners(numbers)
    if style is not _STYLES[0] and style is not _STYLES[1] and _blank_follows(lines, numbers, cuts):
        cuts = [cut + 1 for cut in cuts]
    codes = [line[cut:] if number else line for line, number, cut in zip(lines, numbers, cuts, strict=True)]
    return View(codes, numbers)


def numbering_of(lines: Sequence[str]) -> re.Pattern[str] | None:
    """How `lines` are numbered: the pattern of their margin. None if most are not, or not one after the other.

    Search hits without a path ("12:text"), tables with a column of ids, and counts (`uniq -c`, `du`) are no views.
    """
    for start in (0, 60):
        sample = [line for line in lines[start : start + _SAMPLED_LINES] if line.strip()]
        digits = sum(line[:14].lstrip(" \tL")[:1].isdecimal() for line in sample)
        if digits < _LEAST_RUN or 2 * digits < len(sample):
            continue
        for style in _STYLES:
            if _numbered_by(style, sample):
                return style
    return None


def _numbered_by(style: re.Pattern[str], sample: list[str]) -> bool:
    if sum(style.match(line) is not None for line in sample[:_FIRST_LOOK]) < _LEAST_RUN - 1:
        return False
    matches = [style.match(line) for line in sample]
    rests = [line[match.end() :] for line, match in zip(sample, matches, strict=True) if match]
    if 2 * len(rests) < len(sample) or len(rests) < _LEAST_RUN:
        return False
    numbers = [int(match[1]) if match else -1 for match in matches]
    runs_on = sum(after == before + 1 for before, after in pairwise(numbers) if before >= 0)
    if 10 * runs_on < 7 * (len(rests) - 1):
        return False
    if style is _STYLES[4] and len({match.end() for match in matches[1:] if match}) > 1:  # a sample's first line has lost its blanks
        return False  # a blank alone makes a margin only where the numbers are aligned to the right
    if style is _STYLES[4] and sum(rest.lstrip()[:1] in ("|", "│") for rest in rests) > 0.8 * len(rests):
        return False  # the first column of a table
    separator = "\t" if style is _STYLES[1] else "|" if style is _STYLES[3] else ""
    if separator and (_is_table(rests, separator) or (matches[0] is None and _has_header(sample[0], rests, separator))):
        return False
    return not any(_TABLE_RULE.match(line) for line in sample[:4])


def _is_table(rests: list[str], separator: str) -> bool:
    cells = [rest.lstrip().count(separator) for rest in rests if rest.strip()]
    return bool(cells) and min(cells) > 0 and cells.count(cells[0]) >= 0.8 * len(cells)


def _has_header(first: str, rests: list[str], separator: str) -> bool:
    """Whether the first line names columns: as many as the lines below it have, their numbers included."""
    columns = first.count(separator)
    return columns > 0 and sum(rest.count(separator) + 1 == columns for rest in rests) >= 0.8 * len(rests)


def _drop_loners(numbers: list[int]) -> None:
    """A single numbered line between others may be part of a message ("3: oops"): it keeps its words."""
    last = len(numbers) - 1
    lone = [
        index
        for index, number in enumerate(numbers)
        if number
        and not (index > 0 and number > 1 and numbers[index - 1] == number - 1)
        and not (index < last and numbers[index + 1] == number + 1)
    ]
    for index in lone:
        numbers[index] = 0


def _blank_follows(lines: list[str], numbers: list[int], cuts: list[int]) -> bool:
    """Whether "12: code" has a blank in its margin: then every indentation is odd, which code's own never is."""
    least = 99
    for line, number, cut in zip(lines, numbers, cuts, strict=True):
        rest = line[cut:] if number else ""
        if rest and rest[0] != " ":
            return False
        if rest.strip():
            least = min(least, len(rest) - len(rest.lstrip(" ")))
    return least % 2 == 1


def write_view(
    view: View, keep: bytearray | None = None, names: Mapping[int, str] = NO_NAMES, named: Collection[int] = (), every: int = 0
) -> str:
    """The view's lines (those kept, gaps marked), with a light margin if they are numbered.

    Marks count in the file's line numbers where the lines have them, else in lines of `view`, from 1. They tell which
    definitions they hide: `names` by the line of their header. The lines in `named` keep their numbers, and so does
    one in `every` (0: as `margin_step` says).
    """
    parts: list[str] = []
    length = len(view.lines)
    every = every or margin_step(view)
    start = 0
    while start < length:
        shown = keep is None or keep[start] == 1
        end = length if keep is None else keep.find(0 if shown else 1, start)
        end = length if end < 0 else end
        if shown:
            parts.extend(_with_margin(view, start, end, every, named) if view.numbers else view.lines[start:end])
        else:
            parts.extend(_gap_marks(view, start, end, names))
        start = end
    return "\n".join(parts)


def _with_margin(view: View, start: int, end: int, every: int, named: Collection[int]) -> list[str]:
    lines, numbers = view.lines, view.numbers
    written = lines[start:end]
    last = len(lines) - 1
    for index in range(start, end):
        number = numbers[index]
        if number and (
            number % every == 0
            or index in named
            or index == 0
            or number == 1
            or numbers[index - 1] != number - 1
            or index == last
            or numbers[index + 1] != number + 1
            or _LOOKS_NUMBERED.match(lines[index])
        ):
            written[index - start] = f"{number}\t{lines[index]}"
    return written


def margin_step(view: View) -> int:
    """EVERY; 1 where two sections are as many lines apart as there are lines between them, which would read as code."""
    before, at = 0, -1
    for index, number in enumerate(view.numbers):
        if not number:
            continue
        if index - at > 1 and number - before == index - at and before:
            return 1
        before, at = number, index
    return EVERY


def _gap_marks(view: View, start: int, end: int, names: Mapping[int, str]) -> list[str]:
    """The marks of a gap: one for each section that it touches, since numbers begin anew there."""
    if not view.numbers:
        return [_telling(gap_mark(start + 1, end), start, end, names)]
    marks: list[str] = []
    numbers = view.numbers
    first = start
    for index in range(start + 1, end + 1):
        if index < end and (view.runs_on(index) if numbers[index] else not numbers[index - 1]):
            continue
        count = index - first
        if numbers[first]:
            marks.append(_telling(gap_mark(numbers[first], numbers[index - 1]), first, index, names))
        else:
            marks.append(f"[… {count} line{'s' if count > 1 else ''}]")
        first = index
    return marks


def _telling(mark: str, start: int, end: int, names: Mapping[int, str]) -> str:
    """The mark of the lines from `start` to before `end`, with the names of what they define."""
    hidden = [names[index] for index in range(start, end) if index in names] if names else []
    if not hidden:
        return mark
    more = f" and {len(hidden) - MOST_NAMES} more" if len(hidden) > MOST_NAMES else ""
    return f"{mark[:-1]}: {', '.join(hidden[:MOST_NAMES])}{more}]"
