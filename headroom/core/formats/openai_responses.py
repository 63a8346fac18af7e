"""OpenAI Responses: a flat list of items; `function_call_output` answers `function_call` by call_id."""

from __future__ import annotations

from headroom.core.errors import FormatError
from headroom.core.formats.parts import ITEM, MessageParts, role_of, string_field, texts_of
from headroom.core.types import ContentBlock, Message, ToolCall

NAME = "responses"
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_TEXTS = ("input_text", "output_text", "text")


def recognises(message: Message) -> bool:
    """Items carry their type at the top, chat messages do not."""
    return isinstance(message.get("type"), str) or any(
        isinstance(block, dict) and block.get("type") in ("input_text", "output_text") for block in _blocks(message)
    )


def read(index: int, message: Message) -> MessageParts:
    """Take one item apart. Items that hold nothing compressible (reasoning, searches) are passed over."""
    kind = message.get("type")
    if not isinstance(kind, str):  # left out by those who write messages only
        kind = "message"
    if kind in _CALLS:
        arguments = string_field(index, message, _CALLS[kind])
        call = ToolCall(string_field(index, message, "call_id"), string_field(index, message, "name"), arguments)
        return MessageParts("assistant", calls=[call], dialect=NAME)
    if kind in _OUTPUTS:
        if "output" not in message:
            raise FormatError(index, "output", "is missing")
        call_id = string_field(index, message, "call_id")
        outputs = texts_of(index, message["output"], (index, "output"), _TEXTS)
        return MessageParts("tool", [ContentBlock(path, text, "tool", call_id) for path, text in outputs], dialect=NAME)
    if kind != "message":
        return MessageParts(ITEM, dialect=NAME)
    role = role_of(index, message)
    if "content" not in message:
        raise FormatError(index, "content", "is missing")
    texts = list(texts_of(index, message["content"], (index, "content"), _TEXTS))
    parts = MessageParts(role, words=[text for _, text in texts], dialect=NAME)
    if role == "user":
        parts.blocks = [ContentBlock(path, text, "user") for path, text in texts]
    return parts


def _blocks(message: Message) -> list[object]:
    content = message.get("content")
    return content if isinstance(content, list) else []
