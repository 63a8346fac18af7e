"""What a reader of a wire format returns, and the checks that all readers share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from headroom.core.errors import FormatError
from headroom.core.types import ContentBlock, Path, ToolCall

ITEM = "item"
"""The role of what has none: a Responses item that is neither a message, a call nor an output."""


@dataclass(slots=True)
class MessageParts:
    """One message, read: its texts that may be compressed, and what it adds to the causal context."""

    role: str
    blocks: list[ContentBlock] = field(default_factory=list)
    """Only roles "tool" and "user" ever have blocks: instructions and the assistant's words are sacred."""
    calls: list[ToolCall] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """The prose of a user, or of an assistant beside its calls."""
    dialect: str = "openai"


def texts_of(index: int, content: Any, path: Path, kinds: tuple[str, ...] = ("text",)) -> Iterator[tuple[Path, str]]:
    """(path, text) of a content that is a string or a list of blocks; other blocks are passed over.

    FormatError if it is neither, or if a text block has no text.
    """
    if isinstance(content, str):
        yield path, content
        return
    if content is None:
        return
    name = field_name(path)
    if not isinstance(content, list):
        raise FormatError(index, name, f"must be a string or a list of blocks, not {type(content).__name__}")
    for position, block in enumerate(content):
        if isinstance(block, str):  # not in any specification, but LangChain writes it and providers take it
            continue
        if not isinstance(block, dict):
            raise FormatError(index, f"{name}[{position}]", f"must be a block (a dict), not {type(block).__name__}")
        if block.get("type") in kinds:
            text = block.get("text")
            if not isinstance(text, str):
                raise FormatError(index, f"{name}[{position}].text", f"must be a string, not {type(text).__name__}")
            yield (*path, position, "text"), text


def as_dicts(value: Any) -> Any:
    """A message as dicts, whatever it holds of a vendor's SDK: applications append `response.content` as it came.

    The same object if there is nothing to convert. For reading only: what is an object stays one when it is sent.
    """
    if not isinstance(value, dict):
        dump = getattr(value, "model_dump", None)
        return dump() if callable(dump) else value
    converted = value
    for key in ("content", "tool_calls", "output"):
        parts = value.get(key)
        if isinstance(parts, list) and any(not isinstance(part, (dict, str)) for part in parts):
            converted = converted if converted is not value else dict(value)
            converted[key] = [as_dicts(part) for part in parts]
    return converted


def can_be_replaced(message: Any, path: Path) -> bool:
    """Whether the text at `path` lies in plain dicts and lists, which alone are copied and changed."""
    holder = message
    for step in path[1:]:
        if not isinstance(holder, (dict, list)):
            return False
        holder = holder[step]  # type: ignore[index]  # a dict's keys are strings, a list's are numbers: both from this message
    return True


def field_name(path: Path) -> str:
    """How an error names a place within a message: (7, "content", 0, "text") is content[0].text."""
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path[1:])
    return name.removeprefix(".")


def string_field(index: int, holder: dict[str, Any], key: str, default: str = "", where: str = "") -> str:
    """holder[key] if it is a string, `default` if it is absent or None; FormatError otherwise. `where` names the holder."""
    value = holder.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise FormatError(index, f"{where}.{key}" if where else key, f"must be a string, not {type(value).__name__}")
    return value


def role_of(index: int, message: dict[str, Any]) -> str:
    """The message's role; FormatError if it has none."""
    role = message.get("role")
    if isinstance(role, str):
        return role
    raise FormatError(index, "role", "is missing" if role is None else f"must be a string, not {type(role).__name__}")


def call_arguments(given: Any) -> str:
    """The input of a call as text: equal inputs give equal texts, in whatever order their keys stand."""
    if isinstance(given, str):
        return given
    if not given:
        return ""
    try:
        return json.dumps(given, ensure_ascii=False, sort_keys=True, default=str)
    except (TypeError, ValueError):  # keys of several kinds, a circle: nothing that a provider would have sent
        return str(given)
