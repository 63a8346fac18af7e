"""Lines that a shorter text shows in part: their beginning, a mark such as "[… 194 characters]", perhaps their end."""

from __future__ import annotations

import re
from collections import defaultdict

CUT = re.compile(r"(\[… [\d,]{1,15} characters\])")
LEAST = 3
"""Words before the first mark: by these a line is known."""
MOST_CANDIDATES = 20

_WORD = re.compile(r"\w+")


class Cuts:
    """All such lines of a shorter text."""

    def __init__(self, after: str) -> None:
        self._shown: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
        for line in after.split("\n"):
            fragments = CUT.split(line)[::2] if "[… " in line else []
            words = _first_words(fragments[0]) if len(fragments) > 1 else ()
            if len(words) == LEAST and len(self._shown[words]) < MOST_CANDIDATES:
                self._shown[words].append([part for part in (fragment.strip() for fragment in fragments) if part])

    def of(self, line: str) -> list[tuple[str, bool]] | None:
        """(part, whether it is shown) of a line of the original, in order; None if it is none of these."""
        for fragments in self._shown.get(_first_words(line), []) if self._shown else []:
            parts = _parts(line, fragments)
            if parts is not None:
                return parts
        return None


def _first_words(line: str) -> tuple[str, ...]:
    found = _WORD.finditer(line)
    return tuple(match[0] for _, match in zip(range(LEAST), found, strict=False))


def _parts(line: str, fragments: list[str]) -> list[tuple[str, bool]] | None:
    parts: list[tuple[str, bool]] = []
    at = 0
    for number, fragment in enumerate(fragments):
        start = line.find(fragment, at)
        if start < 0:
            return None
        parts += [(line[at:start], number == 0), (fragment, True)]
        at = start + len(fragment)
    return [part for part in (*parts, (line[at:], False)) if part[0]]
