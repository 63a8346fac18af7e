"""Long cells that a table repeats, written once above its rows.

    repeated: [a]=arn:aws:iam::112233445566:role/nightly-backup,[b]={"days":[1,15],"zone":"Europe/Oslo"}
    id,role,schedule
    1,[a],[b]

`[a]` is no JSON value and no string stands bare behind a bracket, so nothing else can be taken for it. Only values
that are worth a look elsewhere are taken out: a category of one word reads better in its row.
"""

from __future__ import annotations

from collections import Counter
from string import ascii_lowercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headroom.core.compressors.records.table import Table

LEAST_CHARACTERS = 30
"""Of a cell."""
LEAST_GAIN = 60
"""Characters that one value must save."""
LABELS = [*(f"[{one}]" for one in ascii_lowercase), *(f"[{one}{two}]" for one in ascii_lowercase for two in ascii_lowercase)]


def labels_of(table: Table) -> dict[str, str]:
    """Cell -> its label, for the cells that are worth one, in the order of the columns."""
    counts: Counter[str] = Counter()
    for cells in table.cells:
        if len(max(cells, key=len)) >= LEAST_CHARACTERS:
            counts.update(cell for cell in cells if len(cell) >= LEAST_CHARACTERS)
    worthy = [cell for cell, times in counts.items() if _gain(cell, times) >= LEAST_GAIN]
    return dict(zip(worthy, LABELS, strict=False))


def _gain(cell: str, times: int) -> int:
    return (times - 1) * len(cell) - 4 * times - 6


def written(table: Table) -> list[str]:
    """The lines of the table, heading and rows; without labels if none is worth it."""
    labels = labels_of(table)
    if not labels:
        return [table.heading(), *table.rows()]
    line = "repeated: " + ",".join(f"{label}={cell}" for cell, label in labels.items())
    title = table.title() + ",".join(table.shared())
    head = [title.rstrip("\n")] if title else []
    rows = zip(*([labels.get(cell, cell) for cell in cells] for cells in table.cells), strict=True)
    return [*head, line, ",".join(table.header), *map(",".join, rows)]
