"""Tables laid out for people or as separated values: padding, rules and constant columns cost tokens and say nothing.

    STATUS=Running in all rows and padding around the cells go; what is left is one of

        NAME RESTARTS AGE           one blank, where no cell but the last one of a row holds a blank
        NAME,RESTARTS,AGE           comma-separated values, quoted where a cell needs it
        NAME|RESTARTS|AGE           bars, where cells hold commas or stood between bars before

The header tells which: a bar in it, else a comma, else blanks.
"""

from __future__ import annotations

from headroom.core.compressors.grids import layouts
from headroom.core.compressors.grids.layouts import Grid, Lines
from headroom.core.compressors.grids.rows import Part, Sheet, shorten
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import ContentKind, Request, Shortened

MAX_OUTSIDE = 0.3
"""Share of a text that may stand outside its tables."""
FOOTER = 40
"""... beside a few words: "(3 rows)", a command's echo."""
HEAD_LINES = 12
"""Lines before the first table in which `claims` looks for it."""


class Tables:
    """Rows and columns, however they are drawn."""

    kind: ContentKind = "tables"

    def claims(self, sample: Sample) -> bool:
        """A table begins within the first lines and goes on through the sample."""
        lines = [line.rstrip() for line in sample.lines]
        if len(sample.text) > len(sample.head):
            lines = lines[:-1]  # the last one may be cut
        if len(lines) <= layouts.LEAST_ROWS or sample.first in ("{", "[", "<"):
            return False
        parts = _parts(lines[:80], HEAD_LINES)
        return parts is not None and _outside(parts) <= MAX_OUTSIDE

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; digest by rows if the fold is over the allowance. See `Compressor.compress`."""
        lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
        parts = _parts(lines, len(lines))
        if parts is None or _outside(parts) > MAX_OUTSIDE:
            return None
        encoded: list[Part] = [part if isinstance(part, str) else sheet_of(part) for part in parts]
        folded_size = sum(estimate(part) if isinstance(part, str) else sum(len(row) + 1 for row in part.rows) * 5 // 18 for part in encoded)
        allowance = None if request.lossless else request.allowance(folded_size)
        return shorten(encoded, text, _fold_note(parts, encoded), request.query, allowance)


def _fold_note(parts: list[str | Grid], encoded: list[Part]) -> str:
    grids = [part for part in parts if isinstance(part, Grid)]
    note = f"{sum(grid.count for grid in grids):,} rows"
    if any(grid.layout in ("|", "aligned") for grid in grids):
        note += " without padding"
    constants = sum(len(grid.columns) for grid in grids) - sum(len(part.columns) for part in encoded if isinstance(part, Sheet))
    return f"{note}, {constants} constant column{'s' * (constants != 1)} stated once" if constants else note


def _outside(parts: list[str | Grid]) -> float:
    """The share of characters outside of tables."""
    outside = sum(len(part) + 1 for part in parts if isinstance(part, str))
    inside = sum(sum(map(len, column)) + part.count for part in parts if isinstance(part, Grid) for column in part.columns)
    return max(0, outside - FOOTER) / (outside + inside) if inside else 1.0


def _parts(lines: list[str], search: int) -> list[str | Grid] | None:
    """The text as tables and the lines between them; None if there is no table. A table must begin in the first `search` lines."""
    parts: list[str | Grid] = []
    text = Lines(lines)
    found = False
    start = end = 0
    while start < len(lines):
        if not found and start > search:
            return None
        if not lines[start].strip():
            parts.append("")
            start += 1
            continue
        fresh = start >= end
        if fresh:
            end = start + 1
            while end < len(lines) and lines[end].strip():
                end += 1
        block = _block(text, start, end, fresh)
        if block is None:
            parts.extend(lines[start:end])
            start = end
        else:
            found = True
            parts.extend(block[0])
            start = block[1]
    return parts if found else None


def _block(text: Lines, start: int, end: int, fresh: bool) -> tuple[list[str | Grid], int] | None:
    """The first table in lines without a blank one between, the lines before it, and the line after it."""
    for at in range(start, min(start + 4, end - layouts.LEAST_ROWS)):
        read = _table_at(text, at, end, fresh)
        if read is not None:
            grid, used = read
            return [*text.lines[start:at], grid], at + used
    return None


def _table_at(text: Lines, at: int, end: int, fresh: bool) -> tuple[Grid, int] | None:
    first, second = text.lines[at], text.lines[at + 1]
    if layouts.is_rule(first.strip()) or (layouts.has_bar(first) and layouts.is_rule(second.strip())):
        drawn = layouts.bars(text.lines, at, end)
        if drawn is not None or layouts.rules_off(second.strip()):
            return drawn
    separated = layouts.separated(text, at, end)
    if separated is not None or not fresh:  # columns aligned by blanks are a block of their own
        return separated
    grid = layouts.aligned(text.lines[at:end])
    return (grid, end - at) if grid is not None else None


def sheet_of(grid: Grid) -> Sheet:
    """The fold of one table: constant columns once, one separator that no reader can mistake."""
    names, columns = grid.names, grid.columns
    constants = _constants(grid)
    if not names and (constants or (grid.layout != "," and _holds_bars(columns))):
        names = [f"c{number}" for number in range(1, len(columns) + 1)]
    if constants:
        heading = ["all rows: " + ",".join(_csv_cell(f"{names[i]}={columns[i][0]}") for i in constants)]
        names = [name for i, name in enumerate(names) if i not in constants]
        columns = [column for i, column in enumerate(columns) if i not in constants]
    else:
        heading = []
    separator = _separator(names, columns, grid.layout)
    header = [name or f"column {number}" for number, name in enumerate(names or [""] * len(columns), 1)]
    if separator == ",":
        names, columns = list(map(_csv_cell, names)), [_csv_cells(column) for column in columns]
    if names:
        heading.append(separator.join(names))
    return Sheet(heading, list(map(separator.join, zip(*columns, strict=True))), header, columns, separator)


def _constants(grid: Grid) -> frozenset[int]:
    """The columns that are the same in every row; two columns always stay, so that a row is still a row."""
    if grid.count < layouts.LEAST_ROWS:
        return frozenset()
    same = [index for index, column in enumerate(grid.columns) if column.count(column[0]) == len(column) and _can_be_stated(grid, index)]
    return frozenset(same[max(0, 2 - len(grid.columns) + len(same)) :])


def _can_be_stated(grid: Grid, index: int) -> bool:
    """NAME=value in one line has to be read back."""
    return not (grid.names and "=" in grid.names[index]) and "\n" not in grid.columns[index][0]


def _holds_bars(columns: list[list[str]]) -> bool:
    """Whether a bar between cells could be taken for one inside of them, or a line for a row."""
    return any("|" in cell or "\n" in cell or "\r" in cell for column in columns for cell in column)


def _separator(names: list[str], columns: list[list[str]], layout: str) -> str:
    if layout == "|":
        return "," if _holds_bars(columns) else "|"
    title = " ".join(names)
    plain_title = title.count(" ") == max(0, len(names) - 1) and "," not in title
    if layout == "aligned" and plain_title and all(map(_solid, columns[:-1])) and all(columns[-1]):
        return " "
    if layout == ",":
        return ","
    # bars spare the quotes that commas in cells would need
    quoted = any("," in cell or '"' in cell for column in columns for cell in column)
    return "|" if quoted and not _holds_bars([names, *columns]) else ","


def _solid(cells: list[str]) -> bool:
    return all(cells) and " " not in "\n".join(cells)


def _csv_cells(cells: list[str]) -> list[str]:
    body = "\n".join(cells)
    plain = "," not in body and '"' not in body and "\r" not in body and body.count("\n") == len(cells) - 1
    return cells if plain else list(map(_csv_cell, cells))


def _csv_cell(cell: str) -> str:
    if '"' in cell or "," in cell or "\n" in cell or "\r" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell
