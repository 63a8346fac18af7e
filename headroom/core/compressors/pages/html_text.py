"""The text that a reader of an HTML page sees, as Markdown: one pass, no tree.

Scripts, styles, forms, navigation, page footers, hidden elements and comments go; headings, paragraphs, lists with
their numbers, tables, preformatted, struck and raised text and the targets of links stay.
Broken markup reads as a browser would read it, more or less; it never raises.
"""

from __future__ import annotations

import re
from html import unescape

from headroom.core.compressors.pages.html_asides import FRAME, Asides
from headroom.core.compressors.pages.html_lists import Listing, raised
from headroom.core.compressors.pages.html_rows import LONGEST_CELL, MOST_LINES, Table
from headroom.core.compressors.pages.html_tags import BLOCKS, NAME, attributes_of, comment_end, tag_end

_BLANKS = re.compile(r"\s+")

HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### ", "title": "# "}
STRUCK = frozenset(("s", "del", "strike"))
ROWS = frozenset(("table", "thead", "tbody", "tfoot", "tr", "td", "th"))
LONG_TARGET = 160
"""Characters above which the target of a link is left out: tracking, not reading."""
LINK_RUN = 8
"""Lines that are nothing but links: from so many in a row, they are navigation."""


class _Page:
    """Lines of text, being written."""

    def __init__(self) -> None:
        self.lines: list[str | None] = []
        """None: a place that was kept free and is not needed."""
        self.line: list[str] = []
        self.prefix = ""
        self.lists: list[Listing] = []
        self.tables: list[Table] = [Table()]
        self.target: str | None = None
        self.link_at = 0
        self.linked = 0
        """Characters of the line that are the text of links."""
        self.bare_links: set[int] = set()
        """Lines that are links and nothing else."""
        self.preformatted = 0
        self.raised: tuple[str, int, int] | None = None
        """The open `sup` or `sub`, and where it begins: (name, line, piece of the line)."""

    def text(self, text: str) -> None:
        """Take in the text between two tags."""
        if "&" in text:
            text = unescape(text)
        if self.preformatted:
            parts = text.split("\n")
            for part in parts[:-1]:
                self.line.append(part)
                self._end_verbatim()
            self.line.append(parts[-1])
        elif text.strip():
            self.line.append(_BLANKS.sub(" ", text))
        elif text and self.line:
            self.line.append(" ")

    def _end_verbatim(self) -> None:
        self.lines.append("".join(self.line).rstrip())
        self.line = []

    def end_line(self, *, apart: bool = False) -> None:
        """End the line, if it holds anything; `apart`: a blank line follows."""
        if self.preformatted:
            self._end_verbatim()
            return
        text = _BLANKS.sub(" ", "".join(self.line)).strip()
        if text:
            if self.linked and self.linked >= 0.9 * len(text):
                self.bare_links.add(len(self.lines))
            self.lines.append(self.prefix + text)
            self.prefix = ""
        self.line = []
        self.linked = 0
        if apart and self.lines and self.lines[-1]:
            self.lines.append("")

    def open_link(self, attributes: str) -> None:
        """A link begins."""
        target = attributes_of(attributes).get("href", "").strip()
        useful = target and not target.startswith(("#", "javascript:", "data:")) and len(target) <= LONG_TARGET
        self.target = target if useful else None
        self.link_at = len(self.line)

    def close_link(self) -> None:
        """A link ends: its text becomes [text](target)."""
        text = _BLANKS.sub(" ", "".join(self.line[self.link_at :]))
        if self.target is not None and text.strip() and not self.preformatted:
            del self.line[self.link_at :]
            self.line.append(f"[{text.strip()}]({self.target})" + (" " if text.endswith(" ") else ""))
            self.linked += len(text.strip()) + len(self.target) + 4
        self.target = None

    def open_raised(self, tag: str) -> None:
        """A `sup` or `sub` begins; one inside another is read as part of it."""
        if self.raised is None:
            self.raised = (tag, len(self.lines), len(self.line))

    def close_raised(self, tag: str) -> None:
        """10<sup>5</sup> becomes 10⁵, and is not 105."""
        if self.raised is None or self.raised[0] != tag:
            return
        _, line, at = self.raised
        self.raised = None
        if line == len(self.lines) and at < len(self.line):
            self.line[at:] = [raised(tag, "".join(self.line[at:]))]

    def open_cell(self, attributes: str) -> None:
        """A cell begins; the one before it ends."""
        self.close_cell()
        self.end_line()
        said = attributes_of(attributes)
        self.tables[-1].begin(len(self.lines), said.get("colspan", ""), said.get("rowspan", ""))
        self.lines.append(None)

    def close_cell(self) -> None:
        """The open cell of the table ends, if there is one."""
        table = self.tables[-1]
        if table.slot < 0:
            return
        self.end_line()
        self.prefix = ""
        slot = table.slot
        inside: list[str] | None = None
        if len(self.lines) - slot <= 2 * MOST_LINES:
            inside = [line for line in self.lines[slot + 1 :] if line]
            if len(inside) > MOST_LINES or sum(map(len, inside)) > LONGEST_CELL or "```" in inside:
                inside = None
        if inside is None:
            self.lines[slot] = table.end(None)
            return
        links = sum(at in self.bare_links for at in range(slot + 1, len(self.lines)))
        self.bare_links.difference_update(range(slot, len(self.lines)))
        del self.lines[slot:]
        table.end(inside, links == len(inside))

    def end_row(self) -> None:
        """The row ends: what of it is not written yet is written as one line."""
        self.close_cell()
        self.end_line()
        table = self.tables[-1]
        linked = table.linked
        for line in table.end_row():
            if linked:
                self.bare_links.add(len(self.lines))
            self.lines.append(line)


