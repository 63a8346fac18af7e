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
    from headroom.integrations.langchain.chat_model import HeadroomChatModel as HeadroomChatModel

_HOMES = {
    "HeadroomChatModel": "headroom.integrations.langchain.chat_model",
}
"""Name -> its module, loaded when first asked for: some need more of LangChain than others."""

__all__ = sorted(_HOMES)  # noqa: PLE0605  (a table is the list)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
