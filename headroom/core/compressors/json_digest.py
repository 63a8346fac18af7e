"""The part of a folded document that fits a budget, every gap marked where it is.

The document becomes a tree of units in reading order: rows, members of an object (small neighbours together), items
of an array, sentences of a long string. Each unit has a cost and a worth; one that holds others is worth as much as
the best of them, so the best units that fit always form a tree, and more budget only adds to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec

from headroom.core.compressors.json_facts import facts, row_worths
from headroom.core.compressors.json_table import LONG_CELL, Folded, Table
from headroom.core.compressors.json_text import write
from headroom.core.compressors.lines import GAP_TOKENS, bridge, choose, gap_mark
from headroom.core.tokens import estimate
from headroom.core.types import Request
from headroom.core.worth import Query, reports_trouble

ATOM = 200
"""Characters up to which a value is shown whole or not at all."""
CHUNK = 120
"""Characters of small neighbours that make one unit."""
STRING_HEAD = 200
STRING_TAIL = 100
PIECE = 200
"""Characters of a long string's sentences that make one unit, at most."""
TROUBLE_WORTH = 3.0
PROSE_SHARE = 0.3
"""What a word of trouble is worth in the sentences of a long string: prose speaks of errors without having any."""
EDGE_WORTH = 2.0
SHALLOW_WORTH = 1.0
"""Short members of the outermost objects: names, counts and states of the whole."""
NEARBY = 0.4
"""Share of the best bonus among a unit's relatives that it gets too: what stands beside a hit explains it."""
NAMES_CHARACTERS = 60
LEVEL = 0.85
"""What a level of depth leaves of the worth that a unit has by its place alone."""


class Unit:
    """A text to show or leave out, with the units inside it."""

    __slots__ = (
        *("bound", "children", "close", "first", "head", "index", "joint", "last", "length"),
        *("middle", "names", "open", "parent", "slots", "table", "unit", "worth"),
    )

    def __init__(self, parent: Unit | None, opening: str, first: int, worth: float, last: int = 0) -> None:
        self.parent = parent
        self.open = opening
        self.close = ""
        self.first = first
        """Which part of its parent this is, counted from 1 ..."""
        self.last = last or first
        """... and the last one of them, if it is several."""
        self.worth = worth
        self.children: list[Unit] = []
        self.joint = ","
        self.unit = "item"
        self.names: list[str] = []
        """The keys of an object, for the marks of its gaps."""
        self.slots: list[str] = []
        """If not empty: the texts around the children, each of which is marked alone where it is left out."""
        self.length = 0
        """Characters of a child in a slot."""
        self.head: Unit | None = None
        """A table's constants, if they are units of their own; then `middle` stands between them and the rows."""
        self.middle = ""
        self.bound = False
        """As worth as its parent: head and tail of a long string never vanish from a row that is shown."""
        self.table: Unit | None = None
        """The table that this unit's text points at."""
        self.index = 0

    @property
    def own(self) -> str:
        """The unit's text without its children."""
        return "".join(self.slots) if self.slots else self.open + self.middle + self.close


