"""Originals in Redis: one store for agents on many machines. Needs `headroom-ai[redis]` and Redis 6 or newer."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from headroom.core.errors import StoreError, StoreFullError
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
from headroom.core.store.redis_link import Link, let_go_of_idle, library, pattern_of, shown, told
from headroom.core.store.redis_scripts import PURGE, PUT, STATS, TOUCH

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

TIMEOUT_SECONDS = 0.5
"""For a connection, and for each answer: a turn waits no longer for a store that does not answer."""
BATCH = 2_000
"""Originals that purge and stats look at in one step, and keys in one answer: the server has others to serve."""
LARGE_BYTES = 1_000_000
"""Sending as much may take longer than the time-out on a slow link: that says nothing of the server."""
LONGEST_TTL_MS = 10**15
"""30,000 years: what Redis can add to its clock, and Lua write in digits."""


class RedisStore:
    """A CompressionStore in Redis, shared by every process that has the same URL and prefix.

    `max_bytes` holds for each namespace by itself, so that no tenant evicts another's originals; the server's own
    `maxmemory` stands above it. Expiry is Redis's own. Any failure is a StoreError within about `timeout_seconds`;
    while Redis cannot be reached, at once. How durable an acknowledged original is, is the server's setting
    (`appendonly`), and so is what it evicts (`maxmemory-policy`). `client` is a redis.Redis of your own in place of
    the URL, for a Sentinel perhaps: its time-outs and retries are yours.
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
        self._link = Link(url, timeout_seconds, client)
        self.url = self._link.url
        self.ttl_seconds = ttl_seconds
        self.max_bytes = max_bytes
        self.prefix = prefix
        self.timeout_seconds = timeout_seconds

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
        touched = self._touch(stale, namespace)
        if touched is None:
            # Their life cannot be prolonged. Near its end, better call them missing than let a marker outlive them.
            return gone | {reference for reference in stale if left[reference] < self._ttl_ms / 2}
        return gone | (set(stale) - touched)

    def purge(self, namespace: str | None = None, older_than_seconds: float | None = None) -> int:
        """Delete originals and say how many; also those that the server's own eviction has left without an entry."""
        age = 0 if older_than_seconds is None else int(older_than_seconds * 1000)
        spaces = self._spaces(namespace)
        deleted = sum(self._purge(space, age) for space in spaces)
        deleted += sum(self._run(self._delete_old, keys, age) for keys in self._strays(namespace))
        if namespace is None:
            self._run(self._forget_empty, spaces)
        return deleted

    def stats(self, namespace: str | None = None) -> StoreStats:
        """What is held and has not expired."""
        rows = [self._held(space) for space in self._spaces(namespace)]
        entries, original, stored = (sum(row[column] for row in rows) for column in range(3))
        return StoreStats(entries, original, stored, sum(row[0] > 0 for row in rows))

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        self._link.client.close()

    # --- the server ---------------------------------------------------------------------------------------------------

    def _put(self, asked: dict[str, str], bodies: dict[str, bytes], namespace: str) -> dict[str, bytes | None]:
        values: list[Any] = []
        for text, reference in asked.items():
            values += [reference, bodies[text], len(text.encode("utf-8", "surrogatepass"))]
        space = self._space(namespace)
        answer = self._eval(PUT, space, self.max_bytes, *values, also=("SADD", f"{self.prefix}:namespaces", space))
        if isinstance(answer, bytes):
            raise StoreFullError(f"the texts need more than the limit of {self.max_bytes:,} bytes")
        answers = [*answer, *[None] * (len(asked) - len(answer))]
        return dict(zip(asked, answers, strict=True))

    def _read(self, reference: str, namespace: str) -> tuple[bytes | None, int]:
        key = f"{self._keys(self._space(namespace))[3]}{reference}"
        with self._link.client.pipeline(transaction=False) as pipe:
            body, left = pipe.get(key).pttl(key).execute()
        return body, int(left)

    def _times_left(self, references: list[str], namespace: str) -> list[int]:
        prefix = self._keys(self._space(namespace))[3]
        with self._link.client.pipeline(transaction=False) as pipe:
            for reference in references:
                pipe.pttl(f"{prefix}{reference}")
            return [int(left) for left in pipe.execute()]

    def _touch(self, references: list[str], namespace: str) -> set[str] | None:
        """Note a use; which of them are still there. None if that failed: reading must work where writing does not."""
        if not references:
            return set()
        try:
            answers = self._run(self._eval, TOUCH, self._space(namespace), *references)
        except StoreError:  # a replica, a full server
            return None
        return {reference for reference, is_there in zip(references, answers, strict=True) if is_there}

    def _purge(self, space: str, age: int) -> int:
        total = 0
        while True:
            seen, deleted = self._run(self._eval, PURGE, space, age, BATCH)
            total += int(deleted)
            if seen < BATCH:
                return total

    def _held(self, space: str) -> tuple[int, int, int]:
        entries = original = stored = first = 0
        while True:
            seen, *figures = (int(figure) for figure in self._run(self._eval, STATS, space, first, first + BATCH - 1))
            entries, original, stored = entries + figures[0], original + figures[1], stored + figures[2]
            first += BATCH
            if seen < BATCH:
                return entries, original, stored

    def _strays(self, namespace: str | None) -> Iterator[list[bytes]]:
        """The keys of all originals that are left, piece by piece."""
        space = "*" if namespace is None else self._space(namespace)
        pattern = f"{pattern_of(self.prefix)}:{{{space}}}:o:*"
        cursor = None
        while cursor != 0:
            cursor, keys = self._run(self._link.client.scan, cursor or 0, pattern, BATCH)
            if keys:
                yield keys

    def _delete_old(self, keys: list[bytes], age: int) -> int:
        """Delete those that were not used for so many milliseconds, as their time to live tells."""
        with self._link.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.pttl(key)
            left = [int(milliseconds) for milliseconds in pipe.execute()]
        old = [key for key, milliseconds in zip(keys, left, strict=True) if milliseconds != _NO_KEY and self._ttl_ms - milliseconds >= age]
        return int(self._link.client.unlink(*old)) if old else 0

    def _forget_empty(self, spaces: list[str]) -> None:
        if not spaces:
            return
        with self._link.client.pipeline(transaction=False) as pipe:
            for space in spaces:
                pipe.exists(self._keys(space)[0])
            empty = [space for space, is_there in zip(spaces, pipe.execute(), strict=True) if not is_there]
        if empty:
            self._link.client.srem(f"{self.prefix}:namespaces", *empty)

    def _eval(self, script: str, space: str, *arguments: Any, also: Sequence[str] = ()) -> Any:
        """What `script` answers; one more command may travel in front of it, in the same round trip."""
        keys = self._keys(space)
        arguments = (self._ttl_ms, *arguments)
        name = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()  # how Redis names a script that it knows
        try:
            return self._send(("EVALSHA", name, len(keys), *keys, *arguments), also)
        except library().exceptions.NoScriptError:
            return self._send(("EVAL", script, len(keys), *keys, *arguments), also)

    def _send(self, command: Sequence[Any], also: Sequence[str]) -> Any:
        with self._link.client.pipeline(transaction=False) as pipe:
            if also:
                pipe.execute_command(*also)
            pipe.execute_command(*command)
            return pipe.execute()[-1]

    def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        errors = library().exceptions
        self._link.circuit.check(self._where)
        try:
            result = work(*arguments)
        except (errors.ConnectionError, errors.TimeoutError, OSError) as error:
            let_go_of_idle(self._link.client)
            if not (isinstance(error, (errors.TimeoutError, TimeoutError)) and _is_large(arguments)):
                self._link.circuit.failed()
            raise StoreError(f"{self._where} cannot be reached: {type(error).__name__}: {error}") from error
        except StoreError:
            self._link.circuit.succeeded()
            raise
        except (errors.RedisError, UnicodeError, ValueError) as error:
            self._link.circuit.succeeded()  # a refusal is an answer too: a full server still gives back what it holds
            raise StoreError(f"{self._where} failed: {told(error)}") from error
        self._link.circuit.succeeded()
        return result

    # --- names --------------------------------------------------------------------------------------------------------

    def _spaces(self, namespace: str | None) -> list[str]:
        if namespace is not None:
            return [self._space(namespace)]
        return sorted(space.decode() for space in self._run(self._link.client.smembers, f"{self.prefix}:namespaces"))

    def _space(self, namespace: str) -> str:
        """Namespaces are hashed: any text may be one, and a key shows nobody whose it is."""
        return hashlib.sha256(namespace.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _keys(self, space: str) -> list[str]:
        root = f"{self.prefix}:{{{space}}}:"
        return [f"{root}used", f"{root}sizes", f"{root}total", f"{root}o:"]

    @property
    def _ttl_ms(self) -> int:
        return max(1, int(min(self.ttl_seconds * 1000, LONGEST_TTL_MS)))

    def _is_stale(self, milliseconds_left: int) -> bool:
        return milliseconds_left < self._ttl_ms * (1 - 1 / USE_GRAIN)

    @property
    def _where(self) -> str:
        return f"the store {shown(self.url)}"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._link.is_callers:
            raise TypeError("a RedisStore with a client of your own cannot be sent to another process: give it a URL")
        options = {name: getattr(self, name) for name in ("ttl_seconds", "max_bytes", "timeout_seconds", "prefix")}
        return partial(RedisStore, **options), (self.url,)

    def __copy__(self) -> RedisStore:
        return self  # frameworks copy models and agents for every run; connections are shared in any case

    def __deepcopy__(self, memo: object) -> RedisStore:
        return self


_NO_KEY = -2
"""What PTTL answers for a key that is not there."""


def _is_large(arguments: Sequence[Any]) -> bool:
    """Whether what is sent, a put's bodies among the arguments, is a lot."""
    bodies = next((given for given in arguments if isinstance(given, dict) and any(isinstance(body, bytes) for body in given.values())), {})
    return sum(map(len, bodies.values())) >= LARGE_BYTES


def _holds(body: bytes, text: str) -> bool:
    try:
        return unpack(body) == text
    except (zlib.error, ValueError):
        return False
