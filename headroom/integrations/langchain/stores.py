"""Originals where the user's own state lives: a LangChain `BaseStore[str, bytes]` or a LangGraph store as CompressionStore."""

from __future__ import annotations

import base64
import re
import struct
import threading
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.stores import BaseStore

from headroom import MissingDependencyError, StoreError
from headroom.stores import DEFAULT_NAMESPACE, DEFAULT_TTL_SECONDS, LONGER_LENGTHS, USE_GRAIN, StoreStats, pack, references_for, unpack

try:
    from langgraph.store.base import BaseStore as GraphStore
    from langgraph.store.base import GetOp, Item, PutOp
except ImportError as missing:
    raise MissingDependencyError("langgraph", extra="langchain") from missing

_REFERENCE = re.compile(rf"[a-z2-7]{{10,{LONGER_LENGTHS[-1]}}}")
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9_-]{1,100}")
_HEAD = struct.Struct(">4sdQ")  # a mark, seconds since the epoch of the last use, bytes of the original
_MARK = b"hr1\0"
_PAGE = 100
"""Items that one search of a LangGraph store gives."""


@dataclass(frozen=True, slots=True)
class Original:
    """One original as it is kept: packed, its size in bytes, and when it was last used (seconds since the epoch)."""

    body: bytes
    size: int
    used: float

    def holds(self, text: str) -> bool:
        """Whether this is `text`; a damaged one is nobody's."""
        try:
            return unpack(self.body) == text
        except (zlib.error, ValueError):
            return False


_Key = tuple[str, str]  # namespace, reference


class _StoreElsewhere(ABC):
    """A CompressionStore over somebody else's key-value store, of which five things are asked.

    Any trouble of that store is a StoreError. It has no size limit: what it may hold is its owner's to say. Writes are
    not atomic: where one fails half-way, some originals are stored that nothing refers to.
    """

    needs_a_thread = True
    """The store behind may wait for a network, or refuse to be asked on an event loop."""

    def __init__(self, ttl_seconds: float, clock: Callable[[], float]) -> None:
        self.ttl_seconds = ttl_seconds
        self._clock = clock
        self._lock = threading.RLock()  # for writes and scans: two texts that share a reference must not meet

    @abstractmethod
    def _read(self, keys: Sequence[_Key]) -> dict[_Key, Original]: ...

    @abstractmethod
    def _write(self, originals: dict[_Key, Original]) -> None: ...

    @abstractmethod
    def _delete(self, keys: Sequence[_Key]) -> None: ...

    @abstractmethod
    def _scan(self, namespace: str | None) -> Iterable[tuple[_Key, Original]]: ...

    # --- the protocol -----------------------------------------------------------------------------------------------------

    def put_many(self, texts: Sequence[str], namespace: str = DEFAULT_NAMESPACE) -> list[str]:
        """Store all of `texts`. As durable as the store behind is when its write returns."""
        unique = list(dict.fromkeys(texts))
        if not unique:
            return []
        with self._lock, _reported(self):
            held = self._living([(namespace, next(references_for(text, namespace))) for text in unique])
            now = self._clock()
            fresh: dict[_Key, Original] = {}
            placed = {text: self._place(text, namespace, now, held, fresh) for text in unique}
            if fresh:
                self._write(fresh)
        return [placed[text] for text in texts]

    def get(self, reference: str, namespace: str = DEFAULT_NAMESPACE) -> str | None:
        """The original, exactly, or None. StoreError if what the store holds is damaged."""
        with _reported(self):
            original = self._used([reference], namespace).get((namespace, reference))
            return None if original is None else unpack(original.body)

    def missing(self, references: Collection[str], namespace: str = DEFAULT_NAMESPACE) -> set[str]:
        """Which of `references` are not here. These stores can only be asked for the whole of what they hold."""
        with _reported(self):
            found = self._used(references, namespace)
        return {reference for reference in references if (namespace, reference) not in found}

    def purge(self, namespace: str | None = None, older_than_seconds: float | None = None) -> int:
        """Delete originals and say how many."""
        with self._lock, _reported(self):
            latest = float("inf") if older_than_seconds is None else self._clock() - older_than_seconds
            doomed = [key for key, original in self._scan(namespace) if original.used <= latest]
            if doomed:
                self._delete(doomed)
        return len(doomed)

    def stats(self, namespace: str | None = None) -> StoreStats:
        """What is held and has not expired: reads all of it."""
        with self._lock, _reported(self):
            latest = self._clock() - self.ttl_seconds
            held = [(key, original) for key, original in self._scan(namespace) if original.used >= latest]
        return StoreStats(
            entries=len(held),
            original_bytes=sum(original.size for _, original in held),
            stored_bytes=sum(len(original.body) for _, original in held),
            namespaces=len({key[0] for key, _ in held}),
        )

    def close(self) -> None:  # noqa: B027  (part of the contract, and truly nothing)
        """Nothing of ours to release: the store behind is closed by whoever opened it."""

    # --- times ------------------------------------------------------------------------------------------------------------

    def _living(self, keys: Iterable[_Key]) -> dict[_Key, Original]:
        """What is there under `keys`; what has expired is deleted in passing."""
        known = [key for key in dict.fromkeys(keys) if _REFERENCE.fullmatch(key[1])]
        found = self._read(known) if known else {}
        latest = self._clock() - self.ttl_seconds
        expired = [key for key, original in found.items() if original.used < latest]
        if expired:
            with self._lock:
                self._delete(expired)
        return {key: original for key, original in found.items() if original.used >= latest}

    def _used(self, references: Iterable[str], namespace: str) -> dict[_Key, Original]:
        """The same, noting a use: rarely, since each note writes the whole original again."""
        found = self._living((namespace, reference) for reference in references)
        now = self._clock()
        stale = {key: replace(original, used=now) for key, original in found.items() if original.used < now - self.ttl_seconds / USE_GRAIN}
        if stale:
            with self._lock:
                self._write(stale)
        return found

    def _place(self, text: str, namespace: str, now: float, held: dict[_Key, Original], fresh: dict[_Key, Original]) -> str:
        """The first reference of `text` that is free or its own; `fresh` gets what must be written."""
        for position, reference in enumerate(references_for(text, namespace)):
            key = (namespace, reference)
            original = fresh.get(key) or held.get(key) or (self._living([key]).get(key) if position else None)
            if original is None or not original.holds(text):
                if original is not None and not _is_damaged(original):
                    continue
                body = pack(text)
                fresh[key] = Original(body, len(text.encode("utf-8", "surrogatepass")), now)
            elif original.used < now - self.ttl_seconds / USE_GRAIN:
                fresh[key] = replace(original, used=now)
            return reference
        raise StoreError("every reference of this text, even the longest, is another text's")


