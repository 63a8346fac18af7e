"""JSON as somebody wrote it, with a few values replaced: whatever is not replaced keeps its very characters.

Reading and writing JSON with Python changes what numbers look like (1.10, 1E5) and how characters are escaped. A body
that passes through us should come out as it went in but for the texts that are shorter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_value_at = json.JSONDecoder().raw_decode


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
        return _as_utf8(_merged(raw.decode("utf-8").strip(), before, after))
    except (ValueError, IndexError, RecursionError):
        return write(after)


def write(value: Any) -> bytes:
    """JSON in as few bytes as possible; characters that UTF-8 does not have (lone surrogates) are escaped."""
    return _as_utf8(_new(value))


def _merged(text: str, before: Any, after: Any) -> str:
    """`after` as JSON, with the characters of `text` for all that it shares with `before`, which `text` holds."""
    if after is before:
        return text
    if isinstance(before, dict) and isinstance(after, dict):
        texts = dict(_fields(text))
        fields = ((key, _merged(texts[key], before[key], value) if key in before else _new(value)) for key, value in after.items())
        return "{" + ",".join(f"{_new(key)}:{field}" for key, field in fields) + "}"
    if isinstance(before, list) and isinstance(after, list):
        return "[" + ",".join(_merged_elements(list(_elements(text)), before, after)) + "]"
    return _new(after)


def _merged_elements(texts: list[str], before: list[Any], after: list[Any]) -> Iterator[str]:
    """Elements stay in order; some may be new between the old ones."""
    place = 0
    for value in after:
        found = next((index for index in range(place, len(before)) if _comes_from(value, before[index])), None)
        if found is None:
            yield _new(value)
        else:
            yield _merged(texts[found], before[found], value)
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


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """The fields of the object that `text` is, as they are written."""
    at = _after_space(text, 1)
    while text[at] != "}":
        key, at = _value_at(text, at)
        start = _after_space(text, _after_space(text, at) + 1)
        _, at = _value_at(text, start)
        yield key, text[start:at]
        at = _after_comma(text, at)


def _elements(text: str) -> Iterator[str]:
    """The elements of the list that `text` is, as they are written."""
    at = _after_space(text, 1)
    while text[at] != "]":
        start = at
        _, at = _value_at(text, start)
        yield text[start:at]
        at = _after_comma(text, at)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _new(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _as_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is there twice")
    return fields


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
