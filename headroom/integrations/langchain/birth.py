"""Tool outputs shortened as they are born: the state holds the shorter text, and the original beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from headroom import MissingDependencyError
from headroom.integrations.langchain.shortening import Shortener

try:
    from langgraph.types import Command
except ImportError as missing:
    raise MissingDependencyError("langgraph", extra="langchain") from missing

_KEY = "headroom"
_IN_ARTIFACT = "artifact"


def call_of(name: str, arguments: Mapping[str, Any], call_id: str | None) -> AIMessage:
    """The call that an output answers, as a message for reading: what the agent wanted to know decides what is shown."""
    return AIMessage("", tool_calls=[{"name": name, "args": dict(arguments), "id": call_id or "", "type": "tool_call"}])


def context_of(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Of a conversation, what decides about the next output: the newest words of a user, and the calls after them.

    No earlier output: a pointer to one would dangle as soon as somebody summarises or trims the state.
    """
    users = [message for message in messages if isinstance(message, HumanMessage)]
    calls = [message for message in messages if isinstance(message, AIMessage) and message.tool_calls]
    return [*users[-1:], *calls[-1:]]


def shorten_output(output: Any, before: Sequence[BaseMessage], shortener: Shortener) -> Any:
    """What a tool gave (a ToolMessage, a Command that adds some, a list of these) with shorter texts; all else as it is."""
    messages = _tool_messages(output)
    return _with_messages(output, {id(message): _shorter(message, before, shortener) for message in messages})


async def ashorten_output(output: Any, before: Sequence[BaseMessage], shortener: Shortener) -> Any:
    """The same, large ones in another thread."""
    messages = _tool_messages(output)
    return _with_messages(output, {id(message): await _ashorter(message, before, shortener) for message in messages})


def original_content(message: ToolMessage) -> str | list[str | dict[Any, Any]]:
    """The content that `message` had before it was shortened at birth; its content if it was not.

    The original stands in `message.artifact`, or, where the tool has an artifact of its own, in
    `message.response_metadata["headroom"]["original"]`. Neither is ever sent to a model.
    """
    note = message.response_metadata.get(_KEY)
    if not isinstance(note, dict):
        return message.content
    original = message.artifact if note.get("original_in") == _IN_ARTIFACT else note.get("original")
    return original if isinstance(original, (str, list)) else message.content


def _shorter(message: ToolMessage, before: Sequence[BaseMessage], shortener: Shortener) -> ToolMessage:
    return _with_original(message, shortener.shorten([*before, message])[-1])


async def _ashorter(message: ToolMessage, before: Sequence[BaseMessage], shortener: Shortener) -> ToolMessage:
    return _with_original(message, (await shortener.ashorten([*before, message]))[-1])


def _with_original(message: ToolMessage, shorter: BaseMessage) -> ToolMessage:
    if shorter is message or not isinstance(shorter, ToolMessage):
        return message
    if message.artifact is None:
        note: dict[str, Any] = {"original_in": _IN_ARTIFACT}
        artifact: Any = message.content
    else:
        note, artifact = {"original": message.content}, message.artifact
    metadata = {**message.response_metadata, _KEY: note}
    return shorter.model_copy(update={"artifact": artifact, "response_metadata": metadata})


def _tool_messages(output: Any) -> list[ToolMessage]:
    if isinstance(output, ToolMessage):
        return [output]
    if isinstance(output, list):
        return [message for item in output for message in _tool_messages(item)]
    if isinstance(output, Command) and isinstance(output.update, dict) and isinstance(output.update.get("messages"), list):
        return [message for message in output.update["messages"] if isinstance(message, ToolMessage)]
    return []


def _with_messages(output: Any, shorter: dict[int, ToolMessage]) -> Any:
    if not shorter:
        return output
    if isinstance(output, ToolMessage):
        return shorter[id(output)]
    if isinstance(output, list):
        return [_with_messages(item, shorter) for item in output]
    if isinstance(output, Command) and isinstance(output.update, dict) and isinstance(output.update.get("messages"), list):
        messages = [shorter.get(id(message), message) for message in output.update["messages"]]
        return dataclasses.replace(output, update={**output.update, "messages": messages})
    return output
