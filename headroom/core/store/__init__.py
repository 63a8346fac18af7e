"""Where originals are kept (CCR). Importing this room loads neither SQLite nor the settings: both wait for their first use."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from headroom.core.errors import ConfigError
from headroom.core.store.base import CompressionStore, StoreStats, reference_for
from headroom.core.store.memory import MemoryStore

if TYPE_CHECKING:
    from headroom.core.store.redis import RedisStore
    from headroom.core.store.sqlite import SQLiteStore

__all__ = ["CompressionStore", "MemoryStore", "RedisStore", "SQLiteStore", "StoreStats", "default_store", "open_store", "reference_for"]

_default_stores: dict[str, CompressionStore] = {}


def default_store() -> CompressionStore:
    """The store that HEADROOM_STORE names ("redis://..."), else the one in the user's data folder; one object each.

    Both are looked up at each call, so a changed environment counts. Opens nothing yet. ConfigError if HEADROOM_STORE
    is no URL of a known kind, MissingDependencyError if its package is absent.
    """
    from headroom.core.config import store_url  # the settings name this room's namespace: at import time, a circle

    url = store_url()
    store = _default_stores.get(url)
    if store is None:
        # Two threads may both come here: setdefault lets one store win, and the loser never opened anything.
        store = _default_stores.setdefault(url, _opened(url))
    return store


def open_store(place: str | PathLike[str]) -> CompressionStore:
    """The store at `place`: the path of a file, or a URL such as "redis://HOST:PORT/DATABASE". Opens nothing yet.

    ConfigError for a URL of another kind, MissingDependencyError if its package is absent.
    """
    written = fspath(place)
    if "://" in written:
        return _opened(written, named="")
    from headroom.core.store.sqlite import SQLiteStore  # SQLite takes 11 ms to load

    return SQLiteStore(written)


def _opened(url: str, named: str = "HEADROOM_STORE=") -> CompressionStore:
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite":
        from headroom.core.store.sqlite import SQLiteStore  # SQLite takes 11 ms to load

        return SQLiteStore(rest)
    if separator and scheme in ("redis", "rediss", "unix", "redis+unix"):
        from headroom.core.store.redis import RedisStore  # an extra

        return RedisStore(url)
    given = f"{scheme}://..." if separator else "what it says"  # a password may stand anywhere in it
    raise ConfigError(f"{named}{given} is no store: write redis://HOST:PORT/DATABASE or sqlite://FILE")


def __getattr__(name: str) -> Any:
    if name == "SQLiteStore":
        from headroom.core.store.sqlite import SQLiteStore  # SQLite takes 11 ms to load

        return SQLiteStore
    if name == "RedisStore":
        from headroom.core.store.redis import RedisStore  # an extra

        return RedisStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
