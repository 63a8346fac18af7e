"""Stores by path or URL; and what one of your own needs beside the contract (`CompressionStore`): keys, packing, times, figures."""

from __future__ import annotations

from headroom.core.store import default_store, open_store
from headroom.core.store.base import (
    DEFAULT_NAMESPACE,
    DEFAULT_TTL_SECONDS,
    LONGER_LENGTHS,
    REFERENCE_LENGTH,
    USE_GRAIN,
    CompressionStore,
    StoreStats,
    pack,
    references_for,
    unpack,
)

__all__ = [
    "DEFAULT_NAMESPACE",
    "DEFAULT_TTL_SECONDS",
    "LONGER_LENGTHS",
    "REFERENCE_LENGTH",
    "USE_GRAIN",
    "CompressionStore",
    "StoreStats",
    "default_store",
    "open_store",
    "pack",
    "references_for",
    "unpack",
]
