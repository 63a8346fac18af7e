"""The tags of a page: where they end, what their attributes say, and where the element ends that one opens."""

from __future__ import annotations

import re
from html import unescape

NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9]{0,20})")
_STOP = re.compile(r"=\s*([\"'])|>")
_ATTRIBUTE = re.compile(r"([^\s\"'>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")

VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"))
"""Elements without content."""
BLOCKS = frozenset(
    (
        "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "dl", "table", "tr", "blockquote", "pre", "form",
        "figure", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "dt", "dd", "address", "fieldset", "details",
        "summary", "tbody", "thead", "tfoot", "body", "html", "head", "title", "caption", "nav", "aside",
    )
)  # fmt: skip
_NESTING = frozenset(
    (
        "div", "section", "article", "main", "header", "footer", "ul", "ol", "dl", "table", "blockquote", "pre", "form", "figure",
        "address", "fieldset", "details", "body", "nav", "aside",
    )
)  # fmt: skip
_GROUPS = frozenset(("thead", "tbody", "tfoot"))
_ENDED_BY = {
    "p": BLOCKS,
    "li": frozenset(("li",)),
    "dt": frozenset(("dt", "dd")),
    "dd": frozenset(("dt", "dd")),
    "td": _GROUPS | {"td", "th", "tr"},
    "th": _GROUPS | {"td", "th", "tr"},
    "tr": _GROUPS | {"tr"},
    "thead": _GROUPS,
    "tbody": _GROUPS,
    "tfoot": _GROUPS,
}
"""Elements whose closing tag need not be written, and what ends them besides."""
_VERBATIM = frozenset(("script", "style", "textarea", "title"))
"""Elements in whose content a tag is not a tag."""


def tag_end(page: str, at: int) -> int:
    """Where the `>` is of the tag whose name ends at `at`: behind its quoted attributes; -1 if the page ends before."""
    here = at
    while (stop := _STOP.search(page, here)) is not None:
        if stop[1] is None:
            return stop.start()
        closed = page.find(stop[1], stop.end())
        if closed < 0:  # a quote that nothing closes
            return page.find(">", at)
        here = closed + 1
    return page.find(">", at)


def attributes_of(written: str) -> dict[str, str]:
    """The attributes by name, in small letters; "" for one without a value, the first of two that have one name."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written):
        found.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return found


def comment_end(page: str, start: int) -> int:
    """Where the page goes on behind the comment that begins at `start`."""
    end = page.find("-->", start + 2)  # "<!-->" is a whole comment
    return end + 3 if end >= 0 else len(page)


class Ends:
    """Finds where elements end. Linear over a page: elements that do not end may cost as much as reading it twice."""

    def __init__(self, lowered: str) -> None:
        self.page = lowered
        self.endless: set[str] = set()
        """Names of which an element was seen that nothing closes: not looked for again."""
        self.room = 2 * len(lowered) + 10_000

    def of(self, tag: str, at: int) -> int:
        """Where the page goes on behind the element `tag` whose content begins at `at`; -1 if its end is not sure."""
        if tag in self.endless or self.room < 0:
            return -1
        sure, end = self._walk(tag, at)
        if not sure:
            self.room -= end - at
            if end >= len(self.page):
                self.endless.add(tag)
            return -1
        return end

    def _walk(self, tag: str, at: int) -> tuple[bool, int]:
        """(whether it is closed, how far was read)"""
        page = self.page
        ended_by = _ENDED_BY.get(tag)
        depth = 1
        while (start := page.find("<", at)) >= 0:
            at = start + 1
            if page.startswith("<!--", start):
                at = comment_end(page, start)
                continue
            name = NAME.match(page, start + 1)
            if name is None:
                continue
            end = tag_end(page, name.end())
            if end < 0:
                break
            at = end + 1
            closing, found = page[start + 1] == "/", name[1]
            if found in _VERBATIM and not closing:
                at = page.find("</" + found, at)
                if at < 0:
                    break
            elif ended_by is None:
                if found == tag and page[end - 1] != "/":
                    depth += -1 if closing else 1
                if not depth:
                    return True, at
            elif depth == 1 and found == tag and closing:
                return True, at
            elif depth == 1 and found in ended_by and not closing:
                return False, at
            elif found in _NESTING:
                depth += -1 if closing else 1
                if not depth:  # what the element stands in ends
                    return False, at
        return False, len(page)
