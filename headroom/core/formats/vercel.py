"""The Vercel AI SDK's prompt (LanguageModelV4Prompt): `tool-result` parts of a tool message answer `tool-call` parts.

An output is {"type": "text" | "error-text", "value": str} or {"type": "content", "value": [{"type": "text", ...}]}. One of
type "json" or "error-json" holds a value and no text: whoever sends it to be compressed writes it as text first.
"""

from __future__ import annotations

from typing import Any

from headroom.core.errors import FormatError
from headroom.core.formats.parts import MessageParts, call_arguments, role_of, string_field, texts_of
from headroom.core.types import ContentBlock, Message, Path, ToolCall

NAME = "vercel"
_TELLING = ("tool-result", "tool-call", "tool-approval-response", "tool-approval-request", "reasoning-file")
_TEXTS = ("text", "error-text")
_FAILED = ("error-text", "error-json", "execution-denied")


def recognises(message: Message) -> bool:
    """Whether a part says so that only this format has: the hyphen in their names."""
    content = message.get("content")
    return isinstance(content, list) and any(isinstance(part, dict) and part.get("type") in _TELLING for part in content)


def read(index: int, message: Message) -> MessageParts:
    """Take one message apart. FormatError if it is malformed."""
    role = role_of(index, message)
    parts = MessageParts(role, dialect=NAME)
    parts.words = [text for _, text in texts_of(index, message["content"], (index, "content"))]
    for position, part in enumerate(message["content"]):
        if not isinstance(part, dict):
            continue
        if part.get("type") == "tool-call" and role == "assistant":
            arguments = call_arguments(part.get("input"))
            parts.calls.append(ToolCall(_id_of(part), str(part.get("toolName") or ""), arguments, " ".join(parts.words)))
        elif part.get("type") == "tool-result" and role == "tool":
            parts.blocks += _outputs(index, position, part)
    return parts


def _outputs(index: int, position: int, part: dict[str, Any]) -> list[ContentBlock]:
    where = f"content[{position}]"
    output = part.get("output")
    path: Path = (index, "content", position, "output", "value")
    if not isinstance(output, dict):
        raise FormatError(index, f"{where}.output", f"must be a dict with type and value, not {type(output).__name__}")
    kind = output.get("type")
    failed = kind in _FAILED
    if kind in _TEXTS:
        texts = [(path, string_field(index, output, "value", where=f"{where}.output"))]
    elif kind == "content":
        texts = list(texts_of(index, output.get("value"), path))
    else:
        texts = []
    name = string_field(index, part, "toolName", where=where)
    return [ContentBlock(path, text, "tool", _id_of(part), name, is_error=failed) for path, text in texts]


def _id_of(part: dict[str, Any]) -> str:
    return str(part.get("toolCallId") or "")
