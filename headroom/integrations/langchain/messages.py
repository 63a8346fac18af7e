"""LangChain's messages as plain dicts for compress(), and its shorter texts back in copies of the messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, FunctionMessage, HumanMessage, SystemMessage, ToolMessage

from headroom import CompressResult, HeadroomError

_TEXTS = ("text", "input_text")
_ROLES: tuple[tuple[type[BaseMessage], str], ...] = (
    (ToolMessage, "tool"),
    (AIMessage, "assistant"),
    (HumanMessage, "user"),
    (SystemMessage, "system"),
    (FunctionMessage, "function"),
)


def as_dicts(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """One dict a message, in order, for reading only: what compress() looks at and nothing else.

    Blocks that hold no text stand as empty ones in their places; a message of an unknown kind says nothing.
    """
    return [_as_dict(message) for message in messages]


def with_texts(messages: Sequence[BaseMessage], result: CompressResult) -> list[BaseMessage]:
    """`messages` with the texts of `result`, which came from `as_dicts(messages)`; unchanged ones are the same objects.

    HeadroomError if the result does not have one message for each of `messages`: a hook has added or removed some.
    """
    if len(result.messages) != len(messages):
        raise HeadroomError(f"{len(messages)} messages became {len(result.messages)}: hooks may change texts, not their number")
    return [_with_text(message, dict_of["content"]) for message, dict_of in zip(messages, result.messages, strict=True)]


def _as_dict(message: BaseMessage) -> dict[str, Any]:
    role = _role(message)
    plain: dict[str, Any] = {"role": role, "content": _content(message.content, outputs=role in ("user", "tool"))}
    if isinstance(message, AIMessage):
        calls = _calls(message)
        if calls:
            plain["tool_calls"] = calls
    elif isinstance(message, ToolMessage):
        if isinstance(message.content, list) and any(block["type"] == "tool_result" for block in plain["content"]):
            plain["role"] = "user"  # as Anthropic has it, and the only place where such blocks are looked for
        plain["tool_call_id"] = message.tool_call_id
    if isinstance(message, (ToolMessage, FunctionMessage)) and message.name:
        plain["name"] = message.name
    return plain


def _role(message: BaseMessage) -> str:
    for kind, role in _ROLES:
        if isinstance(message, kind):
            return role
    return message.role if isinstance(message, ChatMessage) else "other"


def _content(content: Any, *, outputs: bool) -> Any:
    if isinstance(content, list):
        return [_block(block, outputs=outputs) for block in content]
    return content if isinstance(content, str) else ""


def _block(block: Any, *, outputs: bool) -> dict[str, Any]:
    """Only what is read: a cache mark that moves to another block must not make this one look new."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict):
        return {"type": "other"}
    if block.get("type") in _TEXTS and isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    if outputs and block.get("type") == "tool_result":
        return {
            "type": "tool_result",
            "tool_use_id": str(block.get("tool_use_id") or ""),
            "content": _content(block.get("content"), outputs=False),
            "is_error": block.get("is_error") is True,
        }
    return {"type": "other"}


def _calls(message: AIMessage) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = [*message.tool_calls, *message.invalid_tool_calls]  # type: ignore[list-item]  # typed dicts
    if not calls and isinstance(message.content, list):  # written by hand, as Anthropic has it
        blocks = [block for block in message.content if isinstance(block, dict) and block.get("type") == "tool_use"]
        calls = [{**block, "args": block.get("input")} for block in blocks]
    return [
        {
            "id": call.get("id") or "",
            "type": "function",
            "function": {"name": call.get("name") or "", "arguments": _arguments(call.get("args"))},
        }
        for call in calls
    ]


def _arguments(given: Any) -> str:
    if isinstance(given, str):
        return given
    try:
        return json.dumps(given or {}, ensure_ascii=False, default=str)
    except (TypeError, ValueError):  # keys that JSON does not have
        return str(given)


def _with_text(message: BaseMessage, compressed: Any) -> BaseMessage:
    content = _replaced(message.content, compressed)
    return message if content is message.content else message.model_copy(update={"content": content})


def _replaced(content: Any, compressed: Any) -> Any:
    """`content` with the texts of `compressed`; the same object if none differs."""
    if isinstance(content, str):
        return compressed if isinstance(compressed, str) and compressed != content else content
    if not isinstance(content, list) or not isinstance(compressed, list) or len(content) != len(compressed):
        return content
    blocks = [_replaced_block(block, new) for block, new in zip(content, compressed, strict=True)]
    return content if all(new is old for new, old in zip(blocks, content, strict=True)) else blocks


def _replaced_block(block: Any, compressed: dict[str, Any]) -> Any:
    key = "content" if compressed.get("type") == "tool_result" else "text"
    if isinstance(block, str):
        return _replaced(block, compressed.get("text"))
    if key not in compressed or not isinstance(block, dict) or key not in block:
        return block
    new = _replaced(block[key], compressed[key])
    return block if new is block[key] else {**block, key: new}
