"""Arrays of records as CSV tables.

    [table orders: 3 rows]                      in place of the array, in the minified document
    table orders, all rows: status=ok           constant columns, once
    id,price.net,note                           the header, nested objects as dotted columns
    1,9.90,"fragile, heavy"

A cell is empty (the key is missing), a JSON value (null, 12, "a, b", [1,2]), or a bare string that no reader could
take for one. So a string "12" is written "12", and nothing is lost. Columns of lists of one length are split like
objects: `position[0],position[1]`. An object of alike objects is a table too, `(key)` its first column. A column with
the same cells as one before it stands with the constants: `id=[same as (key)]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from headroom.core.compressors.records.repeated import written
from headroom.core.compressors.records.text import key_text, string_cell, string_cells, write

if TYPE_CHECKING:
    from headroom.core.compressors.records.sift import Sift, Sifted

MAX_LEAVES = 120
"""Leaf columns, constant ones included."""
MAX_VARYING = 30
"""Columns that differ: in a wider row a reader loses count, and keys beside their values read better."""
MIN_FILL = 0.6
"""Share of cells that must have a value: sparser rows read better as objects."""
MAX_SPLIT = 4
"""Longest list that is split into columns of its own."""
MAX_NESTING = 6
MIN_GAIN = 20
"""Characters that a table must save, by a cautious estimate."""
MIN_CELL_GAIN = 100
"""The same for a table in a cell of another: its rows stand far from the row that they belong to."""
FRAME = 40
"""Characters of a placeholder and a heading."""
MIN_TWIN = 30
"""Characters that a column must have for a word about it to be shorter."""
LONG_CELL = 240
"""Characters from which a cell may be shortened by itself in a digest."""

MISSING: Final = object()
KEY_COLUMN = "(key)"


@dataclass(slots=True)
class Table:
    """One array (or object) of records, in columns."""

    name: str
    count: int
    """Rows, whether or not they are at hand."""
    keyed: bool
    """Whether the rows are the members of an object."""
    constants: list[tuple[str, str]]
    """(column, cell) of the columns that are the same in every row."""
    header: list[str]
    cells: list[list[str]]
    """One list a column, one text a row at hand."""
    values: dict[int, list[Any]] = field(default_factory=dict)
    """The values of the columns in which a cell is long enough to be shortened, or holds another table."""
    sift: Sift | None = None
    """What is known about the rows that are not at hand."""

    @property
    def numbers(self) -> Sequence[int]:
        """Which rows are at hand, counted from 1."""
        return range(1, self.count + 1) if self.sift is None else self.sift.numbers

    @property
    def placeholder(self) -> str:
        """What stands in the document in place of the rows."""
        if self.keyed:
            return f"{{table {self.name}: {self.count} entries}}"
        return f"[table {self.name}: {self.count} rows]"

    def title(self) -> str:
        """What stands before the constants (or the header, if there are none)."""
        if self.constants:
            return f"table {self.name}, all rows: " if self.name else "all rows: "
        return f"table {self.name}:\n" if self.name else ""

    def shared(self) -> list[str]:
        """The constants, as `column=cell`."""
        return [f"{name}={cell}" for name, cell in self.constants]

    def columns(self) -> str:
        """The header line, with the line's end before it if constants stand there."""
        return ("\n" if self.constants else "") + ",".join(self.header)

    def heading(self) -> str:
        """The lines above the rows."""
        return self.title() + ",".join(self.shared()) + self.columns()

    def rows(self) -> list[str]:
        """One line a row."""
        return list(map(",".join, zip(*self.cells, strict=True)))


@dataclass(slots=True)
class Folded:
    """A document with its arrays of records taken out."""

    root: Any
    """The document; where a table was taken out stands a `msgspec.Raw` with its placeholder."""
    lines: bool
    """JSON Lines: the root's items stand one a line."""
    tables: list[Table] = field(default_factory=list)
    """In reading order."""
    places: dict[int, Table] = field(default_factory=dict)
    """The table that a placeholder (its `id`) stands for."""
    holders: set[int] = field(default_factory=set)
    """The `id` of every container in which, at some depth, a placeholder stands. All of them are kept alive by `root`."""
    names: dict[str, int] = field(default_factory=dict)
    """Tables' names, and how many have asked for each."""
    sifted: Sifted | None = None
    """What is known about parts of the document that are not at hand."""

    def sift_of(self, container: Any) -> Sift | None:
        """What is known about the missing parts of a container; None if it has all of its own."""
        return None if self.sifted is None else self.sifted.sifts.get(id(container))

    @property
    def whole(self) -> Table | None:
        """The table that is all of the document, if it is one."""
        return self.places.get(id(self.root))

    def text(self, *, repeated: bool = False) -> str:
        """Everything, nothing left out; `repeated`: long cells that stand in many rows are written once."""
        parts: list[str] = []
        if self.whole is None:
            parts.append("\n".join(map(write, self.root)) if self.lines else write(self.root))
        for table in self.tables:
            parts.extend(written(table) if repeated else [table.heading(), *table.rows()])
        return "\n".join(parts)


