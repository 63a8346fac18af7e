"""Documents that people write: Markdown and plain prose.

The fold replaces a paragraph that stood there before by a pointer to its lines. The digest keeps the outline: headings,
the first sentence of each paragraph, the beginnings of lists and of code, and whole the paragraphs that the query
names; in the original order, gaps marked where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headroom.core import tokens
from headroom.core.compressors.grids.rows import MOST_OF_A_HIT, hits_by_line
from headroom.core.compressors.lines.folds import Folded
from headroom.core.compressors.lines.units import Shown, Units, choose_units, show, total_lines, units_of
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened
from headroom.core.worth import Query

LEAST_BLOCK = 200
"""Characters from which a paragraph that comes again is worth a pointer."""
LONG_PARAGRAPH = 240
"""Characters of a line above which its sentences are shown or left out one by one."""

_HEADING = re.compile(r" {0,3}(#{1,6})(?: |$)")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,}|~{3,})\s*$")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_SENTENCE_END = re.compile(r"[.!?][\"')\]*_`]{0,3}\s+(?=[\"'(\[*_`]{0,3}[^\W\d_a-z])")
_NOT_PROSE = re.compile(
    r"\s*(?:def |class |import |from \S+ import|return\b|if .*:$|for .*:$|@\w|//|/\*|\*/|#|public |private |const |let |var "
    r"|func |fn |<\w|\$ |>>> |\d+[:\t|]|\[?\d{4}-\d\d|\[[\w/]+\] |\[?\d\d:\d\d|[0-9a-f]{7,40} |\[?[\w./\\-]+[:(]\d+"
    r"|(?:[A-Z]:)?[\w.\-]*[/\\]\S*|\w+=|[A-Z]{4,}\b[: ])"
)
_COMMON_WORDS = (
    "the of and to is in that for with you this be are as on or can it by from if not an at which will when we have has was "
    "der die das und ist nicht ein eine zu mit den von auf le la les des et est une pour que el los las una para con por de en do da em"
)
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words that hold sentences together; what machines write has few of them."""

HEADING_WORTH = 6.0
FIRST_SENTENCE = 3.0
LATER_SENTENCE = 0.9
LAST_LINES = 3
"""Where a text ends, its result often stands."""
LIST_ITEM = 1.8
CODE_HEAD = 1.6
CODE_LINE = 0.5


