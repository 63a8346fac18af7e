"""What each line of a text is worth to the agent: one sum for logs and for any other text, with other weights.

Worths are points on one scale (a line that the query names scores up to 12, the rarest line about 7, the first
error of a kind about 5 to 8), and do not depend on the budget: that keeps a digest nested.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log2

from headroom.core.compressors.lines.templates import NO_TROUBLE, TROUBLED, Templates
from headroom.core.worth import Query

MOST_OF_A_HIT = 12.0
TRACE_LINES = 60
"""Continuation lines that an error may bring along."""
STRONG = 3.5
"""A line worth this much brings its neighbours."""

_CONTINUES = re.compile(r"[ \t]*(?:at |File \"|Caused by|\.\.\. \d|\^|~|\||=|note:|help:|-->|During handling|The above exception)")
_SUMMARY = (
    "exit code", "exit status", "exited", " passed", " failed", " skipped", " error", " warning", " problem", " tests", "tests run",
    "build success", "finished", "elapsed", "total", "summary", "completed", "done",
)  # fmt: skip
"""Words of lines that sum up, in lowered lines."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How a kind of text is read."""

    trouble: float
    rarity: float
    ends: tuple[float, float]
    """Points of the first and of the last line; they fade (with the square) over `fade` lines."""
    fade: int
    context: tuple[float, ...]
    """The share of a strong line's worth that the lines 1, 2, ... away from it get."""
    structure: float
    """Points of a line that heads others."""
    slope: float
    """Points of the head over the middle: what is read on purpose is read from its beginning."""


_REGION = tuple(0.85 - 0.05 * distance for distance in range(12))

LOG = Weights(trouble=1.0, rarity=0.7, ends=(9.0, 11.0), fade=7, context=(0.4, 0.25), structure=0.0, slope=0.3)
TEXT = Weights(trouble=0.5, rarity=0.3, ends=(7.0, 6.0), fade=5, context=_REGION, structure=2.0, slope=2.0)

BLOB = Weights(trouble=0.0, rarity=0.0, ends=(6.0, 5.0), fade=4, context=(0.4,), structure=0.0, slope=0.5)


def ends_and_hits(lines: Sequence[str], query: Query, weights: Weights) -> list[float]:
    """The worth of the pieces of something that is not read: its ends and what the query names."""
    worths = [0.0] * len(lines)
    _add_ends(lines, worths, weights)
    if query:
        _add_hits(lines, query, worths)
    _spread(worths, weights.context)
    return worths


def worths_of(lines: Sequence[str], templates: Templates, query: Query, weights: Weights) -> list[float]:
    """The worth of each of `lines`, in points. Linear."""
    worths = _by_template(templates, weights)
    _add_trouble(lines, templates, worths, weights)
    if weights.structure:
        _add_structure(lines, worths, weights.structure)
    _add_summaries(lines, templates, worths)
    _add_ends(lines, worths, weights)
    if query:
        _add_hits(lines, query, worths)
    _spread(worths, weights.context)
    return worths


def _by_template(templates: Templates, weights: Weights) -> list[float]:
    """The first line of a template stands for it, the last says how it ended, those between say little."""
    share = weights.rarity * (0.3 if templates.coarse and weights is not LOG else 1.0)  # prose and code: rare words are usual
    rarity = [bits * share for bits in templates.rarity]
    ids = templates.ids
    worths = [0.2 * rarity[template] for template in ids]
    first, last = _occurrences(ids, len(templates.counts))
    for template, times in enumerate(templates.counts):
        if times > 1:
            worths[last[template]] = 0.6 * rarity[template] + 0.5
            worths[first[template]] = 0.9 * rarity[template] + 1.0
        else:
            worths[first[template]] = rarity[template]
    return worths


def _occurrences(ids: Sequence[int], count: int) -> tuple[list[int], list[int]]:
    first, last = [0] * count, [0] * count
    for index in range(len(ids) - 1, -1, -1):
        first[ids[index]] = index
    for index, template in enumerate(ids):
        last[template] = index
    return first, last


