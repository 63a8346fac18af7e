"""The digest of search hits: every file by name, the best hits of each, and exact words for the rest.

One ranking of everything that can be shown (opening a file for one of its hits, naming a file), cut where the
allowance ends: more room never shows less.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import log2

from headroom.core.compressors.lines.units import safe_cut
from headroom.core.compressors.paths.groups import by_folder, is_generated, is_test, split_path
from headroom.core.compressors.paths.hit_lines import Group, Layout
from headroom.core.worth import TROUBLE, Query, reports_trouble

_DEFINITION = re.compile(
    r"\d*[:\-]?\s*(?:(?:export|default|public|private|protected|internal|static|abstract|async|pub(?:\(\w+\))?|final|override|virtual|inline|open|data|sealed)\s+){0,4}"
    r"(?:def|class|function|func|fn|interface|struct|enum|trait|impl|type|module|object|record|CREATE (?:TABLE|VIEW|FUNCTION))\s+[\w$*(]"
)
_LONG_ROW = 400
"""Characters above which a shown hit is cut around what matched."""
_WINDOW = 240
_NAMED = 6.0
"""The worth of naming a file: below the best hits, above every other."""
_FILES_IN_FULL = 80
_MARK_TOKENS = 13
_REST_TOKENS = 90
_MOST_NUMBERS = 3
_FEW_FILES = 3


@dataclass(frozen=True, slots=True)
class HitsShown:
    """A digest and its note."""

    text: str
    note: str


@dataclass(slots=True)
class _Chosen:
    rows: list[bytearray]
    """Per group, 1 for each row that is shown."""
    named: bytearray
    """Per group, 1 if its file is at least named."""


def digest(lines: Sequence[str], groups: Sequence[Group], layout: Layout, query: Query, allowance: int) -> HitsShown | None:
    """The digest within `allowance` estimated tokens; None if it leaves nothing out."""
    files = [_file_points(group.path, query) for group in groups]
    worths, best = _row_worths(groups, files, query)
    texts = [[_cut(row, at) for row, at in zip(group.rows, places, strict=True)] for group, places in zip(groups, best, strict=True)]
    chosen = _choose(groups, worths, texts, _name_worths(groups, files), allowance)
    return _render(lines, groups, layout, texts, chosen)


def _file_points(path: str, query: Query) -> tuple[float, float]:
    """What a file's path adds to its hits, and to its name."""
    if not path:
        return 0.0, 0.0
    asked, test, generated = min(4.0, query.score(path)), is_test(path), is_generated(path)
    return asked - 1.0 * test - 3.0 * generated, asked - 1.0 * test - 4.0 * generated


def _row_worths(groups: Sequence[Group], files: Sequence[tuple[float, float]], query: Query) -> tuple[list[list[float]], list[list[int]]]:
    """Each row's worth, and the offset in it of its most telling place."""
    points, places = _query_points(groups, query)
    seen: set[str] = set()
    worths: list[list[float]] = []
    at = 0
    for group, (bonus, _) in zip(groups, files, strict=True):
        mine = []
        rank = 0
        for row, hit, number in zip(group.rows, group.hit, group.numbers, strict=True):
            mine.append(_row_worth(row, hit, number, rank, seen) + bonus + points[at])
            rank += hit
            at += 1
        if group.hits < len(mine):
            _lend_to_context(group, mine)
        worths.append(mine)
    return worths, places


def _row_worth(row: str, hit: int, number: int, rank: int, seen: set[str]) -> float:
    if not hit:
        return -1.0
    head = row[:_LONG_ROW]
    worth = 1.0 + 3.0 / (1 + rank)
    if _DEFINITION.match(head) is not None:
        worth += 3.0
    if reports_trouble(head):
        worth += 1.0
    said = head[len(str(number)) + 1 :].strip() if number else head.strip()
    if said in seen:
        worth -= 1.5  # an import repeated in every file tells once
    seen.add(said)
    return worth


def _lend_to_context(group: Group, worths: list[float]) -> None:
    """Context is worth a part of the hit beside it."""
    hits = [index for index, hit in enumerate(group.hit) if hit]
    for index in hits:
        for near, share in ((index - 1, 0.6), (index + 1, 0.6), (index - 2, 0.4), (index + 2, 0.4)):
            if 0 <= near < len(worths) and not group.hit[near]:
                worths[near] = max(worths[near], share * worths[index] - 0.5)


