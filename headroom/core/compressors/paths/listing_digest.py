"""The digest of a listing: folders with their counts, and the names that were asked for or that tell.

One ranking of folders and names, cut where the allowance ends: more room never shows less. Names are grouped by
folder, folders stand in the order of their first entry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import log2

from headroom.core.compressors.paths.groups import by_ending, by_folder, is_generated, is_telling, is_test
from headroom.core.compressors.paths.listing_entries import Entry
from headroom.core.worth import Query

_MARK_TOKENS = 10
_MOST_NAMED_BELOW = 3
_REST_TOKENS = 90
_MOST_OF_A_HIT = 8.0
_BY_ITS_OWN_LINE = 2
_FOLDER_END = 200
_FOLDERS_IN_FULL = 100


class _Folders:
    """The entries by folder, and which folders and entries are shown."""

    def __init__(self, entries: Sequence[Entry | None]) -> None:
        self.entries = entries
        self.members: dict[str, list[int]] = {}
        for index, entry in enumerate(entries):
            if entry is not None:
                self.members.setdefault(entry.folder, []).append(index)
        self.least_depth = min((folder.count("/") for folder in self.members), default=0)
        self.shown: set[str] = set()
        self.keep = bytearray(len(entries))

    def depth(self, folder: str) -> int:
        """Levels below the listing's own root."""
        return folder.count("/") - self.least_depth

    def own(self, entry: Entry) -> str:
        """The folder that `entry` is, if the listing shows what lies in it; else ""."""
        inner = entry.folder + entry.name.rstrip("/") + "/"
        return inner if inner in self.members else ""


def digest(
    lines: Sequence[str],
    entries: Sequence[Entry | None],
    labels: Sequence[str],
    query: Query,
    allowance: int,
    *,
    one_line: bool,
    without: str = "",
) -> tuple[str, str] | None:
    """(text, note) within `allowance` estimated tokens; None if it leaves nothing out.

    `labels[i]` stands for entry i under its folder. `without` names what the labels do not say ("hashes").
    """
    folders = _Folders(entries)
    _choose(folders, labels, query, allowance)
    for index, entry in enumerate(entries):  # a folder whose own line is shown need not be named among its neighbours
        if entry is not None and not folders.keep[index] and (folders.own(entry) or None) in folders.shown:
            folders.keep[index] = _BY_ITS_OWN_LINE
    total = sum(entry is not None for entry in entries)
    left = total - sum(entry is not None and keep > 0 for entry, keep in zip(entries, folders.keep, strict=True))
    if not left and not without:
        return None
    parts = _others(lines, entries)
    below = _counted_below(folders)
    for folder, members in folders.members.items():
        if folder in folders.shown:
            parts += _write_folder(folders, folder, members, labels, below.get(folder, []), one_line)
    parts += _rest(folders, below.get(None, []))
    return "\n".join(parts), _note(left, total, len(folders.members), without)


def _note(left: int, total: int, folders: int, without: str) -> str:
    words = [f"{left:,} of {total:,} entries left out, {folders:,} folder{'s' * (folders > 1)}"] if left else []
    return ", ".join([*words, f"{without} left out"] if without else words)


def _others(lines: Sequence[str], entries: Sequence[Entry | None]) -> list[str]:
    """Lines that are no entries: a total, a warning. Headings come back with their folders."""
    said = [line for line, entry in zip(lines, entries, strict=True) if entry is None and line.strip() and not line.endswith(":")]
    if len(said) <= 6:
        return said
    return [*said[:3], f"[… {len(said) - 5:,} other lines]", *said[-2:]]


def _choose(folders: _Folders, labels: Sequence[str], query: Query, allowance: int) -> None:
    ranking = [(-worth, at, "") for at, worth in _entry_worths(folders, labels, query)]
    first = {folder: members[0] for folder, members in folders.members.items()}
    for rank, folder in enumerate(folders.members):  # of thousands of folders not all are shown before any name is
        worth = _folder_worth(folders, folder, query) - 0.8 * log2(1 + rank / _FOLDERS_IN_FULL)
        ranking.append((-worth, first[folder], folder or "./"))
    ranking.sort()
    spent = _REST_TOKENS if len(folders.members) > 8 else 0
    for _, at, named in ranking:
        entry = folders.entries[at]
        assert entry is not None
        if entry.folder not in folders.shown:
            spent += _tokens(entry.folder) + _MARK_TOKENS
        if not named:
            spent += _tokens(labels[at])
        if spent > allowance:
            break
        folders.shown.add(entry.folder)
        if not named:
            folders.keep[at] = 1
    for folder in folders.shown:  # what costs no more than the mark that would stand for it is shown
        rest = [index for index in folders.members[folder] if not folders.keep[index]]
        if len(rest) <= 3 and sum(_tokens(labels[index]) for index in rest) <= _MARK_TOKENS + 2:
            for index in rest:
                folders.keep[index] = 1


