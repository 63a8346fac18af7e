"""The units of a document: what a digest shows or leaves out.

Rows of tables, members of objects and items of arrays (small neighbours together), sentences of long strings. A unit
that has parts of its own is a `Branch`: its own text is what stands around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from headroom.core.compressors.records.facts import row_worths
from headroom.core.compressors.records.table import LONG_CELL, Folded, Table
from headroom.core.compressors.records.text import write

if TYPE_CHECKING:
    from headroom.core.compressors.records.sift import Sift

HUGE_ROW = 500
"""Characters up to which a row is shown whole or not at all; the long strings of longer ones are shown in part."""
ATOM = 200
"""Characters up to which a value is shown whole or not at all."""
CHUNK = 120
"""Characters of small neighbours that make one unit."""
MAX_CHUNKS = 30_000
"""... and as many in a large document as leave it about so many units."""
LONG_ITEM = 60
"""Characters from which an array's items stand one a line."""
LONG_STRING = 300
"""Characters from which a string outside of a table may be shortened: its head and tail are shown first."""
STRING_HEAD = 120
STRING_TAIL = 60
PIECE = 200
"""Characters of a long string's sentences that make one unit, at most."""
EDGE_WORTH = 2.0
"""The first and the last row of a table."""
SHALLOW_WORTH = 1.0
"""Short members of the outermost objects: names, counts and states of the whole."""
LEVEL = 0.85
"""What a level of depth leaves of the worth that a unit has by its place alone."""


class Unit:
    """A text to show or leave out. Units with others inside them are a `Branch`: large documents have many of these."""

    __slots__ = ("first", "index", "last", "open", "parent", "worth")

    def __init__(self, parent: Branch | None, opening: str, first: int, worth: float, last: int = 0) -> None:
        self.parent = parent
        self.open = opening
        self.first = first
        """Which part of its parent this is, counted from 1 ..."""
        self.last = last or first
        """... and the last one of them, if it is several."""
        self.worth = worth
        self.index = 0

    @property
    def own(self) -> str:
        """The unit's text without its children."""
        return self.open


class Branch(Unit):
    """A unit with others inside it."""

    __slots__ = (
        "absent",
        "bound",
        "children",
        "close",
        "head",
        "joint",
        "key",
        "middle",
        "names",
        "prefix",
        "sift",
        "slots",
        "table",
        "unit",
    )

    def __init__(self, parent: Branch | None, opening: str, first: int, worth: float, unit: str = "item", joint: str = ",") -> None:
        super().__init__(parent, opening, first, worth)
        self.unit = unit
        """What the marks of its gaps count."""
        self.joint = joint
        self.close = ""
        self.children: list[Unit] = []
        self.names: list[str] = []
        """The keys of an object, for the marks of its gaps."""
        self.sift: Sift | None = None
        """What is known about the parts that are not at hand, if some are not."""
        self.key = ""
        """The key that this unit has in an object, for the words of a note."""
        self.slots: list[str] = []
        """If not empty: the texts around the children, each of which is marked alone where it is left out."""
        self.prefix = ""
        self.absent = ""
        """The mark in place of this unit, after `prefix`: of a cell, or of a placeholder whose table is left out."""
        self.head: Branch | None = None
        """A table's constants, if they are units of their own; then `middle` stands between them and the rows."""
        self.middle = ""
        self.bound = False
        """As worth as its parent: head and tail of a long string never vanish from a row that is shown."""
        self.table: Branch | None = None
        """The table that this unit's text points at."""

    @property
    def total(self) -> int:
        """The number of its last part, at hand or not."""
        return self.children[-1].last if self.sift is None else self.sift.total

    @property
    def own(self) -> str:
        """The unit's text without its children."""
        return "".join(self.slots) if self.slots else self.open + self.middle + self.close


AnyUnit = TypeVar("AnyUnit", bound=Unit)


