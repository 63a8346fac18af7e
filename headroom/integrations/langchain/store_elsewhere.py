"""A CompressionStore over a key-value store of somebody else's: references, times to live and namespaces."""

from __future__ import annotations

import re
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from headroom import StoreError
from headroom.stores import DEFAULT_NAMESPACE, LONGER_LENGTHS, REFERENCE_LENGTH, USE_GRAIN, StoreStats, pack, references_for, unpack

REFERENCE = re.compile(rf"[a-z2-7]{{{REFERENCE_LENGTH},{LONGER_LENGTHS[-1]}}}")
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9_-]{1,100}")


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


Key = tuple[str, str]  # namespace, reference


class StoreElsewhere(ABC):
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
    def _read(self, keys: Sequence[Key]) -> dict[Key, Original]: ...

    @abstractmethod
    def _write(self, originals: dict[Key, Original]) -> None: ...

    @abstractmethod
    def _delete(self, keys: Sequence[Key]) -> None: ...

    @abstractmethod
    def _scan(self, namespace: str | None) -> Iterable[tuple[Key, Original]]: ...

    # --- the protocol -----------------------------------------------------------------------------------------------------

    def put_many(self, texts: Sequence[str], namespace: str = DEFAULT_NAMESPACE) -> list[str]:
        """Store all of `texts`. As durable as the store behind is when its write returns."""
        unique = list(dict.fromkeys(texts))
        if not unique:
            return []
        with self._lock, _reported(self):
            held = self._living([(namespace, next(references_for(text, namespace))) for text in unique])
            now = self._clock()
            fresh: dict[Key, Original] = {}
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

    def _living(self, keys: Iterable[Key]) -> dict[Key, Original]:
        """What is there under `keys`; what has expired is deleted in passing."""
        known = [key for key in dict.fromkeys(keys) if REFERENCE.fullmatch(key[1])]
        found = self._read(known) if known else {}
        latest = self._clock() - self.ttl_seconds
        expired = [key for key, original in found.items() if original.used < latest]
        if expired:
            with self._lock:
                self._delete(expired)
        return {key: original for key, original in found.items() if original.used >= latest}

    def _used(self, references: Iterable[str], namespace: str) -> dict[Key, Original]:
        """The same, noting a use: rarely, since each note writes the whole original again."""
        found = self._living((namespace, reference) for reference in references)
        now = self._clock()
        stale = {key: replace(original, used=now) for key, original in found.items() if original.used < now - self.ttl_seconds / USE_GRAIN}
        if stale:
            with self._lock:
                self._write(stale)
        return found

    def _place(self, text: str, namespace: str, now: float, held: dict[Key, Original], fresh: dict[Key, Original]) -> str:
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


def label_of(namespace: str) -> str:
    """A namespace as any store takes it: plain ones readable, all others in hexadecimal digits."""
    if _PLAIN_LABEL.fullmatch(namespace):
        return f"n-{namespace}"
    return f"x-{namespace.encode('utf-8', 'surrogatepass').hex()}"


def namespace_of(label: str) -> str:
    if not label.startswith("x-"):
        return label.removeprefix("n-")
    try:
        return bytes.fromhex(label[2:]).decode("utf-8", "surrogatepass")
    except ValueError:  # none of ours: somebody else's folder
        return label


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
