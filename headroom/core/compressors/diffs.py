"""Diffs: what git already says twice once; then every file by name, the changes that matter most, the rest counted."""

from __future__ import annotations

from collections.abc import Sequence

from headroom.core import tokens
from headroom.core.compressors.patches.parts import FileDiff, Words, heading_is_derivable, read_parts
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

_MARGIN = 1.25
"""A text barely over its allowance is left whole: what a digest would save, its marks cost."""
_LOOKED_AT = 30_000
"""Characters: a long commit message may stand before the first hunk."""


class Diffs:
    """Unified diffs: `git diff`, `show`, `log -p`, `format-patch`, `diff -u`; of one file or many."""

    kind: ContentKind = "diffs"

    def claims(self, sample: Sample) -> bool:
        """A hunk header below a line that names its file."""
        text = sample.text
        hunk = _find_line(text, "@@ -")
        combined = _find_line(text, "@@@ -") if hunk < 0 else hunk
        if combined < 0:
            return False
        if text.startswith(("diff -", "--- ", "Index: ")):
            return True
        return text.rfind("\n+++ ", 0, combined) >= 0 or text.rfind("\ndiff -", 0, combined) >= 0

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold the headings; digest if the diff is over the allowance. See `Compressor.compress`."""
        parts = read_parts(text.split("\n"))
        if not _is_mostly_diff(parts):
            return None
        folded = fold(parts)
        folding = Shortened(folded, "diff --git lines folded", lossy=False, implied=True) if len(folded) < 0.97 * len(text) else None
        whole = folded if folding else text
        size = tokens.estimate(whole)
        allowance = request.allowance(size)
        if request.lossless or size <= _MARGIN * allowance:
            return folding
        from headroom.core.compressors.patches.digest import digest  # 2 ms to load, and most conversations hold no such text

        shown = digest(parts, request.query, allowance)
        if len(shown[0]) > 0.9 * len(whole):
            return folding
        return Shortened(*shown, lossy=True)


def _find_line(text: str, start: str) -> int:
    return 0 if text.startswith(start) else text.find("\n" + start, 0, _LOOKED_AT)


def _is_mostly_diff(parts: Sequence[Words | FileDiff]) -> bool:
    """Not a report or a page that quotes a diff: those are read as what they are."""
    words = sum(sum(map(len, part)) for part in parts if isinstance(part, list))
    total = sum(sum(len(line) for hunk in part.hunks for line in hunk.body) for part in parts if not isinstance(part, list))
    return total > 0 and words <= total


def fold(parts: Sequence[Words | FileDiff]) -> str:
    """The text without the `diff --git a/x b/x` lines that the `---` and `+++` lines below them repeat."""
    lines: list[str] = []
    for part in parts:
        if isinstance(part, list):
            lines += part
            continue
        lines += part.heading[1:] if heading_is_derivable(part.heading) else part.heading
        for hunk in part.hunks:
            lines.append(hunk.header)
            lines += hunk.body
    return "\n".join(lines)
