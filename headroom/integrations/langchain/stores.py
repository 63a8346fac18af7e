"""Originals where the user's own state lives: a LangChain `BaseStore[str, bytes]` or a LangGraph store as CompressionStore."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from langchain_core.stores import BaseStore

from headroom import MissingDependencyError
from headroom.integrations.langchain.store_elsewhere import REFERENCE, Key, Original, StoreElsewhere, label_of, namespace_of
from headroom.stores import DEFAULT_TTL_SECONDS

try:
    from langgraph.store.base import BaseStore as GraphStore
    from langgraph.store.base import GetOp, Item, PutOp
except ImportError as missing:
    raise MissingDependencyError("langgraph", extra="langchain") from missing

_HEAD = struct.Struct(">4sdQ")  # a mark, seconds since the epoch of the last use, bytes of the original
_MARK = b"hr1\0"
_PAGE = 100
"""Originals that one question asks for, when everything is read."""


class LangChainStore(StoreElsewhere):
    """A CompressionStore in a LangChain `BaseStore[str, bytes]` (`InMemoryByteStore`, `LocalFileStore`, Redis, ...).

    Keys are `<prefix>/<namespace>/<reference>`. Whether other processes see it is the store's affair.
    """

    def __init__(
        self,
        store: BaseStore[str, bytes],
        *,
        prefix: str = "headroom",
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(ttl_seconds, clock)
        self.store = store
        self.prefix = prefix

    def _read(self, keys: Sequence[Key]) -> dict[Key, Original]:
        values = self.store.mget([self._name(key) for key in keys])
        read = {key: _decoded(value) for key, value in zip(keys, values, strict=True)}
        return {key: original for key, original in read.items() if original is not None}

    def _write(self, originals: dict[Key, Original]) -> None:
        pairs = [(self._name(key), _HEAD.pack(_MARK, kept.used, kept.size) + kept.body) for key, kept in originals.items()]
        self.store.mset(pairs)

    def _delete(self, keys: Sequence[Key]) -> None:
        self.store.mdelete([self._name(key) for key in keys])

    def _scan(self, namespace: str | None) -> Iterable[tuple[Key, Original]]:
        folder = self.prefix if namespace is None else f"{self.prefix}/{label_of(namespace)}"
        names = [name.replace("\\", "/") for name in self.store.yield_keys(prefix=folder)]  # folders, where keys are files
        keys = [key for key in map(self._key, names) if key is not None and namespace in (None, key[0])]
        for start in range(0, len(keys), _PAGE):
            yield from self._read(keys[start : start + _PAGE]).items()

    def _name(self, key: Key) -> str:
        return f"{self.prefix}/{label_of(key[0])}/{key[1]}"

    def _key(self, name: str) -> Key | None:
        folder, _, rest = name.rpartition(f"{self.prefix}/")
        label, _, reference = rest.partition("/")
        return (namespace_of(label), reference) if not folder and label and REFERENCE.fullmatch(reference) else None


class LangGraphStore(StoreElsewhere):
    """A CompressionStore in a LangGraph store (`InMemoryStore`, `PostgresStore`, `SqliteStore`, ...).

    Items lie under `(*prefix, <namespace>)` and are never indexed for search. Where the store has times to live, it
    is told ours. A store for asyncio alone can be used too, from other threads than its event loop's.
    """

    def __init__(
        self,
        store: GraphStore,
        *,
        prefix: tuple[str, ...] = ("headroom",),
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(ttl_seconds, clock)
        self.store = store
        self.prefix = prefix

    def _read(self, keys: Sequence[Key]) -> dict[Key, Original]:
        items: list[Any] = self.store.batch([GetOp(self._folder(namespace), reference) for namespace, reference in keys])
        read = {key: _from_item(item) for key, item in zip(keys, items, strict=True)}
        return {key: original for key, original in read.items() if original is not None}

    def _write(self, originals: dict[Key, Original]) -> None:
        minutes = self.ttl_seconds / 60 if getattr(self.store, "supports_ttl", False) else None
        self.store.batch(
            [
                PutOp(self._folder(namespace), reference, _as_value(original), index=False, ttl=minutes)
                for (namespace, reference), original in originals.items()
            ]
        )

    def _delete(self, keys: Sequence[Key]) -> None:
        self.store.batch([PutOp(self._folder(namespace), reference, None) for namespace, reference in keys])

    def _scan(self, namespace: str | None) -> Iterator[tuple[Key, Original]]:
        folder = self.prefix if namespace is None else self._folder(namespace)
        start = 0
        while items := self.store.search(folder, limit=_PAGE, offset=start, refresh_ttl=False):
            start += len(items)
            for item in items:
                original = _from_item(item)
                if original is not None and len(item.namespace) == len(self.prefix) + 1 and REFERENCE.fullmatch(item.key):
                    yield (namespace_of(item.namespace[-1]), item.key), original

    def _folder(self, namespace: str) -> tuple[str, ...]:
        return (*self.prefix, label_of(namespace))


# --- values ---------------------------------------------------------------------------------------------------------------


def _decoded(value: bytes | None) -> Original | None:
    if not isinstance(value, bytes) or len(value) < _HEAD.size or not value.startswith(_MARK):
        return None
    _, used, size = _HEAD.unpack_from(value)
    return Original(value[_HEAD.size :], size, used)


def _as_value(original: Original) -> dict[str, Any]:
    return {"body": base64.b64encode(original.body).decode(), "size": original.size, "used": original.used}


def _from_item(item: Item | None) -> Original | None:
    if item is None:
        return None
    body, size, used = (item.value.get(name) for name in ("body", "size", "used"))
    if not isinstance(body, str) or not isinstance(size, int) or not isinstance(used, (int, float)):
        return None
    try:
        return Original(base64.b64decode(body), size, used)
    except ValueError:  # damaged: as good as gone, and written anew when it is next put
        return None
