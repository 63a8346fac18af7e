"""What a text is. Unwraps envelopes and cuts out embedded spans; the kinds themselves are named by the compressors.

A tool server's answer is seldom the bare thing: it is JSON in a string field, wrapped in `<output>` tags, fenced,
or introduced by a line of words. `unwrap` finds the thing inside and remembers how to wrap it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

HEAD_CHARACTERS = 6_000
MAX_DEPTH = 3

_TAG = re.compile(r"\s*<([A-Za-z][\w\-]{1,40})>\s*\n?")
_PAGE_TAGS = frozenset(("html", "head", "body", "div", "main", "article", "section", "table", "svg", "p", "ul", "ol", "pre", "span"))
"""Tags of a page: what they hold is not wrapped in them, it is the page."""
_FENCE = re.compile(r"\s*(```+|~~~+)[\w+\-.]*[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and a cheap look at it, shared by all compressors that are asked whether it is theirs."""

    text: str
    head: str = field(init=False)
    """The first 6,000 characters, without leading blanks."""
    lines: list[str] = field(init=False)
    """The head's lines (the last one may be cut)."""
    first: str = field(init=False)
    """The first character that is not blank, or ""."""
    last: str = field(init=False)
    """The last character that is not blank, or ""."""

    def __post_init__(self) -> None:
        head = self.text[:HEAD_CHARACTERS].lstrip()
        tail = self.text[-200:].rstrip()
        object.__setattr__(self, "head", head)
        object.__setattr__(self, "lines", head.splitlines())
        object.__setattr__(self, "first", head[:1])
        object.__setattr__(self, "last", tail[-1:])


@dataclass(frozen=True, slots=True)
class Envelope:
    """A text inside a wrapping: `wrap(body)` gives the whole text back."""

    body: str
    wrap: Callable[[str], str]
    name: str


def unwrap(text: str) -> Envelope | None:
    """The outermost wrapping of `text`, if it is one that we can put back exactly; None otherwise.

    Known wrappings: a JSON object whose long text sits in one string field, tags around everything, a fence around
    everything. `unwrap(text).wrap(unwrap(text).body) == text` always holds.
    """
    stripped = text.lstrip()
    first = stripped[:1]
    if first == "<":
        return _tags(text)
    if first == "{" or first == "[" or first == '"':
        return _json_string(text)
    if first in ("`", "~"):
        return _fence(text)
    return None


def unwrap_all(text: str) -> tuple[str, Callable[[str], str] | None]:
    """The innermost body, at most three wrappings deep, and how to wrap it again; (text, None) if there is none."""
    wrap: Callable[[str], str] | None = None
    for _ in range(MAX_DEPTH):
        envelope = unwrap(text)
        if envelope is None:
            break
        text, wrap = envelope.body, _outside(wrap, envelope.wrap)
    return text, wrap


def _outside(outer: Callable[[str], str] | None, inner: Callable[[str], str]) -> Callable[[str], str]:
    return inner if outer is None else lambda body: outer(inner(body))


def _tags(text: str) -> Envelope | None:
    opening = _TAG.match(text)
    if opening is None or opening[1].lower() in _PAGE_TAGS:
        return None
    closing = f"</{opening[1]}>"
    end = text.rfind(closing)
    if end < opening.end() or text[end + len(closing) :].strip() or text.find(closing) != end:
        return None
    body = text[opening.end() : end]
    tail = body[len(body.rstrip()) :]
    body = body[: len(body) - len(tail)]
    head, rest = text[: opening.end()], tail + text[end:]
    return Envelope(body, lambda inner: head + inner + rest, f"<{opening[1]}>") if body else None


def _fence(text: str) -> Envelope | None:
    opening = _FENCE.match(text)
    if opening is None:
        return None
    trimmed = text.rstrip()
    if not trimmed.endswith("\n" + opening[1]):
        return None
    end = len(trimmed) - len(opening[1]) - 1
    body = text[opening.end() : end]
    if not body or ("\n" + opening[1]) in body:
        return None
    head, rest = text[: opening.end()], text[end:]
    return Envelope(body, lambda inner: head + inner + rest, "fence")


_BLOCK_SCAN = re.compile(r'"(?:text|output|content|result|stdout|data|body|message|response)"\s*:\s*"')


def _json_string(text: str) -> Envelope | None:
    """A JSON document most of which is one long string: that string is the text."""
    if text.lstrip()[:1] == '"':
        start = text.index('"')
    else:
        opening = _BLOCK_SCAN.search(text, 0, 2_000)
        if opening is None:
            return None
        start = opening.end() - 1
    end = _string_end(text, start)
    if end < 0 or end - start < 0.7 * len(text):
        return None
    literal = text[start:end]
    try:
        json.loads(text)  # the whole must be JSON, or wrapping it again would mend or break something
        body = json.loads(literal)
    except (ValueError, RecursionError):
        return None
    ascii_only = literal.isascii()
    if _quote(body, ascii_only) != literal:
        return None
    head, rest = text[:start], text[end:]
    return Envelope(body, lambda inner: head + _quote(inner, ascii_only) + rest, "json string")


def _string_end(text: str, start: int) -> int:
    at = start + 1
    while True:
        quote = text.find('"', at)
        if quote < 0:
            return -1
        backslashes = 0
        while text[quote - 1 - backslashes] == "\\":
            backslashes += 1
        if backslashes % 2 == 0:
            return quote + 1
        at = quote + 1


def _quote(body: str, ascii_only: bool) -> str:
    return json.dumps(body, ensure_ascii=ascii_only and not body.isascii())
