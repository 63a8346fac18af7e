"""What of a page is not for reading: scripts and styles, the frame around the content, and what is hidden.

Hidden is what says so itself: the attribute `hidden`, `display: none` and `visibility: hidden` in `style`, and
`aria-hidden="true"`. The names of classes prove nothing. Where it is not sure where such an element ends, it is shown.
"""

from __future__ import annotations

import re

from headroom.core.compressors.pages.html_tags import VOID, Ends, attributes_of

RAW = frozenset(("script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "math", "select", "textarea"))
"""Elements whose content is not read at all."""
FRAME = frozenset(("nav", "footer", "aside", "dialog", "menu"))
"""Elements around the content of a page, left out where they are closed again."""
_FRAME_ROLES = frozenset(("navigation", "banner", "contentinfo", "search", "menu"))
_MAY_HAVE_ROLE = frozenset(("div", "header", "ul", "section"))
_NEVER_HIDDEN = frozenset(("html", "body"))
"""A page that hides itself until its script has run is shown then."""
_MAYBE = re.compile(r"hidden|display|role", re.IGNORECASE)
_DECLARATION = re.compile(r"(?:^|;)\s*(display|visibility)\s*:\s*(none|hidden)\s*(?:!\s*important\s*)?(?=;|$)", re.IGNORECASE)


class Asides:
    """Finds what is not for reading."""

    def __init__(self, lowered: str) -> None:
        self.page = lowered
        self.ends = Ends(lowered)

    def end(self, tag: str, attributes: str, at: int) -> int:
        """Where to read on, if the element whose content begins at `at` is not for reading; -1 if it is."""
        if tag in RAW:
            return self._raw_end(tag, attributes, at)
        if tag not in FRAME and not (attributes and _MAYBE.search(attributes) is not None and is_aside(tag, attributes)):
            return -1
        if tag in VOID:
            return at
        return -1 if attributes.endswith("/") else self.ends.of(tag, at)

    def _raw_end(self, tag: str, attributes: str, at: int) -> int:
        if attributes.endswith("/"):
            return at
        end = -1 if tag in self.ends.endless else self.page.find("</" + tag, at)
        if end < 0:
            self.ends.endless.add(tag)
            return len(self.page) if tag in ("script", "style") else -1
        closed = self.page.find(">", end)
        return closed + 1 if closed >= 0 else len(self.page)


def is_aside(tag: str, attributes: str) -> bool:
    """Whether an element is hidden, or says that it belongs to the frame around the content."""
    if tag in _NEVER_HIDDEN:
        return False
    said = attributes_of(attributes)
    if "hidden" in said and said["hidden"].lower() not in ("false", "until-found"):
        return True
    if said.get("aria-hidden", "").strip().lower() == "true":
        return True
    if tag in _MAY_HAVE_ROLE and said.get("role", "").strip().lower() in _FRAME_ROLES:
        return True
    declared = {match[1].lower(): match[2].lower() for match in _DECLARATION.finditer(said.get("style", ""))}
    # the cell of a table that is only invisible keeps its place in the row
    return declared.get("display") == "none" or (declared.get("visibility") == "hidden" and tag not in ("td", "th"))
