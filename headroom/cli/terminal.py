"""What a terminal may be shown: text that has no power over it, measured and folded by the columns that it takes."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""Invisible, and yet no trick: scripts and emoji are written with them."""
_BREAKS = frozenset(" _-./,:")
_TAKE_NO_COLUMN = frozenset(("Mn", "Me", "Cf"))


def plain(text: str) -> str:
    r"""The text with whatever would move the cursor, colour, reorder or hide something written out, e.g. as \x1b.

    Names of tools and files may come from anyone; what they hold must not act on the terminal of who reads them.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in JOINERS else one.encode("unicode_escape").decode() for one in text)


def clipped(text: str, length: int) -> str:
    """At most `length` characters of it."""
    return text if len(text) <= length else text[: length - 1] + "…"


def width(text: str) -> int:
    """The columns that a text takes on a terminal: none for accents of their own, two for most of Asia and emoji."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """The text with spaces around it, so that it takes so many columns."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def fold(text: str, columns: int) -> list[str]:
    """The text as lines of at most so many columns, broken between words or parts of a name where that is possible."""
    lines, columns = [], max(columns, 1)
    while width(text) > columns:
        end = _fitting(text, columns)
        # A line that is nearly empty helps nobody: then rather break within a word.
        end = next((at for at in range(end, end // 3, -1) if text[at - 1] in _BREAKS or text[at : at + 1] == " "), end)
        lines.append(text[:end].rstrip(" "))
        text = text[end:].lstrip(" ")
    return [*lines, text]


def _fitting(text: str, columns: int) -> int:
    """How many characters fit; one at least."""
    taken = 0
    for index, one in enumerate(text):
        taken += _columns(one)
        if taken > columns and index:
            return index
    return len(text)


def _columns(one: str) -> int:
    if unicodedata.category(one) in _TAKE_NO_COLUMN or "\u1160" <= one <= "\u11ff":  # parts of a Korean syllable
        return 0
    return 2 if unicodedata.east_asian_width(one) in "WF" else 1
