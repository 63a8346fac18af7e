"""Reading search hits: which line is a hit, which is context, and of which file.

Three layouts: "numbered" (`path:12:text`, context `path-12-text`), "plain" (`path:text`) and "heading" (the path on a
line of its own, then `12:text`). Lines are split at "\\n" only; a line that is none of these stays what it is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Layout = Literal["numbered", "plain", "heading"]

_PATH = r"(?:[A-Za-z]:[\\/])?[^\s:\"'<>|,;=`\[({][^\s:\"<>|;`]{0,1000}"
_NUMBERED = re.compile(rf"({_PATH}):(\d{{1,9}})([:\-])")
_PLAIN = re.compile(rf"({_PATH}):(?=.)")
_CONTEXT = re.compile(r"-(\d{1,9})-")
_HEADING = re.compile(r"(?:#{1,4} |File: )?((?:[A-Za-z]:[\\/])?[^\s:\"'<>|,;=`]{1,1000})(?::|:? \(\d+ [a-z]+\):?)?\s*$")
HEADED_ROW = re.compile(r"[ \t]{0,6}(?:[Ll]ine |L)?(\d{1,9})([:\-|])")
ROW = re.compile(r"(\d{1,9})[:\-]")
"""A row under a path: what a folded hit looks like."""

_PATHLIKE = re.compile(r"[^/\\]*[/\\]|.*[A-Za-z_\])]\.[A-Za-z]\w{0,9}$|(?:Makefile|Dockerfile|LICENSE|README|CHANGELOG)$")
_DIAGNOSTIC = re.compile(
    r" ?(?:\d+[:,] ?)?\s?(?:fatal |internal )?(?:[Ee]rror|ERROR|[Ww]arning|WARN|[Nn]ote|[Ii]nfo|help|style|convention|refactor)\b ?[:\[(]"
    r"|(?:\d+:)? (?:in \S+$|[A-Z]{1,4}\d{2,5}\b|[a-zA-Z.]*(?:Error|Exception|Warning)\b)|\d+: [a-zA-Z\[]"
)
_LOOKED_AT = 30


@dataclass(slots=True)
class Group:
    """The rows of one file that stand together, or (`path` empty) lines that are no hits, verbatim."""

    path: str
    rows: list[str] = field(default_factory=list)
    hit: bytearray = field(default_factory=bytearray)
    """1 for a hit, 0 for context and separators."""
    numbers: list[int] = field(default_factory=list)
    """Each row's line in its file; 0 where it has none."""
    heading: str = ""
    """The line that names the file; in the heading layout as it was written."""
    start: int = 0
    """The index of its first row among the text's lines."""

    @property
    def hits(self) -> int:
        """How many of the rows are hits."""
        return self.hit.count(1)


def layout_of(lines: Sequence[str]) -> Layout | None:
    """How search hits are written in `lines` (the beginning of a text); None if these are no search hits."""
    lines = [line for line in lines[:_LOOKED_AT] if line and not line.isspace()]
    if len(lines) < 3:
        return None
    matches = [_NUMBERED.match(line) for line in lines]
    numbered = [(match[1], line[match.end() :]) for match, line in zip(matches, lines, strict=True) if match and is_path(match[1])]
    if numbered:
        return "numbered" if _are_hits(lines, numbered) else None
    if _has_headings(lines):
        return "heading"
    plain = [(match[1], line[match.end() :]) for line in lines if (match := _PLAIN.match(line)) and is_path(match[1])]
    return "plain" if len(plain) >= 0.8 * len(lines) and _are_plain_hits(plain) else None


def is_path(name: str) -> bool:
    """Whether `name` looks like a path: a slash, an ending, or a file that is known without one."""
    return _PATHLIKE.match(name) is not None and "://" not in name and not name.endswith(")")


def _are_hits(lines: Sequence[str], numbered: list[tuple[str, str]]) -> bool:
    paths = tuple({path + "-" for path, _ in numbered})
    belong = len(numbered) + sum(line == "--" or line.startswith(paths) for line in lines)
    if len(numbered) < 2 or belong < 0.7 * len(lines):
        return False
    diagnostics = sum(_DIAGNOSTIC.match(text) is not None for _, text in numbered)
    spoken = sum(text[:1] == " " and text[1:2].isalnum() for _, text in numbered)  # `file.py:12: words`: a log, a linter
    return diagnostics < 0.2 * len(numbered) and spoken < 0.8 * len(numbered)