class Outline:
    """The units of one document, in reading order, each before those that it holds."""

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.units: list[Unit] = []
        self.roots: list[tuple[Unit, Table | None]] = []
        self.pending: list[tuple[Unit, Table]] = []
        whole = folded.whole
        if whole is not None:
            self._grow_table(None, whole)
        else:
            self.roots.append((self._grow(folded.root, None, "", 1, 1.0), None))
            if folded.lines:
                self._as_lines(self.roots[0][0])
        while self.pending:
            waiting, self.pending = self.pending, []
            for holder, table in waiting:
                holder.table = self._grow_table(holder, table)

    @staticmethod
    def _as_lines(root: Unit) -> None:
        root.open, root.close, root.joint, root.unit = "", "", "\n", "row"

    def _add(self, unit: Unit) -> Unit:
        unit.index = len(self.units)
        self.units.append(unit)
        if unit.parent is not None:
            unit.parent.children.append(unit)
        return unit

    def _grow(self, value: Any, parent: Unit | None, prefix: str, position: int, worth: float) -> Unit:
        """The unit of one value, written after `prefix` (its key)."""
        kind = type(value)
        table = self.folded.places.get(id(value)) if kind is msgspec.Raw else None
        if table is not None:
            unit = self._add(Unit(parent, prefix + table.placeholder, position, worth))
            self.pending.append((unit, table))
            return unit
        if kind is str and len(value) > LONG_CELL:
            return self._grow_string(value, parent, prefix, position, worth)
        if kind is dict or kind is list:
            text = "" if parent is None or id(value) in self.folded.holders else write(value)
            if not text or len(text) > ATOM:
                return self._grow_container(value, parent, prefix, position, worth)
            return self._add(Unit(parent, prefix + text, position, worth))
        return self._add(Unit(parent, prefix + write(value), position, worth))

    def _grow_container(self, value: Any, parent: Unit | None, prefix: str, position: int, worth: float) -> Unit:
        is_object = type(value) is dict
        unit = self._add(Unit(parent, prefix + ("{" if is_object else "["), position, worth))
        unit.close = "}" if is_object else "]"
        unit.unit = "item"
        if is_object:
            unit.unit = "key"
            unit.names = list(value)
        entries: Iterable[tuple[str, Any]] = value.items() if is_object else (("", item) for item in value)
        level = min(worth, 1.0) * LEVEL
        count = len(value)
        small = ""
        start = 1
        wide = 0
        for number, (key, item) in enumerate(entries, 1):
            label = write(key) + ":" if is_object else ""
            atom = self._atom(item)
            if atom is None or (wide := len(atom)) + len(small) > CHUNK:
                self._flush(unit, small, start, number - 1, count, level)
                small, start = "", number
            if atom is None:
                self._grow(item, unit, label, number, level * _place_worth(number, count))
                start = number + 1
            else:
                small += ("," if small else "") + label + atom
                if type(item) is dict or type(item) is list:
                    self._flush(unit, small, start, number, count, level)
                    small, start = "", number + 1
        self._flush(unit, small, start, count, count, level)
        if not is_object and count and wide > CHUNK // 2:
            unit.joint = ",\n"
        return unit

    def _atom(self, value: Any) -> str | None:
        """The text of a value that is shown whole or not at all; None if it has parts."""
        kind = type(value)
        if kind is str:
            return write(value) if len(value) <= LONG_CELL else None
        if kind is msgspec.Raw:
            return None if id(value) in self.folded.places else bytes(value).decode()
        if kind is dict or kind is list:
            if id(value) in self.folded.holders:
                return None
            text = write(value)
            return text if len(text) <= ATOM else None
        return write(value)

    def _flush(self, parent: Unit, text: str, first: int, last: int, count: int, level: float) -> None:
        if text:
            shallow = SHALLOW_WORTH if parent.names and level > LEVEL**3 else 0.0
            self._add(Unit(parent, text, first, shallow + level * _place_worth(first, count), last))

    def _grow_string(self, value: str, parent: Unit | None, prefix: str, position: int, worth: float) -> Unit:
        pieces = list(_pieces(value))
        unit = Unit(parent, prefix + '"' + write(pieces[0])[1:-1], position, worth)
        unit.close = write(pieces[-1])[1:-1] + '"'
        unit.joint = ""
        unit.unit = "character"
        self._add(unit)
        at = len(pieces[0]) + 1
        for number, piece in enumerate(pieces[1:-1], 1):
            share = min(worth, 1.0) * LEVEL * _place_worth(number, len(pieces)) / 2
            self._add(Unit(unit, write(piece)[1:-1], at, share, at + len(piece) - 1))
            at += len(piece)
        return unit

    def _grow_table(self, holder: Unit | None, table: Table) -> Unit:
        root = Unit(holder, table.title(), 1, 1.0 if holder is None else min(1.0, holder.worth))
        root.joint = "\n"
        root.unit = "row"
        root.index = len(self.units)
        self.units.append(root)
        self.roots.append((root, table))
        self._grow_head(root, table)
        standing = row_worths(table)
        count = table.count
        level = root.worth * LEVEL
        for number, text in enumerate(table.rows(), 1):
            worth = EDGE_WORTH if number == 1 or number == count else max(level * (1 - number / count), standing[number - 1])
            if table.values and self._has_long_cells(table, number - 1):
                self._grow_row(root, table, number, worth)
            else:
                self._add(Unit(root, text, number, worth))
        return root

    def _grow_head(self, root: Unit, table: Table) -> None:
        """The heading: one text, or with the constants as units of their own if they would fill a page."""
        shared = table.shared()
        if sum(map(len, shared)) <= 2 * ATOM:
            root.open = table.heading() + "\n"
            return
        root.middle = table.columns() + "\n"
        root.head = head = Unit(root, "", 1, root.worth)
        head.unit = "column"
        head.names = [name for name, _ in table.constants]
        head.index = len(self.units)
        self.units.append(head)
        small = ""
        start = 1
        for number, text in enumerate(shared, 1):
            if small and len(small) + len(text) > CHUNK:
                self._flush(head, small, start, number - 1, len(shared), root.worth * LEVEL)
                small, start = "", number
            small += ("," if small else "") + text
        self._flush(head, small, start, len(shared), len(shared), root.worth * LEVEL)

    def _has_long_cells(self, table: Table, row: int) -> bool:
        return any(self._is_long(values[row], table.cells[column][row]) for column, values in table.values.items())

    def _is_long(self, value: Any, cell: str) -> bool:
        kind = type(value)
        if kind is str:
            return len(value) > LONG_CELL
        if kind is msgspec.Raw:
            return id(value) in self.folded.places
        return len(cell) > LONG_CELL // 2 or id(value) in self.folded.holders

    def _grow_row(self, root: Unit, table: Table, number: int, worth: float) -> None:
        """A row with cells that can be left out or shortened by themselves: its text and those cells take turns."""
        row = self._add(Unit(root, "", number, worth))
        text = ""
        for column, cells in enumerate(table.cells):
            values = table.values.get(column)
            cell = cells[number - 1]
            text += "," if column else ""
            if values is None or not self._is_long(values[number - 1], cell):
                text += cell
                continue
            row.slots.append(text)
            text = ""
            part = self._grow(values[number - 1], row, "", 1, min(worth, 1.0) * LEVEL)
            part.length = len(cell)
            if type(values[number - 1]) is str:
                part.bound = True
        row.slots.append(text)


