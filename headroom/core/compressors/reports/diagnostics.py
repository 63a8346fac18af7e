"""What compilers, linters and type checkers print: one place and one complaint a line, thousands of them.

    src/a.c:12:5: warning: unused variable 'x' [-Wunused-variable]

The fold states a path once for a run of its lines, and a complaint once for the places that follow each other:

    src/a.c: 3 lines
      12:5: warning: unused variable 'x' [-Wunused-variable]
      40:9 44:9: warning: shadowed declaration

Every line of a group begins with two blanks, a heading says how many lines of the original its group stands for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headroom.core.compressors.lines.folds import Folded

LEAST_RUN = 3

_PLACED = re.compile(r"(\[?(?:[A-Za-z]:[\\/])?[^\s:(\[\]]+)(:\d+(?::\d+)?|\(\d+(?:,\d+)?\))(?=[:\]\s]|$)(.*)", re.DOTALL)
_HEADING = re.compile(r"\S.*: \d+ lines$")
_WORDS = (
    r"(?:\[?(?P<severity>fatal error|[Ee]rror|[Ww]arning|[Nn]ote|[Ii]nfo|remark|hint)(?=:|\[|\]|\s\s| [A-Z]{1,4}\d{3})"
    r"|(?P<code>[A-Z]{1,4}\d{2,5})\b)?"
)
_SEVERITY = re.compile(
    r"(?P<location>(?:\[?(?:[A-Za-z]:[\\/])?[^\s:(\[\]]+\.\w+(?::\d+(?::\d+)?|(?P<round>\(\d+(?:,\d+)?\)))\]?|\s+\d+:\d+)\s*:?\s*)" + _WORDS
)
_GROUPED = re.compile(r"  ((?:\(\d+(?:,\d+)?\)|\d+(?::\d+)?)(?: (?:\(\d+(?:,\d+)?\)|\d+(?::\d+)?))*)\]?:?\s*" + _WORDS)
_RULES = (
    re.compile(r"\[(-W[\w=+\-]+|[\w.\-]+(?:/[\w.\-]+)*)\](?: \[\d\])?$"),  # gcc, clang, mypy, cpplint
    re.compile(r"\b(error|warning) (\[?[A-Z]{1,4}\d{3,5}\]?)"),  # msbuild, rustc
    re.compile(r"^\s*([A-Z]{1,4}\d{2,5})\b"),  # flake8, ruff, pylint
    re.compile(r"\s{2,}(@?[\w\-]+(?:/[\w\-]+)*)$"),  # eslint
)
_NUMBERS = re.compile(r"'[^']*'|\"[^\"]*\"|‘[^’]*’|\d+")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint."""

    severity: str
    """"error", "warning" or "note"."""
    rule: str
    """The rule's name, or the message without its numbers and names."""
    times: int = 1
    """Places that it is said of."""


def diagnostic(line: str) -> Diagnostic | None:
    """The complaint that a line makes; None if it is another line."""
    found = _SEVERITY.match(line)
    if found is None:
        return None
    word, code = found["severity"] or "", found["code"] or ""
    if not word and not code and found["round"] is None and not (line[0] == "[" and "]" in found["location"]):
        return None
    return _diagnostic(line, word, code, line[found.end() :] if word else line[found.end("location") :])


def is_heading(line: str) -> bool:
    """Whether `fold_places` could have written this line above a group."""
    return _HEADING.match(line) is not None


def grouped_diagnostic(line: str) -> Diagnostic | None:
    """The complaint of a line in a group."""
    found = _GROUPED.match(line)
    if found is None:
        return None
    times = found[1].count(" ") + 1
    word = found["severity"] or ""
    return _diagnostic(line, word, found["code"] or "", line[found.end() if word else found.end(1) :], times)


def _diagnostic(line: str, word: str, code: str, rest: str, times: int = 1) -> Diagnostic:
    word = word.lower()
    if word:
        severity = "error" if "error" in word else "warning" if word == "warning" else "note"
    else:
        severity = "error" if code[:1] in ("E", "F") else "warning"
    return Diagnostic(severity, rule_of(line, rest), times)


def rule_of(line: str, rest: str) -> str:
    """What a complaint is about, without the names and numbers in it."""
    rest = rest.rstrip()
    ends = rest[-120:]
    for pattern, where in zip(_RULES, (ends, line[:400], rest[:40], ends), strict=True):
        found = pattern.search(where)
        if found is not None:
            return found[found.lastindex or 0]
    return _NUMBERS.sub("…", rest[:200].strip(" :]"))[:60]


def fold_places(folded: Folded) -> Folded:
    """Group runs of lines by the path that they begin with. The same object, if there are none."""
    texts = folded.texts
    if folded.repeats or any(_HEADING.match(text) is not None for text in texts):
        return folded
    placed = [_PLACED.match(text) if text[:1] not in ("", " ", "\t") else None for text in texts]
    new: list[str] = []
    first: list[int] = []
    last: list[int] = []
    grouped = 0
    at = 0
    while at < len(texts):
        end = _run_end(placed, at)
        if end - at < LEAST_RUN:
            new.append(texts[at])
            first.append(folded.first[at])
            last.append(folded.last[at])
            at += 1
            continue
        run = [match for match in placed[at:end] if match is not None]
        new.append(f"{run[0][1]}: {end - at} lines")
        first.append(folded.first[at])
        last.append(folded.first[at])
        for start, stop, text in _merged(run):
            new.append(text)
            first.append(folded.first[at + start])
            last.append(folded.last[at + stop - 1])
        grouped += end - at
        at = end
    if not grouped:
        return folded
    return Folded(new, first, last, {}, (*folded.done, f"{grouped:,} lines grouped by file"), folded.lossy)


def _run_end(placed: Sequence[re.Match[str] | None], start: int) -> int:
    first = placed[start]
    end = start + 1
    if first is None:
        return end
    while end < len(placed) and (match := placed[end]) is not None and match[1] == first[1]:
        end += 1
    return end


def _merged(run: Sequence[re.Match[str]]) -> list[tuple[int, int, str]]:
    """(start, stop, text): the places that follow each other with the same complaint together."""
    merged: list[tuple[int, int, str]] = []
    start = 0
    while start < len(run):
        rest = run[start][3]
        stop = start + 1
        while stop < len(run) and run[stop][3] == rest:
            stop += 1
        places = " ".join(match[2].lstrip(":") for match in run[start:stop])
        merged.append((start, stop, f"  {places}{rest}"))
        start = stop
    return merged
