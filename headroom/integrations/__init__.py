"""Guests in other people's frameworks. Each is loaded when one of its names is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    "CompressedMessagesState": "headroom.integrations.langchain",
    "HeadroomAgnoModel": "headroom.integrations.agno",
    "HeadroomCallbackHandler": "headroom.integrations.langchain",
    "HeadroomChatMessageHistory": "headroom.integrations.langchain",
    "HeadroomChatModel": "headroom.integrations.langchain",
    "HeadroomCompressionManager": "headroom.integrations.agno",
    "HeadroomDocumentCompressor": "headroom.integrations.langchain",
    "HeadroomMiddleware": "headroom.integrations.langchain",
    "HeadroomPostHook": "headroom.integrations.agno",
    "HeadroomPreHook": "headroom.integrations.agno",
    "HeadroomRetrieveTool": "headroom.integrations.langchain",
    "HeadroomRetriever": "headroom.integrations.langchain",
    "HeadroomRunnable": "headroom.integrations.langchain",
    "HeadroomTools": "headroom.integrations.agno",
    "LangChainStore": "headroom.integrations.langchain",
    "LangGraphStore": "headroom.integrations.langchain",
    "RunReport": "headroom.integrations.agno",
    "create_compress_tool_messages_node": "headroom.integrations.langchain",
    "create_headroom_hooks": "headroom.integrations.agno",
    "create_headroom_tool_hook": "headroom.integrations.agno",
    "create_pre_model_hook": "headroom.integrations.langchain",
    "create_retrieve_tool": "headroom.integrations.langchain",
    "optimize_messages": "headroom.integrations.agno",
    "original_content": "headroom.integrations.langchain",
    "wrap_tools_with_headroom": "headroom.integrations.langchain",
}
"""Name -> the module that holds it; importing that module needs its framework."""

__all__ = sorted(_HOMES)  # noqa: PLE0605  (a table is the list)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
