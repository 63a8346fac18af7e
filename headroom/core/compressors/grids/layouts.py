"""Reading tables that were laid out for people: cells by their columns, whatever drew them.

Known layouts: bars and rules (psql, mysql, Markdown, box drawing), columns aligned by blanks, separated values.
Every reader is linear, and gives up (None) rather than guess where a cell ends.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

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
_STRETCHES = re.compile(r"[-=:]+")
_WORD = re.compile(r"\S+")
_GOES_ON = ("+", ".", "↵", "…")
"""What psql writes right before a bar, where a cell without more to come has a blank."""
LEAST_DASHES = 3
"""... of a rule under a header; fewer are cells without a value."""


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


def bars(lines: Sequence[str], start: int, end: int) -> tuple[Grid, int] | None:
    """The table between bars that begins at `start`, and the number of lines it takes; None if its rows are not sure.

    A rule stands above the header (or nowhere), below it, and at the end, or else between all rows. Rows that are several
    lines high and rows that differ in width are not guessed at. What looks like a rule anywhere else is a row of dashes.
    """
    top = is_rule(lines[start].strip())
    at = start + top
    if at + 1 >= end or not has_bar(lines[at]) or not (is_rule(lines[at + 1].strip()) if top else rules_off(lines[at + 1].strip())):
        return None
    header = _BARS.sub("|", lines[at].strip())
    outer = header.startswith("|") and header.endswith("|")
    names = _cells_between_bars(lines[at], outer)
    if names is None or not 2 <= len(names) <= MAX_COLUMNS or not all(names) or any("|" in name for name in names):
        return None
    rule = lines[at + 1].strip()
    read = _rows_between_bars(lines, at + 2, end, (rule if top or not has_bar(rule) else ""), (len(names), outer))
    if read is None or len(read[0]) < LEAST_ROWS:
        return None
    rows, used = read
    return Grid(names, [list(column) for column in zip(*rows, strict=True)], "|"), used - start


def rules_off(line: str) -> bool:
    """Whether the line below a header without a rule above is one; a dash or two in each cell are a row without values."""
    if not is_rule(line):
        return False
    return not line.isascii() or all(":" in part or len(part) >= LEAST_DASHES for part in _STRETCHES.findall(line))


def _rows_between_bars(lines: Sequence[str], at: int, end: int, rule: str, shape: tuple[int, bool]) -> tuple[list[list[str]], int] | None:
    """(rows, the line after them). `rule` is the one under the header, "" where no other can follow (Markdown)."""
    rows: list[list[str]] = []
    heights: list[int] = []
    """Lines between two rules."""
    height = 0
    while at < end:
        line = lines[at]
        if rule and _repeats(line.strip(), rule):
            if not height:
                break  # two in a row: the next table begins
            heights.append(height)
            height = 0
        elif has_bar(line):
            cells = _cells_between_bars(line, shape[1])
            if cells is None or len(cells) != shape[0]:
                return None
            rows.append(cells)
            height += 1
        else:
            break
        at += 1
    if height:
        heights.append(height)
    return (rows, at) if len(heights) == 1 or set(heights) == {1} else None


def _repeats(line: str, rule: str) -> bool:
    """Whether a line is a rule of the table that has `rule` under its header."""
    if not is_rule(line):
        return False
    return line == rule if has_bar(rule) else not has_bar(line)


def _cells_between_bars(line: str, outer: bool) -> list[str] | None:
    """The cells of a row; None if it is not closed by bars as its header is (`outer`), or goes on in the next line (psql)."""
    line = line.strip() if outer else line.rstrip("\r\n")
    if not line.isascii():
        line = _BARS.sub("|", line)
    if outer:
        if len(line) < 2 or line[0] != "|" or line[-1] != "|" or line.endswith("\\|"):
            return None
        line = line[1:-1]
    cells = line.split("|") if "\\" not in line else _BAR.split(line)
    if not outer and any(cell.endswith(_GOES_ON) for cell in cells):
        return None
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
    if _underlines(rows[0], header):
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


def _underlines(line: str, header: str) -> bool:
    """Whether a line is a rule under a header: one stretch, or at least one below the whole of each name."""
    if not is_rule(line.strip()):
        return False
    stretches = list(_WORD.finditer(line))
    if len(stretches) > 1:
        names = _NAMES.finditer(header.rstrip())
        spans = [(stretch.start(), stretch.end()) for stretch in stretches]
        if not all(any(start <= name.start() and name.end() <= end for start, end in spans) for name in names):
            return all(end - start >= LEAST_DASHES for start, end in spans)
    return any(stretch.end() - stretch.start() >= LEAST_DASHES for stretch in stretches)


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
    """Columns by counting words, the last one takes the rest; only under a header in capitals (ps, top).

    A cell without a value would move all others: so each word must stand where its name does.
    """
    names = list(_WORD.finditer(header))
    if len(names) < 4 or header.upper() != header:
        return None
    columns: list[list[str]] = [[] for _ in names]
    for row in rows:
        cells = _under(names, row)
        if cells is None:
            return None
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    return Grid([name[0] for name in names], columns, "aligned")


def _under(names: list[re.Match[str]], row: str) -> list[str] | None:
    """The words of a row, the last cell taking the rest, if each stands at the place of its name and of no other one."""
    words = list(islice(_WORD.finditer(row), len(names)))
    if len(words) != len(names):
        return None
    end = -1
    for index, (name, word) in enumerate(zip(names, words, strict=True)):
        following = names[index + 1].start() if index + 1 < len(names) else len(row)
        if word.start() >= name.end() or word.end() <= name.start() or word.start() < end or word.end() > max(following, name.end()):
            return None
        end = name.end()
    return [*(word[0] for word in words[:-1]), row[words[-1].start() :].rstrip()]


class Lines:
    """The lines of a text, for tables to be read from them at any place, in time that grows with the text.

    A quoted cell may hold blank lines, so its table is read past them. `spare` counts how many lines may still be read in
    vain, in all: a quote that nobody closes must not cost the rest of the text again and again.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.spare = len(lines) + 1_000