def _folder_worth(folders: _Folders, folder: str, query: Query) -> float:
    worth = 6.0 - 0.8 * min(folders.depth(folder), 6) + min(4.0, query.score(folder)) + 0.3 * log2(len(folders.members[folder]))
    return worth - 8.0 * is_generated(folder) - 0.5 * is_test(folder)


def _entry_worths(folders: _Folders, labels: Sequence[str], query: Query) -> list[tuple[int, float]]:
    points = _query_points(folders.entries, query)
    worths: list[tuple[int, float]] = []
    for folder, members in folders.members.items():
        base = 3.0 - 0.6 * min(folders.depth(folder), 5) - 6.0 * is_generated(folder) - 0.5 * is_test(folder)
        for rank, index in enumerate(members):
            entry = folders.entries[index]
            assert entry is not None
            worth = base - 0.4 * log2(1 + rank) + min(_MOST_OF_A_HIT, points[index])
            worth += 2.5 * is_telling(entry.name) + 1.5 * _is_folder(entry)
            worth -= 3.0 * is_generated(entry.name) + 3.0 * entry.name.endswith(":0")  # no hit, in the output of `grep -c`
            worths.append((index, worth))
    return worths


def _is_folder(entry: Entry) -> bool:
    return entry.name.endswith("/") or (len(entry.fields) > 2 and entry.fields[0].startswith("d"))


def _query_points(entries: Sequence[Entry | None], query: Query) -> list[float]:
    points = [0.0] * len(entries)
    if not query:
        return points
    # The end of the folder only: in a tree one long folder may stand above very many names.
    folders = ["" if entry is None else entry.folder[-_FOLDER_END:] for entry in entries]
    names = [folder if entry is None else folder + entry.name for folder, entry in zip(folders, entries, strict=True)]
    starts = list(accumulate((len(name) + 1 for name in names), initial=0))
    for offset, weight in query.hits("\n".join(names)):
        index = bisect_right(starts, offset) - 1
        in_name = offset - starts[index] >= len(folders[index])
        points[index] += weight if in_name else 0.4 * weight
    return points


def _tokens(text: str) -> int:
    return len(text) * 5 // 18 + 1


def _counted_below(folders: _Folders) -> dict[str | None, list[str]]:
    """The folders that are not shown, under the nearest shown one above them; None: there is none."""
    below: dict[str | None, list[str]] = {}
    for folder in folders.members:
        if folder not in folders.shown:
            below.setdefault(_nearest(folder, folders.shown), []).append(folder)
    return below


def _nearest(folder: str, shown: set[str]) -> str | None:
    for _ in range(100):
        folder = folder[: folder.rfind("/", 0, len(folder) - 1) + 1]
        if folder in shown and folder:
            return folder
        if not folder:
            break
    return None


def _write_folder(
    folders: _Folders, folder: str, members: Sequence[int], labels: Sequence[str], below: Sequence[str], one_line: bool
) -> list[str]:
    names = [labels[index] for index in members if folders.keep[index] == 1]
    left = [index for index in members if not folders.keep[index]]
    marks = []
    if left:
        marks.append(f"[… {_amount(_names(folders, left), 'more' if names else 'entries')}]")
    if below:
        hidden = [index for name in below for index in folders.members[name]]
        where = ", ".join(name[len(folder) :] for name in below) if len(below) <= _MOST_NAMED_BELOW else f"{len(below):,} folders below"
        marks.append(f"[… {where}: {_amount(_names(folders, hidden), 'entries')}]")
    head = f"{folder}:" if folder else ""
    if one_line and folder:
        return [" ".join([head, ", ".join([*names, *marks])]).rstrip()]
    heading = [head] if head and len(folders.members) > 1 else []
    return [*heading, *names, *marks]


def _amount(names: Sequence[str], unit: str) -> str:
    """For example "17 .md", "17 more .md", "20 more: 12 .py, 8 .md"."""
    endings = by_ending(names)
    if "," in endings:
        return f"{len(names):,} {unit}: {endings}"
    return endings if unit != "more" else endings.replace(" ", " more ", 1)


def _names(folders: _Folders, members: Sequence[int]) -> list[str]:
    named = [entry for index in members if (entry := folders.entries[index]) is not None]
    return [entry.name.partition(" -> ")[0] + "/" * (_is_folder(entry) or folders.own(entry) != "") for entry in named]


def _rest(folders: _Folders, hidden: Sequence[str]) -> list[str]:
    if not hidden:
        return []
    amounts = [len(folders.members[folder]) for folder in hidden]
    words = [f"{name or 'elsewhere'} {amount:,}" for name, _, amount in by_folder(hidden, amounts)]
    plural = "s" * (len(hidden) > 1)
    return [f"[… {sum(amounts):,} more in {len(hidden):,} folder{plural}: {', '.join(words)}]"]
