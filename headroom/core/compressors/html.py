"""Web pages: the text that a reader sees, and of a long one its outline and what was asked for."""

from __future__ import annotations

import re

from headroom.core import tokens
from headroom.core.compressors.lines.folds import Folded
from headroom.core.compressors.lines.units import Shown, Units
from headroom.core.compressors.prose import digest, digest_note
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

NOTE = "HTML as text; navigation, asides, forms, footers, hidden parts, scripts, styles and markup left out"
LEAST_TEXT = 80
"""Characters of text below which a page says nothing to a reader: an application's shell."""

_PAGE = re.compile(r"(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,500}>\s*)?<(?:!doctype html|html[\s>])", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:div|span|p|a|li|ul|ol|td|tr|th|table|script|style|h[1-6]|br|body|head|meta|link|section|article|main|header|nav|img|form|title|pre)\b",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"\{%|\{\{|<\?php|<%|className=|v-if=|v-for=|\*ngIf|<xsl:|=> ?\(|^import ", re.MULTILINE)
"""What a page has before a program fills it in: such a text is source code, to be read as written."""


class Html:
    """A page of HTML, or a piece of one."""

    kind: ContentKind = "html"

    def claims(self, sample: Sample) -> bool:
        """It says so, or begins with a tag and is full of them; templates are source code."""
        if sample.first != "<" or (sample.head.startswith("<?xml") and "<html" not in sample.head[:600].lower()):
            return False
        if _SOURCE.search(sample.head) is not None:
            return False
        if _PAGE.match(sample.head) is not None:
            return True
        return _TAG.match(sample.head) is not None and len(_TAG.findall(sample.head)) >= max(8, len(sample.head) // 250)

    def compress(self, text: str, request: Request) -> Shortened | None:
        """The page's text; a digest of that, if it is over the allowance. None in lossless mode. See `Compressor.compress`."""
        size = tokens.estimate(text)
        if request.lossless or size <= 1.25 * request.allowance(size):
            return None
        from headroom.core.compressors.pages.html_text import text_of  # 2 ms to load, and most conversations hold no such text

        words = text_of(text)
        if len(words.strip()) < LEAST_TEXT or len(words) > 0.95 * len(text):
            return None
        size = tokens.estimate(words)
        allowance = request.allowance(size)
        if size <= 1.25 * allowance:
            return Shortened(words, NOTE, True)
        lines = words.split("\n")
        numbers = range(1, len(lines) + 1)
        shown = digest(Folded(lines, numbers, numbers), request.query, allowance, _show)
        if not shown.omitted and not shown.cut:
            return Shortened(words, NOTE, True)
        return Shortened(shown.text, f"{NOTE}; {digest_note(shown, len(lines))} of that text", True)


def _show(units: Units, keep: bytearray) -> Shown:
    """Like `lines.units.show`, but gaps carry no numbers: lines of the text are not lines of the page."""
    parts: list[str] = []
    omitted = cut = hidden = start = 0
    while start < len(keep):
        end = keep.find(1 - keep[start], start)
        end = len(keep) if end < 0 else end
        continued = units.joined is not None and units.joined[start] == 1
        if keep[start]:
            for index in range(start, end):
                if index and not (units.joined is not None and units.joined[index] == 1):
                    parts.append("\n")
                parts.append(units.texts[index])
        else:
            whole = units.last[end - 1] - units.first[start] + 1 - continued
            partial = end < len(keep) and units.joined is not None and units.joined[end] == 1
            whole = max(0, whole - partial)
            cut += continued
            omitted += whole
            size = sum(map(len, units.texts[start:end]))
            hidden += size
            mark = f"[… {whole} line{'s' * (whole != 1)}]" if whole else f"[… {size:,} characters]"
            parts.append(mark if continued else "\n" * (start > 0) + mark)
        start = end
    return Shown("".join(parts), omitted, cut, hidden)
