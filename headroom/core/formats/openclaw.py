"""OpenClaw's agent messages: a `toolResult` message answers a `toolCall` block of the assistant."""

from __future__ import annotations

from headroom.core.errors import FormatError
from headroom.core.formats.parts import MessageParts, call_arguments, role_of, string_field, texts_of
from headroom.core.types import ContentBlock, Message, ToolCall

NAME = "openclaw"


def recognises(message: Message) -> bool:
    """A role, and a kind of block, that only this format has."""
    content = message.get("content")
    if message.get("role") == "toolResult":
        return True
    return isinstance(content, list) and any(isinstance(block, dict) and block.get("type") == "toolCall" for block in content)


def read(index: int, message: Message) -> MessageParts:
    """Take one message apart. FormatError if it is malformed."""
    role = role_of(index, message)
    if role == "toolResult":
        return MessageParts("tool", _outputs(index, message), dialect=NAME)
    parts = MessageParts(role, dialect=NAME)
    parts.words = [text for _, text in texts_of(index, message["content"], (index, "content"))]
    for block in message["content"]:
        if isinstance(block, dict) and block.get("type") == "toolCall":
            call = ToolCall(
                str(block.get("id") or ""), str(block.get("name") or ""), call_arguments(block.get("arguments")), " ".join(parts.words)
            )
            parts.calls.append(call)
    return parts


def _outputs(index: int, message: Message) -> list[ContentBlock]:
    if "content" not in message:
        raise FormatError(index, "content", "is missing")
    call_id, name = string_field(index, message, "toolCallId"), string_field(index, message, "toolName")
    failed = message.get("isError") is True
    texts = texts_of(index, message["content"], (index, "content"))
    return [ContentBlock(path, text, "tool", call_id, name, is_error=failed) for path, text in texts]
