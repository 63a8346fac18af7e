"""Headroom shortens what an LLM agent reads, and keeps every original within the model's reach.

from headroom import compress, retrieve
result = compress(messages, model="claude-sonnet-4-5-20250929")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headroom.core.config import Budget, CompressConfig
from headroom.core.errors import (
    ConfigError,
    FormatError,
    HeadroomError,
    MissingDependencyError,
    StoreError,
    StoreFullError,
    UnknownReferenceError,
)
from headroom.core.hooks import CompressContext, CompressEvent, CompressionHooks
from headroom.core.pipeline import compress
from headroom.core.result import BlockReport, CompressResult
from headroom.core.store import CompressionStore, MemoryStore
from headroom.savings import RequestSavings, Savings
from headroom.tools.retrieve import retrieve

if TYPE_CHECKING:
    from headroom.core.store import RedisStore, SQLiteStore
    from headroom.service import CompressionService

__version__ = "1.0.0.dev0"

__all__ = [
    "BlockReport",
    "Budget",
    "CompressConfig",
    "CompressContext",
    "CompressEvent",
    "CompressResult",
    "CompressionHooks",
    "CompressionService",
    "CompressionStore",
    "ConfigError",
    "FormatError",
    "HeadroomError",
    "MemoryStore",
    "MissingDependencyError",
    "RedisStore",
    "RequestSavings",
    "SQLiteStore",
    "Savings",
    "StoreError",
    "StoreFullError",
    "UnknownReferenceError",
    "compress",
    "retrieve",
]


def __getattr__(name: str) -> Any:
    if name == "SQLiteStore":
        from headroom.core.store import SQLiteStore  # loads SQLite, which most imports of headroom never need

        return SQLiteStore
    if name == "RedisStore":
        from headroom.core.store import RedisStore  # an extra

        return RedisStore
    if name == "CompressionService":
        from headroom.service import CompressionService  # loads logging, which a single call never needs

        return CompressionService
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
