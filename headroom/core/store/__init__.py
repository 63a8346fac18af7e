"""Where originals are kept (CCR). Importing this room loads neither SQLite nor the settings: both wait for their first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headroom.core.store.base import CompressionStore, StoreStats, reference_for
from headroom.core.store.memory import MemoryStore

if TYPE_CHECKING:
    from headroom.core.store.sqlite import SQLiteStore

__all__ = ["CompressionStore", "MemoryStore", "SQLiteStore", "StoreStats", "default_store", "reference_for"]

_default_stores: dict[str, SQLiteStore] = {}


def default_store() -> SQLiteStore:
    """The store in the user's data folder, one object per file and process.

    The folder is looked up at each call, so a changed HEADROOM_HOME counts. Opens no file yet, so never fails.
    """
    from headroom.core.store.sqlite import SQLiteStore, default_path  # SQLite takes 11 ms to load

    path = default_path()
    store = _default_stores.get(str(path))
    if store is None:
        # Two threads may both come here: setdefault lets one store win, and the loser never opened a file.
        store = _default_stores.setdefault(str(path), SQLiteStore(path))
    return store


def __getattr__(name: str) -> Any:
    if name == "SQLiteStore":
        from headroom.core.store.sqlite import SQLiteStore  # SQLite takes 11 ms to load

        return SQLiteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
