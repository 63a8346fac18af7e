"""Machine-made spans inside a text that is something else: JSON in prose, a fenced log, a page pasted by a user.

Everything between the spans is left exactly as it is. Linear: a document that turns out to be broken is never
scanned twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_JSON_STARTS = (
    re.compile(r"\A[ \t]*(?=[\[{])"),
    re.compile(r"\n[ \t]*(?=[\[{])"),
    re.compile(r":\s[ \t]*(?=[\[{])"),
    re.compile(r"=\s[ \t]*(?=[\[{])"),
)
"""Where a document may begin. One pattern for each sign before it: each begins with one character, and is found at once."""
_FENCED = re.compile(r"^(```+|~~~+(?!~))[^\n`]*\n", re.MULTILINE)
# Values are thrown away, objects as soon as they are closed: 10 MB of them would take 150 MB.
_DECODER = json.JSONDecoder(object_pairs_hook=lambda _: None, parse_float=len, parse_int=len, parse_constant=len)
_LOG_LINE = re.compile(
    r"^[^\w\n]{0,3}(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d"
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL)\b"
    r"|[\w./\\-]+:\d+(?::\d+)?:|\d{1,3}(?:\.\d{1,3}){3} )",
    re.MULTILINE,
)
MAX_FAILURES = 50


@dataclass(frozen=True, slots=True)
class Span:
    """text[start:end]."""

    start: int
    end: int


def json_spans(text: str, least: int) -> list[Span]:
    """JSON documents of at least `least` characters that start a line or follow a colon, outermost only."""
    spans: list[Span] = []
    at = 0
    failures = 0
    nearest = [-1] * len(_JSON_STARTS)
    while failures < MAX_FAILURES:
        for position, pattern in enumerate(_JSON_STARTS):
            if nearest[position] < at:
                opening = pattern.search(text, max(0, at - 1))
                nearest[position] = opening.end() if opening else len(text)
        start = min(nearest)
        if len(text) - start < least:
            break
        try:
            _, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as broken:
            failures += 1
            at = max(start + 1, broken.pos)
            continue
        except RecursionError:
            break
        if end - start >= least:
            spans.append(Span(start, end))
        at = end
    return spans


def fenced_spans(text: str, least: int) -> list[Span]:
    """The bodies of fenced blocks of at least `least` characters."""
    spans: list[Span] = []
    at = 0
    while True:
        opening = _FENCED.search(text, at)
        if opening is None:
            return spans
        closing = text.find("\n" + opening[1], opening.end() - 1)
        if closing < 0:
            return spans
        if closing - opening.end() >= least:
            spans.append(Span(opening.end(), closing))
        at = closing + 1 + len(opening[1])


def log_spans(text: str, least: int) -> list[Span]:
    """Runs of lines that look logged (a time, a level, or `file:line:` in front), of at least `least` characters.

    Up to three lines in between may look otherwise: a trace, a wrapped message.
    """
    spans: list[Span] = []
    start = end = -1
    for line in _LOG_LINE.finditer(text):
        at = line.start()
        if end < 0 or text.count("\n", end, at) > 3:
            if start >= 0 and end - start >= least:
                spans.append(Span(start, end))
            start = at
        newline = text.find("\n", at)
        end = len(text) if newline < 0 else newline
    if start >= 0 and end - start >= least:
        spans.append(Span(start, end))
    return spans


def machine_spans(text: str, least: int) -> list[Span]:
    """The spans of a user's text that a machine made; the first kind that claims a stretch has it."""
    taken: list[Span] = []
    for found in (json_spans(text, least), fenced_spans(text, least), log_spans(text, least)):
        taken += [span for span in found if all(span.end <= other.start or span.start >= other.end for other in taken)]
    return sorted(taken, key=lambda span: span.start)
