"""The rows of an original, numbered as the gaps of a digest number them.

The readers that a digest was made with say here, too, what is a row: which line names columns, which only draws, where
a list of records begins. An original may hold several lists of rows, and then every one of them is named.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from headroom.core.compressors import tables
from headroom.core.compressors.grids import layouts, repr_scanner
from headroom.core.compressors.grids.layouts import Grid

MAX_DEPTH = 50
"""Levels of JSON in which lists are looked for."""
LEAST_KEYED = 3
"""Members of an object that is a table: fewer are never taken for one."""

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class RowList:
    """One list of rows, each verbatim."""

    name: str
    """Where it stands, "" if it is the whole original."""
    rows: Sequence[str]


def row_lists(text: str, least: int = 1) -> list[RowList]:
    """Every list in `text` with at least `least` rows, outermost and first ones first; [] if its rows are not known.

    Linear; never raises.
    """
    found = _of_json(text, least)
    if found is None:
        found = _of_reprs(text) or _of_tables(text)
    return [rows for rows in found if len(rows.rows) >= least]


# --- JSON ---------------------------------------------------------------------------------------------------------------


def _of_json(text: str, least: int) -> list[RowList] | None:
    """The lists of a JSON document or of JSON Lines; None if it is neither."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        data = text.encode()
        msgspec.json.decode(data, type=msgspec.Raw)
        return list(_walk(data.strip(_BLANKS), least))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        pass
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    try:
        for line in lines:
            msgspec.json.decode(line.encode(), type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    return [RowList("", lines)]


def _walk(data: bytes, least: int) -> Iterator[RowList]:
    """Level by level. What is too short for so many rows is not entered."""
    level = [("", data)]
    for _ in range(MAX_DEPTH):
        deeper: list[tuple[str, bytes]] = []
        for name, raw in level:
            is_object = raw[:1] == b"{"
            parts = _parts(name, raw)
            if _are_rows([value for _, _, value in parts], is_object):
                yield RowList(name, [(key + value).decode() for _, key, value in parts])
            deeper += [(inner, value) for inner, _, value in parts if value[:1] in (b"{", b"[") and len(value) > 2 * least]
        if not deeper:
            return
        level = deeper


def _parts(name: str, raw: bytes) -> list[tuple[str, bytes, bytes]]:
    """(name, key with its colon, value) of what stands in a container."""
    if raw[:1] == b"[":
        return [(f"{name}[{at}]", b"", bytes(item).strip(_BLANKS)) for at, item in enumerate(_ITEMS.decode(raw), 1)]
    dot = "." if name else ""
    members = _MEMBERS.decode(raw).items()
    return [(f"{name}{dot}{key}", msgspec.json.encode(key) + b": ", bytes(value).strip(_BLANKS)) for key, value in members]


def _are_rows(values: list[bytes], is_object: bool) -> bool:
    firsts = {value[:1] for value in values}
    if is_object:
        return len(values) >= LEAST_KEYED and firsts == {b"{"}
    return len(values) > 1


# --- what Python printed -------------------------------------------------------------------------------------------------


def _of_reprs(text: str) -> list[RowList]:
    read = repr_scanner.read(text)
    if read is None:
        return []
    if read.outer:
        places = repr_scanner._items(text, len(text) - len(text.lstrip()))
        rows = [text[first:last] for first, last, _ in places if first < last]
    else:
        rows = [line.strip() for line in text.split("\n") if line.strip()]
    return [RowList("", rows[: len(read.fields)])]


# --- tables ---------------------------------------------------------------------------------------------------------------


def _of_tables(text: str) -> list[RowList]:
    """The tables of a text, in the order in which a digest shows them; [] unless every line finds its place."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    parts = tables._parts(lines, len(lines))
    found: list[RowList] = []
    at = 0
    for part in parts or ():
        if isinstance(part, Grid):
            start = at + 1
            rows, at = _rows_of(part, lines, at)
            if len(rows) != part.count:
                return []
            found.append(RowList(f"the table from line {start}", rows))
            continue
        while at < len(lines) and lines[at].strip() != part.strip() and layouts.is_rule(lines[at].strip()):
            at += 1  # the lower end of the table above
        if at >= len(lines) or lines[at].strip() != part.strip():
            return []
        at += 1
    return [RowList("", found[0].rows)] if len(found) == 1 else found


def _rows_of(grid: Grid, lines: list[str], at: int) -> tuple[list[str], int]:
    """The lines of each row of the table that begins at line `at`, and the line after the last of them."""
    drawn = layouts.is_rule(lines[at].strip()) or (layouts.has_bar(lines[at]) and layouts.is_rule(lines[at + 1].strip()))
    if grid.layout == "|" and drawn:
        return _rows_between_rules(grid, lines, at)
    if grid.layout == "aligned":
        first = at + 1 if grid.names else at
        ruled = len(lines) - at > grid.count and layouts.is_rule(lines[at + 1].strip()) and _ends_after(lines, at, grid)
        rows = lines[at + 1 + ruled : at + 1 + ruled + grid.count]
        if not grid.names:
            rows = [lines[at], *rows[:-1]]
        return rows, first + ruled + grid.count
    return _separated_rows(grid, lines, at)


def _ends_after(lines: list[str], at: int, grid: Grid) -> bool:
    """Whether an aligned table, which takes all of its block, has a line more than its rows and its header."""
    end = at + bool(grid.names) + grid.count
    return end < len(lines) and bool(lines[end].strip())


def _rows_between_rules(grid: Grid, lines: list[str], at: int) -> tuple[list[str], int]:
    at += layouts.is_rule(lines[at].strip())
    rule = lines[at + 1].strip()
    at += 2
    rows: list[str] = []
    while at < len(lines) and len(rows) < grid.count:
        if lines[at].strip() != rule:
            rows.append(lines[at])
        at += 1
    return rows, at


def _separated_rows(grid: Grid, lines: list[str], at: int) -> tuple[list[str], int]:
    """Rows whose quoted cells may hold line ends."""
    reader = csv.reader((f"{line}\n" for line in islice(lines, at, None)), delimiter=grid.layout, strict=True)
    rows: list[str] = []
    start = at
    try:
        for _ in islice(reader, grid.count + bool(grid.names)):
            rows.append("\n".join(lines[start : at + reader.line_num]))
            start = at + reader.line_num
    except csv.Error:
        return [], start
    return rows[bool(grid.names) :], start
