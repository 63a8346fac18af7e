"""LangChain: a chat model that sends less, and what an agent, a graph, a memory or a retriever needs beside it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headroom import MissingDependencyError

try:
    import langchain_core  # noqa: F401
except ImportError as missing:
    raise MissingDependencyError("langchain-core", extra="langchain") from missing

if TYPE_CHECKING:
    from headroom.integrations.langchain.birth import original_content as original_content
    from headroom.integrations.langchain.callback import HeadroomCallbackHandler as HeadroomCallbackHandler
    from headroom.integrations.langchain.chat_model import HeadroomChatModel as HeadroomChatModel
    from headroom.integrations.langchain.documents import HeadroomDocumentCompressor as HeadroomDocumentCompressor
    from headroom.integrations.langchain.history import HeadroomChatMessageHistory as HeadroomChatMessageHistory
    from headroom.integrations.langchain.langgraph import CompressedMessagesState as CompressedMessagesState
    from headroom.integrations.langchain.langgraph import create_compress_tool_messages_node as create_compress_tool_messages_node
    from headroom.integrations.langchain.langgraph import create_pre_model_hook as create_pre_model_hook
    from headroom.integrations.langchain.middleware import HeadroomMiddleware as HeadroomMiddleware
    from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool as HeadroomRetrieveTool
    from headroom.integrations.langchain.retrieve_tool import create_retrieve_tool as create_retrieve_tool
    from headroom.integrations.langchain.retriever import HeadroomRetriever as HeadroomRetriever
    from headroom.integrations.langchain.runnable import HeadroomRunnable as HeadroomRunnable
    from headroom.integrations.langchain.stores import LangChainStore as LangChainStore
    from headroom.integrations.langchain.stores import LangGraphStore as LangGraphStore
    from headroom.integrations.langchain.tools import wrap_tools_with_headroom as wrap_tools_with_headroom

_HOMES = {
    "CompressedMessagesState": "headroom.integrations.langchain.langgraph",
    "HeadroomCallbackHandler": "headroom.integrations.langchain.callback",
    "HeadroomChatMessageHistory": "headroom.integrations.langchain.history",
    "HeadroomChatModel": "headroom.integrations.langchain.chat_model",
    "HeadroomDocumentCompressor": "headroom.integrations.langchain.documents",
    "HeadroomMiddleware": "headroom.integrations.langchain.middleware",
    "HeadroomRetrieveTool": "headroom.integrations.langchain.retrieve_tool",
    "HeadroomRetriever": "headroom.integrations.langchain.retriever",
    "HeadroomRunnable": "headroom.integrations.langchain.runnable",
    "LangChainStore": "headroom.integrations.langchain.stores",
    "LangGraphStore": "headroom.integrations.langchain.stores",
    "create_compress_tool_messages_node": "headroom.integrations.langchain.langgraph",
    "create_pre_model_hook": "headroom.integrations.langchain.langgraph",
    "create_retrieve_tool": "headroom.integrations.langchain.retrieve_tool",
    "original_content": "headroom.integrations.langchain.birth",
    "wrap_tools_with_headroom": "headroom.integrations.langchain.tools",
}
"""Name -> its module, loaded when first asked for: some need more of LangChain than others."""

__all__ = sorted(_HOMES)  # noqa: PLE0605  (a table is the list)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
