"""The frame of a page: one file, no script, nothing from elsewhere, light and dark. Whatever is shown is escaped here."""

from __future__ import annotations

import base64
import hashlib
import html
from functools import cache
from importlib.resources import files


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
    lines = ["<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", body, "</body>", "</html>"]
    return "\n".join(lines) + "\n"


def text(value: object) -> str:
    """Any text as HTML. What no page may hold (lone surrogates, control characters) is replaced by a mark."""
    readable = str(value).encode("utf-8", "replace").decode("utf-8")
    return html.escape(readable.translate(_UNREADABLE))


def totals(figures: list[tuple[str, str]]) -> str:
    """A row of large figures with their names."""
    return f'<dl class="totals">{"".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in figures)}</dl>'


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A table of texts; every column but the first holds figures."""
    head = "".join(f'<th scope="col"{_figure(place)}>{text(name)}</th>' for place, name in enumerate(headings))
    lines = ["".join(f"<td{_figure(place)}>{text(cell)}</td>" for place, cell in enumerate(row)) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def share(saved: int, before: int) -> str:
    """A share in percent; "-" if nothing was saved."""
    return f"{saved / before:.0%}" if saved > 0 and before > 0 else "-"


def _figure(place: int) -> str:
    return ' class="n"' if place else ""


_UNREADABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "�")
