"""What an original is made of, for those who look for something in it: rows, lines, paragraphs or passages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import msgspec

from headroom.core.detect import MAX_DEPTH, unwrap

ENDLESS_LINE = 2_000
"""Characters: a text whose lines are longer than this on average is looked at in passages."""
PASSAGE = 500
RECORDS_SHARE = 0.5
"""A list is what the text is about if it takes at least this share of it."""
SAMPLE_LINES = 40
AROUND = 200
"""Characters shown before and after what was found across units."""
MAX_OCCURRENCES = 200

_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
_BREAK = re.compile(r"\n(?:[ \t\r]*\n)+")
_PROSE_WORD = re.compile(r"[^\W\d_]{2,}[,.;:!?)]*(?:\s|$)")
_SEPARATORS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Body:
    """A text without its envelopes. `place(k)` is where its character k stands in the whole text."""

    text: str
    place: Callable[[int], int]


def body_of(text: str) -> Body:
    """The innermost thing inside the envelopes of `text`: what compressors see, and what their line numbers count."""
    body = Body(text, lambda at: at)
    for _ in range(MAX_DEPTH):
        envelope = unwrap(body.text)
        if envelope is None:
            break
        body = _inside(body, envelope.body, envelope.wrap)
    return body


def _inside(outer: Body, inner: str, wrap: Callable[[str], str]) -> Body:
    # What stands before the inner text is what two different fillings have in common.
    one, two = wrap("1"), wrap("2")
    start = next(at for at, (a, b) in enumerate(zip(one, two, strict=True)) if a != b)
    empty = len(one) - 1
    return Body(inner, lambda at: outer.place(start + len(wrap(inner[:at])) - empty))


class Units:
    """The units of one original, in order."""

    def __init__(self, name: str, body: Body, texts: list[str], starts: list[int] | None, lowered: list[str] | None = None) -> None:
        self.name = name
        self.with_context = name == "line"
        """Whether a unit is understood better with its neighbours."""
        self.heading: int | None = None
        """The unit that names the columns of all others."""
        self._body = body
        self._texts = texts
        self._starts = starts
        self.lowered = [text.lower() for text in texts] if lowered is None else lowered

    def shown(self, unit: int) -> str:
        """The unit, verbatim."""
        return self._texts[unit]

    def label(self, unit: int, matches: bool = True) -> str:
        """Its position, in words that `lines` and `offset` understand."""
        if self.name == "row":
            return f"row {unit + 1} of {len(self._texts)}: "
        if self.name == "line":
            return f"line {unit + 1}{':' if matches else '-'} "
        if self.name == "paragraph":
            first = self._body.text.count("\n", 0, self._start(unit)) + 1
            last = first + self._texts[unit].count("\n")
            return f"lines {first}-{last}:\n" if last > first else f"line {first}:\n"
        start = self._start(unit)
        return f"characters {start}-{start + len(self._texts[unit])}: "

    def offset(self, unit: int, within: int) -> int:
        """Where character `within` of a unit stands in the whole original."""
        return self._body.place(self._start(unit) + within)

    def _start(self, unit: int) -> int:
        if self._starts is not None:
            return self._starts[unit]
        if self.name == "line":
            return self._line_starts[unit]
        # A row that occurs twice is found at its first place, where it goes on just the same.
        return max(self._body.text.find(self._texts[unit]), 0)

    @cached_property
    def _line_starts(self) -> list[int]:
        return list(accumulate((len(text) + 1 for text in self._texts), initial=0))


def units_of(text: str) -> Units:
    """The units in which `text` is best searched. Linear; never raises."""
    body = body_of(text)
    rows = _records(body.text)
    if rows is not None:
        return Units("row", body, rows, None, [_unescaped(row.lower()) for row in rows])
    return _of_text(body)


def plainer_units_of(text: str, units: Units) -> Units | None:
    """The units of the whole text, if `units` are those of a part of it: rows of a list, or what an envelope holds."""
    if units.name != "row" and len(body_of(text).text) == len(text):
        return None
    return _of_text(Body(text, lambda at: at))


def _of_text(body: Body) -> Units:
    lines = body.text.split("\n")
    if len(body.text) > ENDLESS_LINE * len(lines):
        return _passages(body)
    if _is_prose(lines):
        return _paragraphs(body)
    units = Units("line", body, lines, None, body.text.lower().split("\n"))
    if _is_json_lines(lines):
        units.lowered = list(map(_unescaped, units.lowered))
        units.with_context = False
    elif _has_heading(lines):
        units.heading = 0
        units.with_context = False
    return units


def occurrences_of(body: Body, sought: str) -> Units | None:
    """The passages around the places where `sought` stands as it is, or but for capitals; None if it stands nowhere.

    Found wherever units end: over line ends, with every blank.
    """
    text = body.text
    at = text.find(sought)
    if at < 0 and len(lowered := text.lower()) == len(text):
        text, sought = lowered, sought.lower()
        at = text.find(sought)
    starts: list[int] = []
    ends: list[int] = []
    while at >= 0 and len(starts) < MAX_OCCURRENCES:
        end = at + len(sought)
        if starts and at - AROUND <= ends[-1]:
            ends[-1] = end + AROUND
        else:
            starts.append(max(0, at - AROUND))
            ends.append(end + AROUND)
        at = text.find(sought, end)
    if not starts:
        return None
    return Units("passage", body, [body.text[start:end] for start, end in zip(starts, ends, strict=True)], starts)


def _unescaped(row: str) -> str:
    """Escapes of characters written out, pairs of surrogates as one: a query says naïve where the row says na\\u00efve."""
    if "\\u" not in row:
        return row
    written = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), row)
    return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _records(text: str) -> list[str] | None:
    """The rows, verbatim, if `text` is JSON and mostly one list."""
    if text.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        raw = text.encode()
        for _ in range(2 * MAX_DEPTH):
            if raw.lstrip()[:1] == b"[":
                rows = msgspec.json.decode(raw, type=list[msgspec.Raw])
                if len(rows) != 1:
                    return [bytes(row).decode().strip() for row in rows] or None
                raw = bytes(rows[0])
            else:
                raw = bytes(max(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).values(), key=len))
            if len(raw) < RECORDS_SHARE * len(text):
                return None
    except (msgspec.DecodeError, RecursionError, ValueError):
        pass
    return None


def _is_json_lines(lines: list[str]) -> bool:
    sample = [line for line in lines[:SAMPLE_LINES] if line.strip()]
    return len(sample) > 1 and all(line.lstrip()[:1] == "{" and line.rstrip()[-1:] == "}" for line in sample)


def _has_heading(lines: list[str]) -> bool:
    """Whether the first line names columns: as many separators as every other line, and no number among the names."""
    sample = [line for line in lines[:SAMPLE_LINES] if line.strip()]
    if len(sample) < 3:
        return False
    return any(
        (number := sample[0].count(mark)) > 0
        and all(line.count(mark) == number for line in sample[1:])
        and not any(cell.strip()[:1].isdigit() or len(cell) > 60 for cell in sample[0].split(mark))
        for mark in _SEPARATORS
    )


def _is_prose(lines: list[str]) -> bool:
    sample = [line for line in lines[: 4 * SAMPLE_LINES] if line.strip()]
    blank = min(len(lines), 4 * SAMPLE_LINES) - len(sample)
    if len(sample) < 2 or blank < 2:
        return False
    characters = worded = 0
    for line in sample:
        characters += len(line)
        found = sum(len(word) for word in _PROSE_WORD.findall(line[:ENDLESS_LINE]))
        worded += found if found > 0.6 * len(line[:ENDLESS_LINE]) else 0
    return worded > 0.5 * characters


def _paragraphs(body: Body) -> Units:
    texts: list[str] = []
    starts: list[int] = []
    start = 0
    for match in _BREAK.finditer(body.text):
        # A heading belongs to what follows it.
        if match.start() - start < 200 and body.text[start : match.start()].rpartition("\n")[2].startswith("#"):
            continue
        texts.append(body.text[start : match.start()])
        starts.append(start)
        start = match.end()
    texts.append(body.text[start:])
    starts.append(start)
    return Units("paragraph", body, texts, starts)


def _passages(body: Body) -> Units:
    """Pieces of about 500 characters of a text without lines, cut at a blank or a comma where there is one."""
    text = body.text
    texts: list[str] = []
    starts: list[int] = []
    start = 0
    while start < len(text):
        end = min(start + PASSAGE, len(text))
        if end < len(text):
            end = max(text.rfind(mark, start + PASSAGE // 2, end) + 1 for mark in (" ", ",", "\n", ";")) or end
        texts.append(text[start:end])
        starts.append(start)
        start = end
    return Units("passage", body, texts, starts)
