"""Folding what a terminal wrote: colour codes, lines rewritten in place, runs of one line.

A fold keeps the map to the original: unit i of a `Folded` stands for the original's lines first[i] to last[i],
counted from 1 and split at "\\n" only, so that gap marks and `headroom_retrieve(lines=...)` speak of the same lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import eq

from headroom.core.compressors.lines.progress import overwritten, progress_end

ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # control sequences: colours, cursor moves, erasing
    r"|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # operating system commands: titles, hyperlinks
    r"|[()][0-9A-Za-z]|[=>78cDEHMNOZ])"
)
_MIN_SAVED_CHARACTERS = 45
"""A run is folded if that removes more than the mark's own length."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Lines after folding. `first` and `last` give the original line numbers that each stands for."""

    texts: list[str]
    first: Sequence[int]
    last: Sequence[int]
    repeats: dict[int, str] = field(default_factory=dict)
    """The mark that follows a unit which stands for a run."""
    done: tuple[str, ...] = ()
    """What was folded, in words."""
    lossy: bool = False

    def text(self) -> str:
        """The folded text."""
        if not self.repeats:
            return "\n".join(self.texts)
        repeats = self.repeats
        return "\n".join(f"{line}\n{repeats[i]}" if i in repeats else line for i, line in enumerate(self.texts))


def fold_lines(text: str, *, formatting: bool, lossless: bool) -> Folded:
    """Fold `text`. `formatting`: terminal codes, overwritten progress and trailing blanks may go (logs; not documents).

    Unless `lossless`, progress that was printed line by line ("10%", "20%", ...) keeps its last line only, and so do
    overwritten states that are progress most likely but not for certain: both are losses.
    """
    done: list[str] = []
    lossy = False
    if formatting and "\x1b" in text:
        plain = ESCAPE.sub("", text)
        if plain != text:
            text = plain
            done.append("terminal codes removed")
    lines = text.split("\n")
    if formatting:
        lossy = _overwritten(text, lines, done, lossless=lossless)
        _trailing_blanks(text, lines)
    return _runs(lines, done, progress=formatting and not lossless and text.count("%") > 3, lossy=lossy)


def _overwritten(text: str, lines: list[str], done: list[str], *, lossless: bool) -> bool:
    """Leave out progress that was written over, line by line; returns whether that was a loss."""
    returns = text.count("\r")
    if not returns or returns == text.count("\r\n") + text.endswith("\r"):
        return False
    dropped = 0
    lossy = False
    for index, line in enumerate(lines):
        if line.find("\r", 0, len(line) - 1) < 0:
            continue
        states = [state for state in line.rstrip("\r").split("\r") if state.strip()]
        kept, loss = overwritten(states, sure=lossless)
        if len(kept) < len(states):
            dropped += len(states) - len(kept)
            lossy = lossy or loss
            lines[index] = "\r".join(kept) + ("\r" if line.endswith("\r") else "")
    if dropped:
        done.append(f"{dropped:,} overwritten progress state{'s' * (dropped > 1)} left out")
    return lossy


def _trailing_blanks(text: str, lines: list[str]) -> None:
    if " \n" not in text and "\t\n" not in text and " \r\n" not in text:
        return
    for index, line in enumerate(lines):
        if line.endswith((" ", "\t")):
            lines[index] = line.rstrip(" \t")
        elif line.endswith((" \r", "\t\r")):
            lines[index] = line[:-1].rstrip(" \t") + "\r"


def _runs(lines: list[str], done: list[str], *, progress: bool, lossy: bool) -> Folded:
    identical = any(map(eq, lines, islice(lines, 1, None)))
    count = len(lines)
    if not identical and not progress:
        return Folded(lines, range(1, count + 1), range(1, count + 1), done=tuple(done), lossy=lossy)
    texts: list[str] = []
    first: list[int] = []
    last: list[int] = []
    repeats: dict[int, str] = {}
    repeated = states = start = 0
    while start < count:
        line = lines[start]
        end = start + 1
        while end < count and lines[end] == line:
            end += 1
        mark = ""
        if end - start > 1 and (end - start - 1) * (len(line) + 1) > _MIN_SAVED_CHARACTERS:
            mark = _repeat_mark(line, end - start - 1)
            repeated += end - start - 1
        elif progress and "%" in line and (stop := progress_end(lines, start)) - start > 3:
            end = stop
            line = lines[end - 1]
            mark = f"[… {end - start - 1:,} earlier states of this line]"
            states += end - start - 1
        if mark:
            repeats[len(texts)] = mark
            texts.append(line)
            first.append(start + 1)
            last.append(end)
        else:
            texts.extend(lines[start:end])
            first.extend(range(start + 1, end + 1))
            last.extend(range(start + 1, end + 1))
        start = end
    if repeated:
        done.append(f"{repeated:,} repeated line{'s' * (repeated > 1)} counted")
    if states:
        done.append(f"{states:,} progress lines left out")
    return Folded(texts, first, last, repeats, tuple(done), lossy=lossy or states > 0)


def _repeat_mark(line: str, count: int) -> str:
    if not line.strip():
        return f"[… {count:,} more blank line{'s' * (count > 1)}]"
    return f"[… previous line {count:,} more time{'s' * (count > 1)}]"