def _place_worth(number: int, count: int) -> float:
    return 0.3 + 0.7 * (1 - number / (count + 1))


def _pieces(value: str) -> Iterator[str]:
    """A long string in pieces of up to 200 characters, cut after lines and sentences where there are any; tail last."""
    at = 0
    end = len(value) - STRING_TAIL
    while at < end:
        limit = min(at + (PIECE if at else STRING_HEAD), end)
        cut = limit
        if limit < end:
            half = at + PIECE // 3
            cut = max(value.rfind("\n", half, limit), value.rfind(". ", half, limit), value.rfind(" ", limit - 30, limit)) + 1 or limit
        yield value[at:cut]
        at = cut
    yield value[end:]


@dataclass(frozen=True, slots=True)
class Digest:
    """What was chosen."""

    text: str
    note: str
    """What is missing, in words."""
    complete: bool
    """Whether nothing is missing."""


def digest(folded: Folded, request: Request, allowance: int) -> Digest:
    """The best part of `folded` that fits `allowance` (estimated tokens)."""
    outline = Outline(folded)
    units = outline.units
    texts = [unit.own for unit in units]
    bonuses, best = _rate(units, texts, request.query)
    worths = _worths(units, bonuses, best)
    costs = [estimate(text) for text in texts]
    charged = [cost + GAP_TOKENS // 2 if bonus > 0.0 else cost for cost, bonus in zip(costs, bonuses, strict=True)]
    keep = choose(worths, charged, allowance)
    keep[0] = 1
    page = _Page(keep, costs)
    text = "\n".join(page.render(root) for root, table in outline.roots if keep[root.index])
    return Digest(text, _note(outline, page), not page.omitted)


def _rate(units: list[Unit], texts: list[str], query: Query) -> tuple[list[float], list[float]]:
    """Per unit, what its own text adds to its worth (asked for, trouble), and what its relatives get a share of."""
    trouble = [0.0] * len(units)
    troubled = [index for index, text in enumerate(texts) if len(text) > 3 and reports_trouble(text)]
    if troubled:
        # where every row says "critical" the word tells nothing
        bonus = TROUBLE_WORTH * min(1.0, 0.3 * len(units) / len(troubled))
        for index in troubled:
            parent = units[index].parent
            in_string = parent is not None and parent.unit == "character"
            trouble[index] = bonus * PROSE_SHARE if in_string else bonus
    asked = [0.0] * len(units)
    if query:
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        for offset, weight in query.hits("\n".join(texts)):
            asked[bisect_right(starts, offset) - 1] += weight
    bonuses = [a + b for a, b in zip(asked, trouble, strict=True)]
    return bonuses, [a + b / 2 for a, b in zip(asked, trouble, strict=True)]


def _worths(units: list[Unit], bonuses: list[float], best: list[float]) -> list[float]:
    """Place, bonus, and a share of the best bonus nearby; none worth less than what it holds."""
    for unit in reversed(units):
        if unit.parent is not None and best[unit.index] > best[unit.parent.index]:
            best[unit.parent.index] = best[unit.index]
    worths = [0.0] * len(units)
    for unit in units:
        index = unit.index
        worths[index] = unit.worth + bonuses[index]
        if unit.parent is not None:
            nearby = NEARBY * best[unit.parent.index]
            worths[index] += nearby
            best[index] = max(best[index], nearby)
    for unit in reversed(units):
        if unit.parent is not None and worths[unit.index] > worths[unit.parent.index]:
            worths[unit.parent.index] = worths[unit.index]
    for unit in units:
        if unit.bound and unit.parent is not None:
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
        if unit.table is not None and not self.keep[unit.table.index]:
            self.omitted += 1
            return unit.open[: unit.open.rindex("[table " if unit.open[-1] == "]" else "{table ")] + f"[… {len(unit.table.children)} rows]"
        if unit.slots:
            return self._fill(unit)
        if not unit.children:
            return unit.open + unit.close
        if unit.head is not None:
            return unit.open + self._children(unit.head) + unit.middle + self._children(unit)
        return unit.open + self._children(unit) + unit.close

    def _fill(self, unit: Unit) -> str:
        parts = [unit.slots[0]]
        for child, text in zip(unit.children, unit.slots[1:], strict=True):
            if self.keep[child.index]:
                parts.append(self.render(child))
            else:
                self.omitted += 1
                parts.append(f"[… {child.length} characters]")
            parts.append(text)
        return "".join(parts)

    def _children(self, unit: Unit) -> str:
        children = unit.children
        shown = bytearray(self.keep[child.index] for child in children)
        if 0 in shown:
            # what holds more would only be shown empty
            costs = [99 if child.children or child.table or child.slots else self.costs[child.index] for child in children]
            left_out = bridge(shown, costs)
            if left_out:
                self.omitted += left_out
                self.omitted_children[unit.index] = shown
        parts: list[str] = []
        gap: Unit | None = None
        for child, visible in zip(children, shown, strict=True):
            if visible:
                if gap is not None:
                    parts.append(_mark(unit, gap.first, child.first - 1))
                    gap = None
                parts.append(self.render(child))
            elif gap is None:
                gap = child
        if gap is not None:
            parts.append(_mark(unit, gap.first, children[-1].last))
        return unit.joint.join(parts)


def _mark(parent: Unit, first: int, last: int) -> str:
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
