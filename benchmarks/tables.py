"""Numbers as Markdown: on the screen, or between two markers of a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns of numbers after the first are set to the right. `|` in a cell is escaped."""
    lines = [head, ["---", *(_side([row[column] for row in rows]) for column in range(1, len(head)))], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _side(cells: Sequence[str]) -> str:
    return "---:" if any(cells) and all(cell[:1] in "0123456789-–" or not cell for cell in cells) else "---"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table under a heading."""
    print(f"\n### {title}\n\n{markdown(head, rows)}")
    sys.stdout.flush()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the others lie below; nan of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def percent(share: float, digits: int = 1) -> str:
    """0.4567 -> "45.7"."""
    return f"{100 * share:.{digits}f}"


def clipped(text: str, length: int) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def write_between(page: Path, name: str, text: str) -> None:
    """Put `text` between the lines `<!-- name -->` and `<!-- end of name -->` of `page`. ValueError if they are missing."""
    before, begin, rest = page.read_text().partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for {name}")
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")
