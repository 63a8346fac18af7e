"""Reading directory listings: `ls -l`, `find`, `tree`, `git ls-files`, `ls-tree`, `status`, `du`, `wc`, checksums.

Each line becomes an entry (a folder, a name, what else the line says) or stays an "other" line ("total 40", a blank
line, a heading). Lines are split at "\\n" only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from headroom.core.compressors.paths.groups import split_path

Layout = Literal["paths", "columns", "tree", "long"]

_DATE = (
    r"(?:[A-Z][a-z]{2} +\d{1,2} +(?:\d{1,2}:\d\d(?::\d\d)?(?: +\d{4})?|\d{4})|\d{1,2} +[A-Z][a-z]{2} +(?:\d{1,2}:\d\d|\d{4})"
    r"|\d{4}-\d\d-\d\d +\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: +[+-]\d{4})?)"
)
LONG = re.compile(
    rf"([-dlbcpsD][-rwxsStTl]{{9}}[.+@]?) +(\d{{1,9}}) +([^\s]{{1,64}}) +([^\s]{{1,64}}) +(\d[\d.,]{{0,19}}[KMGTPB]?) +({_DATE}) ([^\n]+)"
)
"""Mode, links, owner, group, size, date, name."""

_ENTRY = r"([^\s\"'<>|;{}()=][^\t\n\"<>|;{}]{0,1000})"
COLUMNS = tuple(
    re.compile(form)
    for form in (
        rf"(\d{{6}} (?:blob|tree|commit)) ([0-9a-f]{{40,64}}(?: +(?:\d{{1,19}}|-|BAD))?)\t{_ENTRY}",  # git ls-tree
        rf"(\d{{6}}) ([0-9a-f]{{40,64}} \d)\t{_ENTRY}",  # git ls-files --stage
        rf"()([0-9a-f]{{32,128}} [ *]){_ENTRY}",  # checksums
        rf"()( ?(?:[MADRCTUX?!]{{1,2}}|[RC]\d{{3}})[ \t]{{1,7}}){_ENTRY}",  # git status, diff --name-status
        rf"() {{0,15}}(\d[\d.,]{{0,15}}(?:[KMGTP]i?B?|B)?)[ \t]{{1,7}}{_ENTRY}",  # du, wc
    )
)
"""Each: what is mostly the same, what differs, the path."""

_SHORT_STATUS = re.compile(r"[ MADRCTUX?!]{2} ")

BRANCH = re.compile(r"([│|\s]{0,400}?)(?:[├└]─{1,3}|[|`+\\]--)[ \xa0](.*)")
_PATH = re.compile(r"[^\s:\"'<>|,;={}()*`\\][^\t\n:\"'<>|;={}*`]{0,1000}(?::\d{1,9})?$|[A-Za-z]:\\[^\t\n:\"<>|*?]+$")
_WITH_ENDING = re.compile(r"\.?[\w@+~-][\w.@+~-]*\.[A-Za-z]\w{0,9}$")
_FOLDER_HEADING = re.compile(r"([^\s:][^:\n]{0,1000}):$")
_LOOKED_AT = 40
_LONGEST_FOLDER = 2_000


@dataclass(slots=True)
class Entry:
    """One listed thing."""

    folder: str
    """Where it lies, with the closing slash; "" if the listing does not say."""
    name: str
    fields: tuple[str, ...] = ()
    """What the line says besides: the columns of its layout."""


def layout_of(lines: Sequence[str]) -> Layout | None:
    """How a listing is written in `lines` (the beginning of a text); None if this is no listing."""
    looked = [line.rstrip("\r") for line in lines[:_LOOKED_AT] if line and not line.isspace()]
    if len(looked) < 4:
        return None
    count = len(looked)
    if sum(LONG.match(line) is not None for line in looked) >= 0.6 * count:
        return "long"
    if sum(BRANCH.match(line) is not None for line in looked) >= 0.6 * count:
        return "tree"
    if _column_form(looked) is not None:
        return "columns"
    paths = [line for line in looked if _PATH.match(line) is not None]
    if len(paths) < 0.9 * count or any("://" in line for line in paths):
        return None
    slashed = sum("/" in line or "\\" in line for line in paths)
    spaced = sum(" " in line for line in paths)
    named = sum(_WITH_ENDING.match(line) is not None for line in paths)
    return "paths" if (slashed >= 0.5 * count or slashed + named >= 0.7 * count) and spaced < 0.3 * count else None


def _column_form(lines: Sequence[str]) -> re.Pattern[str] | None:
    for form in COLUMNS:
        matches = [match for line in lines if (match := form.match(line))]
        if len(matches) < 0.85 * len(lines):
            continue
        names = [match[3] for match in matches]
        if sum("/" in name or _WITH_ENDING.match(name) is not None for name in names) >= 0.7 * len(names) and not _spoken(names):
            return form
    return None


def _spoken(names: Sequence[str]) -> bool:
    return sum(" " in name for name in names) > 0.2 * len(names)


def read_entries(lines: Sequence[str], layout: Layout) -> list[Entry | None] | None:
    """An entry for each line, None for a line that is none. None altogether if the listing cannot be read."""
    if layout == "long":
        return _read_long(lines)
    if layout == "tree":
        return _read_tree(lines)
    if layout == "columns":
        form = _column_form([line for line in lines[:_LOOKED_AT] if line and not line.isspace()])
        return None if form is None else [_read_columns(form, line) for line in lines]
    return _read_paths(lines)


def is_mostly_read(lines: Sequence[str], entries: Sequence[Entry | None]) -> bool:
    """Whether what could not be read is little: a log that begins with names of files is a log."""
    unread = sum(entry is None and line != "" and not line.endswith(":") for line, entry in zip(lines, entries, strict=True))
    return unread <= 3 + 0.1 * len(lines)


def _read_paths(lines: Sequence[str]) -> list[Entry | None]:
    entries: list[Entry | None] = []
    above = ""
    for line in lines:
        if _PATH.match(line) is not None and (line.count(" ") < 3 or "/" in line or "\\" in line):  # words are no name
            inner, name = split_path(line)
            entries.append(Entry(above + inner, name))
            continue
        heading = _FOLDER_HEADING.match(line)  # `ls -R`
        if heading is not None:
            above = heading[1].rstrip("/") + "/"
        entries.append(None)
    return entries


def _read_columns(form: re.Pattern[str], line: str) -> Entry | None:
    match = form.fullmatch(line)
    if match is None:
        return None
    return Entry(*split_path(match[3]), (match[1], _said(match[2])))


def _said(column: str) -> str:
    """A column without the blanks that align it. Blanks and signs that tell something stay, in a form without blanks.

    Of git's two letters, one for what is staged and one for what is not, a missing one is a dot, as in its long form:
    "M." and ".M". The sign of a checksum read as binary stands behind it.
    """
    if _SHORT_STATUS.fullmatch(column) is not None:
        return column[:2].replace(" ", ".")
    if column.endswith(" *"):
        return column[:-2] + "*"
    return " ".join(column.split())


def _read_long(lines: Sequence[str]) -> list[Entry | None]:
    entries: list[Entry | None] = []
    folder = ""
    for line in lines:
        match = LONG.fullmatch(line)
        if match is not None:
            inner, name = split_path(match[7]) if " -> " not in match[7] else ("", match[7])
            fields = (match[1], match[2], match[3], match[4], match[5], " ".join(match[6].split()))
            entries.append(Entry(folder + inner, name, fields))
            continue
        heading = _FOLDER_HEADING.match(line)
        if heading is not None:
            folder = heading[1].rstrip("/") + "/"
        entries.append(None)
    return entries


def _read_tree(lines: Sequence[str]) -> list[Entry | None] | None:
    branches = [BRANCH.fullmatch(line) for line in lines]
    widths = {len(branch[1]) for branch in branches if branch is not None}
    unit = min((width for width in widths if width), default=4)
    if any(width % unit for width in widths) or max(widths, default=0) > 100 * unit:
        return None
    entries: list[Entry | None] = []
    above: list[str] = [""]
    names: list[str] = []
    room = 8 * sum(map(len, lines)) + 10_000
    for branch in branches:
        if branch is None:
            entries.append(None)
            continue
        depth = len(branch[1]) // unit
        if depth > len(names) or not branch[2]:
            return None
        if depth == len(above):  # joined only where something lies below
            above.append(f"{above[-1]}{names[depth - 1].rstrip('/')}/")
            room -= len(above[-1])
            if room < 0 or len(above[-1]) > _LONGEST_FOLDER:
                return None
        del above[depth + 1 :], names[depth:]
        entries.append(Entry(above[depth], branch[2], (" " * depth,)))
        names.append(branch[2])
    return entries
