"""The part of a folded document that fits a budget, every gap marked where it is.

Each unit has a cost and a worth. One that holds others is worth as much as the best of them, so the best units that
fit always form a tree, and more budget only adds to it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from headroom.core.compressors.json_facts import facts
from headroom.core.compressors.json_table import Table
from headroom.core.compressors.json_units import Branch, Outline, Unit
from headroom.core.compressors.lines import GAP_TOKENS, bridge, choose, gap_mark
from headroom.core.tokens import estimate
from headroom.core.types import Request
from headroom.core.worth import Query, reports_trouble

TROUBLE_WORTH = 3.0
PROSE_SHARE = 0.3
"""What a word of trouble is worth in the sentences of a long string: prose speaks of errors without having any."""
NEARBY = 0.4
"""Share of the best bonus within an object that its other members get too: what stands beside a hit explains it."""
CARRIED = 0.6
"""Share of its own bonus that a unit passes on to what it holds."""
ALIKE = ("row", "item", "column")
"""Units that stand beside others of their kind, and explain nothing about them."""
NAMES_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Digest:
    """What was chosen."""

    text: str
    note: str
    """What is missing, in words."""
    complete: bool
    """Whether nothing is missing."""


def digest(outline: Outline, request: Request, allowance: int) -> Digest:
    """The best part of a document that fits `allowance` (estimated tokens)."""
    units = outline.units
    texts = [unit.own for unit in units]
    bonuses, shared = _rate(units, texts, request.query)
    worths = _worths(units, bonuses, shared)
    costs = [estimate(text) for text in texts]
    keep = choose(worths, [cost + (bonus and GAP_TOKENS // 2) for cost, bonus in zip(costs, bonuses, strict=True)], allowance)
    keep[0] = 1
    page = _Page(keep, costs)
    text = "\n".join(page.render(root) for root, table in outline.roots if keep[root.index])
    return Digest(text, _note(outline, page), not page.omitted)


def _rate(units: list[Unit], texts: list[str], query: Query) -> tuple[list[float], list[float]]:
    """Per unit, what its own text adds to its worth (asked for, trouble), and what its relatives get a share of."""
    bonuses = [0.0] * len(units)
    shared = bonuses[:]
    troubled = [index for index, text in enumerate(texts) if len(text) > 3 and reports_trouble(text)]
    if troubled:
        # where every row says "critical" the word tells nothing
        bonus = TROUBLE_WORTH * min(1.0, 0.3 * len(units) / len(troubled))
        for index in troubled:
            parent = units[index].parent
            bonuses[index] = bonus * PROSE_SHARE if parent is not None and parent.unit == "character" else bonus
            shared[index] = bonuses[index] / 2
    if query:
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        for offset, weight in query.hits("\n".join(texts)):
            index = bisect_right(starts, offset) - 1
            bonuses[index] += weight
            shared[index] += weight
    return bonuses, shared


def _worths(units: list[Unit], bonuses: list[float], shared: list[float]) -> list[float]:
    """Place, bonus, and a share of the bonus of what stands above and beside; none worth less than what it holds."""
    best = shared[:]
    for unit in reversed(units):
        if unit.parent is not None and best[unit.index] > best[unit.parent.index]:
            best[unit.parent.index] = best[unit.index]
    worths = [0.0] * len(units)
    inherited = [0.0] * len(units)
    for unit in units:
        index = unit.index
        if unit.parent is not None:
            above = unit.parent.index
            inherited[index] = CARRIED * (shared[above] + inherited[above])
            if unit.parent.unit not in ALIKE:
                inherited[index] = max(inherited[index], NEARBY * best[above])
        worths[index] = unit.worth + bonuses[index] + inherited[index]
    for unit in reversed(units):
        if unit.parent is not None and worths[unit.index] > worths[unit.parent.index]:
            worths[unit.parent.index] = worths[unit.index]
    for unit in units:
        if isinstance(unit, Branch) and unit.bound and unit.parent is not None:
            worths[unit.index] = worths[unit.parent.index]
    return worths


class _Page:
    """Writes the units that were kept. Counts what is left out on the way."""

    def __init__(self, keep: bytearray, costs: list[int]) -> None:
        self.keep = keep
        self.costs = costs
        self.omitted = 0
        self.omitted_children: dict[int, bytearray] = {}
        """Which children of a unit (its index) are shown, where not all of them are."""

    def render(self, unit: Unit) -> str:
        """The text of a kept unit, with its kept children and the marks of their gaps."""
        if not isinstance(unit, Branch):
            return unit.open
        if unit.table is not None and not self.keep[unit.table.index]:
            self.omitted += 1
            return unit.prefix + unit.absent
        if unit.slots:
            return self._fill(unit)
        if not unit.children:
            return unit.own
        head = self._children(unit.head) if unit.head is not None else ""
        return unit.open + head + unit.middle + self._children(unit) + unit.close

    def _fill(self, unit: Branch) -> str:
        parts = [unit.slots[0]]
        for child, text in zip(unit.children, unit.slots[1:], strict=True):
            assert isinstance(child, Branch)  # what fits a cell as it is has no slot
            # brackets around nothing but a mark would say less than the mark
            if self.keep[child.index] and not (child.unit == "item" and child.children and not self._shows_any(child)):
                parts.append(self.render(child))
            else:
                self.omitted += 1
                parts.append(child.absent)
            parts.append(text)
        return "".join(parts)

    def _shows_any(self, unit: Branch) -> bool:
        return any(self.keep[child.index] for child in unit.children)

    def _children(self, unit: Branch) -> str:
        shown = self._shown(unit)
        parts: list[str] = []
        at = unit.children[0].first if unit.sift is None else 1
        missing = 0
        for child, visible in zip(unit.children, shown, strict=True):
            if not visible:
                continue
            if at < child.first:
                parts.append(_mark(unit, at, child.first - 1))
                missing += child.first - at
            parts.append(self.render(child))
            at = child.last + 1
        if at <= unit.total:
            parts.append(_mark(unit, at, unit.total))
            missing += unit.total + 1 - at
        if missing:
            self.missing[unit.index] = missing
        return unit.joint.join(parts)

    def _shown(self, unit: Branch) -> bytearray:
        children = unit.children
        shown = bytearray(self.keep[child.index] for child in children)
        if 0 in shown:
            # what holds more would only be shown empty
            costs = [99 if isinstance(child, Branch) else self.costs[child.index] for child in children]
            bridge(shown, costs)
        return shown


def _mark(parent: Branch, first: int, last: int) -> str:
    if parent.unit == "character":
        return f'"[… {last - first + 1} characters]"'
    if not parent.names:
        return gap_mark(first, last, parent.unit)
    names = parent.names[first - 1 : last]
    shown = ""
    for name in names[:12]:
        longer = f"{shown}, {name}" if shown else name
        if len(longer) > NAMES_CHARACTERS:
            break
        shown = longer
    else:
        if len(names) <= 12:
            return f"[… {parent.unit}{'s' if len(names) > 1 else ''} {shown}]"
    return f"[… {len(names)} {parent.unit}s: {shown}, …]" if shown else f"[… {len(names)} {parent.unit}s]"


def _note(outline: Outline, page: _Page) -> str:
    """What is missing: of the one table that misses rows, of all of them, or of the document."""
    tables: list[tuple[Table, list[bool]]] = []
    for root, table in outline.roots:
        if table is None:
            continue
        shown = page.omitted_children.get(root.index, b"") if page.keep[root.index] else bytes(table.count)
        if 0 in shown:
            tables.append((table, [not flag for flag in shown]))
    if not tables:
        return _document_note(outline, page)
    left_out = sum(sum(omitted) for _, omitted in tables)
    if len(tables) > 1:
        total = sum(table.count for _, table in outline.roots if table is not None)
        return f"{left_out} of {total} rows left out, in {len(tables)} tables"
    table, omitted = tables[0]
    words = f"{left_out} of {table.count} {'rows of ' + table.name if table.name else 'rows'} left out"
    said = facts(table, omitted)
    return f"{words}, {said}" if said else words


def _document_note(outline: Outline, page: _Page) -> str:
    root = outline.roots[0][0]
    shown = page.omitted_children.get(root.index)
    if shown is not None and not root.names and root.children:
        missing = sum(child.last - child.first + 1 for child, flag in zip(root.children, shown, strict=True) if not flag)
        return f"{missing} of {root.children[-1].last} {root.unit}s left out"
    return "parts left out, each marked in its place"
