"""The contract of a store of originals (CCR: Compress, Cache, Retrieve), and the key that an original has."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

REFERENCE_LENGTH = 10
"""Characters of a reference: 50 bits. It stands in every marker, so each character costs tokens."""

DEFAULT_NAMESPACE = "default"
DEFAULT_TTL_SECONDS = 14 * 24 * 3600.0
"""Time to live of an original, counted from its last use."""

DEFAULT_MAX_BYTES = 1 << 30
"""What the compressed originals of a store may take together, in bytes."""

USE_GRAIN = 100
"""A use is written down only when the last one noted is older than a 100th of the time to live: repeated turns
then cost no writes, and an original still lives at least 99% of its time after its last use."""


def reference_for(text: str, namespace: str, length: int = REFERENCE_LENGTH) -> str:
    """The key of `text` in `namespace`: base32 of a SHA-256, the same in every process and on every machine.

    Lone surrogates are part of the text and of its key.
    """
    digest = hashlib.sha256(namespace.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(text.encode("utf-8", "surrogatepass"))  # by itself: a large text is copied only once
    return base64.b32encode(digest.digest()).decode().lower()[:length]


LONGER_LENGTHS = (16, 26, 52)
"""The next lengths to try where two texts share a reference; 52 characters are the whole digest."""


def references_for(text: str, namespace: str) -> Iterator[str]:
    """The reference of `text`, then the longer ones that it gets where a shorter one is another text's."""
    yield reference_for(text, namespace)
    for length in LONGER_LENGTHS:
        yield reference_for(text, namespace, length)


def pack(text: str) -> bytes:
    """A text as stores keep it: UTF-8 (lone surrogates included), zlib level 1 (0.1 ms for 8 KB)."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack(body: bytes) -> str:
    """The text that `pack` packed. zlib.error or UnicodeDecodeError (a ValueError) if the body was damaged."""
    return zlib.decompress(body).decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What a store holds. Sizes in bytes; `stored_bytes` is what the compressed originals take."""

    entries: int
    original_bytes: int
    stored_bytes: int
    namespaces: int


@runtime_checkable
class CompressionStore(Protocol):
    """Keeps originals by reference. Safe to share between threads; whether between processes, each store says.

    Any method may raise StoreError (and only that, for trouble of the store's own).
    """

    def put_many(self, texts: Sequence[str], namespace: str = DEFAULT_NAMESPACE) -> list[str]:
        """Store all of `texts`, or none: when this returns, every one is durable against the process being killed.

        Returns one reference per text. It is `reference_for(text, namespace)`, or a longer one where two texts
        share that key: a collision is never served.
        """
        ...

    def get(self, reference: str, namespace: str = DEFAULT_NAMESPACE) -> str | None:
        """The original, exactly; None if it is unknown here, expired or evicted. Counts as a use."""
        ...

    def missing(self, references: Collection[str], namespace: str = DEFAULT_NAMESPACE) -> set[str]:
        """Which of `references` `get` would not find. Counts as a use of the others."""
        ...

    def purge(self, namespace: str | None = None, older_than_seconds: float | None = None) -> int:
        """Delete originals (of one namespace, or all; unused for that long, or all) and say how many."""
        ...

    def stats(self, namespace: str | None = None) -> StoreStats:
        """What is held, in one namespace or in all."""
        ...

    def close(self) -> None:
        """Release files and connections. The store opens again by itself when it is used again."""
        ...
