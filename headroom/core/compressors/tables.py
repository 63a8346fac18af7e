"""Tables laid out for people or as separated values: padding, rules and constant columns cost tokens and say nothing.

    STATUS=Running in all rows and padding around the cells go; what is left is one of

        NAME RESTARTS AGE           one blank, where no cell but the last one of a row holds a blank
        NAME,RESTARTS,AGE           comma-separated values, quoted where a cell needs it
        NAME|RESTARTS|AGE           bars, where cells hold commas or stood between bars before

The header tells which: a bar in it, else a comma, else blanks.
"""

from __future__ import annotations

from headroom.core.compressors.grids import layouts
from headroom.core.compressors.grids.layouts import Grid
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
    found = False
    start = 0
    while start < len(lines):
        if not found and start > search:
            return None
        if not lines[start].strip():
            parts.append("")
            start += 1
            continue
        end = start + 1
        while end < len(lines) and lines[end].strip():
            end += 1
        block = _block(lines[start:end], lines[start:])
        if block is None:
            parts.extend(lines[start:end])
            start = end
        else:
            found = True
            parts.extend(block[0])
            start += block[1]
    return parts if found else None


def _block(block: list[str], rest: list[str]) -> tuple[list[str | Grid], int] | None:
    """The table in a block of lines without a blank one between, the lines around it, and how many lines that takes."""
    for start in range(min(4, len(block) - layouts.LEAST_ROWS)):
        read = _table_at(block[start:], rest[start:])
        if read is not None:
            grid, used = read
            return [*block[:start], grid], start + used
    return None


def _table_at(block: list[str], rest: list[str]) -> tuple[Grid, int] | None:
    if layouts.is_rule(block[0].strip()) or (layouts.has_bar(block[0]) and layouts.is_rule(block[1].strip())):
        end = 0
        while end < len(block) and (layouts.has_bar(block[end]) or layouts.is_rule(block[end].strip())):
            end += 1
        grid = layouts.bars(block[:end])
        return (grid, end) if grid is not None else None
    separated = layouts.separated(rest if '"' in block[0] or '"' in block[1] else block)
    if separated is not None:
        return separated
    grid = layouts.aligned(block)
    return (grid, len(block)) if grid is not None else None


def sheet_of(grid: Grid) -> Sheet:
    """The fold of one table: constant columns once, one separator that no reader can mistake."""
    names, columns = grid.names, grid.columns
    constants = _constants(grid)
    if constants and not names:
        names = [f"c{number}" for number in range(1, len(columns) + 1)]
    if constants:
        heading = ["all rows: " + ",".join(_csv_cell(f"{names[i]}={columns[i][0]}") for i in constants)]
        names = [name for i, name in enumerate(names) if i not in constants]
        columns = [column for i, column in enumerate(columns) if i not in constants]
    else:
        heading = []
    separator = _separator(names, columns, grid.layout)
    header = names or [f"column {number}" for number in range(1, len(columns) + 1)]
    if separator == ",":
        names, columns = list(map(_csv_cell, names)), [_csv_cells(column) for column in columns]
    if names:
        heading.append(separator.join(names))
    return Sheet(heading, list(map(separator.join, zip(*columns, strict=True))), header, columns, separator)


def _constants(grid: Grid) -> frozenset[int]:
    """The columns that are the same in every row; two columns always stay, so that a row is still a row."""
    if grid.count < layouts.LEAST_ROWS:
        return frozenset()
    same = [index for index, column in enumerate(grid.columns) if column.count(column[0]) == len(column)]
    return frozenset(same[max(0, 2 - len(grid.columns) + len(same)) :])


def _separator(names: list[str], columns: list[list[str]], layout: str) -> str:
    if layout == "|":
        return "|"
    title = " ".join(names)
    plain_title = title.count(" ") == max(0, len(names) - 1) and "," not in title
    if layout == "aligned" and plain_title and all(map(_solid, columns[:-1])) and all(columns[-1]):
        return " "
    if layout == ",":
        return ","
    body = "\n".join(["\n".join(column) for column in columns])
    # bars spare the quotes that commas in cells would need
    return "|" if ("," in body or '"' in body) and "|" not in body else ","


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
