"""What each line of a source file is worth: the functions that the agent asked about whole, the others' signatures.

Lines of one region (a function, a paragraph of statements) are worth the same, so a budget shows regions from their
top down, the best first, and not scattered lines.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from headroom.core.compressors.code.outline import BLANK, COMMENT, DOC, DOC_FIRST, FRAME, IMPORT, Definition, Outline
from headroom.core.worth import CALL_WEIGHT, Query, reports_trouble

_FRAME = 400.0
"""Paths and headings of sections before all code: without them no line has a place."""
_SIGNATURE = 40.0
_PER_DEPTH = 2.0
_TROUBLE = 45.0
_SHORT_BODY = 20.0
_BODY = 5.0
_IMPORT = 30.0
"""An edit that needs another name quotes its import line."""
_ASKED = 90.0
"""Added to the body of the region that answers best; others get their share of it."""
_NEAR_HIT = 40.0
_NAMED_LINES = 100.0
_ROLE_DISCOUNT = {IMPORT: 1.0, DOC: 0.6, COMMENT: 0.6}
_LONG_LINE = 1_000
_NEAR = 8
"""Lines shown around a hit first, where its region is longer than _WHOLE."""
_WHOLE = 20
_AROUND = 20
"""Lines either side of the one line number that a call names."""
_SPOKEN_OF = 5
"""Lines either side of it that keep their numbers."""
_LONGEST_RANGE = 300
_CLEAREST_TERMS = 12
_SHORT = 3
_HEADER_HIT = 5.0
"""A hit in a function's header counts this many times."""
_SIZE = 8
"""Lines added to a region's length before its hits are divided by the root of it: short ones shall not always win."""
_MEMBER = 0.5
_DEEPEST = 4
_NEAR_FRAME = 3


class Region(NamedTuple):
    """Lines `start` to before `end` that belong together: a function, or statements without a blank line between."""

    start: int
    end: int
    function: Definition | None


def line_worths(lines: Sequence[str], numbers: Sequence[int], outline: Outline, query: Query) -> list[float]:
    """One worth a line. `numbers`: the lines' numbers in the file, or nothing."""
    regions = regions_of(outline)
    hits = _hits_by_line(lines, query)
    scores = [_score(region, hits) for region in regions]
    _spread_to_members(scores, regions, outline, hits)
    best = max(scores, default=0.0)
    worths = [_BODY] * len(lines)
    for region, score in zip(regions, scores, strict=True):
        asked = _ASKED * score / best if best else 0.0
        short = region.function is not None and region.end - region.function.header_end <= _SHORT
        worths[region.start : region.end] = [(_SHORT_BODY if short else _BODY) + asked] * (region.end - region.start)
    _apply_roles(worths, outline, lines)
    _raise_near_hits(worths, hits, regions)
    _raise_named_lines(worths, numbers, query)
    _raise_signatures(worths, outline)
    for index, line in enumerate(lines):
        if len(line) > _LONG_LINE:
            worths[index] = 0.1  # data: would stop every cheaper line behind it
    return worths


def regions_of(outline: Outline) -> list[Region]:
    """All lines but blank and frame ones that lie outside functions, in regions, in order."""
    regions: list[Region] = []
    at = 0
    for definition in outline.definitions:
        if definition.nested or definition.container or definition.start < at:
            continue
        _add_paragraphs(regions, outline.roles, at, definition.start)
        regions.append(Region(definition.start, definition.end, definition))
        at = definition.end
    _add_paragraphs(regions, outline.roles, at, len(outline.roles))
    return regions


def _add_paragraphs(regions: list[Region], roles: bytearray, start: int, end: int) -> None:
    begun = -1
    for index in range(start, end):
        apart = roles[index] == BLANK or roles[index] == FRAME
        if begun < 0 and not apart:
            begun = index
        elif begun >= 0 and apart:
            regions.append(Region(begun, index, None))
            begun = -1
    if begun >= 0:
        regions.append(Region(begun, end, None))


def _hits_by_line(lines: Sequence[str], query: Query) -> dict[int, float]:
    """Line index -> summed weight of the query's hits in it."""
    found = query.hits("\n".join(lines))
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    by_line: dict[int, float] = {}
    for offset, weight in found:
        index = bisect_right(starts, offset) - 1
        by_line[index] = by_line.get(index, 0.0) + weight
    return by_line


