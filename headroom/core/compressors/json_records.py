"""JSON documents and JSON Lines: arrays of records as tables, the rest minified, and a digest of what is too long.

Four files share the work: `json_text` reads and writes exactly, `json_table` makes tables, `json_digest` chooses what
to show, `json_facts` says what stands out and what the rest have in common.
"""

from __future__ import annotations

import re
from typing import Any

from headroom.core.compressors.json_digest import digest
from headroom.core.compressors.json_table import Folded, fold
from headroom.core.compressors.json_text import depth_within, read, read_lines, write
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import Request, Shortened

MARK_TOKENS = 40
"""About what a marker costs: a digest that leaves out less than that would save nothing."""

_OPENING = re.compile(r"""\{\s*["}]|\[\s*[\[\]{"\-0-9tfn]""")
_PARTNERS = {"{": "}", "[": "]"}


class JsonRecords:
    """One JSON document, or JSON Lines."""

    kind = "json_records"

    def claims(self, sample: Sample) -> bool:
        """Starts and ends like JSON, or its first lines do."""
        if _OPENING.match(sample.head) is None:
            return False
        if _PARTNERS[sample.first] == sample.last:
            return True
        first = sample.lines[:3]
        return len(sample.lines) > 3 and all(_is_closed(line) for line in first)

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Tables and minified JSON; over the allowance, the rows and members that matter most. See `Compressor`."""
        try:
            value, lines, minified = _read(text)
            folded = fold(value, lines)
            folded_text = folded.text()
        except (ValueError, RecursionError, OverflowError):
            return None
        if len(folded_text) >= len(minified):
            folded, folded_text = Folded(value, lines), minified
        size = estimate(folded_text)
        allowance = request.allowance(size)
        if not request.lossless and size > allowance + MARK_TOKENS:
            chosen = digest(folded, request, allowance)
            if not chosen.complete and len(chosen.text) < len(folded_text):
                return Shortened(chosen.text, chosen.note, lossy=True)
        return Shortened(folded_text, _fold_note(folded), lossy=False) if len(folded_text) < len(text) else None


def _is_closed(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and _PARTNERS.get(stripped[0]) == stripped[-1]


def _read(text: str) -> tuple[Any, bool, str]:
    """The value, whether it was JSON Lines, and its minified text. ValueError if it is not JSON that can be kept exactly."""
    try:
        value, lines = read(text), False
    except ValueError:
        if not _is_closed(text.lstrip().split("\n", 1)[0]):
            raise
        value, lines = read_lines(text), True
    if type(value) is not dict and type(value) is not list:
        raise ValueError("a single value")
    if not depth_within(value):
        raise ValueError("nested too deep")
    minified = "\n".join(map(write, value)) if lines else write(value)
    return value, lines, minified


def _fold_note(folded: Folded) -> str:
    if not folded.tables:
        return ""
    if folded.whole is not None:
        return f"{folded.whole.count} rows as CSV"
    names = ", ".join(table.name for table in folded.tables[:4])
    more = ", …" if len(folded.tables) > 4 else ""
    return f"{sum(table.count for table in folded.tables)} rows as CSV: {names}{more}"