class LangChainStore(_StoreElsewhere):
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

    def _read(self, keys: Sequence[_Key]) -> dict[_Key, Original]:
        values = self.store.mget([self._name(key) for key in keys])
        read = {key: _decoded(value) for key, value in zip(keys, values, strict=True)}
        return {key: original for key, original in read.items() if original is not None}

    def _write(self, originals: dict[_Key, Original]) -> None:
        pairs = [(self._name(key), _HEAD.pack(_MARK, kept.used, kept.size) + kept.body) for key, kept in originals.items()]
        self.store.mset(pairs)

    def _delete(self, keys: Sequence[_Key]) -> None:
        self.store.mdelete([self._name(key) for key in keys])

    def _scan(self, namespace: str | None) -> Iterable[tuple[_Key, Original]]:
        folder = self.prefix if namespace is None else f"{self.prefix}/{_label(namespace)}"
        names = [name.replace("\\", "/") for name in self.store.yield_keys(prefix=folder)]  # folders, where keys are files
        keys = [key for key in map(self._key, names) if key is not None and namespace in (None, key[0])]
        for start in range(0, len(keys), _PAGE):
            yield from self._read(keys[start : start + _PAGE]).items()

    def _name(self, key: _Key) -> str:
        return f"{self.prefix}/{_label(key[0])}/{key[1]}"

    def _key(self, name: str) -> _Key | None:
        folder, _, rest = name.rpartition(f"{self.prefix}/")
        label, _, reference = rest.partition("/")
        return (_namespace(label), reference) if not folder and label and _REFERENCE.fullmatch(reference) else None


class LangGraphStore(_StoreElsewhere):
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

    def _read(self, keys: Sequence[_Key]) -> dict[_Key, Original]:
        items: list[Any] = self.store.batch([GetOp(self._folder(namespace), reference) for namespace, reference in keys])
        read = {key: _from_item(item) for key, item in zip(keys, items, strict=True)}
        return {key: original for key, original in read.items() if original is not None}

    def _write(self, originals: dict[_Key, Original]) -> None:
        minutes = self.ttl_seconds / 60 if getattr(self.store, "supports_ttl", False) else None
        self.store.batch(
            [
                PutOp(self._folder(namespace), reference, _as_value(original), index=False, ttl=minutes)
                for (namespace, reference), original in originals.items()
            ]
        )

    def _delete(self, keys: Sequence[_Key]) -> None:
        self.store.batch([PutOp(self._folder(namespace), reference, None) for namespace, reference in keys])

    def _scan(self, namespace: str | None) -> Iterator[tuple[_Key, Original]]:
        folder = self.prefix if namespace is None else self._folder(namespace)
        start = 0
        while items := self.store.search(folder, limit=_PAGE, offset=start, refresh_ttl=False):
            start += len(items)
            for item in items:
                original = _from_item(item)
                if original is not None and len(item.namespace) == len(self.prefix) + 1 and _REFERENCE.fullmatch(item.key):
                    yield (_namespace(item.namespace[-1]), item.key), original

    def _folder(self, namespace: str) -> tuple[str, ...]:
        return (*self.prefix, _label(namespace))


# --- names and values -----------------------------------------------------------------------------------------------------


def _label(namespace: str) -> str:
    """A namespace as any store takes it: plain ones readable, all others in hexadecimal digits."""
    if _PLAIN_LABEL.fullmatch(namespace):
        return f"n-{namespace}"
    return f"x-{namespace.encode('utf-8', 'surrogatepass').hex()}"


def _namespace(label: str) -> str:
    if label.startswith("x-"):
        return bytes.fromhex(label[2:]).decode("utf-8", "surrogatepass")
    return label.removeprefix("n-")


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


def _is_damaged(original: Original) -> bool:
    try:
        unpack(original.body)
    except (zlib.error, ValueError):
        return True
    return False


@contextmanager
def _reported(store: object) -> Iterator[None]:
    """Whatever the store behind raises is a StoreError: its classes are its own."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(f"{type(store).__name__} failed: {type(error).__name__}: {error}") from error
