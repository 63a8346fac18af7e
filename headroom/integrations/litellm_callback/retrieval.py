"""The model's calls of `headroom_retrieve` in a response, the messages that answer them, and a response without them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.llms.custom_httpx.llm_http_handler import BaseLLMHTTPHandler

from headroom.tools.definitions import is_retrieve_tool

GAVE_UP = "What was left out of a tool's output could not be fetched, so this turn was not completed. Please try again."
"""Said in the model's place when it asked for nothing but originals to the very end: a client takes no empty answer."""


def answered_dialects() -> frozenset[str]:
    """The dialects in which this release of LiteLLM lets a callback answer a tool call within the caller's request."""
    if not hasattr(CustomLogger, "async_build_agentic_loop_plan"):
        return frozenset()
    dialects = set()
    if hasattr(BaseLLMHTTPHandler, "_agentic_hook_kwargs"):  # before, what follows went to Anthropic, wherever the request did
        dialects.add("anthropic")
    if find_spec("litellm.litellm_core_utils.chat_completion_agentic_loop") is not None:
        dialects.add("openai")
    hooks = getattr(BaseLLMHTTPHandler, "_call_agentic_completion_hooks", None)
    if hooks is not None and "api_surface" in inspect.signature(hooks).parameters:
        dialects.add("responses")
    return frozenset(dialects)


def dialect_of_response(response: Any) -> str | None:
    """Which dialect a response is written in; None for a stream, or anything else that is not a whole response."""
    for key, dialect in (("choices", "openai"), ("output", "responses"), ("content", "anthropic")):
        if isinstance(_field(response, key), list):
            return dialect
    return None


def retrieve_calls(response: Any) -> list[Any]:
    """The calls of `headroom_retrieve` in a whole response, as the provider's objects."""
    return [part for part in _parts(response) if _is_ours(part)]


def follow_up(messages: list[Any], response: Any, answer: Callable[[Any], str]) -> list[Any]:
    """The conversation with the model's turn and the answers to its calls of `headroom_retrieve`.

    Calls of other tools in the same turn are left out: they cannot be answered here, a call without its answer is
    an error everywhere, and the model makes them again once it has read what it asked for.
    """
    return [*messages, *_TURNS[dialect_of_response(response) or "openai"](response, answer)]


def take_out(response: Any) -> None:
    """Remove the calls of `headroom_retrieve` from a response, in place: its reader does not know the tool."""
    dialect = dialect_of_response(response)
    kept = [part for part in _parts(response) if not _is_ours(part)]
    if dialect == "openai":
        _take_out_of_chat(_field(response, "choices")[0], kept)
    elif dialect == "anthropic":
        _set(response, "content", kept if _says_anything(kept) else [*kept, {"type": "text", "text": GAVE_UP}])
        if not any(_field(part, "type") == "tool_use" for part in kept):
            _set(response, "stop_reason", "end_turn")
    elif dialect == "responses":
        _set(response, "output", kept)


def _take_out_of_chat(choice: Any, kept: list[Any]) -> None:
    message = _field(choice, "message")
    _set(message, "tool_calls", kept or None)
    if not kept:
        _set(choice, "finish_reason", "stop")
        _set(message, "content", _field(message, "content") or GAVE_UP)


def _says_anything(parts: list[Any]) -> bool:
    return any(_field(part, "type") in ("text", "tool_use") for part in parts)


# --- the model's turn and its answers, as the next request shows them ---------------------------------------------------


def _chat_turn(response: Any, answer: Callable[[Any], str]) -> list[Any]:
    message = _as_dict(_field(_field(response, "choices")[0], "message"))
    calls = [call for call in message.get("tool_calls") or [] if _is_ours(call)]
    said = {key: value for key, value in message.items() if key not in _ONLY_IN_RESPONSES and value is not None}
    turn = {**said, "role": "assistant", "content": message.get("content"), "tool_calls": calls}
    return [turn, *({"role": "tool", "tool_call_id": call.get("id"), "content": answer(call)} for call in calls)]


_ONLY_IN_RESPONSES = ("function_call", "annotations", "audio", "refusal", "images")
"""Fields of a chat response's message that no provider needs back."""


def _anthropic_turn(response: Any, answer: Callable[[Any], str]) -> list[Any]:
    blocks = [_as_dict(block) for block in _parts(response)]
    kept = [block for block in blocks if block.get("type") != "tool_use" or _is_ours(block)]
    results = [
        {"type": "tool_result", "tool_use_id": block.get("id"), "content": answer(block)}
        for block in kept
        if block.get("type") == "tool_use"
    ]
    return [{"role": "assistant", "content": kept}, {"role": "user", "content": results}]


def _responses_turn(response: Any, answer: Callable[[Any], str]) -> list[Any]:
    items = [_as_dict(item) for item in _parts(response)]
    kept = [item for item in items if item.get("type") != "function_call" or _is_ours(item)]
    calls = [item for item in kept if item.get("type") == "function_call"]
    return [*kept, *({"type": "function_call_output", "call_id": call.get("call_id"), "output": answer(call)} for call in calls)]


_TURNS: dict[str, Callable[[Any, Callable[[Any], str]], list[Any]]] = {
    "openai": _chat_turn,
    "anthropic": _anthropic_turn,
    "responses": _responses_turn,
}


# --- parts of a response ------------------------------------------------------------------------------------------------


def _parts(response: Any) -> list[Any]:
    """What a response is made of: a chat message's calls, Anthropic's blocks, the items of Responses."""
    dialect = dialect_of_response(response)
    if dialect == "openai":
        choices = _field(response, "choices")
        message = _field(choices[0], "message") if choices else None
        return list(_field(message, "tool_calls") or [])
    return list(_field(response, "content" if dialect == "anthropic" else "output") or [])


def _is_ours(part: Any) -> bool:
    function = _field(part, "function")
    if function is None and _field(part, "type") not in ("tool_use", "function_call"):
        return False
    name = _field(part if function is None else function, "name")
    return isinstance(name, str) and is_retrieve_tool(name)


def _as_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    dumped: dict[str, Any] = value.model_dump(exclude_none=True)
    return dumped


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _set(holder: Any, name: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[name] = value
    else:
        setattr(holder, name, value)
