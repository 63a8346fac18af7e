"""Rows of tables: one line each, every value in its own column.

    Pier | Hour | Price
    North | 8 | 10
    | | 9 | 12 |

A row that begins or ends with an empty cell has bars around it. A cell that goes on from the row above is `〃`, one
that is several columns wide is followed by empty ones. Lines inside a cell are parted by `<br>`. A row with a cell too
long for a line (pages that are laid out by tables) is written as blocks with a bar between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

DITTO = "〃"
LONGEST_CELL = 400
MOST_LINES = 6
MOST_COLUMNS = 64
"""Columns for which cells that span rows or columns are counted."""


@dataclass(slots=True)
class Table:
    """A table being read: the row, and the cells that reach into it from above."""

    cells: list[list[str]] = field(default_factory=list)
    """The lines of each cell that is not written yet."""
    slot: int = -1
    """Where the open cell begins: the number of a line that is kept free for what stands before it; -1: none is open."""
    own: int = 0
    """Cells of this row that the page names."""
    column: int = 0
    broken: bool = False
    """A part of the row is written already, as a block."""
    spans: dict[int, int] = field(default_factory=dict)
    """Column -> how many more rows its cell goes on."""
    rows: int = 1
    columns: int = 1
    """Of the open cell."""
    linked: bool = False
    """What the row holds is links and nothing else."""

    def begin(self, slot: int, columns: str, rows: str) -> None:
        """A cell begins; `columns` and `rows` as they are written in its attributes."""
        self.take_spanned()
        self.slot = slot
        self.own += 1
        self.columns = min(MOST_COLUMNS, _number(columns) or 1)
        self.rows = _number(rows) if rows.strip() else 1

    def take_spanned(self) -> None:
        """Pass the columns that are taken from above."""
        while self.spans.get(self.column, 0):
            self.cells.append([DITTO])
            self.column += 1

    def end(self, lines: list[str] | None, linked: bool = False) -> str | None:
        """The open cell ends; `lines`: what it holds, None if that is written already. Returns what stands before it.

        `linked`: that is links and nothing else.
        """
        before = None
        self.linked = linked and (self.own == 1 or self.linked)
        if lines is None:
            before = _row(self.cells, self.broken, True) if self.cells or self.broken else None
            self.cells = []
            self.broken = True
        else:
            self.cells.append(lines)
        first = self.column
        self.column += self.columns
        if self.rows != 1:
            more = self.rows - 1 if self.rows else 65_534  # 0: to the end of the group
            self.spans.update((column, more + 1) for column in range(first, self.column) if column < MOST_COLUMNS)
        self.cells += [[] for _ in range(self.columns - 1)]
        self.slot = -1
        return before

    def end_row(self) -> list[str]:
        """The lines of the row that are not written yet."""
        lines: list[str] = []
        if self.own:
            if self.columns > 1 and not self.spans.get(self.column, 0):
                del self.cells[1 - self.columns :]  # nothing follows the wide cell
            self.take_spanned()
            if self.own == 1 and len(self.cells) == 1 and not self.broken:
                lines = self.cells[0]
            elif any(self.cells):
                lines = [_row(self.cells, self.broken, False)]
            self.spans = {column: more - 1 for column, more in self.spans.items() if more > 1}
        self.cells, self.own, self.column, self.broken, self.columns = [], 0, 0, False, 1
        return lines


def _row(cells: Sequence[list[str]], after: bool, before: bool) -> str:
    """Cells as one line; `after`, `before`: a part of the row stands above or below it."""
    texts = [" <br> ".join(line.strip().replace("|", "\\|") for line in cell) for cell in cells]
    row = " | ".join(texts)
    if texts and (not texts[0] or not texts[-1]) and not after and not before:
        row = f"| {row} |"
    row = f"{'| ' * after}{row}{' |' * (before and bool(texts))}"
    return " ".join(row.split())


def _number(written: str) -> int:
    digits = written.strip()
    return min(int(digits), 65_534) if digits.isascii() and digits.isdigit() and len(digits) < 9 else 1