def named_lines(lines: Sequence[str], query: Query) -> set[int]:
    """The lines that the query names most clearly, at most one in twenty: the agent will speak of them by number."""
    hits = _hits_by_line(lines, Query(query.terms[:_CLEAREST_TERMS]))
    top = max(hits.values(), default=0.0)
    clear = sorted((index for index, weight in hits.items() if 2 * weight > top), key=lambda index: (-hits[index], index))
    return set(clear[: 1 + len(lines) // 20])


def lines_at_named_number(numbers: Sequence[int], query: Query) -> set[int]:
    """The lines around the one line number that a call names: the agent will speak of them by number."""
    named = _numbers_in_call(query).intersection(numbers)
    if len(named) != 1:
        return set()
    (number,) = named
    return {index for index, own in enumerate(numbers) if own and abs(own - number) <= _SPOKEN_OF}


def _numbers_in_call(query: Query) -> set[int]:
    return {int(term) for term, weight in query.terms if weight >= CALL_WEIGHT and term.isdecimal() and term.isascii() and len(term) < 8}


def _score(region: Region, hits: dict[int, float]) -> float:
    """How well a region answers: its hits, those in its header counted more, long regions a little less."""
    total = 0.0
    name_end = region.function.header_end if region.function else region.start
    for index in range(region.start, region.end):
        weight = hits.get(index)
        if weight:
            total += _HEADER_HIT * weight if index < name_end else weight
    return total / math.sqrt(_SIZE + region.end - region.start)


def _spread_to_members(scores: list[float], regions: list[Region], outline: Outline, hits: dict[int, float]) -> None:
    """What a class's own header answers, its members answer in part."""
    starts = [region.start for region in regions]
    for definition in outline.definitions:
        if not definition.container or definition.nested or definition.depth >= _DEEPEST:
            continue
        named = sum(hits.get(index, 0.0) for index in range(definition.header, definition.header_end))
        if named:
            for at in range(bisect_left(starts, definition.start), bisect_left(starts, definition.end)):
                scores[at] += _MEMBER * named / math.sqrt(_SIZE)


def _apply_roles(worths: list[float], outline: Outline, lines: Sequence[str]) -> None:
    previous_code = -99
    roles = outline.roles
    for index, role in enumerate(roles):
        if role == FRAME:
            near = index - previous_code <= _NEAR_FRAME or any(r != FRAME for r in roles[index + 1 : index + 1 + _NEAR_FRAME])
            worths[index] = _FRAME if near else _TROUBLE if reports_trouble(lines[index][:_LONG_LINE]) else _SHORT_BODY
            continue
        previous_code = index
        if role == IMPORT:
            worths[index] = max(worths[index], _IMPORT)
        if role in _ROLE_DISCOUNT:
            worths[index] *= _ROLE_DISCOUNT[role]


def _raise_near_hits(worths: list[float], hits: dict[int, float], regions: list[Region]) -> None:
    """In a long region the lines around its hits come first: whole windows, so that few gaps arise."""
    top = max(hits.values(), default=0.0)
    for region in regions:
        if region.end - region.start <= _WHOLE:
            continue
        bonus: dict[int, float] = {}
        for index in range(region.start, region.end):
            weight = hits.get(index, 0.0)
            if 5 * weight < top or not weight:
                continue
            value = _NEAR_HIT if 2 * weight > top else _NEAR_HIT / 2
            for near in range(max(region.start, index - _NEAR), min(region.end, index + _NEAR + 1)):
                bonus[near] = max(value, bonus.get(near, 0.0))
        for index, value in bonus.items():
            worths[index] += value


def _raise_named_lines(worths: list[float], numbers: Sequence[int], query: Query) -> None:
    """A call that names line numbers of this view wants to see there: between two of them, or around the only one."""
    if not numbers:
        return
    named = sorted(_numbers_in_call(query).intersection(numbers))
    if not named:
        return
    first, last = (named[0] - _AROUND, named[0] + _AROUND) if len(named) == 1 else (named[0], named[-1])
    if last - first > _LONGEST_RANGE:
        return
    for index, number in enumerate(numbers):
        if first <= number <= last:
            worths[index] += _NAMED_LINES


def _raise_signatures(worths: list[float], outline: Outline) -> None:
    roles = outline.roles
    module_doc = roles.find(DOC_FIRST, 0, _NEAR)
    if module_doc >= 0:
        worths[module_doc] = max(worths[module_doc], _SIGNATURE)
    for definition in outline.definitions:
        if definition.nested:
            continue
        value = _SIGNATURE - _PER_DEPTH * min(definition.depth, _DEEPEST)
        for index in range(definition.start, definition.header_end):
            worths[index] = max(worths[index], value)
        for index in range(definition.header_end, min(definition.header_end + 2, definition.end)):
            if roles[index] == DOC_FIRST:
                worths[index] = max(worths[index], value - 1)
