"""Where the parts of a large JSON container begin and end, found without decoding the whole of it.

Brackets outside of strings are counted window by window, at the speed of `bytes.split`, so that a container of
10 MB is cut into runs of small neighbours (each decoded by itself, and forgotten again) and into giants, parts that
are large themselves. Nothing here judges whether the text is JSON: decoding the runs does that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 1_000
"""No decoder goes deeper."""
WINDOW = 1 << 17
"""Bytes of a run, about; a part that does not end within two windows is a giant."""
STEP = 1 << 13

_NO_BACKSLASH = re.compile(rb"[^\\]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TOKEN = re.compile(rb'"[^"]*(?:"|\Z)|[\[\]{},]')
_COMMA = re.compile(r"\s*,")
_LONGEST_KEY = 4_096
_KEY = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*', re.DOTALL)
_COLON = re.compile(r"\s*:\s*")
_BLANK = re.compile(r"\s*")
_DECODER = json.JSONDecoder(parse_float=len, parse_int=len, parse_constant=len)  # only the ends matter
_BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """data[start:end]: neighbours with the commas between them, or one giant."""

    start: int
    end: int
    giant: bool


def parts(data: bytes, start: int, end: int, is_object: bool) -> Iterator[Part]:
    """Cut what stands between the brackets of a container, data[start:end], at commas of its own.

    ValueError if the brackets do not match or are nested too deep. The commas between two parts belong to neither.
    """
    at = start
    while True:
        if end - at <= 2 * WINDOW:
            yield Part(at, end, False)
            return
        cut = _next_comma(data, at, at + WINDOW, at + 2 * WINDOW)
        if cut < 0:
            cut = _before_giant(data, at, is_object)
            if cut < 0:
                cut = _next_comma(data, at, at, end)
                yield Part(at, end if cut < 0 else cut, True)
                if cut < 0:
                    return
                at = cut + 1
                continue
        yield Part(at, cut, False)
        at = cut + 1


def lines(data: bytes, start: int, end: int) -> Iterator[Part]:
    """Cut JSON Lines at line ends."""
    while start < end:
        cut = data.find(b"\n", min(start + WINDOW, end), end)
        cut = end if cut < 0 else cut
        yield Part(start, cut, False)
        start = cut + 1


def key_of(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    """The key of the member data[start:end], with its quotes, and where its value begins. ValueError if it has none."""
    match = _KEY.match(data, start, min(end, start + _LONGEST_KEY))
    if match is None:
        raise ValueError("a member without a key")
    return match[1], match.end()


def stripped(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The same stretch without blanks at its ends."""
    while start < end and data[start] in _BLANKS:
        start += 1
    while end > start and data[end - 1] in _BLANKS:
        end -= 1
    return start, end


def _next_comma(data: bytes, at: int, target: int, limit: int) -> int:
    """The first comma of the container's own from `target` on and before `limit`; -1 if there is none.

    `at` is where a part begins.
    """
    depth, in_string = 0, False
    while at < target:
        at, depth, in_string, _ = _leap(data, at, target, depth, in_string)
    while at < limit:
        after, deeper, still_in_string, lowest = _leap(data, at, min(at + STEP, limit), depth, in_string)
        if lowest <= 0:
            comma = _look(_without_escapes(data[at:after]), depth, in_string)
            if comma >= 0:
                return at + comma
        at, depth, in_string = after, deeper, still_in_string
    return -1


def _leap(data: bytes, at: int, target: int, depth: int, in_string: bool) -> tuple[int, int, bool, int]:
    """Go on to `target` (or just past it): where, how deep, whether within a string, and the lowest depth on the way."""
    target = min(target, at + WINDOW)
    if data[target - 1] == 0x5C:  # never between a backslash and what it escapes
        other = _NO_BACKSLASH.search(data, target)
        target = len(data) if other is None else other.end()
    pieces = _without_escapes(data[at:target]).split(b'"')
    brackets = b"".join(pieces[in_string::2]).translate(None, _NOT_BRACKETS)
    lowest = depth - _unmatched(brackets)
    deeper = depth + brackets.count(b"[") + brackets.count(b"{") - brackets.count(b"]") - brackets.count(b"}")
    if deeper > MAX_DEPTH:
        raise ValueError("nested too deep")
    return target, deeper, in_string ^ (len(pieces) % 2 == 0), lowest


def _unmatched(brackets: bytes) -> int:
    """How many containers that were open before are closed in `brackets`."""
    brackets = brackets.replace(b"[", b"{").replace(b"]", b"}")
    length = -1
    for _ in range(64):  # no deeper: the rest is then counted too high, and looked at closely
        if length == len(brackets):
            break
        length = len(brackets)
        brackets = brackets.replace(b"{}", b"")
    return brackets.count(b"}")


def _without_escapes(window: bytes) -> bytes:
    """As long as before, and every quote left begins or ends a string."""
    return window.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in window else window


def _look(window: bytes, depth: int, in_string: bool) -> int:
    """The first comma at depth 0, token by token; -1 if there is none."""
    start = window.find(b'"') + 1 if in_string else 0
    if in_string and not start:
        return -1
    for token in _TOKEN.finditer(window, start):
        first = window[token.start()]
        if first == 0x2C:
            if depth == 0:
                return token.start()
        elif first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
            if depth < 0:
                raise ValueError("more brackets closed than opened")
    return -1


def _before_giant(data: bytes, at: int, is_object: bool) -> int:
    """The last comma of the container's own before a giant; -1 if the giant stands first."""
    window = data[at : at + WINDOW].decode("utf-8", "ignore")
    place, last = _BLANK.match(window).end(), -1  # type: ignore[union-attr]  # matches anywhere
    try:
        while True:
            if is_object:
                _, place = _DECODER.raw_decode(window, place)
                colon = _COLON.match(window, place)
                if colon is None:
                    break
                place = colon.end()
            _, place = _DECODER.raw_decode(window, place)
            comma = _COMMA.match(window, place)
            if comma is None:
                break
            last = comma.end() - 1
            place = _BLANK.match(window, comma.end()).end()  # type: ignore[union-attr]
    except (StopIteration, ValueError, IndexError):
        pass
    return -1 if last < 0 else at + len(window[:last].encode())
