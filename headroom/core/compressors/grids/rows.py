"""Rows of any table, written down and chosen: shared by the kinds whose texts are rows but not JSON.

A `Sheet` is a table after folding: constant columns once, a header, one line a row. `digest` shows the rows worth most
(asked for, in trouble, rare in a category, first and last), marks every gap in place, and counts the rest.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from headroom.core.compressors.lines.choosing import GAP_TOKENS, bridge, choose, gap_mark, render
from headroom.core.compressors.lines.templates import templates_of
from headroom.core.compressors.lines.units import safe_cut
from headroom.core.compressors.records.facts import MAX_CATEGORIES, facts, row_worths
from headroom.core.compressors.records.table import Table
from headroom.core.tokens import estimate
from headroom.core.types import Shortened
from headroom.core.worth import Query

EDGE_WORTH = 2.0
TROUBLE_WORTH = 3.0
MINORITY_WORTH = 1.6
DOMINANT_SHARE = 0.6
"""A value that this share of a column has is its normal case; the other values are worth a look."""
MOST_OF_A_HIT = 8.0
LONG_ROW = 240
LONG_CELL = 100
"""Characters above which a cell may be cut in a digest, if its row is longer than LONG_ROW."""
CELL_HEAD = 50
NOTE_CHARACTERS = 105
"""Of a whole note: about 30 tokens."""


@dataclass(slots=True)
class Sheet:
    """A folded table: `heading` lines, then one text a row."""

    heading: list[str]
    rows: list[str]
    header: list[str]
    """Names of the columns that vary; made up where the table names none."""
    columns: list[list[str]]
    """The cells as they stand in `rows`, one list a column."""
    separator: str
    unit: str = "row"
    times: list[int] | None = None
    """How many rows of the original each of `rows` stands for; None: one."""

    def lines(self) -> list[str]:
        """Everything, nothing left out."""
        return [*self.heading, *self.rows]


Part = str | Sheet
"""A stretch of a text: lines to leave as they are, or a table."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a choice of rows came to."""

    text: str
    note: str
    omitted: int
    cut: int


def whole(parts: Iterable[Part]) -> str:
    """The folded text, every row in it."""
    lines: list[str] = []
    for part in parts:
        lines.extend([part] if isinstance(part, str) else part.lines())
    return "\n".join(lines)


def digest(parts: Sequence[Part], query: Query, allowance: int) -> Shown:
    """The rows that fit `allowance` tokens (estimated), beside all headings and all lines between tables. Nested.

    A row with long cells is two choices: the row with those cells cut, and later perhaps the rest of them.
    """
    choices = _Choices()
    fixed = 0
    for part in parts:
        if isinstance(part, str):
            fixed += len(part) * 5 // 18 + 1
        else:
            fixed += sum(map(estimate, part.heading))
            choices.add(part, query)
    keep, full = choices.choose(allowance - fixed)
    lines: list[str] = []
    omitted = start = 0
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
            continue
        end = start + len(part.rows)
        kept = keep[start:end]
        bridge(kept, choices.costs[start:end])
        omitted += _left_out(part, kept)
        keep[start:end] = kept
        lines += part.heading
        rows = [row if full[start + index] else choices.short[start + index] for index, row in enumerate(part.rows)]
        lines.append(render(rows, kept, _mark(part)))
        start = end
    cut = sum(cuts for cuts, kept, whole_row in zip(choices.cuts, keep, full, strict=True) if kept and not whole_row)
    return Shown("\n".join(lines), _note([part for part in parts if isinstance(part, Sheet)], keep, omitted, cut), omitted, cut)


