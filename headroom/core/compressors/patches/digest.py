"""The digest of a diff: every file by name with its exact counts, the changes in order of worth, context thinned.

One ranking of words, file names and blocks of changed lines, cut where the allowance ends: more room never shows
less. Changes to lock files and other generated files rank behind every line that a person changed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import log2

from headroom.core.compressors.patches.parts import FileDiff, Hunk, Words
from headroom.core.compressors.paths.groups import by_folder, is_generated, is_test, split_path
from headroom.core.worth import Query, reports_trouble

_BLOCK_LINES = 12
"""Changed lines that are shown together or not at all; a longer run is cut into such blocks."""
_LONG_LINE = 400
_HEAD_OF_LONG_LINE = 240
_HUNK_TOKENS = 22
"""Besides its header: two lines of context and a mark."""
_NEXT_BLOCK_TOKENS = 8
_NAME_TOKENS = 6
_FILES_IN_FULL = 80
_REST_TOKENS = 90
_SMALL_GAP_TOKENS = 7

_DEFINITION = re.compile(
    r"[+-]\s*(?:(?:export|default|public|private|protected|static|abstract|async|pub|final|override|inline)\s+){0,4}"
    r"(?:def|class|function|func|fn|interface|struct|enum|trait|impl|type|module|CREATE|ALTER|DROP)\s"
)
_STAT = re.compile(r" \S.*\|\s+(?:\d+ ?[+\-]*|Bin\b.*)$")
_STAT_SUM = re.compile(r" \d+ files? changed")
_TRAILER = re.compile(r"\s*(?:[A-Z][a-z]+-(?:by|With|Id|session|Session)|Merge|Change-Id|Reviewed|cc|Cc):? ")
_PROSE = (".md", ".rst", ".txt", ".mdx", ".adoc")


@dataclass(slots=True)
class _Block:
    """Changed lines start..end (end excluded) of one hunk's body."""

    part: int
    hunk: int
    start: int
    end: int


@dataclass(slots=True)
class _Chosen:
    words: set[tuple[int, int]] = field(default_factory=set)
    """(part, line)"""
    named: set[int] = field(default_factory=set)
    keep: dict[tuple[int, int], bytearray] = field(default_factory=dict)
    """(part, hunk) -> per body line, 1 for each changed line that is shown."""
    opened: set[int] = field(default_factory=set)


def digest(parts: Sequence[Words | FileDiff], query: Query, allowance: int) -> tuple[str, str]:
    """(text, note) within `allowance` estimated tokens."""
    blocks = [block for which, part in enumerate(parts) if not isinstance(part, list) for block in _blocks(which, part)]
    chosen = _choose(parts, blocks, _block_worths(parts, blocks, query), query, allowance)
    return _Writer(parts, chosen).write()


def _blocks(which: int, part: FileDiff) -> Iterator[_Block]:
    for number, hunk in enumerate(part.hunks):
        if not hunk.added and not hunk.removed:
            continue
        start = -1
        for index, line in enumerate(hunk.body):
            changed = _is_changed(hunk, line)
            if start >= 0 and (not changed or index - start >= _BLOCK_LINES):
                yield _Block(which, number, start, index)
                start = -1
            if changed and start < 0:
                start = index
        if start >= 0:
            yield _Block(which, number, start, len(hunk.body))


def _is_changed(hunk: Hunk, line: str) -> bool:
    signs = line[: hunk.columns]
    return "+" in signs or "-" in signs


def _block_worths(parts: Sequence[Words | FileDiff], blocks: Sequence[_Block], query: Query) -> list[float]:
    texts = ["\n".join(_file(parts, block).hunks[block.hunk].body[block.start : block.end]) for block in blocks]
    points = _query_points(texts, query)
    base: dict[int, float] = {}
    rank: dict[int, int] = {}
    worths = []
    for block, text, found in zip(blocks, texts, points, strict=True):
        if block.part not in base:
            base[block.part] = _file_worth(_file(parts, block).path, query)
        rank[block.part] = rank.get(block.part, -1) + 1
        worth = base[block.part] + found - 0.6 * log2(1 + rank[block.part]) + 1.0 * (rank[block.part] == 0)
        head = text[:2_000]
        worth += 1.5 * any(_DEFINITION.match(line) is not None for line in head.split("\n")) + 0.5 * reports_trouble(head)
        worths.append(worth if base[block.part] < 0 else max(1.5, worth))
    return worths


def _file(parts: Sequence[Words | FileDiff], block: _Block) -> FileDiff:
    part = parts[block.part]
    assert not isinstance(part, list)
    return part


def _file_worth(path: str, query: Query) -> float:
    worth = 5.0 + min(3.0, query.score(path)) - 1.5 * is_test(path) - 1.0 * path.endswith(_PROSE)
    return worth - 30.0 if is_generated(path) else worth


def _query_points(texts: Sequence[str], query: Query) -> list[float]:
    points = [0.0] * len(texts)
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    for offset, weight in query.hits("\n".join(texts)) if query else ():
        index = bisect_right(starts, offset) - 1
        points[index] = min(8.0, points[index] + weight)
    return points


