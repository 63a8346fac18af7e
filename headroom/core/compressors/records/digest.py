"""The part of a folded document that fits a budget, every gap marked where it is.

Each unit has a cost and a worth. One that holds others is worth as much as the best of them, so the best units that
fit always form a tree, and more budget only adds to it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from headroom.core.compressors.lines.choosing import GAP_TOKENS, bridge, choose, gap_mark
from headroom.core.compressors.records.facts import facts
from headroom.core.compressors.records.sift import Sifted
from headroom.core.compressors.records.table import Table
from headroom.core.compressors.records.units import Branch, Outline, Unit
from headroom.core.tokens import estimate
from headroom.core.types import Request
from headroom.core.worth import Query, reports_trouble

TROUBLE_WORTH = 3.0
PROSE_SHARE = 0.3
"""What a word of trouble is worth in the sentences of a long string: prose speaks of errors without having any."""
NEARBY = 0.4
"""Share of the best bonus within an object that its other members get too: what stands beside a hit explains it."""
STRING_SHARE = 0.9
"""Head and tail of a long string are worth so much of what holds it: a title without its body says little."""
CARRIED = 0.6
"""Share of its own bonus that a unit passes on to what it holds."""
CARRIED_IN_PROSE = 0.3
"""The same for the sentences of a long string: the next row says more than the rest of this one."""
ALIKE = ("row", "item", "column")
"""Units that stand beside others of their kind, and explain nothing about them."""
NAMES_CHARACTERS = 60
MOST_NAMES = 12
LONGEST_NAME = 40
MOST_PLACES = 3
"""Of which a note says how much is missing there."""


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
    bonuses, shared = _rate(units, texts, request.query, outline.sifted)
    worths = _worths(units, bonuses, shared)
    costs = [estimate(text) for text in texts]
    keep = choose(worths, [cost + (GAP_TOKENS // 2 if bonus else 0) for cost, bonus in zip(costs, bonuses, strict=True)], allowance)
    keep[0] = 1
    page = _Page(keep, costs)
    text = "\n".join(page.render(root) for root, table in outline.roots if keep[root.index])
    return Digest(text, _note(outline, page), not page.omitted and not page.missing)


def _rate(units: list[Unit], texts: list[str], query: Query, sifted: Sifted | None) -> tuple[list[float], list[float]]:
    """Per unit, what its own text adds to its worth (asked for, trouble), and what its relatives get a share of."""
    bonuses = [0.0] * len(units)
    shared = bonuses[:]
    troubled = [index for index, text in enumerate(texts) if len(text) > 3 and reports_trouble(text)]
    if troubled:
        # where every row says "critical" the word tells nothing
        bonus = TROUBLE_WORTH * (min(1.0, 0.3 * len(units) / len(troubled)) if sifted is None else sifted.trouble)
        for index in troubled:
            parent = units[index].parent
            bonuses[index] = bonus * PROSE_SHARE if parent is not None and parent.unit == "character" else bonus
            shared[index] = bonuses[index] / 2
    if query:
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        whole = "\n".join(texts)
        for offset, weight in query.hits(whole) if sifted is None else sifted.hits_in(whole, query):
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
            share = CARRIED_IN_PROSE if unit.parent.unit == "character" else CARRIED
            inherited[index] = share * (shared[above] + inherited[above])
            if unit.parent.unit not in ALIKE:
                inherited[index] = max(inherited[index], NEARBY * best[above])
        worths[index] = unit.worth + bonuses[index] + inherited[index]
    for unit in reversed(units):
        if unit.parent is not None and worths[unit.index] > worths[unit.parent.index]:
            worths[unit.parent.index] = worths[unit.index]
    for unit in units:
        if isinstance(unit, Branch) and unit.unit == "character" and unit.parent is not None:
            holder = worths[unit.parent.index]
            worths[unit.index] = holder if unit.bound else max(worths[unit.index], STRING_SHARE * min(holder, 1.0))
    return worths


class _Page:
    """Writes the units that were kept. Counts what is left out on the way."""

    def __init__(self, keep: bytearray, costs: list[int]) -> None:
        self.keep = keep
        self.costs = costs
        self.omitted = 0
        """Cells and tables that are left out whole."""
        self.missing: dict[int, int] = {}
        """How many parts of a unit (its index) are left out, where some are."""

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
        shown = self.shown(unit)
        if unit.unit == "item" and 1 not in shown and unit.open[-1:] == "[":
            # brackets around nothing but a mark would say less than the mark
            self.missing[unit.index] = unit.total
            return f"{unit.open}… {unit.total} item{'s' if unit.total > 1 else ''}{unit.close}"
        head = self._children(unit.head, self.shown(unit.head)) if unit.head is not None else ""
        return unit.open + head + unit.middle + self._children(unit, shown) + unit.close

    def shown(self, unit: Branch) -> bytearray:
        """Which children are shown: those that were kept, and gaps that cost less than their mark."""
        children = unit.children
        shown = bytearray(self.keep[child.index] for child in children)
        if 0 in shown:
            # what holds more would only be shown empty
            bridge(shown, [99 if isinstance(child, Branch) else self.costs[child.index] for child in children])
        return shown

    def _fill(self, unit: Branch) -> str:
        parts = [unit.slots[0]]
        for child, text in zip(unit.children, unit.slots[1:], strict=True):
            assert isinstance(child, Branch)  # what fits a cell as it is has no slot
            if self.keep[child.index]:
                parts.append(self.render(child))
            else:
                self.omitted += 1
                parts.append(child.absent)
            parts.append(text)
        return "".join(parts)

    def _children(self, unit: Branch, shown: bytearray) -> str:
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


def _mark(parent: Branch, first: int, last: int) -> str:
    if parent.unit == "character":
        return f'"[… {last - first + 1} characters]"'
    if not parent.names:
        return gap_mark(first, last, parent.unit)
    count = last - first + 1
    some = min(last, first + MOST_NAMES - 1)
    names = parent.names[first - 1 : some] if parent.sift is None else parent.sift.names(first, some)
    shown = ""
    for name in names:
        longer = f"{shown}, {name}" if shown else name
        if len(longer) > NAMES_CHARACTERS:
            break
        shown = longer
    else:
        if count <= MOST_NAMES:
            return f"[… {parent.unit}{'s' if count > 1 else ''} {shown}]"
    return f"[… {count} {parent.unit}s: {shown}, …]" if shown else f"[… {count} {parent.unit}s]"


def _note(outline: Outline, page: _Page) -> str:
    """What is missing: of the one table that misses rows, or of the places that miss most."""
    tables = [(root, table) for root, table in outline.roots if table is not None and _missing_rows(root, table, page)]
    if len(tables) != 1:
        return _places_note(outline, page)
    root, table = tables[0]
    words = _share_words(_missing_rows(root, table, page), table.count, "row", table.name) + " left out"
    said = facts(table, page.shown(root) if page.keep[root.index] else bytes(len(table.numbers)))
    return f"{words}, {said}" if said else words


def _missing_rows(root: Branch, table: Table, page: _Page) -> int:
    return page.missing.get(root.index, 0) if page.keep[root.index] else table.count


def _places_note(outline: Outline, page: _Page) -> str:
    places: dict[tuple[int, str, str], list[int]] = {}

    def add(missing: int, total: int, unit: str, name: str) -> None:
        sums = places.setdefault((_SAY_MOST.index(unit), unit, name), [0, 0])
        sums[0] += missing
        sums[1] += total

    roots = {root.index: table for root, table in outline.roots if table is not None}
    names = {table.name for table in roots.values()}
    for root, table in outline.roots:
        if table is not None and (missing := _missing_rows(root, table, page)):
            first, _, number = table.name.rpartition("-")  # logs-2: there is another table of that key
            add(missing, table.count, "row", first if number.isdigit() and first in names else table.name)
    for index, missing in page.missing.items():
        unit = outline.units[index]
        if index not in roots and isinstance(unit, Branch) and unit.unit in _SAY_MOST:
            add(missing, unit.total, unit.unit, _name(unit))
    ranked = sorted(places.items(), key=lambda place: (place[0][0], -place[1][0], place[0]))[:MOST_PLACES]
    if not ranked:
        return "parts left out, each marked in its place"
    words = ", ".join(_share_words(missing, total, unit, name) for (_, unit, name), (missing, total) in ranked)
    return f"{words} left out" + (", and parts of others" if len(places) > MOST_PLACES else "")


_SAY_MOST = ("row", "item", "key", "character")
"""Units, those first whose number says most about what is missing."""


def _share_words(missing: int, total: int, unit: str, name: str) -> str:
    share = f"{missing} {unit}s" if unit == "character" else f"{missing} of {total} {unit}s"
    return f"{share} of {name}" if name else share


def _name(unit: Branch) -> str:
    """The key under which a unit stands, or the nearest one above it."""
    above: Branch | None = unit
    while above is not None and not above.key:
        above = above.parent
    return above.key if above is not None and len(above.key) <= LONGEST_NAME and above.key.isprintable() else ""
