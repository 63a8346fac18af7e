"""Originals in this process's memory: for tests and short scripts. Gone when the process ends."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from headroom.core.errors import StoreError, StoreFullError
from headroom.core.store.base import (
    DEFAULT_MAX_BYTES,
    DEFAULT_NAMESPACE,
    DEFAULT_TTL_SECONDS,
    StoreStats,
    pack,
    references_for,
    unpack,
)


@dataclass(slots=True)
class _Original:
    body: bytes
    size: int
    used: float


_Key = tuple[str, str]  # namespace, reference


class MemoryStore:
    """A CompressionStore in a dict: shared between threads, not between processes."""

    def __init__(
        self,
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ttl_seconds = ttl_seconds
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._originals: OrderedDict[_Key, _Original] = OrderedDict()  # in order of last use, oldest first
        self._stored_bytes = 0
        _LIVE.add(self)

    def put_many(self, texts: Sequence[str], namespace: str = DEFAULT_NAMESPACE) -> list[str]:
        """Store all of `texts` or none. StoreFullError if they do not fit together, even alone."""
        bodies = {text: pack(text) for text in dict.fromkeys(texts)}
        if sum(map(len, bodies.values())) > self.max_bytes:
            raise StoreFullError(f"the texts need more than the store's whole limit of {self.max_bytes:,} bytes")
        with self._lock:
            self._drop_expired()
            placed = {text: self._place(text, body, namespace) for text, body in bodies.items()}
            self._evict()
        return [placed[text] for text in texts]

    def get(self, reference: str, namespace: str = DEFAULT_NAMESPACE) -> str | None:
        """The original, exactly, or None."""
        with self._lock:
            self._drop_expired()
            original = self._use((namespace, reference))
        return None if original is None else unpack(original.body)

    def missing(self, references: Collection[str], namespace: str = DEFAULT_NAMESPACE) -> set[str]:
        """Which of `references` are not here."""
        with self._lock:
            self._drop_expired()
            return {reference for reference in references if self._use((namespace, reference)) is None}

    def purge(self, namespace: str | None = None, older_than_seconds: float | None = None) -> int:
        """Delete originals and say how many."""
        with self._lock:
            latest = float("inf") if older_than_seconds is None else self._clock() - older_than_seconds
            doomed = [key for key, o in self._originals.items() if namespace in (None, key[0]) and o.used <= latest]
            for key in doomed:
                self._delete(key)
        return len(doomed)

    def stats(self, namespace: str | None = None) -> StoreStats:
        """What is held and has not expired."""
        with self._lock:
            self._drop_expired()
            held = {key: original for key, original in self._originals.items() if namespace in (None, key[0])}
        return StoreStats(
            entries=len(held),
            original_bytes=sum(original.size for original in held.values()),
            stored_bytes=sum(len(original.body) for original in held.values()),
            namespaces=len({key[0] for key in held}),
        )

    def close(self) -> None:
        """Nothing to release: the originals stay until the store itself is dropped."""

    def _place(self, text: str, body: bytes, namespace: str) -> str:
        for reference in references_for(text, namespace):
            key = (namespace, reference)
            held = self._use(key)
            if held is None:
                self._originals[key] = _Original(body, len(text.encode("utf-8", "surrogatepass")), self._clock())
                self._stored_bytes += len(body)
                return reference
            if held.body == body:  # one process has one zlib, so equal texts have equal bodies
                return reference
        raise StoreError("every reference of this text, even the longest, is another text's")

    def _use(self, key: _Key) -> _Original | None:
        original = self._originals.get(key)
        if original is not None:
            original.used = self._clock()
            self._originals.move_to_end(key)
        return original

    def _delete(self, key: _Key) -> None:
        self._stored_bytes -= len(self._originals.pop(key).body)

    def _drop_expired(self) -> None:
        latest = self._clock() - self.ttl_seconds
        while self._originals:
            key = next(iter(self._originals))
            if self._originals[key].used >= latest:
                return
            self._delete(key)

    def _evict(self) -> None:
        # What the current put touched stands at the end and fits by itself, so this stops before it gets there.
        while self._stored_bytes > self.max_bytes:
            self._delete(next(iter(self._originals)))


_LIVE: weakref.WeakSet[MemoryStore] = weakref.WeakSet()


def _renew_locks() -> None:
    # A forked child has one thread: a lock that another thread held at that moment would never be released.
    for store in _LIVE:
        store._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
