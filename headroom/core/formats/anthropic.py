"""Anthropic messages: `tool_result` blocks in a user message answer `tool_use` blocks of the assistant."""

from __future__ import annotations

from headroom.core.errors import FormatError
from headroom.core.formats.parts import MessageParts, call_arguments, role_of, string_field, texts_of
from headroom.core.types import ContentBlock, Message, ToolCall

NAME = "anthropic"
_TELLING = ("tool_result", "tool_use", "thinking", "redacted_thinking")


def recognises(message: Message) -> bool:
    """Whether a block says so that only this format has."""
    content = message.get("content")
    return isinstance(content, list) and any(isinstance(block, dict) and block.get("type") in _TELLING for block in content)


def read(index: int, message: Message) -> MessageParts:
    """Take one message apart. FormatError if it is malformed."""
    role = role_of(index, message)
    parts = MessageParts(role, dialect=NAME)
    words = [text for _, text in texts_of(index, message["content"], (index, "content"))]
    parts.words = words
    for position, block in enumerate(message["content"]):
        if not isinstance(block, dict):
            continue
        kind = block.get("type")
        if kind == "tool_use" and role == "assistant":
            arguments = call_arguments(block.get("input"))
            parts.calls.append(ToolCall(str(block.get("id") or ""), str(block.get("name") or ""), arguments, " ".join(words)))
        elif kind == "tool_result" and role == "user":
            call_id = string_field(index, block, "tool_use_id", where=f"content[{position}]")
            failed = block.get("is_error")
            if failed is not None and not isinstance(failed, bool):
                raise FormatError(index, f"content[{position}].is_error", f"must be a bool, not {type(failed).__name__}")
            for path, text in texts_of(index, block.get("content"), (index, "content", position, "content")):
                parts.blocks.append(ContentBlock(path, text, "tool", call_id, is_error=bool(failed)))
        elif kind == "text" and role == "user":
            parts.blocks.append(ContentBlock((index, "content", position, "text"), block["text"], "user"))
    return parts
