"""Reading JSON without losing a digit, and writing it short.

Numbers with a fraction or an exponent are kept as `msgspec.Raw`, so 1.10 stays 1.10; whole numbers are Python's
own, which have no limit that matters. What cannot be kept exactly (duplicate keys, NaN, lone surrogates, a
document nested deeper than we walk) is refused: a simpler kind takes over.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

MAX_DEPTH = 64
"""Deeper documents are refused: the walks below recurse, and the caller's own stack is not ours to spend."""

_DECODER = msgspec.json.Decoder(float_hook=msgspec.Raw)
_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()

_NEGATIVE_ZERO = re.compile(r"(?:\A|[\[,:\s])-0(?![.\deE])")
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
NUMBERS = re.compile(rf"(?:{_NUMBER}(?:\n|\Z))+")
"""Numbers as JSON writes them, one a line."""

_NEEDS_QUOTES = re.compile(r'[\x00-\x1f",]')
_LIKE_A_VALUE = re.compile(rf"\Z|[\[{{…\s]|(?:true|false|null|{_NUMBER})\Z|table |all rows")
_BARE_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZbcdeghijklmopqrsuvwxyz/_@#$%&*+<>=?!:;~'.")


def read(text: str) -> Any:
    """The value of the JSON document `text`, fractions as `msgspec.Raw`. ValueError if it is none that we can keep."""
    try:
        if "-0" in text and _NEGATIVE_ZERO.search(text):
            return _read_slowly(text)
        value = _DECODER.decode(text)
        if _may_repeat_keys(text, value):
            return _read_slowly(text)
        return value
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
        raise ValueError("not a JSON document that can be kept exactly") from problem


def read_part(data: bytes) -> Any:
    """`read` for looking only, a few times faster: -0 comes as 0."""
    try:
        value = _DECODER.decode(data)
        if b"\\u0022" in data or _colons(data) != _ENCODER.encode(value).count(b'":'):
            return _read_slowly(data.decode())
        return value
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
        raise ValueError("not a JSON document that can be kept exactly") from problem


def raw_items(data: bytes) -> list[bytes]:
    """The items of a JSON array, each as it is written, without the blanks between tokens."""
    return list(map(bytes, _RAW_ITEMS.decode(msgspec.json.format(data, indent=-1))))


def raw_members(data: bytes) -> list[tuple[bytes, bytes]]:
    """Keys and values of a JSON object, the same way."""
    members = _RAW_MEMBERS.decode(msgspec.json.format(data, indent=-1))
    return [(_ENCODER.encode(key), bytes(value)) for key, value in members.items()]


def read_line_part(data: bytes) -> list[Any]:
    """`read_lines` for looking only."""
    try:
        rows: list[Any] = _DECODER.decode_lines(data)
        lines = [line for line in data.split(b"\n") if line and not line.isspace()]
        if len(rows) != len(lines):
            raise ValueError("not one document a line")
        if b"\\u0022" in data or _colons(b"[" + b",".join(lines) + b"]") != _ENCODER.encode(rows).count(b'":'):
            return [_read_slowly(line.decode()) for line in lines]
        return rows
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
        raise ValueError("not JSON Lines that can be kept exactly") from problem


def _colons(data: bytes) -> int:
    return msgspec.json.format(data, indent=-1).count(b'":')


def read_lines(text: str) -> list[Any]:
    """The values of JSON Lines, one a line, blank lines skipped. ValueError if it is anything else."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    try:
        rows: list[Any] = _DECODER.decode_lines(text)
        if len(rows) != len(lines):
            raise ValueError("not one document a line")
        if ("-0" in text and _NEGATIVE_ZERO.search(text)) or _may_repeat_keys("[" + ",".join(lines) + "]", rows):
            return [_read_slowly(line) for line in lines]
        return rows
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
        raise ValueError("not JSON Lines that can be kept exactly") from problem


def write(value: Any) -> str:
    """`value` as minified JSON, non-ASCII characters as they are."""
    return _ENCODER.encode(value).decode()


def depth_within(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether no container in `value` lies more than `limit` levels deep."""
    level = [value]
    for _ in range(limit + 1):
        deeper: list[Any] = []
        for container in level:
            children = container.values() if type(container) is dict else container
            deeper += [child for child in children if type(child) is dict or type(child) is list]
        if not deeper:
            return True
        level = deeper
    return False


def _may_repeat_keys(text: str, value: Any) -> bool:
    # Between a key and its colon minified JSON has `":`, and so has a string with an escaped quote before a colon,
    # in both texts alike (unless the quote was written as \u0022). Keys dropped by the decoder leave fewer of them.
    if "\\u0022" in text:
        return True
    return str(msgspec.json.format(text, indent=-1)).count('":') != _ENCODER.encode(value).count(b'":')


def _read_slowly(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique, parse_int=_whole, parse_float=msgspec.Raw, parse_constant=_refuse)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate keys")
    return members


def _whole(digits: str) -> Any:
    return msgspec.Raw(digits) if digits == "-0" else int(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def string_cell(value: str) -> str:
    """A string as a cell of a table: bare where nobody could take it for anything else, else as JSON writes it."""
    if _NEEDS_QUOTES.search(value) or _LIKE_A_VALUE.match(value) or value[-1].isspace():
        return write(value)
    return value


def string_cells(values: list[str]) -> list[str]:
    """`string_cell` of each. Fast for the many columns in which no value needs quotes."""
    if len(values) > 8 and _NEEDS_QUOTES.search(".".join(values)) is None:
        return [v if v[:1] in _BARE_FIRST and not v[-1].isspace() else string_cell(v) for v in values]
    return [string_cell(value) for value in values]


def key_text(key: str) -> str:
    """An object's key as a name in a header: bare if it is one plain word, else as JSON writes it."""
    return key if _PLAIN_KEY.match(key) else write(key)


_PLAIN_KEY = re.compile(r"[^\W\d][\w\-$@/]*\Z")
