"""What LiteLLM's hooks hand over about a call, read: its dialect, its messages, its tools, and whose it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from headroom import CompressResult
from headroom.service import CompressionService
from headroom.tools.definitions import RETRIEVE_TOOL, definition, is_retrieve_tool

Value = TypeVar("Value")

DIALECTS = {
    "completion": "openai",
    "acompletion": "openai",
    "anthropic_messages": "anthropic",
    "responses": "responses",
    "aresponses": "responses",
}
"""LiteLLM's call types whose messages can be compressed; all others (embeddings, images, ...) are none of our business."""

FORGOTTEN = {"openai": (), "anthropic": ("max_tokens",), "responses": ("extra_headers", "extra_query", "extra_body", "timeout")}
"""By the dialect that LiteLLM asks again in: the arguments that it does not pass on."""

Whose = Literal["ours", "caller's", "nobody's"]
"""Who answers `headroom_retrieve` in a call: this callback, the caller who brought the tool, or nobody."""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """What later hooks must know of a call that an earlier hook has prepared."""

    dialect: str
    whose: Whose
    service: CompressionService
    again: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that LiteLLM forgets in the requests that follow."""


class Newest(Generic[Value]):
    """The values most lately put or asked for, by name: at most so many. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, name: str, value: Value) -> None:
        """Remember a value; the one that was left alone longest is forgotten when there are too many."""
        with self._lock:
            self._values[name] = value
            self._values.move_to_end(name)
            if len(self._values) > self._most:
                self._values.popitem(last=False)

    def get(self, name: object) -> Value | None:
        """The value of this name, if it is not forgotten."""
        with self._lock:
            if not isinstance(name, str) or name not in self._values:
                return None
            self._values.move_to_end(name)
            return self._values[name]


def dialect_of(call_type: object) -> str | None:
    """The dialect of a call type (LiteLLM's enum, or its name); None if it carries no conversation."""
    return DIALECTS.get(str(getattr(call_type, "value", call_type)))


def depth_of(kwargs: Mapping[str, Any]) -> int:
    """0 for the caller's own request; more for the ones that LiteLLM sends within it, after a tool was answered."""
    depth = kwargs.get("_agentic_loop_depth")
    return depth if isinstance(depth, int) else 0


def forgotten_arguments(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a call was given that LiteLLM does not pass on when it asks again."""
    return {name: kwargs[name] for names in FORGOTTEN.values() for name in names if kwargs.get(name) is not None}


def tenant_of(kwargs: Mapping[str, Any]) -> str:
    """The hash of the LiteLLM key that a proxy's client came with; "" outside of the proxy."""
    for name in ("litellm_metadata", "metadata"):
        metadata = kwargs.get(name)
        if isinstance(metadata, Mapping) and isinstance(metadata.get("user_api_key_hash"), str):
            return str(metadata["user_api_key_hash"])
    return ""


# --- messages -----------------------------------------------------------------------------------------------------------


def plain_messages(messages: Iterable[Any]) -> list[Any]:
    """The messages for reading: LiteLLM's and the SDKs' objects as dicts, dicts as they are."""
    return [_plain(message) for message in messages]


def _plain(message: Any) -> Any:
    dump = getattr(message, "model_dump", None)
    return dump(exclude_none=True) if callable(dump) and not isinstance(message, dict) else message


def with_texts(originals: list[Any], plain: list[Any], result: CompressResult) -> list[Any]:
    """The caller's own messages, with copies of those whose texts changed. `plain` is what was compressed."""
    return [
        original if new is old else _with_texts(original, new) for original, old, new in zip(originals, plain, result.messages, strict=True)
    ]


def _with_texts(original: Any, new: dict[str, Any]) -> Any:
    if isinstance(original, dict):
        return new
    key = "output" if "output" in new else "content"
    return original.model_copy(update={key: new[key]})


# --- tools --------------------------------------------------------------------------------------------------------------


def tool_name(tool: object) -> str:
    """The name of a tool in any dialect; "" for a provider's own tools, which have none."""
    if not isinstance(tool, Mapping):
        return ""
    function = tool.get("function")
    name = function.get("name") if isinstance(function, Mapping) else tool.get("name")
    return name if isinstance(name, str) else ""


def offers_retrieval(tools: object) -> bool:
    """Whether `headroom_retrieve` is among these tools."""
    return isinstance(tools, list) and any(is_retrieve_tool(tool_name(tool)) for tool in tools)


def has_callable_tools(tools: object) -> bool:
    """Whether the model may call functions at all. To a request without any, a tool is not added: not all models take one."""
    return isinstance(tools, list) and any(_is_function(tool) for tool in tools)


def _is_function(tool: object) -> bool:
    if not isinstance(tool, Mapping) or not tool_name(tool):
        return False
    return tool.get("type", "custom") in ("function", "custom")


class OfferedTool(dict[str, Any]):
    """`headroom_retrieve` as this callback adds it: LiteLLM tries calls again, under other ids, with what it was given."""


def is_offered_here(tools: object) -> bool:
    """Whether these tools come from `with_retrieval`, or are a copy of such."""
    return isinstance(tools, list) and any(isinstance(tool, OfferedTool) for tool in tools)


def with_retrieval(tools: list[Any], dialect: str) -> list[Any]:
    """A copy of `tools` with `headroom_retrieve` at its end, where it moves no other."""
    return [*tools, OfferedTool(definition(dialect))]


def without_retrieval(tools: object) -> list[Any]:
    """A copy of `tools` with `headroom_retrieve` taken out."""
    return [tool for tool in tools if tool_name(tool) != RETRIEVE_TOOL] if isinstance(tools, list) else []
