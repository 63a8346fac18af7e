"""Guests in other people's frameworks. Each is loaded when one of its names is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    "CompressedMessagesState": "headroom.integrations.langchain",
    "HeadroomCallbackHandler": "headroom.integrations.langchain",
    "HeadroomChatMessageHistory": "headroom.integrations.langchain",
    "HeadroomChatModel": "headroom.integrations.langchain",
    "HeadroomDocumentCompressor": "headroom.integrations.langchain",
    "HeadroomMiddleware": "headroom.integrations.langchain",
    "HeadroomRetrieveTool": "headroom.integrations.langchain",
    "HeadroomRetriever": "headroom.integrations.langchain",
    "HeadroomRunnable": "headroom.integrations.langchain",
    "LangChainStore": "headroom.integrations.langchain",
    "LangGraphStore": "headroom.integrations.langchain",
    "create_compress_tool_messages_node": "headroom.integrations.langchain",
    "create_pre_model_hook": "headroom.integrations.langchain",
    "create_retrieve_tool": "headroom.integrations.langchain",
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