def _word_worths(words: Words) -> Iterator[tuple[int, float]]:
    """The commit, its subject and the sum first; trailers and the stat table, which the file names repeat, last."""
    said = 0
    for index, line in enumerate(words):
        if not line.strip():
            continue
        if line.startswith(("commit ", "From ", "Subject:")) or _STAT_SUM.match(line):
            said = 0
            yield index, 9.0
        elif _STAT.match(line[:400]) is not None:
            yield index, 0.5
        elif _TRAILER.match(line) is not None:
            yield index, 1.0
        elif line.startswith(("Author:", "Date:", "AuthorDate:", "Commit:", "CommitDate:")):
            yield index, 6.0
        else:
            yield index, max(1.4, 9.0 - 0.5 * said)
            said += 1


def _choose(parts: Sequence[Words | FileDiff], blocks: Sequence[_Block], worths: Sequence[float], query: Query, allowance: int) -> _Chosen:
    ranking: list[tuple[float, int, int]] = []
    files = 0
    for which, part in enumerate(parts):
        if isinstance(part, list):
            ranking += [(-worth, which, -2 - index) for index, worth in _word_worths(part)]
        else:
            # Of thousands of files not all are named before any change is shown.
            ranking.append((log2(1 + files / _FILES_IN_FULL) - 8.0 - min(2.0, query.score(part.path)), which, -1))
            files += 1
    ranking += [(-worth, block.part, index) for index, (block, worth) in enumerate(zip(blocks, worths, strict=True))]
    ranking.sort()
    chosen = _Chosen()
    folders: set[str] = set()
    spent = _REST_TOKENS if len(parts) > 80 else 0
    for _, which, index in ranking:
        part = parts[which]
        if isinstance(part, list):
            spent += _tokens(_cut(part[-2 - index]))
        elif index < 0 and not part.hunks:
            spent += sum(map(_tokens, shown_heading(part.heading)))
        elif index < 0:
            folder, name = split_path(part.path)
            spent += _tokens(name) + _NAME_TOKENS + (0 if folder in folders else _tokens(folder) + 5)
            folders.add(folder)
        else:
            spent += _block_cost(part, blocks[index], chosen)
        if spent > allowance:
            break
        if isinstance(part, list):
            chosen.words.add((which, -2 - index))
        elif index < 0:
            chosen.named.add(which)
        else:
            _take(part, blocks[index], chosen)
    return chosen


def _block_cost(part: FileDiff, block: _Block, chosen: _Chosen) -> int:
    hunk = part.hunks[block.hunk]
    cost = sum(_tokens(_cut(line)) for line in hunk.body[block.start : block.end])
    cost += _NEXT_BLOCK_TOKENS if (block.part, block.hunk) in chosen.keep else _tokens(hunk.header) + _HUNK_TOKENS
    if block.part not in chosen.opened:
        cost += sum(map(_tokens, shown_heading(part.heading)))
    return cost


def _take(part: FileDiff, block: _Block, chosen: _Chosen) -> None:
    chosen.opened.add(block.part)
    body = part.hunks[block.hunk].body
    keep = chosen.keep.setdefault((block.part, block.hunk), bytearray(len(body)))
    keep[block.start : block.end] = b"\x01" * (block.end - block.start)


def shown_heading(heading: Sequence[str]) -> list[str]:
    """The lines that name a file, without hashes and without the line that the others repeat."""
    if any(line.startswith("+++ ") for line in heading):
        return [line for line in heading if not line.startswith(("diff ", "index ", "similarity index", "dissimilarity index"))]
    return [line for line in heading if not line.startswith("index ")]


def _tokens(text: str) -> int:
    return len(text) * 5 // 18 + 1


def _cut(line: str) -> str:
    if len(line) <= _LONG_LINE:
        return line
    return f"{line[:_HEAD_OF_LONG_LINE]}[… {len(line) - _HEAD_OF_LONG_LINE:,} characters]"