class _Choices:
    """All rows of all sheets as things to choose."""

    def __init__(self) -> None:
        self.short: list[str] = []
        """The rows, long cells cut."""
        self.cuts: list[int] = []
        self.worths: list[float] = []
        self.costs: list[int] = []
        self.rest_worths: list[float] = []
        self.rest_costs: list[int] = []

    def add(self, sheet: Sheet, query: Query) -> None:
        """Take in the rows of one sheet."""
        worths, telling = _worths(sheet, query)
        self.worths += worths
        if max(map(len, sheet.rows), default=0) <= LONG_ROW:
            self.short += sheet.rows
            self.cuts += [0] * len(sheet.rows)
            self.costs += [len(row) * 5 // 18 + 1 for row in sheet.rows]  # 3.6 characters a token
            self.rest_costs += self.cuts[-len(sheet.rows) :]
            self.rest_worths += worths
            return
        for index, row in enumerate(sheet.rows):
            short, cuts = _clipped(sheet, index) if len(row) > LONG_ROW else (row, 0)
            cost = len(short) * 5 // 18 + 1
            self.short.append(short)
            self.cuts.append(cuts)
            self.costs.append(cost)
            self.rest_costs.append(len(row) * 5 // 18 + 1 - cost)
            self.rest_worths.append(worths[index] * (0.9 if index in telling else 0.3))

    def choose(self, budget: int) -> tuple[bytearray, bytearray]:
        """(rows kept, rows kept whole). Best first, until the first that does not fit: nested."""
        count = len(self.worths)
        if not any(self.cuts):
            keep = choose(self.worths, self.costs, budget, GAP_TOKENS)
            return keep, bytearray(b"\x01" * count)
        keep = bytearray(count)
        full = bytearray(not cuts for cuts in self.cuts)
        worths = [*self.worths, *(-1.0 if full[i] else worth for i, worth in enumerate(self.rest_worths))]
        spent = GAP_TOKENS
        for index in sorted(range(2 * count), key=worths.__getitem__, reverse=True):
            row = index % count
            if index < count:
                joins = (row == 0 or keep[row - 1]) + (row == count - 1 or keep[row + 1])
                spent += self.costs[row] + 1 + GAP_TOKENS * (1 - joins)
            elif not full[row]:
                spent += self.rest_costs[row]
            if spent > budget:
                break
            if index < count:
                keep[row] = 1
            else:
                full[row] = 1
        return keep, full


def shorten(parts: Sequence[Part], text: str, fold_note: str, query: Query, allowance: int | None) -> Shortened | None:
    """The fold of `parts` or, if it is over a quarter larger than `allowance` (None: no limit), the digest.

    None if neither is shorter than `text`, the original.
    """
    folded = whole(parts)
    fold = Shortened(folded, fold_note, False) if len(folded) < len(text) else None
    size = estimate(folded)
    if allowance is None or size <= 1.25 * allowance:
        return fold
    shown = digest(parts, query, allowance)
    if (not shown.omitted and not shown.cut) or len(shown.text) > 0.95 * len(folded):
        return fold
    return Shortened(shown.text, shown.note, True)


def _mark(sheet: Sheet) -> Callable[[int, int], str]:
    if sheet.times is None:
        return lambda first, last: gap_mark(first, last, sheet.unit)
    before = list(accumulate(sheet.times, initial=0))
    return lambda first, last: gap_mark(before[first - 1] + 1, before[last], sheet.unit)


def _left_out(sheet: Sheet, kept: bytearray) -> int:
    if sheet.times is None:
        return kept.count(0)
    return sum(times for times, shown in zip(sheet.times, kept, strict=True) if not shown)


def _worths(sheet: Sheet, query: Query) -> tuple[list[float], set[int]]:
    """The worth of each row, and the rows that are asked for or report trouble."""
    count = len(sheet.rows)
    if not count:
        return [], set()
    worths = row_worths(_table(sheet))
    for cells in sheet.columns:
        _rate_minorities(cells, worths)
    # the rows' templates are judged, not the rows: of many alike, one is read
    levels = templates_of([row.replace("\n", " ") for row in sheet.rows]).trouble
    trouble = [index for index, level in enumerate(levels) if level]
    # where most rows speak of trouble, it tells nothing
    bonus = TROUBLE_WORTH * (1.0 - len(trouble) / count) + 0.2
    for rank, index in enumerate(trouble):
        worths[index] += bonus + 1.0 / (1 + rank)
    asked = add_hits(sheet.rows, query, worths)
    worths = [max(worth, 0.85 * (1 - index / count)) for index, worth in enumerate(worths)]
    for index in (0, count - 1):
        worths[index] = max(worths[index], EDGE_WORTH)
    return worths, {*asked, *(trouble if len(trouble) < count / 2 else ())}


def _rate_minorities(cells: list[str], worths: list[float]) -> None:
    counts = Counter(cells)
    if len(counts) < 2 or len(counts) > MAX_CATEGORIES or len(counts) * 3 > len(cells):
        return
    normal, times = max(counts.items(), key=lambda item: (item[1], item[0]))
    if times < DOMINANT_SHARE * len(cells):
        return
    bonuses = {value: MINORITY_WORTH / math.sqrt(1 + number / 20) for value, number in counts.items() if value != normal}
    for index, value in enumerate(cells):
        if value in bonuses:
            worths[index] = max(worths[index], bonuses[value])


def hits_by_line(lines: Sequence[str], query: Query) -> dict[int, float]:
    """The weight of what the query finds in each of `lines`, for those where it finds something."""
    points: dict[int, float] = {}
    if not query:
        return points
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for offset, weight in query.hits("\n".join(lines)):
        index = bisect_right(starts, offset) - 1
        points[index] = points.get(index, 0.0) + weight
    return points


def add_hits(lines: Sequence[str], query: Query, worths: list[float]) -> list[int]:
    """Raise the worth of the lines that the query names; the ones it names clearly."""
    points = hits_by_line(lines, query)
    for index, weight in points.items():
        worths[index] += min(weight, MOST_OF_A_HIT)
    return [index for index, weight in points.items() if weight > 1.0]


def _clipped(sheet: Sheet, index: int) -> tuple[str, int]:
    """A row with its long cells cut, and how many were."""
    cells = [column[index] for column in sheet.columns]
    long = sum(len(cell) > LONG_CELL for cell in cells)
    return (sheet.separator.join(map(_clip, cells)), long) if long else (sheet.rows[index], 0)


def _clip(cell: str) -> str:
    if len(cell) <= LONG_CELL:
        return cell
    at = safe_cut(cell, CELL_HEAD)
    quote = cell[0] if cell[0] in "\"'" and cell[-1] == cell[0] else ""
    return f"{cell[:at]}[… {len(cell) - at - len(quote):,} characters]{quote}"


def _note(sheets: Sequence[Sheet], keep: bytearray, omitted: int, cut: int) -> str:
    unit = sheets[0].unit if len({sheet.unit for sheet in sheets}) == 1 else "row"
    total = sum(len(sheet.rows) if sheet.times is None else sum(sheet.times) for sheet in sheets)
    words = []
    if omitted:
        words.append(f"{omitted:,} of {total:,} {unit}s left out")
    if cut:
        words.append(f"{cut:,} long cell{'s' * (cut != 1)} cut")
    note = ", ".join(words)
    if len(sheets) != 1 or not omitted or sheets[0].times is not None or len(sheets[0].columns) < 2:
        return note
    for part in facts(_table(sheets[0]), keep).split("; "):
        longer = f"{note}{', ' if ';' not in note and note == ', '.join(words) else '; '}{part}"
        if not part or len(longer) > NOTE_CHARACTERS:
            break
        note = longer
    return note


def _table(sheet: Sheet) -> Table:
    return Table(name="", count=len(sheet.rows), keyed=False, constants=[], header=sheet.header, cells=sheet.columns)