def _query_points(groups: Sequence[Group], query: Query) -> tuple[list[float], list[list[int]]]:
    rows = [row for group in groups for row in group.rows]
    starts = list(accumulate((len(row) + 1 for row in rows), initial=0))
    points = [0.0] * len(rows)
    best = [0.0] * len(rows)
    places = [-1] * len(rows)
    for offset, weight in query.hits("\n".join(rows)) if query else ():
        index = bisect_right(starts, offset) - 1
        points[index] = min(8.0, points[index] + weight)
        if weight > best[index]:
            best[index], places[index] = weight, offset - starts[index]
    ends = list(accumulate((len(group.rows) for group in groups), initial=0))
    return points, [places[start:end] for start, end in pairwise(ends)]


def _cut(row: str, place: int) -> str:
    """A very long row around its most telling place, the sizes of what is missing in its marks."""
    if len(row) <= _LONG_ROW:
        return row
    if place < 0:
        trouble = TROUBLE.search(row, 0, 20_000)
        place = trouble.start() if trouble else 0
    start = max(0, place - _WINDOW // 3)
    start = safe_cut(row, start) if start > 40 else 0
    end = safe_cut(row, min(len(row), start + _WINDOW)) if start + _WINDOW < len(row) else len(row)
    number = re.match(r"[ \t]*(?:Line )?\d{1,9}[:\-|]", row)
    head = number[0] if number and start else ""
    before = f"{head}[… {start - len(head):,} characters]" if start else ""
    after = f"[… {len(row) - end:,} characters]" if end < len(row) else ""
    return before + row[start:end] + after


def _name_worths(groups: Sequence[Group], files: Sequence[tuple[float, float]]) -> list[float]:
    worths = []
    for rank, (group, (_, bonus)) in enumerate(zip(groups, files, strict=True)):
        worth = _NAMED + bonus + min(1.5, 0.1 * group.hits) if group.path else 5.0
        worths.append(worth - 0.8 * log2(1 + rank / _FILES_IN_FULL))  # of thousands of files not all are named before any hit is shown
    return worths


def _choose(groups: Sequence[Group], worths: list[list[float]], texts: list[list[str]], names: list[float], allowance: int) -> _Chosen:
    """The best of one ranking of rows (group, row) and names (group, -1), up to the first that does not fit."""
    ranking = [(-names[which], which, -1) for which, group in enumerate(groups) if group.path]
    for which, group in enumerate(groups):
        for index, worth in enumerate(worths[which]):
            if group.rows[index] != "--" and (group.path or group.rows[index].strip()):
                ranking.append((-(worth if group.path else names[which] - 0.1 * index), which, index))
    ranking.sort()
    chosen = _Chosen([bytearray(len(group.rows)) for group in groups], bytearray(len(groups)))
    opened = bytearray(len(groups))
    unshown = [len(group.rows) - group.rows.count("--") for group in groups]
    folders: set[str] = set()
    spent = _REST_TOKENS if len(groups) > 40 else 0
    for _, which, index in ranking:
        group = groups[which]
        if index < 0:
            if opened[which]:
                continue
            folder, name = split_path(group.path)
            spent += _tokens(name) + 2 * min(group.hits, _MOST_NUMBERS) + (0 if folder in folders else _tokens(folder) + 5)
            if spent > allowance:
                break
            folders.add(folder)
            chosen.named[which] = 1
            continue
        spent += _tokens(texts[which][index])
        if group.path and not opened[which]:
            spent += _tokens(group.heading) + (_MARK_TOKENS if len(group.rows) > 1 else 0)
            if chosen.named[which]:
                spent -= _tokens(split_path(group.path)[1]) + 2 * min(group.hits, _MOST_NUMBERS)
        unshown[which] -= 1
        if group.path and not unshown[which] and len(group.rows) > 1:
            spent -= _MARK_TOKENS
        if spent > allowance:
            break
        opened[which] = chosen.named[which] = 1
        chosen.rows[which][index] = 1
    for which, kept in enumerate(chosen.rows):
        _show_small_rests(groups[which], texts[which], kept)
    return chosen


def _show_small_rests(group: Group, texts: list[str], kept: bytearray) -> None:
    """What costs no more than the mark that would stand for it is shown."""
    if group.path and 1 in kept:
        rest = [index for index, shown in enumerate(kept) if not shown and group.rows[index] != "--"]
        if len(rest) <= 2 and sum(_tokens(texts[index]) for index in rest) <= _MARK_TOKENS:
            for index in rest:
                kept[index] = 1


def _tokens(text: str) -> int:
    return len(text) * 5 // 18 + 1


def _render(lines: Sequence[str], groups: Sequence[Group], layout: Layout, texts: list[list[str]], chosen: _Chosen) -> HitsShown | None:
    parts: list[str] = []
    names: list[int] = []
    unnamed: list[int] = []
    for which, group in enumerate(groups):
        if 1 not in chosen.rows[which]:
            if group.path:
                (names if chosen.named[which] else unnamed).append(which)
            continue
        _write_names(groups, names, parts)
        _write_group(lines, group, layout, texts[which], chosen.rows[which], parts)
    _write_names(groups, names, parts)
    if len(unnamed) <= _FEW_FILES:
        _write_names(groups, unnamed, parts)  # to name them costs less than to count them by folder
    else:
        parts.append(_rest(groups, unnamed))
    note = _note(groups, texts, chosen)
    return HitsShown("\n".join(parts).strip("\n"), note) if note else None


def _write_group(lines: Sequence[str], group: Group, layout: Layout, texts: list[str], kept: bytearray, parts: list[str]) -> None:
    shown = [index for index, keep in enumerate(kept) if keep]
    if not group.path:
        parts += [texts[index] for index in shown]
        if len(shown) < sum(bool(row.strip()) for row in group.rows):
            parts.append(f"[… {sum(bool(row.strip()) for row in group.rows) - len(shown):,} other lines]")
        return
    if len(group.rows) == 1 and layout != "heading":
        parts.append(lines[group.start][: len(group.path) + 1] + texts[0])
        return
    if parts and parts[-1]:
        parts.append("")
    parts.append(group.heading)
    indent = "  " if layout == "plain" else ""
    parts += [indent + texts[index] for index in shown]
    left = [index for index, keep in enumerate(kept) if not keep and group.rows[index] != "--"]
    if left:
        parts.append(_left_mark(group, left))
    parts.append("")


def _left_mark(group: Group, left: Sequence[int]) -> str:
    hits = [index for index in left if group.hit[index]]
    context = len(left) - len(hits)
    if not hits:
        return f"[… {context:,} context line{'s' * (context > 1)}]"
    words = f"{len(hits):,} more hit{'s' * (len(hits) > 1)}"
    numbers = [group.numbers[index] for index in hits]
    if numbers[0] and len(numbers) <= 2 * _MOST_NUMBERS:
        words += f": line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
    elif numbers[0]:
        words += f" in this file: lines {numbers[0]}-{numbers[-1]}"
    else:
        words += " in this file"
    return f"[… {words}{f', and {context:,} of context' if context else ''}]"


def _write_names(groups: Sequence[Group], names: list[int], parts: list[str]) -> None:
    """Files in a row of which no hit is shown, folder by folder: `[… src/: a.py:12,40; b.py (14 hits)]`."""
    if not names:
        return
    folders: list[tuple[str, list[str]]] = []
    for which in names:
        folder, name = split_path(groups[which].path)
        if not folders or folders[-1][0] != folder:
            folders.append((folder, []))
        folders[-1][1].append(name + _places(groups[which]))
    for folder, entries in folders:
        parts.append(f"[… {folder}: {'; '.join(entries)}]" if folder and len(entries) > 1 else f"[… {folder}{'; '.join(entries)}]")
    names.clear()


def _places(group: Group) -> str:
    numbers = [number for number, hit in zip(group.numbers, group.hit, strict=True) if hit]
    if numbers and numbers[0] and len(numbers) <= _MOST_NUMBERS:
        return ":" + ",".join(map(str, numbers))
    return f" ({len(numbers):,} hit{'s' * (len(numbers) != 1)})"


def _rest(groups: Sequence[Group], unnamed: Sequence[int]) -> str:
    """Files that are not even named, by folder."""
    folders = [split_path(groups[which].path)[0] for which in unnamed]
    hits = [groups[which].hits for which in unnamed]
    words = [f"{name or 'elsewhere'} {files:,} ({found:,})" for name, files, found in by_folder(folders, hits)]
    count = len(unnamed)
    return f"[… {count:,} more files, {sum(hits):,} hits; files (hits) by folder: {', '.join(words)}]"


def _note(groups: Sequence[Group], texts: list[list[str]], chosen: _Chosen) -> str:
    total = left = context = others = cut = 0
    for group, rows, kept in zip(groups, texts, chosen.rows, strict=True):
        total += group.hits
        for index, shown in enumerate(kept):
            if shown:
                cut += rows[index] is not group.rows[index]
            elif group.hit[index]:
                left += 1
            elif group.path:
                context += group.rows[index] != "--"
            else:
                others += bool(group.rows[index].strip())
    files = len({group.path for group in groups if group.path})
    words = [f"{left:,} of {total:,} hits left out, {files:,} file{'s' * (files > 1)}"] if left else []
    for amount, name in ((context, "context line"), (others, "other line"), (cut, "long line")):
        if amount:
            words.append(f"{amount:,} {name}{'s' * (amount > 1)} {'cut' if name == 'long line' else 'left out'}")
    return ", ".join(words)