def text_of(page: str) -> str:
    """`page` as text. Linear in its length."""
    lowered = page.replace("İ", "I").lower()  # the one letter whose small form is longer: offsets would shift
    out = _Page()
    asides = Asides(lowered)
    at = 0
    length = len(page)
    while at < length:
        start = page.find("<", at)
        if start < 0:
            out.text(page[at:])
            break
        if start > at:
            out.text(page[at:start])
        if page.startswith("<!--", start):
            at = comment_end(page, start)
            continue
        name = NAME.match(page, start + 1)
        if name is None:
            if page.startswith(("<!", "<?"), start):
                end = page.find(">", start)
                at = end + 1 if end >= 0 else length
            else:
                out.text("<")
                at = start + 1
            continue
        end = tag_end(page, name.end())
        if end < 0:  # no tag, or one that is cut off
            out.text(page[start:])
            break
        tag = name[1].lower()
        closing = page[start + 1] == "/"
        attributes = page[name.end() : end]
        at = end + 1
        if not closing:
            skipped = asides.end(tag, attributes, at)
            if skipped >= 0:
                if tag in BLOCKS or tag in FRAME:
                    out.end_line()
                at = skipped
                continue
        _tag(out, tag, closing, attributes)
    while out.tables:
        out.end_row()
        out.tables.pop()
    return "\n".join(_without_navigation(out))


def _tag(out: _Page, tag: str, closing: bool, attributes: str) -> None:
    if tag == "a":
        if closing:
            out.close_link()
        else:
            out.open_link(attributes)
    elif tag == "br":
        out.end_line()
    elif tag == "img":
        words = attributes_of(attributes).get("alt", "").strip()
        if words:
            out.line.append(f"[image: {words}]")
    elif tag in ("td", "th") and out.preformatted:
        if not closing and out.line:
            out.line.append(" | ")
    elif tag in ROWS and not out.preformatted:
        _table(out, tag, closing, attributes)
    elif tag == "code" and not out.preformatted:
        out.line.append("`")
    elif tag in STRUCK:
        out.line.append("~~")
    elif tag in ("sup", "sub"):
        if closing:
            out.close_raised(tag)
        else:
            out.open_raised(tag)
    elif tag == "pre":
        out.end_line(apart=not out.preformatted)
        out.preformatted = 0 if closing else 1
        out.lines.append("```")
    elif tag in BLOCKS:
        _block(out, tag, closing, attributes)


def _table(out: _Page, tag: str, closing: bool, attributes: str) -> None:
    if tag in ("td", "th"):
        if closing:
            out.close_cell()
        else:
            out.open_cell(attributes)
        return
    if tag != "table" or closing:
        out.end_row()
    if tag == "tr":
        return
    if tag != "table":
        out.tables[-1].spans.clear()  # no cell reaches into another group of rows
        return
    out.end_line(apart=not out.lists)
    if not closing:
        out.tables.append(Table())
    elif len(out.tables) > 1:
        out.tables.pop()
        out.end_line(apart=not out.lists)


def _block(out: _Page, tag: str, closing: bool, attributes: str) -> None:
    listed = tag in ("ul", "ol")
    apart = tag in HEADINGS or listed or tag in ("p", "blockquote", "section", "article")
    out.end_line(apart=apart and len(out.lists) == (listed and closing))
    if listed and closing:
        del out.lists[-1:]
    elif listed:
        out.lists.append(Listing(tag, attributes_of(attributes)))
    elif closing:
        out.prefix = ""
    elif tag in HEADINGS:
        out.prefix = HEADINGS[tag]
    elif tag == "li":
        sign = out.lists[-1].sign(attributes_of(attributes)) if out.lists else "-"
        out.prefix = "  " * max(0, min(len(out.lists), 6) - 1) + sign + " "
    elif tag == "dt" or tag == "summary":
        out.prefix = "- "


def _without_navigation(out: _Page) -> list[str]:
    """The lines, long runs of bare links but the first replaced by their number."""
    written = [(line, at in out.bare_links) for at, line in enumerate(out.lines) if line is not None]
    lines: list[str] = []
    at = 0
    while at < len(written):
        end = at
        links = 0
        while end < len(written) and (written[end][1] or not written[end][0]):
            links += written[end][1]
            end += 1
        if links >= LINK_RUN:
            lines += [written[at][0], f"[… {links - 1} links]", ""]
            at = end
            continue
        lines += [line for line, _ in written[at : end + 1]]
        at = end + 1
    return lines