def fold(value: Any, lines: bool = False, sifted: Sifted | None = None) -> Folded:
    """Take the tables out of `value` (a list, if `lines`), wherever a table is shorter."""
    folded = unfolded(value, lines, sifted)
    if lines:
        if (table := _table(value, "", folded, MIN_GAIN)) is not None:
            folded.root = _stand_in(table, folded)
        return folded
    folded.root = _place(value, "", folded)
    return folded


def unfolded(value: Any, lines: bool = False, sifted: Sifted | None = None) -> Folded:
    """`value` without tables."""
    return Folded(value, lines, sifted=sifted, holders=set(sifted.partial) if sifted else set())


def _place(value: Any, key: str, folded: Folded, min_gain: int = MIN_GAIN) -> Any:
    """`value` with its tables taken out: itself if it has none, else a copy."""
    if type(value) is list:
        if len(value) > 1 and (table := _table(value, key, folded, min_gain)) is not None:
            return _stand_in(table, folded)
        kinds = set(map(type, value))
        if dict not in kinds and list not in kinds:
            return value
        items = [_place(v, key, folded, min_gain) if type(v) is list or type(v) is dict else v for v in value]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return _held(items, value, folded) if changed else value
    if type(value) is dict:
        if len(value) > 2 and (table := _table(value, key, folded, min_gain)) is not None:
            return _stand_in(table, folded)
        members: dict[str, Any] | None = None
        for name, old in value.items():
            if type(old) is not list and type(old) is not dict:
                continue
            new = _place(old, name, folded, min_gain)
            if new is not old:
                members = dict(value) if members is None else members
                members[name] = new
        return value if members is None else _held(members, value, folded)
    return value


def _held(container: Any, old: Any, folded: Folded) -> Any:
    folded.holders.add(id(container))
    if folded.sifted is not None:
        folded.sifted.replace(old, container)
    return container


def _stand_in(table: Table, folded: Folded) -> msgspec.Raw:
    raw = msgspec.Raw(table.placeholder)
    folded.places[id(raw)] = table
    return raw


def _table(value: list[Any] | dict[str, Any], key: str, folded: Folded, min_gain: int) -> Table | None:
    keyed = isinstance(value, dict)
    rows: list[Any] = list(value.values()) if isinstance(value, dict) else value
    kind = type(rows[0])
    if (kind is not dict and (keyed or kind is not list)) or set(map(type, rows)) != {kind}:
        return None
    if folded.sifted is not None and not folded.sifted.partial.isdisjoint(map(id, rows)):
        return None
    sift = folded.sift_of(value)
    leaves: list[tuple[str, list[Any]]] = []
    if not split(rows, "", leaves, 0, not keyed) or len(leaves) > MAX_LEAVES or gain_of(leaves) < min_gain:
        return None
    count = len(rows)
    texts = [cell_texts(values) for _, values in leaves]
    same = [column.count(column[0]) == count for column in texts]
    if sift is not None:
        count = sift.total
        same = [flag and sift.is_constant(path, cells[0]) for flag, (path, _), cells in zip(same, leaves, texts, strict=True)]
    if all(same) and not keyed:
        same[0] = False  # a table without columns would have no lines to count
    if same.count(False) > MAX_VARYING:
        return None
    is_whole = not key and not folded.tables and (value is folded.root)
    table = Table("" if is_whole else _name(key, folded), count, keyed, [], [], [], sift=sift)
    folded.tables.append(table)
    if keyed:
        table.header.append(KEY_COLUMN)
        table.cells.append([string_cell(name) for name in value])
    known = _Columns(table) if sift is None else None
    for (path, values), cells, constant in zip(leaves, texts, same, strict=True):
        if constant:
            table.constants.append((path, cells[0]))
            continue
        if known is not None and (twin := known.twin(path, cells)):
            table.constants.append((path, f"[same as {twin}]"))
            continue
        column = len(table.header)
        table.header.append(path)
        if len(max(cells, key=len)) > LONG_CELL // 2:
            values, cells = _nested(path, values, cells, folded)
            table.values[column] = values
        table.cells.append(cells)
    return table


