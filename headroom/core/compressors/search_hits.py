"""Search hits: each file once with its hits under it; then the best hits of every file, and the other files by name."""

from __future__ import annotations

from collections.abc import Sequence

from headroom.core import tokens
from headroom.core.compressors.listings import Listings
from headroom.core.compressors.paths.hit_lines import ROW, Group, Layout, layout_of, read_groups
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

_IMPLIED = ", -- left out"
_MARGIN = 1.25
"""A text barely over its allowance is left whole: what a digest would save, its marks cost."""


class SearchHits:
    """What grep, ripgrep, git grep and an agent's own search tools print."""

    kind: ContentKind = "search_hits"

    def claims(self, sample: Sample) -> bool:
        """`path:12:text`, `path:text` or a path over `12:text`; not compiler messages, not a file with line numbers."""
        return layout_of(sample.lines) is not None

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Group the hits by file; digest if that is over the allowance. See `Compressor.compress`."""
        body = text.rstrip("\n")
        lines = body.split("\n")
        layout = layout_of(lines)
        if layout is None:
            return None
        groups = read_groups(lines, layout)
        if 2 * sum(len(group.rows) for group in groups if group.path) < len(lines):
            return None  # something else that begins with hits
        paths = [group.path for group in groups if group.path]
        if len(paths) > 1.5 * len(set(paths)) + 4:
            return None  # the hits of the files are mixed: grouping them would repeat every path, or change the order
        if layout == "plain" and _are_counts(groups):
            return Listings().compress(text, request)  # `grep -c`: paths, each with a number
        folded = fold(lines, groups, layout)
        tail = text[len(body) :]
        fold_text, note = (folded[0] + tail, folded[1]) if folded else (text, "")
        folding = Shortened(fold_text, note, lossy=False, implied=note.endswith(_IMPLIED)) if len(fold_text) < 0.97 * len(text) else None
        size = tokens.estimate(fold_text)
        allowance = request.allowance(size)
        if request.lossless or size <= _MARGIN * allowance:
            return folding
        from headroom.core.compressors.paths.hit_digest import digest  # 2 ms to load, and most conversations hold no such text

        shown = digest(lines, groups, layout, request.query, allowance)
        if shown is None or len(shown.text) > 0.9 * len(fold_text):
            return folding
        return Shortened(shown.text + tail, shown.note, lossy=True)


def _are_counts(groups: Sequence[Group]) -> bool:
    return all(row.isdecimal() for group in groups if group.path for row in group.rows)


def fold(lines: Sequence[str], groups: Sequence[Group], layout: Layout) -> tuple[str, str] | None:
    """(text, note): a blank line, the path, its rows; a single hit stays on one line. None if nothing can be gained.

    `decode` of the tests is the exact reverse: a line directly followed by a row (`12:` or `12-`; in the plain layout
    two blanks) is a path, and one blank line behind each file's rows, and before a path that follows other lines, is
    ours.
    """
    if layout == "heading" or all(len(group.rows) < 2 or not group.path for group in groups):
        return None
    implied = _separators_are_implied(groups)
    indent = "  " if layout == "plain" else ""
    parts: list[str] = []
    after = ""
    for group in groups:
        rows = [row for row in group.rows if row != "--"] if implied else group.rows
        if group.path and len(rows) > 1:
            if _is_row(group.path, layout):
                return None
            if after == "lines":
                parts.append("")
            parts.append(group.path)
            parts += [indent + row for row in rows] if indent else rows
            parts.append("")
            after = "file"
            continue
        flat = lines[group.start : group.start + len(rows)]
        if any(_is_row(line, layout) for line in flat):
            return None
        parts += flat
        after = "lines"
    if after == "file":
        parts.pop()
    return "\n".join(parts), "hits grouped by file" + (_IMPLIED if implied else "")


def _is_row(line: str, layout: Layout) -> bool:
    return line.startswith("  ") if layout == "plain" else ROW.match(line) is not None or line == "--"


def _separators_are_implied(groups: Sequence[Group]) -> bool:
    """Whether `--` stands wherever the file changes or the line numbers jump, and nowhere else: it then tells nothing."""
    previous: tuple[int, int] | None = None
    separated = False
    found = 0
    for which, group in enumerate(groups):
        if not group.path:
            return False
        for row, number in zip(group.rows, group.numbers, strict=True):
            if row == "--":
                if separated or previous is None:
                    return False
                separated = True
                found += 1
                continue
            if previous is not None and separated == (previous == (which, number - 1)):
                return False
            previous, separated = (which, number), False
    return found > 0 and not separated