def _add_trouble(lines: Sequence[str], templates: Templates, worths: list[float], weights: Weights) -> None:
    trouble = templates.trouble
    total = len(trouble) - trouble.count(NO_TROUBLE)
    if not total:
        return
    surprise = min(3.0, 0.5 * log2(len(trouble) / total))
    # A document that speaks of errors is not in trouble: where words of trouble are usual they tell nothing.
    weight = weights.trouble if weights is LOG else weights.trouble * max(0.0, surprise - 1.5) / 1.5
    seen: dict[int, int] = {}
    troubled = [index for index, level in enumerate(trouble) if level]
    latest = {templates.ids[index]: index for index in troubled}
    for index in troubled:
        template = templates.ids[index]
        severe = trouble[index] == TROUBLED
        earlier = seen.get(template, 0)
        seen[template] = earlier + 1
        if earlier == 0:
            points = (5.0 if severe else 2.5) + surprise
        elif latest[template] == index:
            points = (4.0 if severe else 2.0) + surprise
        else:
            points = (1.5 if severe else 0.5) + 1.0 / earlier
        points *= weight
        worths[index] += points
        if severe and points >= STRONG * weight > 0.0:
            _bring_trace(lines, index, worths, worths[index])


def _bring_trace(lines: Sequence[str], start: int, worths: list[float], points: float) -> None:
    """The lines that continue line `start` (deeper indented, or "at ...", "Caused by ...") are worth about as much."""
    indent = _indent(lines[start])
    for index in range(start + 1, min(start + 1 + TRACE_LINES, len(lines))):
        line = lines[index]
        if not line or line.isspace() or (_indent(line) <= indent and _CONTINUES.match(line) is None):
            return
        worths[index] = max(worths[index], 0.9 * points - 0.03 * (index - start))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _add_structure(lines: Sequence[str], worths: list[float], points: float) -> None:
    for index, line in enumerate(lines):
        start = line[:1]
        if start == "#" or (start.isalnum() and line.rstrip()[-1:] in ":{"):
            worths[index] += points


def _add_summaries(lines: Sequence[str], templates: Templates, worths: list[float]) -> None:
    # What sums up stands at an end. Only there is it looked for: elsewhere rarity finds it.
    count = len(lines)
    limit = max(3, count // 50)
    for index in {*range(min(6, count)), *range(max(0, count - 16), count)}:
        lowered = lines[index][:200].lower()
        if templates.counts[templates.ids[index]] <= limit and any(word in lowered for word in _SUMMARY):
            worths[index] += 2.0


def _add_ends(lines: Sequence[str], worths: list[float], weights: Weights) -> None:
    count = len(worths)
    for index in range(min(weights.fade, count)):
        left = (1.0 - index / weights.fade) ** 2
        worths[index] += weights.ends[0] * left
        worths[count - 1 - index] += weights.ends[1] * left
    reach = 40.0
    slope = weights.slope
    for index in range(min(count, 2_000)):
        worths[index] += slope / (1.0 + index / reach)
    for index in range(min(count, 1_000)):
        worths[count - 1 - index] += 0.6 * slope / (1.0 + index / reach)


def _add_hits(lines: Sequence[str], query: Query, worths: list[float]) -> None:
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    points: dict[int, float] = {}
    for offset, weight in query.hits("\n".join(lines)):
        index = bisect_right(starts, offset) - 1
        points[index] = points.get(index, 0.0) + weight
    for index in sorted(points):
        worths[index] += min(points[index], MOST_OF_A_HIT)


def _spread(worths: list[float], context: Sequence[float]) -> None:
    """Lines beside a strong line gain from it: regions read better than scattered lines."""
    count = len(worths)
    strong = [(index, worth) for index, worth in enumerate(worths) if worth >= STRONG]
    for index, worth in strong:
        for distance, share in enumerate(context, 1):
            gained = share * worth
            if index >= distance and worths[index - distance] < gained:
                worths[index - distance] = gained
            if index + distance < count and worths[index + distance] < gained:
                worths[index + distance] = gained