def separated(text: Lines, start: int, end: int) -> tuple[Grid, int] | None:
    """The table of separated values that begins at `start`, and the number of lines it takes; or None.

    `end` is the next blank line.
    """
    delimiter = delimiter_of(text.lines[start : min(end, start + 6)])
    if not delimiter:
        return None
    rows: list[list[str]] = []
    width = text.lines[start].count(delimiter) + 1
    at = start
    while at < end and '"' not in text.lines[at]:
        cells = text.lines[at].split(delimiter)
        if len(cells) != width:
            break
        rows.append(cells)
        at += 1
    if at < end and '"' in text.lines[at]:
        read = _read_quoted(text, start, end, delimiter)
        if read is None:
            return None
        rows, at = read
    if len(rows) < LEAST_ROWS + 1 or not 2 <= len(rows[0]) <= MAX_COLUMNS:
        return None
    names = rows[0] if _names_columns(rows[0]) or _names_an_index(rows) else []
    return Grid(names, [list(column) for column in zip(*rows[len(names) > 0 :], strict=True)], delimiter), at - start


def _read_quoted(text: Lines, start: int, end: int, delimiter: str) -> tuple[list[list[str]], int] | None:
    """(rows, the line after them)."""
    rows: list[list[str]] = []
    last = len(text.lines) if text.spare > 0 else end
    reader = csv.reader((text.lines[at] + "\n" for at in range(start, last)), delimiter=delimiter, strict=True)
    used = 0
    try:
        for cells in reader:
            if not cells or (rows and len(cells) != len(rows[0])):
                break
            rows.append(cells)
            used = reader.line_num
    except csv.Error:  # a quote inside a cell, a NUL, a cell larger than the reader takes: not ours to guess
        used = 0
    text.spare -= reader.line_num - (used if len(rows) > LEAST_ROWS else 0)
    return (rows, start + used) if used else None


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


def _names_an_index(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names all columns but the first, which counts the others from 0."""
    first, *names = rows[0]
    return not first and _names_columns(names) and all(row[0] == str(number) for number, row in enumerate(rows[1:]))


def _names_column(cell: str) -> bool:
    if not cell or len(cell) > 60 or "\n" in cell or "|" in cell:
        return False
    return _NUMBER.fullmatch(cell) is None and _NAME_START.match(cell.lstrip('"')) is not None
