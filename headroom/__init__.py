"""Headroom shortens what an LLM agent reads, and keeps every original within the model's reach.

    from headroom import compress, retrieve
    result = compress(messages, model="claude-sonnet-4-5-20250929")
"""

from __future__ import annotations

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
from headroom.core.store import CompressionStore, MemoryStore, SQLiteStore
from headroom.tools.retrieve import retrieve

__version__ = "1.0.0.dev0"

__all__ = [
    "BlockReport",
    "Budget",
    "CompressConfig",
    "CompressContext",
    "CompressEvent",
    "CompressResult",
    "CompressionHooks",
    "CompressionStore",
    "ConfigError",
    "FormatError",
    "HeadroomError",
    "MemoryStore",
    "MissingDependencyError",
    "SQLiteStore",
    "StoreError",
    "StoreFullError",
    "UnknownReferenceError",
    "compress",
    "retrieve",
]
