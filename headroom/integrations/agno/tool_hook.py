"""A tool hook that compresses a tool's result at birth, before Agno makes a message of it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from agno.models.message import Message
from agno.tools.function import ToolResult

from headroom.integrations.agno.compressing_model import CompressingModel
from headroom.integrations.agno.retrieval import is_offered
from headroom.integrations.agno.service import AgnoService
from headroom.integrations.agno.toolkit import HeadroomTools
from headroom.tools.definitions import is_retrieve_tool

ToolHook = Callable[..., Any]


def create_headroom_tool_hook(tools: Collection[str] | None = None, *, asynchronous: bool = False, **options: Any) -> ToolHook:
    """A hook for `@tool(tool_hooks=[hook])`, one tool, or `Agent(tool_hooks=[hook])`, all tools or those named in `tools`.

    Here the session, too, holds the shorter text: the original lives only in Headroom's store, for as long as that
    keeps it. Where the agent's model cannot call `headroom_retrieve`, it folds only. Takes what `compress()` takes.
    `asynchronous=True` gives a coroutine function: for asynchronous tools on versions of Agno that await no other hook.
    """
    service = AgnoService(**options)

    def headroom_tool_hook(
        function_name: str, function_call: Callable[..., Any], arguments: dict[str, Any], agent: Any = None, team: Any = None
    ) -> Any:
        result = function_call(**arguments)
        if is_retrieve_tool(function_name) or (tools is not None and function_name not in tools):
            return result
        lossless = service.lossless or not _can_retrieve(agent if agent is not None else team)
        if inspect.isawaitable(result):
            return _shorten_later(service, result, function_name, arguments, lossless)
        return _shorten(service, result, function_name, arguments, lossless)

    async def headroom_async_tool_hook(
        function_name: str, function_call: Callable[..., Any], arguments: dict[str, Any], agent: Any = None, team: Any = None
    ) -> Any:
        result = headroom_tool_hook(function_name, function_call, arguments, agent, team)
        return await result if inspect.isawaitable(result) else result

    return headroom_async_tool_hook if asynchronous else headroom_tool_hook


async def _shorten_later(service: AgnoService, result: Awaitable[Any], name: str, arguments: dict[str, Any], lossless: bool) -> Any:
    text = _text_of(done := await result)
    if not text:
        return done
    return _in_place_of(done, text, await service.ashorten(_turn(name, arguments, text), "", lossless=lossless))


def _shorten(service: AgnoService, result: Any, name: str, arguments: dict[str, Any], lossless: bool) -> Any:
    text = _text_of(result)
    if not text:
        return result
    return _in_place_of(result, text, service.shorten(_turn(name, arguments, text), "", lossless=lossless))


def _text_of(result: Any) -> str:
    """What Agno will show the model of this result; "" for what it treats in another way (streams, nothing)."""
    if isinstance(result, ToolResult):
        return result.content
    if result is None or inspect.isgenerator(result) or inspect.isasyncgen(result) or hasattr(result, "__next__"):
        return ""
    return str(result)


def _in_place_of(result: Any, text: str, turn: list[Message]) -> Any:
    short = turn[-1].content
    if short == text:
        return result
    return result.model_copy(update={"content": short}) if isinstance(result, ToolResult) else short


def _turn(name: str, arguments: dict[str, Any], text: str) -> list[Message]:
    """The call and its answer, as the model will see them."""
    function = {"name": name, "arguments": json.dumps(arguments, default=str)}
    call = {"id": "call", "type": "function", "function": function}
    return [Message(role="assistant", tool_calls=[call]), Message(role="tool", tool_call_id="call", tool_name=name, content=text)]


def _can_retrieve(owner: Any) -> bool:
    """Whether the model of this agent or team is offered the tool."""
    if owner is None or getattr(owner, "tool_choice", None) == "none":
        return False
    model, tools = getattr(owner, "model", None), getattr(owner, "tools", None)
    if isinstance(model, CompressingModel) and not model.headroom.lossless:
        return True
    listed = tools if isinstance(tools, (list, tuple)) else ()
    return is_offered(listed) or any(isinstance(tool, HeadroomTools) for tool in listed)
