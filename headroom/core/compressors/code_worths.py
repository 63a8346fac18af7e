"""What each line of a source file is worth: the functions that the agent asked about whole, the others' signatures.

Lines of one region (a function, a paragraph of statements) are worth the same, so a budget shows regions from their
top down, the best first, and not scattered lines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from headroom.core.compressors import code_outline as roles_of
from headroom.core.compressors.code_outline import Definition, Outline
from headroom.core.worth import Query, reports_trouble

_FRAME = 100.0
_SIGNATURE = 40.0
_PER_DEPTH = 2.0
_TROUBLE = 45.0
_SHORT_BODY = 20.0
_BODY = 5.0
_ASKED = 60.0
"""Added to the body of the region that answers best; others get their share of it."""
_IMPORT, _DOC, _COMMENT = 4.0, 2.0, 1.0
_LONG_LINE = 1_000
_NEAR = 6
_SHORT = 3
_NEAR_FRAME = 3

Region = tuple[int, int, "Definition | None"]
"""(start, end, the function it is; None for statements)."""


def line_worths(lines: Sequence[str], outline: Outline, original: Sequence[str], query: Query) -> list[float]:
    """One worth a line. `original` are the same lines with their margins: a number that was asked for is found there."""
    regions = regions_of(outline, len(lines))
    hits = _hits_by_line(original, query)
    scores = [_score(region, hits) for region in regions]
    best = max(scores, default=0.0)
    worths = [0.0] * len(lines)
    for (start, end, function), score in zip(regions, scores, strict=True):
        asked = _ASKED * score / best if best else 0.0
        short = function is not None and end - function.header_end <= _SHORT
        base = (_SHORT_BODY if short else _BODY) + asked
        worths[start:end] = [base] * (end - start)
    _raise_near_hits(worths, hits, best)
    _apply_roles(worths, outline, lines, hits)
    return worths
