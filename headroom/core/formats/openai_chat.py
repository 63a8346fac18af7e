"""OpenAI chat completions: `tool` messages answer the `tool_calls` of an assistant message."""

from __future__ import annotations

from typing import Any

from headroom.core.errors import FormatError
from headroom.core.formats.parts import MessageParts, role_of, string_field, texts_of
from headroom.core.types import ContentBlock, Message, ToolCall

NAME = "openai"


def recognises(message: Message) -> bool:
    """The plain form: whatever no other format claims."""
    return True


def read(index: int, message: Message) -> MessageParts:
    """Take one message apart. FormatError if it is malformed."""
    role = role_of(index, message)
    parts = MessageParts(role, dialect=NAME)
    if role == "assistant":
        parts.words = [text for _, text in texts_of(index, message.get("content"), (index, "content"))]
        parts.calls = _calls(index, message, " ".join(parts.words))
        return parts
    if "content" not in message and role in ("system", "developer", "user", "tool", "function"):
        raise FormatError(index, "content", "is missing")
    if role in ("tool", "function"):
        name = string_field(index, message, "name")
        call_id = string_field(index, message, "tool_call_id") or name
        texts = texts_of(index, message["content"], (index, "content"))
        parts.blocks = [ContentBlock(path, text, "tool", call_id, name) for path, text in texts]
    elif role == "user":
        for path, text in texts_of(index, message["content"], (index, "content")):
            parts.words.append(text)
            parts.blocks.append(ContentBlock(path, text, "user"))
    elif role in ("system", "developer"):
        list(texts_of(index, message["content"], (index, "content")))  # read only to refuse what is malformed
    return parts


def _calls(index: int, message: Message, words: str) -> list[ToolCall]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise FormatError(index, "tool_calls", f"must be a list, not {type(calls).__name__}")
    found = []
    for position, call in enumerate(calls):
        where = f"tool_calls[{position}]"
        if not isinstance(call, dict):
            raise FormatError(index, where, f"must be a dict, not {type(call).__name__}")
        body: Any = call.get("function") or call.get("custom") or {}
        if not isinstance(body, dict):
            raise FormatError(index, f"{where}.function", f"must be a dict, not {type(body).__name__}")
        arguments = body.get("arguments", body.get("input", ""))
        found.append(ToolCall(str(call.get("id") or ""), str(body.get("name") or ""), _as_text(arguments), words))
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        name = str(legacy.get("name") or "")
        found.append(ToolCall(name, name, _as_text(legacy.get("arguments")), words))
    return found


def _as_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else "" if arguments is None else str(arguments)
