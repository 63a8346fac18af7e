"""Re-reads: runs of lines that an earlier output of this conversation already shows, and shows still.

Only lines of texts as they left (already compressed) are known here, so a pointer never points at something that
was itself left out. Views with and without a margin of line numbers have the same lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LEAST_CHARACTERS = 320
"""Shorter runs are shown again: a pointer costs about 25 tokens, and a reader's jump."""
LEAST_LINES = 4
MOST_PLACES = 4
"""How many earlier places of one line are tried as the start of a run."""
_QUOTE = 48
_MARGIN = re.compile(r"^[ \t]{0,8}\d{1,7}(?:[:|\t]|[ ](?=[ \t]|\S))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Folded:
    """A text whose re-read runs are pointers now."""

    text: str
    lines: int
    """How many lines the pointers stand for."""


@dataclass(slots=True)
class VisibleLines:
    """The lines of all texts that the model can see so far."""

    _texts: list[list[str]] = field(default_factory=list)
    _places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Take in a text as it leaves."""
        if len(text) < LEAST_CHARACTERS:
            return
        keys = _keys(text)
        number = len(self._texts)
        self._texts.append(keys)
        places = self._places
        for position, key in enumerate(keys):
            if len(key) >= 12 and not key.startswith("[… "):
                known = places.setdefault(key, [])
                if len(known) < MOST_PLACES:
                    known.append((number, position))

    def fold(self, text: str) -> Folded | None:
        """Replace runs that are visible already by pointers; None if there are none worth it."""
        if not self._texts or len(text) < LEAST_CHARACTERS:
            return None
        keys = _keys(text)
        lines = text.split("\n")
        out: list[str] = []
        pointed = 0
        at = 0
        while at < len(keys):
            end = self._run_from(keys, at)
            run = lines[at:end]
            if len(run) < LEAST_LINES or sum(map(len, run)) < LEAST_CHARACTERS:
                end = max(end, at + 1) if len(run) >= 2 else at + 1
                out += lines[at:end]
            else:
                out.append(_pointer(keys[at:end]))
                pointed += len(run)
            at = end
        return Folded("\n".join(out), pointed) if pointed else None

    def _run_from(self, keys: list[str], start: int) -> int:
        """The end of the longest visible run that starts at `start`."""
        best = start
        for number, position in self._places.get(keys[start], ()):
            earlier = self._texts[number]
            length = 0
            most = min(len(earlier) - position, len(keys) - start)
            while length < most and earlier[position + length] == keys[start + length]:
                length += 1
            best = max(best, start + length)
        return best


def _keys(text: str) -> list[str]:
    return [line.rstrip() for line in _MARGIN.sub("", text).split("\n")]


def _pointer(keys: list[str]) -> str:
    quotes = [key.strip() for key in keys if key.strip() and not key.startswith("[… ")]
    first, last = quotes[0][:_QUOTE], quotes[-1][:_QUOTE]
    return f"[… {len(keys)} lines shown earlier, from {first!r} to {last!r}]"
