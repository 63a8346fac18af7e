"""Reading tables that were laid out for people: cells by their columns, whatever drew them.

Known layouts: bars and rules (psql, mysql, Markdown, box drawing), columns aligned by blanks, separated values.
Every reader is linear, and gives up (None) rather than guess where a cell ends.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_COLUMNS = 200
MAX_HEADER = 4_000
LEAST_ROWS = 3

_RULE_CHARACTERS = frozenset("+-=|: \t─━═┼├┤┬┴┌┐└┘│┃╞╡╪╤╧╔╗╚╝╠╣╦╩╬╭╮╰╯┏┓┗┛┣┫┳┻╋║╟╢╫┡╇┩╂")
_RULE_INK = frozenset("-=─━═")
_BARS = re.compile(r"[│┃║]")
_BAR = re.compile(r"(?<!\\)\|")
_NAMES = re.compile(r"\S+(?: \S+)*")
_NAME_START = re.compile(r"[^\W\d]|[%#]")
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


@dataclass(slots=True)
class Grid:
    """A table as cells. `names` is empty if the table has no header."""

    names: list[str]
    columns: list[list[str]]
    layout: str
    """"aligned", or what stood between the cells: "|", ",", ";" or a tab."""

    @property
    def count(self) -> int:
        """Rows."""
        return len(self.columns[0])


def is_rule(line: str) -> bool:
    """Whether a line only draws: +----+, |:--|--:|, ├───┼."""
    return len(line) > 2 and line[0] in _RULE_CHARACTERS and _RULE_CHARACTERS.issuperset(line) and not _RULE_INK.isdisjoint(line)


def has_bar(line: str) -> bool:
    """Whether a line could be a row between bars."""
    return "|" in line or "│" in line or "┃" in line or "║" in line


def bars(block: Sequence[str]) -> Grid | None:
    """The table of a block of lines in which every line is a rule or has bars; None if rows differ in width."""
    rows: list[list[str]] = []
    rule_at = -1
    for line in block:
        if is_rule(line.strip()):
            if rows and rule_at < 0:
                rule_at = len(rows)
        else:
            rows.append(_cells_between_bars(line))
    if rule_at != 1 or len(rows) < LEAST_ROWS + 1:
        return None
    width = len(rows[0])
    if not 2 <= width <= MAX_COLUMNS or not all(rows[0]) or any(len(row) != width for row in rows):
        return None
    return Grid(rows[0], [list(column) for column in zip(*rows[1:], strict=True)], "|")


def _cells_between_bars(line: str) -> list[str]:
    line = line.strip()
    if not line.isascii():
        line = _BARS.sub("|", line)
    if line.startswith("|"):
        line = line[1:]
        if line.endswith("|") and not line.endswith("\\|"):
            line = line[:-1]
    cells = line.split("|") if "\\" not in line else _BAR.split(line)
    return [cell.strip() for cell in cells]


def aligned(block: Sequence[str], least: int = LEAST_ROWS) -> Grid | None:
    """The table of a block whose first line is a header over columns aligned by blanks; None if they do not line up."""
    header = block[0]
    if len(block) < least + 1 or len(header) > MAX_HEADER or "\t" in header:
        return None
    names = list(_NAMES.finditer(re.sub(r"\s+\Z", "", header)))
    if not _is_header([name[0] for name in names]):
        return None
    rows = block[1:]
    if is_rule(rows[0].strip()):
        rows = rows[1:]
    if len(rows) < least:
        return None
    grid = _left_aligned(names, rows) or _gutters(header, rows) or _words(header, rows)
    if grid is not None and any(name in column for name, column in zip(grid.names, grid.columns, strict=True)):
        # a value that the column has again further down names nothing: a table without a header
        for name, column in zip(grid.names, grid.columns, strict=True):
            column.insert(0, name)
        grid.names = []
    return grid


def _is_header(names: Sequence[str]) -> bool:
    if not 2 <= len(names) <= MAX_COLUMNS:
        words = names[0].split() if len(names) == 1 else []
        if len(words) < 3:
            return False
        names = words
    if any(_NAME_START.match(name) is None or name.endswith((":", ",", ";", "{", ".")) or "|" in name or len(name) > 60 for name in names):
        return False
    return len(names) > 2 or all(name.upper() == name for name in names)


def _left_aligned(names: list[re.Match[str]], rows: Sequence[str]) -> Grid | None:
    """Columns that start where their names start, at least two blanks apart."""
    if len(names) < 2:
        return None
    starts = [name.start() for name in names]
    if starts[0] or any("\t" in row for row in rows):
        return None
    bounds = list(zip(starts, [*starts[1:], None], strict=True))
    later = starts[1:]
    columns: list[list[str]] = [[] for _ in names]
    for row in rows:
        if row[:1] == " " or not row:
            return None
        for start in later:
            if row[start - 2 : start].strip(" "):
                return None
        for column, (start, end) in zip(columns, bounds, strict=True):
            column.append(row[start:end].strip(" "))
    if any("  " in cell for column in columns for cell in column):
        return None
    return Grid([name[0] for name in names], columns, "aligned")


def _gutters(header: str, rows: Sequence[str]) -> Grid | None:
    """Columns between the places that are blank in every line."""
    width = max(map(len, [header, *rows]))
    blank = [at for at, character in enumerate(header) if character == " "]
    for row in rows:
        if "\t" in row:
            return None
        end = len(row)
        blank = [at for at in blank if at >= end or row[at] == " "]
        if not blank:
            return None
    bounds = _bounds(header, set(blank), width)
    if not 3 <= len(bounds) <= MAX_COLUMNS or len(bounds) < 0.7 * len(header.split()):
        return None
    names = [header[start:end].strip() for start, end in bounds]
    columns = [[row[start:end].strip(" ") for row in rows] for start, end in bounds]
    if any("  " in cell for column in columns[:-1] for cell in column):
        return None
    return Grid(names, columns, "aligned")


def _bounds(header: str, blank: set[int], width: int) -> list[tuple[int, int | None]]:
    """(start, end) of each column; what has no name belongs to the column before it."""
    starts = [at for at in range(len(header)) if at not in blank and (at == 0 or at - 1 in blank)]
    ends = [*starts[1:], width]
    named = [start for start, end in zip(starts, ends, strict=True) if header[start:end].strip()]
    if named:
        named[0] = 0
    return list(zip(named, [*named[1:], None], strict=True))


def _words(header: str, rows: Sequence[str]) -> Grid | None:
    """Columns by counting words, the last one takes the rest; only under a header in capitals (ps, top)."""
    names = header.split()
    last = len(names) - 1
    if len(names) < 4 or header.upper() != header:
        return None
    split = [row.split(None, last) for row in rows]
    if any(len(cells) != len(names) for cells in split):
        return None
    columns = [list(column) for column in zip(*split, strict=True)]
    columns[-1] = [cell.rstrip() for cell in columns[-1]]
    return Grid(names, columns, "aligned")


def separated(lines: Sequence[str]) -> tuple[Grid, int] | None:
    """The table of separated values that begins with the first line, and the number of lines it takes; or None."""
    delimiter = delimiter_of(lines[:6])
    if not delimiter:
        return None
    width = 0
    rows: list[list[str]]
    if any('"' in line for line in lines):
        read = _read_quoted(lines, delimiter)
        if read is None:
            return None
        rows, used = read
        width = len(rows[0])
    else:
        rows = []
        width = lines[0].count(delimiter) + 1
        used = 0
        for line in lines:
            cells = line.split(delimiter)
            if len(cells) != width:
                break
            rows.append(cells)
            used += 1
    if len(rows) < LEAST_ROWS + 1 or not 2 <= width <= MAX_COLUMNS:
        return None
    names = rows[0] if _names_columns(rows[0]) else []
    return Grid(names, [list(column) for column in zip(*rows[len(names) > 0 :], strict=True)], delimiter), used


def _read_quoted(lines: Sequence[str], delimiter: str) -> tuple[list[list[str]], int] | None:
    rows: list[list[str]] = []
    reader = csv.reader([line + "\n" for line in lines], delimiter=delimiter, strict=True)
    used = 0
    try:
        for cells in reader:
            if not cells or (rows and len(cells) != len(rows[0])):
                break
            rows.append(cells)
            used = reader.line_num
    except csv.Error:  # a quote inside a cell, a NUL, a cell larger than the reader takes: not ours to guess
        return None
    return (rows, used) if rows else None


def delimiter_of(lines: Sequence[str]) -> str:
    """What separates the values of `lines`; "" if nothing does so surely."""
    if len(lines) < LEAST_ROWS + 1:
        return ""
    for delimiter in "\t,;|":
        counts = [_count(line, delimiter) for line in lines[:5]]
        if not counts[0] or min(counts) != max(counts):
            continue
        if counts[0] >= 2 or _names_columns(lines[0].split(delimiter)):
            return delimiter if _looks_separated(lines[:5], delimiter) else ""
    return ""


def _count(line: str, delimiter: str) -> int:
    """Delimiters outside quotes."""
    if '"' not in line:
        return line.count(delimiter)
    return sum(part.count(delimiter) for part in line.split('"')[::2])


def _looks_separated(lines: Sequence[str], delimiter: str) -> bool:
    """Prose and code have delimiters too, followed by blanks, in brackets, at the ends of lines."""
    if delimiter == "\t":
        return True
    spaced = sum(line.count(delimiter + " ") for line in lines)
    if spaced > 0.3 * sum(line.count(delimiter) for line in lines) or any(line[:1] in " \t([{<#/*" for line in lines):
        return False
    return not all(line.rstrip().endswith((delimiter, "{", "(", "}")) for line in lines)


def _names_columns(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) and all(map(_names_column, cells))


def _names_column(cell: str) -> bool:
    if not cell or len(cell) > 60 or "\n" in cell or "|" in cell:
        return False
    return _NUMBER.fullmatch(cell) is None and _NAME_START.match(cell.lstrip('"')) is not None
