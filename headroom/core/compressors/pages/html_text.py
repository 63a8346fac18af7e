"""The text that a reader of an HTML page sees, as Markdown: one pass, no tree.

Scripts, styles, forms, navigation, page footers and comments go; headings, paragraphs, lists, tables, preformatted
text and the targets of links stay. Broken markup reads as a browser would read it, more or less; it never raises.
"""

from __future__ import annotations

import re
from html import unescape

_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9]{0,20})")
_BLANKS = re.compile(r"\s+")
_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_HIDDEN = re.compile(r"\bhidden\b(?!\s*=\s*[\"']?false)|aria-hidden\s*=\s*[\"']?true|display\s*:\s*none", re.IGNORECASE)
_ROLE = re.compile(r"\brole\s*=\s*[\"']?(?:navigation|banner|contentinfo|search|menu)\b", re.IGNORECASE)

RAW = frozenset(("script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "math", "select", "textarea"))
"""Elements whose content is not read at all."""
FRAME = frozenset(("nav", "footer", "aside", "dialog", "menu"))
"""Elements around the content of a page, left out where they are closed again."""
BLOCKS = frozenset(
    (
        "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "dl", "table", "tr", "blockquote", "pre", "form",
        "figure", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "dt", "dd", "address", "fieldset", "details",
        "summary", "tbody", "thead", "body", "html", "head", "title", "caption", "nav", "aside",
    )
)  # fmt: skip
HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### ", "title": "# "}
LONG_TARGET = 160
"""Characters above which the target of a link is left out: tracking, not reading."""
LINK_RUN = 8
"""Lines that are nothing but links: from so many in a row, they are navigation."""


class _Page:
    """Lines of text, being written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.prefix = ""
        self.depth = 0
        self.target: str | None = None
        self.link_at = 0
        self.linked = 0
        """Characters of the line that are the text of links."""
        self.bare_links: set[int] = set()
        """Lines that are links and nothing else."""
        self.preformatted = 0

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
        if text and text != "|":
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
        found = _HREF.search(attributes)
        target = unescape(found[found.lastindex or 1] or "").strip() if found is not None else ""
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


def text_of(page: str) -> str:
    """`page` as text. Linear in its length."""
    lowered = page.lower()
    if len(lowered) != len(page):  # rare characters change their length: offsets would shift
        lowered = page
    out = _Page()
    frames: dict[str, bool] = {}
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
            end = page.find("-->", start + 4)
            at = end + 3 if end >= 0 else length
            continue
        name = _NAME.match(page, start + 1)
        if name is None:
            if page.startswith(("<!", "<?"), start):
                end = page.find(">", start)
                at = end + 1 if end >= 0 else length
            else:
                out.text("<")
                at = start + 1
            continue
        end = _tag_end(page, name.end())
        tag = name[1].lower()
        closing = page[start + 1] == "/"
        attributes = page[name.end() : end]
        at = end + 1
        if not closing:
            skipped = _skip(tag, attributes, lowered, at, frames)
            if skipped >= 0:
                out.end_line()
                at = skipped
                continue
        _tag(out, tag, closing, attributes)
    out.end_line()
    return "\n".join(_without_navigation(out))


def _tag_end(page: str, at: int) -> int:
    """Where the tag's `>` is: behind its quoted attributes."""
    end = page.find(">", at)
    for _ in range(4):
        if end < 0:
            return len(page)
        attributes = page[at:end]
        if attributes.count('"') % 2 == 0:
            return end
        longer = page.find(">", end + 1, end + 4_000)
        if longer < 0:
            return end
        end = longer
    return end


def _skip(tag: str, attributes: str, lowered: str, at: int, frames: dict[str, bool]) -> int:
    """Where to read on, if the element that begins here is not for reading; -1 if it is."""
    if tag in RAW:
        if attributes.endswith("/"):
            return at
        end = -1 if frames.get(tag) else lowered.find("</" + tag, at)
        if end < 0:
            frames[tag] = True
            return len(lowered) if tag in ("script", "style") else -1
        closed = lowered.find(">", end)
        return closed + 1 if closed >= 0 else len(lowered)
    framed = tag in FRAME or (bool(attributes) and tag in ("div", "header", "ul", "section") and _is_aside(attributes))
    return _element_end(tag, lowered, at, frames) if framed else -1


def _is_aside(attributes: str) -> bool:
    return len(attributes) < 2_000 and (_ROLE.search(attributes) is not None or _HIDDEN.search(attributes) is not None)


def _element_end(tag: str, lowered: str, at: int, frames: dict[str, bool]) -> int:
    """Where the element ends that was opened before `at`, those of its name inside counted; -1 if it does not end.

    A page that opens what it never closes is asked once for each tag name: that keeps reading linear.
    """
    if frames.get(tag):
        return -1
    opening, closing = "<" + tag, "</" + tag
    depth = 1
    here = at
    while depth:
        end = lowered.find(closing, here)
        if end < 0:
            frames[tag] = True
            return -1
        depth += lowered.count(opening, here, end) - 1
        here = end + len(closing)
    close = lowered.find(">", here)
    return close + 1 if close >= 0 else len(lowered)


def _tag(out: _Page, tag: str, closing: bool, attributes: str) -> None:
    if tag == "a":
        if closing:
            out.close_link()
        else:
            out.open_link(attributes)
    elif tag == "br":
        out.end_line()
    elif tag == "img":
        alt = _ALT.search(attributes)
        words = (alt[1] or alt[2] or "").strip() if alt is not None else ""
        if len(words) > 3:
            out.line.append(f"[image: {unescape(words)[:120]}]")
    elif tag in ("td", "th"):
        if not closing and out.line:
            out.line.append(" | ")
    elif tag == "code" and not out.preformatted:
        out.line.append("`")
    elif tag == "pre":
        out.end_line(apart=not out.preformatted)
        out.preformatted = 0 if closing else 1
        out.lines.append("```")
    elif tag in BLOCKS:
        _block(out, tag, closing)


def _block(out: _Page, tag: str, closing: bool) -> None:
    listed = tag in ("ul", "ol")
    apart = tag in HEADINGS or listed or tag in ("p", "table", "blockquote", "section", "article")
    out.end_line(apart=apart and out.depth == (listed and closing))
    if listed:
        out.depth = max(0, out.depth + (-1 if closing else 1))
    elif closing:
        out.prefix = ""
    elif tag in HEADINGS:
        out.prefix = HEADINGS[tag]
    elif tag == "li":
        out.prefix = "  " * max(0, min(out.depth, 6) - 1) + "- "
    elif tag == "dt" or tag == "summary":
        out.prefix = "- "


def _without_navigation(out: _Page) -> list[str]:
    """The lines, long runs of bare links but the first replaced by their number."""
    lines: list[str] = []
    at = 0
    while at < len(out.lines):
        end = at
        links = 0
        while end < len(out.lines) and (end in out.bare_links or not out.lines[end]):
            links += end in out.bare_links
            end += 1
        if links >= LINK_RUN:
            lines += [out.lines[at], f"[… {links - 1} links]", ""]
            at = end
            continue
        lines += out.lines[at : end + 1]
        at = end + 1
    return lines
