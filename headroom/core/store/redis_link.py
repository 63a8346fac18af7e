"""How RedisStore reaches its server: the client made from a URL, what is said of it, and a circuit for when it is away."""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from typing import Any

from headroom.core.errors import ConfigError, MissingDependencyError, StoreError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""After a failure to reach Redis nobody tries again for a while: requests go on with their originals at once."""

_URL = re.compile(
    r"(?P<scheme>[a-z+]+)://(?:[^/?#@]*@)?(?P<host>(?:\[[0-9a-fA-F:.]*\]|[^:@/?#\[\]]*)(?::\d{1,5})?)(?P<path>/[^?#@]*)?(?:[?#][^@]*)?"
)


class Circuit:
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


def library() -> Any:
    """The module `redis`. MissingDependencyError without it."""
    try:
        import redis  # an extra: only who asks for this store needs it
    except ImportError as missing:
        raise MissingDependencyError("redis", extra="redis") from missing
    return redis


class Link:
    """The client of one server, made from a URL or given by the caller, and its circuit. Each process has its own."""

    def __init__(self, url: str, timeout_seconds: float, client: Any = None) -> None:
        self.is_callers = client is not None
        self.url = url if client is None else place_of(checked(client))
        self.timeout_seconds = timeout_seconds
        self.client = client_for(url, timeout_seconds) if client is None else client
        self.circuit = Circuit()
        _LIVE.add(self)

    def renew(self) -> None:
        """In a forked child, which has one thread: a lock that another one held at that moment would never be released."""
        self.circuit = Circuit()
        if not self.is_callers:
            _ABANDONED.append(self.client)  # its pool has locks too, and may want them when it is collected
            self.client = client_for(self.url, self.timeout_seconds)


_LIVE: weakref.WeakSet[Link] = weakref.WeakSet()
_ABANDONED: list[Any] = []


def _renew_links() -> None:
    for link in list(_LIVE):
        link.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_links)


def client_for(url: str, timeout_seconds: float) -> Any:
    """A client of the server at `url`. Opens nothing yet. ConfigError for a URL that names none."""
    redis = library()
    from redis.backoff import NoBackoff  # as above
    from redis.retry import Retry  # as above

    # One more try at once mends a connection that the server closed while it was idle; a time-out is not tried again.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,))
    known = f"unix://{url.partition('://')[2]}" if url.startswith("redis+unix://") else url
    options: dict[str, Any] = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds, "retry": retry}
    if known.startswith("rediss:"):
        options["ssl_check_hostname"] = True  # redis-py 5 does not of itself
    try:
        _check_database(known)
        client = redis.Redis.from_url(known, **options)
    except ValueError as error:
        secret = "@" in url or "password" in url
        why = "what stands in it cannot be read" if secret else str(error)
        raise ConfigError(f"{shown(url)!r} is no URL of a Redis server, e.g. redis://127.0.0.1:6379/0: {why}") from (
            None if secret else error
        )
    return checked(client)


def _check_database(url: str) -> None:
    """ValueError for a database that is no number: redis-py would take the first one instead."""
    match = _URL.fullmatch(url)
    named = (match["path"] or "").strip("/") if match and match["scheme"] != "unix" else ""
    if named and not (named.isascii() and named.isdigit()):
        raise ValueError("the database is a number")


def checked(client: Any) -> Any:
    """The client, if RedisStore can work with it; else ConfigError."""
    redis = library()
    if not isinstance(client, redis.Redis):
        raise ConfigError(f"client must be a redis.Redis (not asynchronous, not of a cluster), not {type(client).__name__}")
    if client.connection_pool.connection_kwargs.get("decode_responses"):
        raise ConfigError("RedisStore keeps bytes: make the client without decode_responses")
    return client


def shown(url: str) -> str:
    """The URL as it may be told: without user, password and options; only its kind where these cannot be told apart."""
    match = _URL.fullmatch(url)
    return f"{match['scheme']}://{match['host']}{match['path'] or ''}" if match else f"{url.partition(':')[0][:20]}://..."


def place_of(client: Any) -> str:
    """Where a client that the caller made goes."""
    pool = client.connection_pool
    options = pool.connection_kwargs
    if getattr(pool, "service_name", None):
        return f"redis+sentinel://{pool.service_name}"
    if "path" in options:
        return f"unix://{options['path']}"
    return f"redis://{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db') or 0}"


def told(error: Exception) -> str:
    """What is said of an error that the server answered with."""
    if type(error).__name__ in ("MovedError", "AskError", "ClusterDownError", "ClusterCrossSlotError") or "CLUSTERDOWN" in str(error):
        return f"it is a node of a Redis Cluster, which RedisStore does not work with: use a server without cluster mode ({error})"
    return f"{type(error).__name__}: {error}"


def pattern_of(text: str) -> str:
    """A pattern of Redis's that only `text` itself matches."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)


def let_go_of_idle(client: Any) -> None:
    """Close the connections that nobody uses: where one is dead, the others are too, and each would cost a time-out."""
    try:
        client.connection_pool.disconnect(inuse_connections=False)
    except Exception:  # noqa: S110  (trouble with closing what is broken helps nobody)
        pass