class Prose:
    """Sentences and headings, for people."""

    kind: ContentKind = "prose"

    def claims(self, sample: Sample) -> bool:
        """Most characters outside of fenced code stand in sentences."""
        if sample.first in ("{", "<") or " " not in sample.head[:2_000]:
            return False
        if sample.head.startswith("commit ") or "\ndiff --git " in sample.head:
            return False
        return _is_prose(sample.lines)

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; digest if the fold is over the allowance. See `Compressor.compress`."""
        lines = text.split("\n")
        if not request.lossless and max(map(len, lines)) > 1_000_000:
            return None
        folded, repeated = fold_blocks(lines)
        whole = folded.text()
        note = f"{repeated:,} repeated block{'s' * (repeated != 1)} left as pointers"
        fold = Shortened(whole, note, False) if repeated else None
        size = tokens.estimate(whole)
        allowance = request.allowance(size)
        if request.lossless or size <= 1.25 * allowance:
            return fold
        shown = digest(folded, request.query, allowance)
        if (not shown.omitted and not shown.cut) or len(shown.text) > 0.95 * len(whole):
            return fold
        return Shortened(shown.text, digest_note(shown, total_lines(folded)), True)


def digest_note(shown: Shown, total: int) -> str:
    """What a digest of prose leaves out, in words."""
    words = []
    if shown.omitted:
        words.append(f"{shown.omitted:,} of {total:,} lines left out")
    if shown.cut:
        words.append(f"{shown.cut:,} paragraph{'s' * (shown.cut != 1)} shortened")
    return ", ".join(words)


def digest(folded: Folded, query: Query, allowance: int, write: Callable[[Units, bytearray], Shown] = show) -> Shown:
    """The sentences and lines that fit `allowance` estimated tokens, written by `write`. Nested in the allowance."""
    units = _sentences(folded)
    return write(units, choose_units(units, _worths(units, query), allowance))


def _is_prose(lines: Sequence[str]) -> bool:
    prose = other = sentences = headings = 0
    fenced = False
    for line in lines[:60]:
        if _FENCE.match(line) is not None:
            fenced = not fenced
        elif fenced or not line.strip():
            continue
        elif _HEADING.match(line) is not None:
            headings += 1
        elif _reads_as_prose(line):
            sentences += 1
            prose += len(line)
        elif _ITEM.match(line) is None and line[0] not in " |":
            other += len(line)
    return prose > 2 * other and (sentences >= 6 or (sentences >= 3 and headings >= 1))


def _reads_as_prose(line: str) -> bool:
    line = line.strip()[:600]
    if _NOT_PROSE.match(line) is not None:
        return False
    words = _WORDS.findall(line)
    letters = sum(map(len, words))
    if not line.isascii() and letters > 0.7 * len(line) and letters > 20:
        return True  # other scripts have other common words, or no blanks
    common = sum(word.lower() in _COMMON for word in words)
    return len(words) >= 5 and common >= 0.15 * len(words) and letters + len(words) >= 0.75 * len(line)


def fold_blocks(lines: list[str]) -> tuple[Folded, int]:
    """The lines, and how many paragraphs that came again were replaced by a pointer to the first of their kind."""
    texts: list[str] = []
    first: list[int] = []
    last: list[int] = []
    seen: dict[str, tuple[int, int]] = {}
    repeated = start = 0
    while start < len(lines):
        end = start + 1
        if lines[start].strip():
            while end < len(lines) and lines[end].strip():
                end += 1
        block = "\n".join(lines[start:end])
        earlier = seen.get(block) if len(block) >= LEAST_BLOCK else None
        if earlier is not None:
            texts.append(f"[… the same as {'line' if earlier[0] == earlier[1] else 'lines'} {_span(earlier)}]")
            first.append(start + 1)
            last.append(end)
            repeated += 1
        else:
            if len(block) >= LEAST_BLOCK:
                seen[block] = (start + 1, end)
            texts += lines[start:end]
            first += range(start + 1, end + 1)
            last += range(start + 1, end + 1)
        start = end
    return Folded(texts, first, last), repeated


def _span(lines: tuple[int, int]) -> str:
    return str(lines[0]) if lines[0] == lines[1] else f"{lines[0]}-{lines[1]}"


def _sentences(folded: Folded) -> Units:
    """Units of lines, long paragraphs of one line cut into their sentences."""
    if max(map(len, folded.texts), default=0) <= LONG_PARAGRAPH:
        return units_of(folded)
    texts: list[str] = []
    first: list[int] = []
    last: list[int] = []
    joined = bytearray()
    for index, line in enumerate(folded.texts):
        pieces = _split(line) if len(line) > LONG_PARAGRAPH else [line]
        texts += pieces
        first += [folded.first[index]] * len(pieces)
        last += [folded.last[index]] * len(pieces)
        joined += b"\x00" + b"\x01" * (len(pieces) - 1)
    costs = [len(text) * 5 // 18 + 1 for text in texts]  # 3.6 characters a token
    return Units(texts, first, last, costs, {}, joined, total_lines(folded))


def _split(line: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(line):
        if end.end() - start >= 40:
            pieces.append(line[start : end.end()])
            start = end.end()
    pieces.append(line[start:])
    if max(map(len, pieces)) <= 4 * LONG_PARAGRAPH:
        return pieces
    return [part for piece in pieces for part in _cut(piece)]


def _cut(piece: str) -> list[str]:
    if len(piece) <= 4 * LONG_PARAGRAPH:
        return [piece]
    size = 2 * LONG_PARAGRAPH
    parts: list[str] = []
    start = 0
    while len(piece) - start > size:
        end = piece.rfind(" ", start + size // 2, start + size) + 1 or start + size
        parts.append(piece[start:end])
        start = end
    return [*parts, piece[start:]]


@dataclass(slots=True)
class _Place:
    """Where in the document the next line stands."""

    fenced: int = 0
    """Lines since an opening fence, itself included; 0: outside."""
    in_paragraph: int = 0
    """Units since the paragraph began."""
    in_list: int = 0
    """Items since the list began."""
    after_heading: bool = True
    sentence_open: bool = False


def _worths(units: Units, query: Query) -> list[float]:
    texts = units.texts
    count = len(texts)
    place = _Place()
    worths: list[float] = []
    for index, text in enumerate(texts):
        continues = units.joined is not None and units.joined[index] == 1
        following = texts[index + 1] if index + 1 < count else ""
        worths.append(_worth(text, following, continues, place) * (1.0 - 0.25 * index / count))
    hits = hits_by_line(texts, query)
    for index, weight in hits.items():
        worths[index] += min(weight, MOST_OF_A_HIT)
    _whole_paragraphs(units, worths, hits)
    if count:
        worths[0] = max(worths[0], HEADING_WORTH)
        last = max((index for index, text in enumerate(texts) if text.strip()), default=0)
        for index in range(max(0, last - LAST_LINES + 1), last + 1):
            worths[index] = max(worths[index], FIRST_SENTENCE)
    return worths


def _worth(text: str, following: str, continues: bool, place: _Place) -> float:
    """The worth of one unit by its place; moves `place` behind it."""
    if continues:
        place.in_paragraph += 1
        return LATER_SENTENCE
    if _FENCE.match(text) is not None:
        place.fenced = 0 if place.fenced else 1
        place.in_paragraph = 0
        return CODE_HEAD if place.fenced else CODE_LINE
    if place.fenced:
        place.fenced += 1
        return max(CODE_LINE, CODE_HEAD - 0.12 * place.fenced)
    if not text.strip():
        place.in_paragraph = 0
        place.in_list = 0 if _ITEM.match(following) is None else place.in_list
        return 0.1
    heading = _HEADING.match(text)
    if heading is not None or (_UNDERLINE.match(following) is not None and place.in_paragraph == 0 and len(text) < 100):
        level = len(heading[1]) if heading is not None else 2
        place.after_heading, place.in_paragraph, place.in_list = True, 0, 0
        return HEADING_WORTH - 0.6 * level
    if _UNDERLINE.match(text) is not None:
        return 2.0
    return _paragraph_worth(text, place)


def _paragraph_worth(text: str, place: _Place) -> float:
    bonus = 0.6 if place.after_heading else 0.0
    if _ITEM.match(text) is not None:
        place.in_list += 1
        place.in_paragraph = 1
        place.sentence_open = False
        return (LIST_ITEM + bonus) / (1.0 + 0.08 * place.in_list)
    place.in_paragraph += 1
    if place.in_paragraph == 1:
        place.after_heading = False
        place.sentence_open = text.rstrip()[-1:] not in ".!?:"
        return FIRST_SENTENCE + bonus
    if place.in_list:
        return LATER_SENTENCE
    if place.sentence_open and place.in_paragraph <= 3:
        place.sentence_open = ". " not in text and text.rstrip()[-1:] not in ".!?:"
        return 0.9 * FIRST_SENTENCE
    return LATER_SENTENCE


def _whole_paragraphs(units: Units, worths: list[float], hits: dict[int, float]) -> None:
    """What stands in one paragraph with a hit is worth nearly as much as the hit."""
    texts = units.texts
    start = 0
    while start < len(texts):
        if not texts[start].strip():
            start += 1
            continue
        end = start + 1
        while end < len(texts) and texts[end].strip() and _HEADING.match(texts[end]) is None:
            end += 1
        best = max((worths[index] for index in range(start, end) if hits.get(index, 0.0) > 1.0), default=0.0)
        if best and end - start <= 30:
            for index in range(start, end):
                worths[index] = max(worths[index], 0.7 * best)
        start = end
