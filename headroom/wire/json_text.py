"""JSON as somebody wrote it, with a few values replaced: whatever is not replaced keeps its very characters.

Reading and writing JSON with Python changes what numbers look like (1.10, 1E5) and how characters are escaped. A body
that passes through us should come out as it went in but for the texts that are shorter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_value_at = json.JSONDecoder().raw_decode
# These find where a value ends without making anything of it: ten times faster than reading it.
_READ_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_READ_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


def read_object(raw: bytes) -> dict[str, Any] | None:
    """The JSON object in `raw`; None if it is something else, or holds what readers disagree about (a key twice, NaN)."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unambiguous, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def rewritten(raw: bytes, before: dict[str, Any], after: dict[str, Any]) -> bytes:
    """`raw`, which holds `before`, as it must be to hold `after`.

    What is the same object in both keeps its characters; only what differs is written anew.
    """
    if after is before:
        return raw
    try:
        return _merged(raw.strip(), before, after)
    except (ValueError, IndexError, RecursionError):
        return write(after)


def write(value: Any) -> bytes:
    """JSON in as few bytes as possible; characters that UTF-8 does not have (lone surrogates) are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _merged(raw: bytes, before: Any, after: Any) -> bytes:
    """`after` as JSON, with the characters of `raw` for all that it shares with `before`, which `raw` holds."""
    if after is before:
        return raw
    if isinstance(before, dict) and isinstance(after, dict):
        written = _fields(raw)
        fields = [(key, _merged(written[key], before[key], value) if key in before else write(value)) for key, value in after.items()]
        return b"{" + b",".join([write(key) + b":" + field for key, field in fields]) + b"}"
    if isinstance(before, list) and isinstance(after, list):
        return b"[" + b",".join(_merged_elements(_elements(raw), before, after)) + b"]"
    return write(after)


def _merged_elements(written: list[bytes], before: list[Any], after: list[Any]) -> Iterator[bytes]:
    """Elements stay in order; some may be new between the old ones."""
    place = 0
    for value in after:
        found = next((index for index in range(place, len(before)) if _comes_from(value, before[index])), None)
        if found is None:
            yield write(value)
        else:
            yield _merged(written[found], before[found], value)
            place = found + 1


def _comes_from(value: Any, element: Any) -> bool:
    """Whether `value` is `element`, or a copy of it with something replaced: then they share the rest."""
    if value is element:
        return True
    if isinstance(value, dict) and isinstance(element, dict):
        return value.keys() == element.keys() and any(_is_told_apart(value[key], element[key]) for key in value)
    return False


def _is_told_apart(value: Any, other: Any) -> bool:
    return value is other and isinstance(value, (str, list, dict)) and len(value) > 1


def _fields(raw: bytes) -> dict[str, bytes]:
    """The fields of the object that `raw` is, as they are written."""
    try:
        return {key: bytes(value) for key, value in _READ_FIELDS.decode(raw).items()}
    except msgspec.DecodeError:  # a lone surrogate, which it refuses
        return dict(_fields_one_by_one(raw.decode()))


def _elements(raw: bytes) -> list[bytes]:
    """The elements of the list that `raw` is, as they are written."""
    try:
        return [bytes(value) for value in _READ_ELEMENTS.decode(raw)]
    except msgspec.DecodeError:
        return list(_elements_one_by_one(raw.decode()))


def _fields_one_by_one(text: str) -> Iterator[tuple[str, bytes]]:
    at = _after_space(text, 1)
    while text[at] != "}":
        key, at = _value_at(text, at)
        start = _after_space(text, _after_space(text, at) + 1)
        _, at = _value_at(text, start)
        yield key, text[start:at].encode()
        at = _after_comma(text, at)


def _elements_one_by_one(text: str) -> Iterator[bytes]:
    at = _after_space(text, 1)
    while text[at] != "]":
        start = at
        _, at = _value_at(text, start)
        yield text[start:at].encode()
        at = _after_comma(text, at)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is there twice")
    return fields


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