class _Columns:
    """The columns of a table so far, by their first and last cells: some repeat another one, as an id repeats a key."""

    def __init__(self, table: Table) -> None:
        self._by_ends: dict[tuple[str, str], list[tuple[str, list[str]]]] = {}
        for name, cells in zip(table.header, table.cells, strict=True):  # the keys, if it has any
            self._by_ends[cells[0], cells[-1]] = [(name, cells)]

    def twin(self, path: str, cells: list[str]) -> str:
        """The name of an earlier column with the same cells, if that is shorter; else "", and this column is known."""
        alike = self._by_ends.setdefault((cells[0], cells[-1]), [])
        for name, others in alike:
            if cells == others:
                return name if sum(map(len, cells)) >= len(name) + MIN_TWIN else ""
        alike.append((path, cells))
        return ""


def _nested(path: str, values: list[Any], cells: list[str], folded: Folded) -> tuple[list[Any], list[str]]:
    """A column of long cells, with the tables that stand in them taken out."""
    key = path.rsplit(".", 1)[-1]
    placed = [_place(v, key, folded, MIN_CELL_GAIN) if len(c) > LONG_CELL // 2 else v for v, c in zip(values, cells, strict=True)]
    texts = [old if new is value else write(new) for new, value, old in zip(placed, values, cells, strict=True)]
    return placed, texts


def _name(key: str, folded: Folded) -> str:
    base = key if key and len(key) <= 30 and key_text(key) == key else "t"
    name = base
    while name in folded.names:
        folded.names[base] += 1
        name = f"{base}-{folded.names[base]}"
    folded.names[name] = 1
    return name


def split(rows: Sequence[Any], path: str, leaves: list[tuple[str, list[Any]]], depth: int, lists: bool = True) -> bool:
    """Append the leaf columns of `rows` (all of one kind, or MISSING) to `leaves`; False if they are too unlike."""
    present = [row for row in rows if row is not MISSING] if depth else rows
    if type(present[0]) is list:
        return lists and _split_lists(rows, present, path, leaves, depth)
    first = present[0].keys()
    alike = all(row.keys() == first for row in present)
    keys = list(first if alike else dict.fromkeys(chain.from_iterable(present)))
    if not keys or len(leaves) + len(keys) > MAX_LEAVES:
        return False
    if not alike and (sum(map(len, present)) < MIN_FILL * len(keys) * len(present) or (depth and not all(present))):
        return False
    dotted = path + "." if path else ""
    for key in keys:
        if alike and len(present) == len(rows):
            values = [row[key] for row in rows]
        else:
            values = [MISSING if row is MISSING else row.get(key, MISSING) for row in rows]
        _column(values, dotted + key_text(key), leaves, depth)
    return True


def _split_lists(rows: Sequence[Any], present: Sequence[Any], path: str, leaves: list[tuple[str, list[Any]]], depth: int) -> bool:
    length = len(present[0])
    longest = MAX_SPLIT if depth else 2 * MAX_SPLIT
    if not (1 if depth else 2) <= length <= longest or any(len(row) != length for row in present):
        return False
    for index in range(length):
        values = [MISSING if row is MISSING else row[index] for row in rows]
        _column(values, f"{path}[{index}]", leaves, depth)
    return True


def _column(values: list[Any], path: str, leaves: list[tuple[str, list[Any]]], depth: int) -> None:
    kinds = set(map(type, values))
    kinds.discard(object)
    if depth < MAX_NESTING and (kinds == {dict} or kinds == {list}):
        mark = len(leaves)
        if split(values, path, leaves, depth + 1):
            return
        del leaves[mark:]
    leaves.append((path, values))


def gain_of(leaves: list[tuple[str, list[Any]]]) -> int:
    """Characters saved: a key with its quotes and colon in every row but the first, less a comma where it is missing."""
    gain = -FRAME
    for path, values in leaves:
        key = len(path) - path.rfind(".") - 1
        absent = values.count(MISSING)
        saved = 1 if path[-1] == "]" else key + 3  # an item of a list has no key, and shares its brackets
        gain += (len(values) - absent - 1) * saved - absent - (len(path) - key)
    return gain


_WORDS = {True: "true", False: "false", None: "null"}


def cell_texts(values: list[Any]) -> list[str]:
    kinds = set(map(type, values))
    if len(kinds) == 1:
        kind = next(iter(kinds))
        if kind is str:
            return string_cells(values)
        if kind is int:
            return list(map(str, values))
        if kind is msgspec.Raw:
            return [bytes(value).decode() for value in values]
        if kind is bool:
            return ["true" if value else "false" for value in values]
    return [cell_text(value) for value in values]


def cell_text(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return string_cell(value)
    if kind is int:
        return str(value)
    if value is MISSING:
        return ""
    return _WORDS[value] if kind is bool or value is None else write(value)
