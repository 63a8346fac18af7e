"""Any text: the fallback. Regions around what was asked for, the head, the lines that head others, the rare ones."""

from __future__ import annotations

from headroom.core.compressors.lines.blocks import fold_blocks
from headroom.core.compressors.lines.folds import fold_lines
from headroom.core.compressors.lines.worths import TEXT
from headroom.core.compressors.logs import shorten_lines
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

_MARGIN = 1.25


class Text:
    """A text that no other kind claims."""

    kind: ContentKind = "text"

    def claims(self, sample: Sample) -> bool:
        """Always."""
        return True

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold repeated lines; digest if the rest is over the allowance. See `Compressor.compress`."""
        folded = fold_blocks(fold_lines(text, formatting=False, lossless=request.lossless))
        return shorten_lines(text, folded, request, TEXT, _MARGIN)