class Outline:
    """The units of one document, in reading order, each before those that it holds."""

    def __init__(self, folded: Folded, characters: int) -> None:
        """`characters` is the length of the folded document: the larger, the coarser the units of small values."""
        self.folded = folded
        self.sifted = folded.sifted
        self.chunk = max(CHUNK, characters // MAX_CHUNKS)
        self.units: list[Unit] = []
        self.roots: list[tuple[Branch, Table | None]] = []
        """What is written one below the other: the document, if it is not all one table, and the tables."""
        self._pending: list[tuple[Branch, Table]] = []
        self._in_row = folded.lines
        if folded.whole is not None:
            self._grow_table(None, folded.whole)
        else:
            root = self._grow_container(folded.root, None, "", 1, 1.0)
            self.roots.append((root, None))
            if folded.lines:
                root.open, root.close, root.joint, root.unit = "", "", "\n", "row"
        while self._pending:
            waiting, self._pending = self._pending, []
            for holder, table in waiting:
                holder.table = self._grow_table(holder, table)
        del self.folded  # of a large document, most of the memory

    def _add(self, unit: AnyUnit, listed: bool = True) -> AnyUnit:
        unit.index = len(self.units)
        self.units.append(unit)
        if listed and unit.parent is not None:
            unit.parent.children.append(unit)
        return unit

    def _grow(self, value: Any, parent: Branch, prefix: str, position: int, worth: float) -> Branch:
        """The unit of a value that has parts, written after `prefix` (its key)."""
        if type(value) is msgspec.Raw:
            table = self.folded.places[id(value)]
            holder = self._add(Branch(parent, prefix + table.placeholder, position, worth))
            holder.prefix = prefix
            holder.absent = f"[… {table.count} rows]"
            self._pending.append((holder, table))
            return holder
        if type(value) is str:
            return self._grow_string(value, parent, prefix, position, worth)
        return self._grow_container(value, parent, prefix, position, worth)

    def _grow_container(self, value: Any, parent: Branch | None, prefix: str, position: int, worth: float) -> Branch:
        is_object = type(value) is dict
        branch = self._add(Branch(parent, prefix + ("{" if is_object else "["), position, worth, "key" if is_object else "item"))
        branch.close = "}" if is_object else "]"
        branch.names = list(value) if is_object else []
        branch.sift = sift = self.folded.sift_of(value)
        total = len(value) if sift is None else sift.total
        numbers = range(1, total + 1) if sift is None else sift.numbers
        entries: Iterable[tuple[str, Any]] = value.items() if is_object else (("", item) for item in value)
        level = min(worth, 1.0) * LEVEL
        small = _Chunk(self, branch, total, level)
        longest = 0
        for number, (key, item) in zip(numbers, entries, strict=True):
            label = write(key) + ":" if is_object else ""
            atom = self._atom(item)
            if atom is None:
                small.flush()
                self._grow(item, branch, label, number, level * _place_worth(number, total)).key = key
                longest = ATOM
                continue
            small.add(label + atom, number)
            if type(item) is dict or type(item) is list:
                small.flush()
                longest = max(longest, len(atom))
        small.flush()
        if not is_object and longest > LONG_ITEM and not self._in_row:
            branch.joint = ",\n"
        return branch

    def _atom(self, value: Any) -> str | None:
        """The text of a value that is shown whole or not at all; None if it has parts."""
        kind = type(value)
        if kind is str:
            return write(value) if len(value) <= (LONG_CELL if self._in_row else LONG_STRING) else None
        if kind is msgspec.Raw:
            return None if id(value) in self.folded.places else bytes(value).decode()
        if kind is not dict and kind is not list:
            return write(value)
        if id(value) in self.folded.holders:
            return None
        text = write(value)
        return text if len(text) <= ATOM else None

    def _grow_string(self, value: str, parent: Branch, prefix: str, position: int, worth: float) -> Branch:
        pieces = list(_pieces(value))
        branch = self._add(Branch(parent, prefix + '"' + write(pieces[0])[1:-1], position, worth, "character", ""))
        branch.close = write(pieces[-1])[1:-1] + '"'
        at = len(pieces[0]) + 1
        for number, piece in enumerate(pieces[1:-1], 1):
            share = min(worth, 1.0) * LEVEL * _place_worth(number, len(pieces)) / 2
            self._add(Unit(branch, write(piece)[1:-1], at, share, at + len(piece) - 1))
            at += len(piece)
        return branch

    def _grow_table(self, holder: Branch | None, table: Table) -> Branch:
        root = Branch(holder, table.title(), 1, 1.0 if holder is None else min(1.0, holder.worth), "row", "\n")
        root.sift = table.sift
        self._add(root, listed=False)
        self.roots.append((root, table))
        self._grow_heading(root, table)
        standing = row_worths(table)
        count = table.count
        level = root.worth * LEVEL
        for place, (number, text) in enumerate(zip(table.numbers, table.rows(), strict=True)):
            worth = EDGE_WORTH if number == 1 or number == count else max(level * (1 - number / count), standing[place])
            if table.values and self._may_be_cut(table, place, text):
                self._grow_row(root, table, place, number, worth)
            else:
                self._add(Unit(root, text, number, worth))
        return root

    def _grow_heading(self, root: Branch, table: Table) -> None:
        """The heading: one text, or with the constants as units of their own if they would fill a page."""
        shared = table.shared()
        if sum(map(len, shared)) <= 2 * ATOM:
            root.open = table.heading() + "\n"
            return
        root.middle = table.columns() + "\n"
        root.head = self._add(Branch(root, "", 1, root.worth, "column"), listed=False)
        root.head.names = [name for name, _ in table.constants]
        small = _Chunk(self, root.head, len(shared), root.worth * LEVEL)
        for number, text in enumerate(shared, 1):
            small.add(text, number)
        small.flush()

    def _grow_row(self, root: Branch, table: Table, place: int, number: int, worth: float) -> None:
        """A row with cells that can be left out or shortened by themselves: its text and those cells take turns."""
        row = self._add(Branch(root, "", number, worth, "cell", ""))
        text = ""
        self._in_row = True  # a row is one line, whatever its cells hold
        for column, cells in enumerate(table.cells):
            values = table.values.get(column)
            cell = cells[place]
            text += "," if column else ""
            if values is None or not self._is_long(values[place], cell):
                text += cell
                continue
            row.slots.append(text)
            text = ""
            value = values[place]
            part = self._grow(value, row, "", 1, min(worth, 1.0) * LEVEL)
            part.bound = type(value) is str
            if type(value) is not msgspec.Raw:
                part.absent = f"[… {len(value)} item{'s' * (len(value) > 1)}]" if type(value) is list else f"[… {len(cell)} characters]"
        row.slots.append(text)
        self._in_row = False

    def _may_be_cut(self, table: Table, place: int, text: str) -> bool:
        """Whether a row has cells to shorten. Only where it must be: a row left out is easier to read than one in pieces."""
        if len(text) <= HUGE_ROW and not any(type(values[place]) is msgspec.Raw for values in table.values.values()):
            return False
        return any(self._is_long(values[place], table.cells[column][place]) for column, values in table.values.items())

    def _is_long(self, value: Any, cell: str) -> bool:
        kind = type(value)
        if kind is str:
            return len(value) > LONG_CELL
        if kind is msgspec.Raw:
            return id(value) in self.folded.places
        return (kind is dict or kind is list) and (len(cell) > ATOM or id(value) in self.folded.holders)


class _Chunk:
    """Small neighbours that make one unit together."""

    def __init__(self, outline: Outline, parent: Branch, count: int, level: float) -> None:
        self.outline = outline
        self.parent = parent
        self.count = count
        self.level = level
        self.shallow = SHALLOW_WORTH if parent.unit == "key" and level > LEVEL**3 else 0.0
        self.texts: list[str] = []
        self.length = 0
        self.first = 1

    def add(self, text: str, number: int) -> None:
        """Take in the text of the `number`th part of the parent."""
        if self.texts and (self.length + len(text) > self.outline.chunk or number != self.first + len(self.texts)):
            self.flush()
        if not self.texts:
            self.first = number
        self.texts.append(text)
        self.length += len(text)

    def flush(self) -> None:
        """Make a unit of what was taken in since the last one."""
        if not self.texts:
            return
        worth = self.shallow + self.level * _place_worth(self.first, self.count)
        self.outline._add(Unit(self.parent, ",".join(self.texts), self.first, worth, self.first + len(self.texts) - 1))
        self.texts = []
        self.length = 0


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
