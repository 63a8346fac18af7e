"""JSON documents and JSON Lines: arrays of records as tables, the rest minified, and a digest of what is too long.

Files share the work: `json_text` reads and writes exactly, `json_table` makes tables, `json_units` and `json_digest`
choose what to show, `json_facts` says what stands out and what the rest have in common. A large document is never in
memory as a whole: `records.sieve` takes out of it what a digest may show.
"""

from __future__ import annotations

import re

from headroom.core.compressors.records.digest import digest
from headroom.core.compressors.records.sieve import LARGE, Document, TooNestedError, sieve
from headroom.core.compressors.records.table import Folded, fold, unfolded
from headroom.core.compressors.records.text import depth_within, read, read_lines
from headroom.core.compressors.records.units import Outline
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import Request, Shortened

MARK_TOKENS = 40
"""About what a marker costs: a digest that leaves out less than that would save nothing."""

_HOPELESS = 5
"""A document so many times its allowance does not fit it by writing repeated values once."""

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
            document = _document(text, request)
            folded, shorter = _folded(document)
        except (ValueError, RecursionError, OverflowError):
            return None
        size = estimate(shorter) if document.sifted is None else document.size
        del document  # large, and the tables hold what they need of it
        allowance = request.allowance(size)
        folded_note = _fold_note(folded)
        partial = folded.sifted is not None
        if not partial and (request.lossless or size < _HOPELESS * allowance):
            once = folded.text(repeated=True)
            if len(once) < min(len(shorter), len(text)) and (request.lossless or estimate(once) <= allowance + MARK_TOKENS):
                return Shortened(once, f"{folded_note}, repeated values once", lossy=False)
        if partial or (not request.lossless and size > allowance + MARK_TOKENS):
            outline = Outline(folded, len(shorter))
            del folded
            chosen = digest(outline, request, allowance)
            if (partial or not chosen.complete) and len(chosen.text) < (len(text) if partial else len(shorter)):
                return Shortened(chosen.text, chosen.note, lossy=True)
        return Shortened(shorter, folded_note, lossy=False) if len(shorter) < len(text) and not partial else None


def _document(text: str, request: Request) -> Document:
    if len(text) >= LARGE and not request.lossless:
        try:
            return sieve(text, request)
        except TooNestedError:
            pass
    return _whole(text)


def _folded(document: Document) -> tuple[Folded, str]:
    """With tables where they are shorter, and the text of that."""
    folded = fold(document.value, document.lines, document.sifted)
    shorter = folded.text()
    if folded.tables and len(shorter) >= len(plain := unfolded(document.value, document.lines, document.sifted).text()):
        return unfolded(document.value, document.lines, document.sifted), plain
    return folded, shorter


def _is_closed(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and _PARTNERS.get(stripped[0]) == stripped[-1]


def _whole(text: str) -> Document:
    """ValueError if it is not JSON that can be kept exactly."""
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
    return Document(value, lines)


def _fold_note(folded: Folded) -> str:
    if not folded.tables:
        return ""
    if folded.whole is not None:
        return f"{folded.whole.count} rows as CSV"
    names = ", ".join(table.name for table in folded.tables[:4])
    more = ", …" if len(folded.tables) > 4 else ""
    return f"{sum(table.count for table in folded.tables)} rows as CSV: {names}{more}"
