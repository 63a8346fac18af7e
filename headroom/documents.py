"""Files that hold messages as JSON, or one tool output: read, and written with other messages in them, all else as it was."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from headroom.core.types import Message

CHAT_ROLES = frozenset(("system", "developer", "user", "assistant", "tool", "function"))
ITEM_TYPES = frozenset(("message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "reasoning"))
LIST_KEYS = ("messages", "input")

_SURROGATES = re.compile("[\ud800-\udfff]")
_SURROGATES_OF_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_quoted = json.encoder.encode_basestring


class WrittenFloat(float):
    """A number that is written as it was read: 1.10 stays 1.10, 1e400 stays finite."""

    def __new__(cls, written: str) -> WrittenFloat:
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str

    def __repr__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class Document:
    """The messages in an input, and what is around them."""

    messages: list[Message]
    holder: dict[str, Any] | None = None
    """The object that held the list, if there was one."""
    key: str = ""
    """Its key in `holder`; "" with no holder: the input was the list itself, or one text."""
    is_text: bool = False
    has_raw_bytes: bool = False
    """Whether the input had bytes that are no UTF-8: these stand in texts as lone surrogates."""
    characters: int = 0

    def with_messages(self, messages: list[Message]) -> bytes:
        """The input's bytes again, in its own form, with other messages in it. A text is written as it is, no newline added."""
        if self.is_text:
            return as_bytes(str(messages[0]["content"]))
        whole = messages if self.holder is None else {**self.holder, self.key: messages}
        unwritable = _SURROGATES_OF_NO_BYTE if self.has_raw_bytes else _SURROGATES
        # Only strings hold surrogates, so what is escaped here stands inside of quotes.
        return as_bytes(unwritable.sub(_escaped, _json(whole))) + b"\n"


def read_document(data: bytes, *, as_text: bool = False) -> Document:
    """Messages if `data` is JSON that holds some, else one tool output. Bytes that are no UTF-8 survive."""
    text = data.decode("utf-8", "surrogateescape")
    size, raw = len(text), _SURROGATES.search(text) is not None
    parsed = None if as_text else parse(text)
    if isinstance(parsed, list) and any(map(is_message, parsed)):
        return Document(parsed, has_raw_bytes=raw, characters=size)
    if isinstance(parsed, dict):
        for key in LIST_KEYS:
            inner = parsed.get(key)
            if isinstance(inner, list) and any(isinstance(item, dict) and ("role" in item or is_message(item)) for item in inner):
                return Document(inner, parsed, key, has_raw_bytes=raw, characters=size)
    return Document([{"role": "tool", "tool_call_id": "input", "content": text}], is_text=True, characters=size)


def as_bytes(text: str) -> bytes:
    """UTF-8; bytes that were no UTF-8 come out as they came in. A lone surrogate that no byte stands for is escaped."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _SURROGATES_OF_NO_BYTE.sub(_escaped, text).encode("utf-8", "surrogateescape")


def is_message(item: object) -> bool:
    """Whether `item` is a message of a known format, and not a row that has a role for reasons of its own."""
    if not isinstance(item, dict):
        return False
    role, kind = (value if isinstance(value, str) else "" for value in (item.get("role"), item.get("type")))
    if role in CHAT_ROLES and not (item.keys().isdisjoint(("content", "tool_calls", "function_call")) and len(item) > 1):
        return True
    return kind in ITEM_TYPES and not item.keys().isdisjoint(("role", "call_id", "summary"))


def parse(text: str) -> Any:
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(start, parse_float=WrittenFloat)
    except (ValueError, RecursionError):
        return None


def _json(value: Any) -> str:
    """JSON in one line. json.dumps would write 1.10 as 1.1."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    return repr(value) if isinstance(value, WrittenFloat) else json.dumps(value)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
