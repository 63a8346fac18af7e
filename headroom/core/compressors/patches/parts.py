"""Reading diffs: the words around them (commit messages, stat tables), the files, their hunks.

Hunks are read by the counts in their headers, so a removed line that looks like a file name (`--- x`) stays a line.
Lines are split at "\\n" only, and every line belongs to exactly one part, in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_COMBINED = re.compile(r"(@{3,9}) -\d")
_START = re.compile(r"diff (?:--git |--cc |--combined |-[a-zA-Z])|Index: \S")
_HEADING = (
    "index ", "old mode ", "new mode ", "deleted file mode ", "new file mode ", "similarity index ", "dissimilarity index ", "rename from ",
    "rename to ", "copy from ", "copy to ", "Binary files ", "==========",
)  # fmt: skip
_BINARY = "GIT binary patch"


@dataclass(slots=True)
class Hunk:
    """A header and its lines, signs included."""

    header: str
    body: list[str] = field(default_factory=list)
    columns: int = 1
    """How many columns of signs: one for each parent of a merge."""
    added: int = 0
    removed: int = 0


@dataclass(slots=True)
class FileDiff:
    """One file: the lines that name it, then its hunks."""

    heading: list[str]
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The file's name, without the a/ and b/ of git; the old one if it was deleted."""
        names = {line[:4]: line[4:].partition("\t")[0].rstrip("\r") for line in self.heading if line.startswith(("--- ", "+++ "))}
        for sign, letter in (("+++ ", "b/"), ("--- ", "a/")):
            if names.get(sign, "/dev/null") != "/dev/null":
                return names[sign].removeprefix(letter)
        first = self.heading[0].rstrip("\r")
        both = first[11:] if first.startswith("diff --git ") else first.split(" ", 1)[-1]
        half = len(both) // 2
        if both[:half].removeprefix("a/") == both[half + 1 :].removeprefix("b/"):
            return both[half + 1 :].removeprefix("b/")
        return both.rpartition(" b/")[2]

    @property
    def added(self) -> int:
        """Lines with a plus."""
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed(self) -> int:
        """Lines with a minus."""
        return sum(hunk.removed for hunk in self.hunks)


Words = list[str]
"""Lines between the diffs."""


def read_parts(lines: Sequence[str]) -> list[Words | FileDiff]:
    """The parts of a text, in order. Linear."""
    parts: list[Words | FileDiff] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        last = parts[-1] if parts else None
        if line.startswith("@@") and isinstance(last, FileDiff) and (hunk := _read_hunk(lines, at)) is not None:
            last.hunks.append(hunk)
            at += 1 + len(hunk.body)
        elif _starts_file(lines, at):
            end = _heading_end(lines, at)
            parts.append(FileDiff(list(lines[at:end])))
            at = end
        elif line.startswith(_BINARY) and isinstance(last, FileDiff) and not last.hunks:
            hunk = _read_binary(lines, at)
            last.hunks.append(hunk)
            at += 1 + len(hunk.body)
        else:
            if not isinstance(last, list):
                last = []
                parts.append(last)
            last.append(line)
            at += 1
    return parts


def _starts_file(lines: Sequence[str], at: int) -> bool:
    if _START.match(lines[at]) is not None:
        return True
    return lines[at].startswith("--- ") and at + 2 < len(lines) and lines[at + 1].startswith("+++ ") and lines[at + 2].startswith("@@ -")


def _heading_end(lines: Sequence[str], at: int) -> int:
    """The end of the lines that name a file: through its `+++`, if it has one."""
    end = at if lines[at].startswith("--- ") else at + 1
    while end < len(lines) and lines[end].startswith(_HEADING):
        end += 1
    if end + 1 < len(lines) and lines[end].startswith("--- ") and lines[end + 1].startswith("+++ "):
        end += 2
    return end


def _read_hunk(lines: Sequence[str], at: int) -> Hunk | None:
    header = _HUNK.match(lines[at])
    if header is not None:
        return _read_counted(lines, at, int(header[1] or 1), int(header[2] or 1))
    combined = _COMBINED.match(lines[at])
    if combined is None:
        return None
    columns = len(combined[1]) - 1
    hunk = Hunk(lines[at], columns=columns)
    for line in _following(lines, at + 1):
        hunk.body.append(line)
        hunk.added += "+" in line[:columns]
        hunk.removed += "-" in line[:columns]
    return hunk


def _following(lines: Sequence[str], at: int) -> Sequence[str]:
    """The lines from `at` to the first that no hunk can hold."""
    end = at
    while end < len(lines) and lines[end][:1] in (" ", "+", "-", "\\"):
        end += 1
    return lines[at:end]


def _read_counted(lines: Sequence[str], at: int, old: int, new: int) -> Hunk:
    hunk = Hunk(lines[at])
    body = hunk.body
    for index in range(at + 1, len(lines)):
        line = lines[index]
        sign = line[:1]
        if sign == "\\":  # "\ No newline at end of file" counts on neither side
            body.append(line)
            continue
        if old <= 0 and new <= 0:
            break
        if sign == "+" and new > 0:
            hunk.added += 1
            new -= 1
        elif sign == "-" and old > 0:
            hunk.removed += 1
            old -= 1
        elif (sign == " " or line in ("", "\r")) and old > 0 and new > 0:  # some tools trim the blank of an empty line
            old -= 1
            new -= 1
        else:
            break
        body.append(line)
    while body and body[-1] == "" and (old > 0 or new > 0):  # a cut-off diff: its last blank lines are not its own
        body.pop()
        old, new = old + 1, new + 1
    return hunk


def _read_binary(lines: Sequence[str], at: int) -> Hunk:
    end = at + 1
    while end < len(lines) and not lines[end].startswith(("diff --git ", "commit ", "From ", "-- ")):
        end += 1
    return Hunk(lines[at], list(lines[at + 1 : end]))


def heading_is_derivable(heading: Sequence[str]) -> bool:
    """Whether `diff --git a/x b/x` says no more than the `--- a/x` and `+++ b/x` below it."""
    if len(heading) < 3 or not heading[-1].startswith("+++ ") or not heading[-2].startswith("--- "):
        return False
    old, new = heading[-2][4:], heading[-1][4:]
    old, new = (f"a/{new[2:]}" if old == "/dev/null" else old), (f"b/{old[2:]}" if new == "/dev/null" else new)
    return heading[0] == f"diff --git {old} {new}" and old[2:] == new[2:]
