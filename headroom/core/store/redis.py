"""Originals in Redis: one store for agents on many machines. Needs `headroom-ai[redis]` and Redis 6 or newer."""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from headroom.core.errors import ConfigError, MissingDependencyError, StoreError, StoreFullError
from headroom.core.store.base import (
    DEFAULT_MAX_BYTES,
    DEFAULT_NAMESPACE,
    DEFAULT_TTL_SECONDS,
    LONGER_LENGTHS,
    REFERENCE_LENGTH,
    USE_GRAIN,
    StoreStats,
    pack,
    reference_for,
    unpack,
)
from headroom.core.store.redis_scripts import PURGE, PUT, STATS, TOUCH

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

TIMEOUT_SECONDS = 0.5
"""For a connection, and for each answer: a turn waits no longer for a store that does not answer."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""After a failure to reach Redis nobody tries again for a while: requests go on with their originals at once."""


class RedisStore:
    """A CompressionStore in Redis, shared by every process that has the same URL and prefix.

    `max_bytes` holds for each namespace by itself, so that no tenant evicts another's originals; the server's own
    `maxmemory` stands above it. Expiry is Redis's own. Any failure is a StoreError within about `timeout_seconds`;
    while Redis cannot be reached, at once. How durable an acknowledged original is, is the server's setting
    (`appendonly`), and so is what it evicts (`maxmemory-policy`).
    """

    needs_a_thread = True
    """It waits for a network: asynchronous programs ask it from another thread."""

    def __init__(
        self,
        url: str = "redis://127.0.0.1:6379/0",
        *,
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        timeout_seconds: float = TIMEOUT_SECONDS,
        prefix: str = "headroom",
        client: Redis | None = None,
    ) -> None:
        self.url = url
        self.ttl_seconds = ttl_seconds
        self.max_bytes = max_bytes
        self.prefix = prefix
        self.timeout_seconds = timeout_seconds
        self._client: Any = client if client is not None else _client(url, timeout_seconds)
        self._circuit = _Circuit()

    def put_many(self, texts: Sequence[str], namespace: str = DEFAULT_NAMESPACE) -> list[str]:
        """Store all of `texts` or none, in one step of the server's. StoreFullError if they do not fit, even alone."""
        unplaced = {text: pack(text) for text in dict.fromkeys(texts)}
        if sum(map(len, unplaced.values())) > self.max_bytes:
            raise StoreFullError(f"the texts need more than the limit of {self.max_bytes:,} bytes")
        placed: dict[str, str] = {}
        for length in (REFERENCE_LENGTH, *LONGER_LENGTHS):
            if not unplaced:
                break
            asked = {text: reference_for(text, namespace, length) for text in unplaced}
            held = self._run(self._put, asked, unplaced, namespace)
            placed |= {text: asked[text] for text, body in held.items() if body is None or _holds(body, text)}
            unplaced = {text: body for text, body in unplaced.items() if text not in placed}
        if unplaced:
            raise StoreError("every reference of a text, even the longest, is another text's")
        return [placed[text] for text in texts]

    def get(self, reference: str, namespace: str = DEFAULT_NAMESPACE) -> str | None:
        """The original, exactly, or None."""
        if not reference.isascii():
            return None
        body, left = self._run(self._read, reference, namespace)
        if body is None:
            return None
        self._touch([reference] if self._is_stale(left) else [], namespace)
        try:
            return unpack(body)
        except (zlib.error, ValueError) as error:
            raise StoreError(f"the original {reference} is damaged in {self._where}") from error

    def missing(self, references: Collection[str], namespace: str = DEFAULT_NAMESPACE) -> set[str]:
        """Which of `references` are not here: one question to the server for all of them."""
        known = [reference for reference in references if reference.isascii()]
        gone = set(references) - set(known)
        left = dict(zip(known, self._run(self._times_left, known, namespace), strict=True)) if known else {}
        gone |= {reference for reference, milliseconds in left.items() if milliseconds < 0}
        stale = [reference for reference, milliseconds in left.items() if milliseconds >= 0 and self._is_stale(milliseconds)]
        if not self._touch(stale, namespace):
            # Their life cannot be prolonged. Near its end, better call them missing than let a marker outlive them.
            gone |= {reference for reference in stale if left[reference] < self._ttl_ms / 2}
        return gone

    def purge(self, namespace: str | None = None, older_than_seconds: float | None = None) -> int:
        """Delete originals and say how many."""
        age = 0 if older_than_seconds is None else int(older_than_seconds * 1000)
        return sum(int(self._run(self._eval, PURGE, space, age)) for space in self._spaces(namespace))

    def stats(self, namespace: str | None = None) -> StoreStats:
        """What is held and has not expired."""
        rows = [self._run(self._eval, STATS, space) for space in self._spaces(namespace)]
        entries, original, stored = (sum(int(row[column]) for row in rows) for column in range(3))
        return StoreStats(entries, original, stored, sum(int(row[0]) > 0 for row in rows))

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        self._client.close()

    # --- the server ---------------------------------------------------------------------------------------------------

    def _put(self, asked: dict[str, str], bodies: dict[str, bytes], namespace: str) -> dict[str, bytes | None]:
        values: list[Any] = []
        for text, reference in asked.items():
            values += [reference, bodies[text], len(text.encode("utf-8", "surrogatepass"))]
        space = self._space(namespace)
        answer = self._eval(PUT, space, self._ttl_ms, self.max_bytes, *values, also=("SADD", f"{self.prefix}:namespaces", space))
        if isinstance(answer, bytes):
            raise StoreFullError(f"the texts need more than the limit of {self.max_bytes:,} bytes")
        answers = [*answer, *[None] * (len(asked) - len(answer))]
        return dict(zip(asked, answers, strict=True))

    def _read(self, reference: str, namespace: str) -> tuple[bytes | None, int]:
        key = f"{self._keys(self._space(namespace))[3]}{reference}"
        with self._client.pipeline(transaction=False) as pipe:
            body, left = pipe.get(key).pttl(key).execute()
        return body, int(left)

    def _times_left(self, references: list[str], namespace: str) -> list[int]:
        prefix = self._keys(self._space(namespace))[3]
        with self._client.pipeline(transaction=False) as pipe:
            for reference in references:
                pipe.pttl(f"{prefix}{reference}")
            return [int(left) for left in pipe.execute()]

    def _touch(self, references: list[str], namespace: str) -> bool:
        """Note a use. Best effort: reading must work where writing does not (a replica, a full server)."""
        if not references:
            return True
        try:
            self._run(self._eval, TOUCH, self._space(namespace), self._ttl_ms, *references)
        except StoreError:
            return False
        return True

    def _eval(self, script: str, space: str, *arguments: Any, also: Sequence[str] = ()) -> Any:
        """What `script` answers; one more command may travel in front of it, in the same round trip."""
        keys = self._keys(space)
        name = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()  # how Redis names a script that it knows
        try:
            return self._send(("EVALSHA", name, len(keys), *keys, *arguments), also)
        except _redis().exceptions.NoScriptError:
            return self._send(("EVAL", script, len(keys), *keys, *arguments), also)

    def _send(self, command: Sequence[Any], also: Sequence[str]) -> Any:
        with self._client.pipeline(transaction=False) as pipe:
            if also:
                pipe.execute_command(*also)
            pipe.execute_command(*command)
            return pipe.execute()[-1]

    def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        errors = _redis().exceptions
        self._circuit.check(self._where)
        try:
            result = work(*arguments)
        except (errors.ConnectionError, errors.TimeoutError, OSError) as error:
            self._circuit.failed()
            raise StoreError(f"{self._where} cannot be reached: {type(error).__name__}: {error}") from error
        except (errors.RedisError, UnicodeError, ValueError) as error:
            raise StoreError(f"{self._where} failed: {type(error).__name__}: {error}") from error
        self._circuit.succeeded()
        return result

    # --- names --------------------------------------------------------------------------------------------------------

    def _spaces(self, namespace: str | None) -> list[str]:
        if namespace is not None:
            return [self._space(namespace)]
        return sorted(space.decode() for space in self._run(self._client.smembers, f"{self.prefix}:namespaces"))

    def _space(self, namespace: str) -> str:
        """Namespaces are hashed: any text may be one, and a key shows nobody whose it is."""
        return hashlib.sha256(namespace.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _keys(self, space: str) -> list[str]:
        root = f"{self.prefix}:{{{space}}}:"
        return [f"{root}used", f"{root}sizes", f"{root}total", f"{root}o:"]

    @property
    def _ttl_ms(self) -> int:
        return max(1, int(self.ttl_seconds * 1000))

    def _is_stale(self, milliseconds_left: int) -> bool:
        return milliseconds_left < self._ttl_ms * (1 - 1 / USE_GRAIN)

    @property
    def _where(self) -> str:
        """The URL without its password."""
        scheme, separator, rest = self.url.partition("://")
        return f"the store {scheme}{separator}{rest.rpartition('@')[2]}"

    def __reduce__(self) -> tuple[Any, ...]:
        options = (self.ttl_seconds, self.max_bytes, self.timeout_seconds, self.prefix)
        return _restored, (self.url, *options)


class _Circuit:
    """Open after a failure, for a time that doubles up to a limit; then one caller may try."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_again_at = 0.0
        self._pause = 0.0

    def check(self, where: str) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._closed_again_at:
                raise StoreError(f"{where} could not be reached a moment ago: not tried again for {self._closed_again_at - now:.1f} s")
            if self._pause:
                self._closed_again_at = now + self._pause  # whoever comes meanwhile does not wait for this try

    def failed(self) -> None:
        with self._lock:
            self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2 or FIRST_PAUSE_SECONDS)
            self._closed_again_at = time.monotonic() + self._pause

    def succeeded(self) -> None:
        with self._lock:
            self._pause = self._closed_again_at = 0.0


def _redis() -> Any:
    try:
        import redis  # an extra: only who asks for this store needs it
    except ImportError as missing:
        raise MissingDependencyError("redis", extra="redis") from missing
    return redis


def _client(url: str, timeout_seconds: float) -> Any:
    redis = _redis()
    from redis.backoff import NoBackoff  # as above
    from redis.retry import Retry  # as above

    # One more try at once mends a connection that the server closed while it was idle; a time-out is not tried again.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,))
    try:
        return redis.Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds, retry=retry)
    except ValueError as error:
        raise ConfigError(f"{url.rpartition('@')[2]!r} is no URL of a Redis server, e.g. redis://127.0.0.1:6379/0: {error}") from error


def _holds(body: bytes, text: str) -> bool:
    try:
        return unpack(body) == text
    except (zlib.error, ValueError):
        return False


def _restored(url: str, ttl_seconds: float, max_bytes: int, timeout_seconds: float, prefix: str) -> RedisStore:
    return RedisStore(url, ttl_seconds=ttl_seconds, max_bytes=max_bytes, timeout_seconds=timeout_seconds, prefix=prefix)