class _Writer:
    """Writes what was chosen, in order, and counts what it writes."""

    def __init__(self, parts: Sequence[Words | FileDiff], chosen: _Chosen) -> None:
        self.parts = parts
        self.chosen = chosen
        self.lines: list[str] = []
        self.shown = 0
        """Changed lines written."""
        self.cut = 0
        self.thinned = False
        self.words_left = 0
        self.names: list[FileDiff] = []
        self.unnamed: list[FileDiff] = []

    def write(self) -> tuple[str, str]:
        """(text, note)."""
        for which, part in enumerate(self.parts):
            if isinstance(part, list):
                self._write_words(which, part)
            elif which in self.chosen.opened:
                self._write_names()
                self._write_file(which, part)
            elif not part.hunks and which in self.chosen.named:
                self._write_names()
                self.lines += shown_heading(part.heading)  # a rename, a mode, a binary file: the heading is all there is
            else:
                (self.names if which in self.chosen.named else self.unnamed).append(part)
        self._write_names()
        if self.unnamed:
            self.lines.append(self._rest())
        return "\n".join(self.lines), self._note()

    def _write_words(self, which: int, words: Words) -> None:
        if self.names and any(line.strip() for line in words):
            self._write_names()
        left = 0
        for index, line in enumerate(words):
            if (which, index) in self.chosen.words:
                left = self._mark_words(left)
                self._put(line)
            elif line.strip():
                left += 1
            elif not left and not self.names:
                self.lines.append(line)
        self._mark_words(left)

    def _mark_words(self, left: int) -> int:
        if left:
            self.lines.append(f"[… {left:,} line{'s' * (left > 1)}]")
            self.words_left += left
        return 0

    def _put(self, line: str) -> None:
        shown = _cut(line)
        self.cut += shown is not line
        self.lines.append(shown)

    def _write_file(self, which: int, part: FileDiff) -> None:
        self.lines += shown_heading(part.heading)
        left: list[Hunk] = []
        for number, hunk in enumerate(part.hunks):
            keep = self.chosen.keep.get((which, number))
            if keep is None:
                left.append(hunk)
                continue
            self._mark_hunks(left)
            self._write_hunk(hunk, keep)
        self._mark_hunks(left)

    def _mark_hunks(self, left: list[Hunk]) -> None:
        if left:
            counts = f"+{sum(hunk.added for hunk in left):,} -{sum(hunk.removed for hunk in left):,}"
            self.lines.append(f"[… {len(left):,} hunk{'s' * (len(left) > 1)} left out: {counts}]")
            left.clear()

    def _write_hunk(self, hunk: Hunk, keep: bytearray) -> None:
        self.lines.append(hunk.header)
        body = hunk.body
        for index in [index for index, shown in enumerate(keep) if shown]:
            self.shown += 1
            for near in (index - 1, index + 1):
                if 0 <= near < len(body) and not keep[near] and not _is_changed(hunk, body[near]):
                    keep[near] = 2
        at = 0
        while at < len(body):
            end = at
            while end < len(body) and bool(keep[end]) == bool(keep[at]):
                end += 1
            if keep[at]:
                for line in body[at:end]:
                    self._put(line)
            else:
                self._write_gap(hunk, body[at:end])
            at = end

    def _write_gap(self, hunk: Hunk, lines: Sequence[str]) -> None:
        changed = [line for line in lines if _is_changed(hunk, line)]
        if changed:
            removed = sum("-" in line[: hunk.columns] for line in changed)
            same = len(lines) - len(changed) - sum(line.startswith("\\") for line in lines)  # "\ No newline" is no line of a file
            unchanged = f", {same:,} unchanged" if same else ""
            self.lines.append(f"[… +{len(changed) - removed:,} -{removed:,}{unchanged} left out]")
            self.thinned |= same > 0
        elif sum(map(_tokens, lines)) <= _SMALL_GAP_TOKENS or all(line.startswith("\\") for line in lines):
            self.lines += lines
        else:
            self.thinned = True
            same = sum(not line.startswith("\\") for line in lines)
            self.lines.append(f"[… {same:,} unchanged]")

    def _write_names(self) -> None:
        """Files in a row of which no change is shown, folder by folder."""
        if not self.names:
            return
        folders: list[tuple[str, list[str]]] = []
        for part in self.names:
            folder, name = split_path(part.path)
            if not folders or folders[-1][0] != folder:
                folders.append((folder, []))
            folders[-1][1].append(f"{name} {_size(part)}")
        for folder, entries in folders:
            self.lines.append(f"[… {folder}{': ' * (len(entries) > 1 and bool(folder))}{'; '.join(entries)} left out]")
        self.names.clear()

    def _rest(self) -> str:
        words = [f"{name or 'elsewhere'} {files:,}" for name, files, _ in by_folder([split_path(part.path)[0] for part in self.unnamed])]
        added, removed = sum(part.added for part in self.unnamed), sum(part.removed for part in self.unnamed)
        count = len(self.unnamed)
        return f"[… {count:,} more file{'s' * (count > 1)}, +{added:,} -{removed:,}, by folder: {', '.join(words)}]"

    def _note(self) -> str:
        files = [part for part in self.parts if not isinstance(part, list)]
        total = sum(part.added + part.removed for part in files)
        left = total - self.shown
        words = [f"{left:,} of {total:,} changed lines left out" if left else f"all {total:,} changed lines kept"]
        words.append(f"{len(files):,} file diff{'s' * (len(files) > 1)}")
        if self.thinned:
            words.append("context thinned")
        if self.words_left:
            words.append(f"{self.words_left:,} other line{'s' * (self.words_left > 1)} left out")
        if self.cut:
            words.append(f"{self.cut:,} long line{'s' * (self.cut > 1)} cut")
        return ", ".join(words)


def _size(part: FileDiff) -> str:
    return f"+{part.added:,} -{part.removed:,}" if part.added or part.removed else "binary"
