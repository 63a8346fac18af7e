"""Blocks of lines that a text repeats: one trace under every failure, one banner above every part.

    [… 16 lines as in lines 27-42, from 'File "./runtests.py", line 668' to 'ERRORS:']

A block is folded where it stands again, word for word. The mark names the lines by number, as they are stored, and
quotes the first and the last of them, since a text shows no numbers.
"""

from __future__ import annotations

from dataclasses import replace

from headroom.core.compressors.lines.folds import Folded

LEAST_CHARACTERS = 240
"""A mark costs some 35 tokens."""
LEAST_LINES = 3
LEAST_KEY = 12
"""Blocks start at lines of at least so many characters: shorter ones stand everywhere."""
MOST_PLACES = 4
"""How many earlier places of one line are tried as the start of a block: the nearest."""
BLOCK_MARK = "[… "
_QUOTE = 40


def fold_blocks(folded: Folded) -> Folded:
    """The same with repeated blocks as marks; itself if there are none. Linear."""
    texts = folded.texts
    if len(texts) < 2 * LEAST_LINES or len(set(texts)) > len(texts) - LEAST_LINES:
        return folded
    out = _Blocks(folded)
    places: dict[str, list[int]] = {}
    at = 0
    while at < len(texts):
        origin, length = _longest(folded, places, at)
        end = at + length
        if length >= LEAST_LINES and sum(map(len, texts[at:end])) >= LEAST_CHARACTERS:
            out.mark(at, end, origin)
        else:
            end = at + 1
            out.copy(at)
        for index in range(at, end):
            if len(texts[index]) >= LEAST_KEY:
                known = places.setdefault(texts[index], [])
                known.append(index)
                del known[:-MOST_PLACES]
        at = end
    return out.folded() if out.marked else folded


def _longest(folded: Folded, places: dict[str, list[int]], start: int) -> tuple[int, int]:
    """Where the longest block begins that is repeated from `start` on, and how many lines it has."""
    texts, repeats = folded.texts, folded.repeats
    best, longest = start, 0
    for origin in places.get(texts[start], ()):
        length = 0
        most = min(start - origin, len(texts) - start)
        while length < most and texts[origin + length] == texts[start + length]:
            if repeats.get(origin + length) != repeats.get(start + length):
                break
            length += 1
        if length > longest:
            best, longest = origin, length
    return best, longest


class _Blocks:
    """Collects the lines and marks of the new text."""

    def __init__(self, folded: Folded) -> None:
        self.old = folded
        self.texts: list[str] = []
        self.first: list[int] = []
        self.last: list[int] = []
        self.repeats: dict[int, str] = {}
        self.marked = 0

    def copy(self, index: int) -> None:
        if index in self.old.repeats:
            self.repeats[len(self.texts)] = self.old.repeats[index]
        self._add(self.old.texts[index], index, index)

    def mark(self, start: int, end: int, origin: int) -> None:
        old = self.old
        count = old.last[end - 1] - old.first[start] + 1
        lines = f"{old.first[origin]}-{old.last[origin + end - start - 1]}"
        quotes = [text.strip() for text in old.texts[start:end] if text.strip()]
        ends = f", from {quotes[0][:_QUOTE]!r} to {quotes[-1][:_QUOTE]!r}" if quotes else ""  # lines of blanks have nothing to quote
        self._add(f"{BLOCK_MARK}{count:,} lines as in lines {lines}{ends}]", start, end - 1)
        self.marked += count

    def _add(self, text: str, start: int, end: int) -> None:
        self.texts.append(text)
        self.first.append(self.old.first[start])
        self.last.append(self.old.last[end])

    def folded(self) -> Folded:
        done = (*self.old.done, f"{self.marked:,} lines in repeated blocks")
        return replace(self.old, texts=self.texts, first=self.first, last=self.last, repeats=self.repeats, done=done)
