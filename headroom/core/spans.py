"""Machine-made spans inside a text that is something else: JSON in prose, a fenced log, a page pasted by a user.

Everything between the spans is left exactly as it is. Linear: a document that turns out to be broken is never
scanned twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_JSON_STARTS = (
    re.compile(r"\A[ \t]*(?=[\[{])"),
    re.compile(r"\n[ \t]*(?=[\[{])"),
    re.compile(r":\s[ \t]*(?=[\[{])"),
    re.compile(r"=\s[ \t]*(?=[\[{])"),
)
"""Where a document may begin. One pattern for each sign before it: each begins with one character, and is found at once."""
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
# Values are thrown away, objects as soon as they are closed: 10 MB of them would take 150 MB.
_DECODER = json.JSONDecoder(object_pairs_hook=lambda _: None, parse_float=len, parse_int=len, parse_constant=len)
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL)\b"
_LOG_LINE = re.compile(
    r"^[^\w\n]{0,3}(?:\d{4}-\d\d-\d\d(?:T\d\d:\d\d| \d\d:\d\d:\d\d)|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    rf"|\d\d:\d\d:\d\d(?:[.,]\d|[^\w\n]{{1,3}}{_LEVEL}|[ \t]{{1,4}}[\[(])|{_LEVEL}"
    r"|[\w\\-]*[./][\w./\\-]*:\d+(?::\d+)?:|\d{1,3}(?:\.\d{1,3}){3} )",
    re.MULTILINE,
)
"""A time alone is none: people begin the lines of their plans with it."""
_TRACE_LINE = re.compile(r"[ \t]+\S|Traceback \(most recent call last\):|Caused by: |[\w.]*(?:Error|Exception|Warning)\b|[\W_]*\Z")
MOST_BETWEEN = 3
"""Lines of a trace between two lines of a log: more end the span."""
MAX_FAILURES = 50
LEAST_PROMPT = 240
"""Characters of a text in a JSON object from which it may be instructions."""
DEEPEST_PROMPT = 4
_KEY = re.compile(r'[\s,]*"')
_COLON = re.compile(r"\s*:\s*")


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
    """The bodies of fenced blocks of at least `least` characters; none where a fence never closes: which of them open is a guess.

    Fences are CommonMark's, but for their indentation: blocks stand in lists, too.
    """
    spans: list[Span] = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            opening = None if fence[1][0] == "`" and "`" in fence[2] else fence
        elif fence[1].startswith(opening[1]) and not fence[2].strip():
            start, end = opening.end() + 1, fence.start() - 1
            if end - start >= least:
                spans.append(Span(start, end))
            opening = None
    return spans if opening is None else []


def log_spans(text: str, least: int) -> list[Span]:
    """Runs of lines that look logged (a time, a level, or `file:line:` in front), of at least `least` characters.

    A few lines in between may be blank, or look like a trace: indented, an exception's name. Words end the run.
    """
    spans: list[Span] = []
    start = end = -1
    for line in _LOG_LINE.finditer(text):
        at = line.start()
        if end < 0 or not _goes_on(text, end, at):
            if start >= 0 and end - start >= least:
                spans.append(Span(start, end))
            start = at
        newline = text.find("\n", at)
        end = len(text) if newline < 0 else newline
    if start >= 0 and end - start >= least:
        spans.append(Span(start, end))
    return spans


def _goes_on(text: str, end: int, at: int) -> bool:
    """Whether what stands between a line of a log that ends at `end` and one that begins at `at` belongs to the log."""
    if text.count("\n", end, at) > MOST_BETWEEN:
        return False
    between = text[end + 1 : at].split("\n")[:-1]
    written = [line for line in between if line.strip()]
    return not written or (len(written) == len(between) and all(map(_TRACE_LINE.match, written)))


def prompt_spans(text: str, span: Span, least: int, depth: int = 0) -> list[Span]:
    """`span`, a JSON document; of one that says something in many words (a prompt written as JSON), the documents in it.

    Its texts are the user's own words, and stay.
    """
    if text[span.start] != "{":
        return [span]
    values = list(_values(text, span))
    if not any(text[value.start] == '"' and _says_a_lot(text, value) for value in values):
        return [span]
    if depth >= DEEPEST_PROMPT:
        return []
    inner = (value for value in values if text[value.start] in "[{" and value.end - value.start >= least)
    return [found for value in inner for found in prompt_spans(text, value, least, depth + 1)]


def _says_a_lot(text: str, value: Span) -> bool:
    return value.end - value.start >= LEAST_PROMPT and text.count(" ", value.start, value.end) >= LEAST_PROMPT // 10


def _values(text: str, span: Span) -> Iterator[Span]:
    """The values of the object at `span`, which is known to be JSON."""
    at = span.start + 1
    while (key := _KEY.match(text, at)) is not None:
        start = _COLON.match(text, _DECODER.raw_decode(text, key.end() - 1)[1]).end()  # type: ignore[union-attr]
        end = _DECODER.raw_decode(text, start)[1]
        yield Span(start, end)
        at = end


def machine_spans(text: str, least: int) -> list[Span]:
    """The spans of a user's text that a machine made; the first kind that claims a stretch has it."""
    documents = json_spans(text, least)
    taken = [inner for document in documents for inner in prompt_spans(text, document, least)]
    claimed = documents.copy()  # a prompt written as JSON stays one in a fence, too
    for found in (fenced_spans(text, least), log_spans(text, least)):
        free = [span for span in found if all(span.end <= other.start or span.start >= other.end for other in claimed)]
        taken += free
        claimed += free
    return sorted(taken, key=lambda span: span.start)