def _are_plain_hits(plain: list[tuple[str, str]]) -> bool:
    texts = [text for _, text in plain]
    if all(text.isdecimal() for text in texts):  # `grep -c`
        return sum("/" in path for path, _ in plain) >= 0.5 * len(plain) and sum("." in path for path, _ in plain) >= 0.5 * len(plain)
    if sum(text[:1] == ":" for text in texts) > 0.2 * len(texts):
        return False  # `test_file.py::test_name`: a test run
    if sum(" " in text or "(" in text for text in texts) < 0.4 * len(texts):
        return False  # names with a tag behind them, keys with values
    spoken = sum(text[:1] == " " and text[1:2].isalnum() for text in texts)
    slashed = sum("/" in path or "\\" in path for path, _ in plain)
    repeated = len(plain) - len({path for path, _ in plain})
    diagnostics = sum(_DIAGNOSTIC.match(text) is not None for text in texts)
    return spoken < 0.5 * len(plain) and diagnostics < 0.2 * len(plain) and (slashed >= 0.8 * len(plain) or repeated >= 0.3 * len(plain))


def _has_headings(lines: Sequence[str]) -> bool:
    rows = [HEADED_ROW.match(line) for line in lines]
    headings = sum(
        not row and following is not None and (match := _HEADING.match(line)) is not None and is_path(match[1])
        for line, row, following in zip(lines, rows, rows[1:], strict=False)
    )
    numbers = [int(row[1]) for row in rows if row is not None]
    if not headings or len(numbers) + headings + lines.count("--") < 0.7 * len(lines):
        return False
    jumps = sum(later != earlier + 1 for earlier, later in itertools.pairwise(numbers))
    return jumps > 0.4 * (len(numbers) - 1) or headings >= 2  # a file with its line numbers is no search


def read_groups(lines: Sequence[str], layout: Layout) -> list[Group]:
    """Every line of the text in its group, in order. Linear."""
    if layout == "heading":
        return _read_headings(lines)
    matches = [(_NUMBERED if layout == "numbered" else _PLAIN).match(line) for line in lines]
    paths = {match[1] for match in matches if match is not None and is_path(match[1])}
    if layout == "plain":
        owners = (match[1] if match is not None and match[1] in paths else "" for match in matches)
        return _grouped((line, owner, 0, True) for line, owner in zip(lines, owners, strict=True))
    paths -= {path for path in paths if "-" in path and _is_context_of(path, paths)}
    following = _following(matches, paths)
    read = []
    path = ""
    for index, (line, match) in enumerate(zip(lines, matches, strict=True)):
        if match is not None and match[1] in paths:
            path = match[1]
            read.append((line, path, int(match[2]), match[3] == ":"))
            continue
        owner, number = _context(line, path, following[index])
        read.append((line, owner, number, False))
        path = owner or path
    return _grouped(read)


def _is_context_of(path: str, paths: set[str]) -> bool:
    """Whether `path` is really a context line of another file: `a.py-12-see b.js` of `a.py-12-see b.js:3:`."""
    return any(path[: match.start()] in paths for match in _CONTEXT.finditer(path, 0, 400))


def _following(matches: Sequence[re.Match[str] | None], paths: set[str]) -> list[str]:
    """For each line the path of the next hit: context may come before the first hit of its file."""
    following = [""] * len(matches)
    path = ""
    for index in range(len(matches) - 1, -1, -1):
        match = matches[index]
        if match is not None and match[1] in paths:
            path = match[1]
        following[index] = path
    return following


def _context(line: str, path: str, following: str) -> tuple[str, int]:
    """The file and line number of a context line; ("", 0) if it is none. "--" belongs to the file before it."""
    if line == "--":
        return path, 0
    for owner in (path, following):
        if owner and line.startswith(owner):
            match = _CONTEXT.match(line, len(owner))
            if match is not None:
                return owner, int(match[1])
    return "", 0


def _grouped(read: Iterable[tuple[str, str, int, bool]]) -> list[Group]:
    groups: list[Group] = []
    group: Group | None = None
    for index, (line, path, number, hit) in enumerate(read):
        if group is None or group.path != path:
            group = Group(path, heading=path, start=index)
            groups.append(group)
        group.rows.append(line[len(path) + 1 :] if path and line != "--" else line)
        group.hit.append(bool(hit and path))
        group.numbers.append(number)
    return groups


def _read_headings(lines: Sequence[str]) -> list[Group]:
    groups = [Group("")]
    for index, line in enumerate(lines):
        group = groups[-1]
        row = HEADED_ROW.match(line)
        if row is not None and group.path:
            group.rows.append(line)
            group.hit.append(row[2] != "-")
            group.numbers.append(int(row[1]))
            continue
        heading = _HEADING.match(line) if line and index + 1 < len(lines) and HEADED_ROW.match(lines[index + 1]) else None
        if heading is not None and is_path(heading[1]):
            groups.append(Group(heading[1], heading=line, start=index + 1))
            continue
        if group.path and line != "--":
            group = Group("", start=index)
            groups.append(group)
        group.rows.append(line)
        group.hit.append(0)
        group.numbers.append(0)
    return [group for group in groups if group.rows]
