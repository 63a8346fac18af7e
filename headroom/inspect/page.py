"""The frame of a page: one file, no script, nothing from elsewhere, light and dark. Whatever is shown is escaped here."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Link(NamedTuple):
    """A cell of a table that leads elsewhere on the page."""

    words: str
    to: str


Cell = str | Link


@cache
def style() -> str:
    """The style of all pages."""
    return files("headroom.inspect").joinpath("page.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """The content security policy: nothing may run or be loaded, only this very style applies."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def document(title: str, body: str) -> str:
    """A whole page. `title` is text, `body` is HTML."""
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{text(title)}</title>",
        '<link rel="icon" href="data:,">',
        f"<style>{style()}</style>",
    ]
    lines = ["<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", f"<main>{body}</main>", "</body>", "</html>"]
    return "\n".join(lines) + "\n"


def text(value: object) -> str:
    """Any text as HTML. What no page may hold, or nobody can see, becomes a sign for it: control characters, marks that
    turn the direction of writing (a text could hide behind them), lone surrogates.
    """
    return html.escape(str(value).translate(_UNREADABLE))


def totals(figures: list[tuple[str, str]]) -> str:
    """A row of large figures with their names."""
    return f'<dl class="totals">{"".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in figures)}</dl>'


def table(name: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]], foot: Sequence[Cell] = (), *, texts: int = 1) -> str:
    """A table of texts; every column but the first `texts` holds figures. `name`: for those who do not see it."""
    head = "".join(f'<th scope="col"{_figure(place, texts)}>{text(heading)}</th>' for place, heading in enumerate(headings))
    body = "".join(_row(row, texts) for row in rows)
    end = f"<tfoot>{_row(foot, texts)}</tfoot>" if foot else ""
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{end}</table>"
    return f'<div class="scroll" role="region" aria-label="{text(name)}" tabindex="0">{whole}</div>'


def _row(row: Sequence[Cell], texts: int) -> str:
    first, *others = [_cell(cell) for cell in row]
    cells = "".join(f"<td{_figure(place, texts)}>{cell}</td>" for place, cell in enumerate(others, 1))
    return f'<tr><th scope="row">{first}</th>{cells}</tr>'


def _cell(cell: Cell) -> str:
    return f'<a href="{text(cell.to)}">{text(cell.words)}</a>' if isinstance(cell, Link) else text(cell)


def share(saved: int, before: int) -> str:
    """A share in percent; "-" if nothing was saved."""
    return f"{saved / before:.0%}" if saved > 0 and before > 0 else "-"


def _figure(place: int, texts: int) -> str:
    return ' class="n"' if place >= texts else ""


_TURNING = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_UNREADABLE: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"},
    127: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "�"),
    **{code: f"⟨U+{code:04X}⟩" for code in _TURNING},
}
