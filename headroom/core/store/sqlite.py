"""Originals in one SQLite file: durable, shared by every thread and process of this user.

One connection per process, guarded by a lock: a put or a look-up holds it for 0.1 ms, so threads hardly wait, and
there is one thing to close, to reopen and to let go before a fork. The write-ahead log lets other processes read
while one writes; once `put_many` returns, killing the process loses nothing.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from headroom.core.errors import ConfigError, StoreError, StoreFullError
from headroom.core.store import sqlite_statements as statements
from headroom.core.store.base import (
    DEFAULT_MAX_BYTES,
    DEFAULT_NAMESPACE,
    DEFAULT_TTL_SECONDS,
    USE_GRAIN,
    StoreStats,
    pack,
    unpack,
)
from headroom.core.store.sqlite_file import APPLICATION_ID, is_malformed, set_up, transaction

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 1.0
PRESENT_SECONDS = 10.0
"""How long a look-up's yes is believed while nobody writes."""
EXPIRED_PER_PUT = 32
"""Expired originals that one put sweeps out in passing."""
EVICTED_PER_PUT = 500
"""Originals that one put evicts beyond the room that it takes itself: after a limit was lowered, others wait 0.1 s, not 20."""
REFERENCES_PER_QUERY = 900
"""SQLite before 3.32 takes at most 999 parameters."""


def default_path() -> Path:
    """`originals.sqlite3` in the user's data folder."""
    from headroom.core.config import data_folder  # the settings name this room's namespace: at import time, a circle

    return data_folder() / "originals.sqlite3"


class SQLiteStore:
    """A CompressionStore in one file, safe across threads, processes and forks. Opened on first use.

    Any failure is a StoreError, after at most `busy_timeout_seconds` of waiting for this process's other threads and
    as much for other processes. A file so damaged that nothing can be put is moved aside (`<name>.corrupt-1`) and a
    fresh one begun; one that is merely locked, unreadable, or another program's, never.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if path is not None and os.fspath(path) in ("", ":memory:"):
            raise ConfigError("SQLiteStore needs a file; MemoryStore keeps originals in memory")
        self.path = (default_path() if path is None else Path(path)).absolute()
        self.ttl_seconds = ttl_seconds
        self.max_bytes = max_bytes
        self.busy_timeout_seconds = busy_timeout_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._present: set[tuple[str, str]] = set()
        """(namespace, reference) found lately: true while neither this process deletes nor another one writes."""
        self._present_as_of = (-1, 0.0)
        self._identity: tuple[int, int] | None = None  # of the file that the connection has open
        self._process = os.getpid()
        _LIVE.add(self)

    # --- the protocol ---------------------------------------------------------------------------------------------

    def put_many(self, texts: Sequence[str], namespace: str = DEFAULT_NAMESPACE) -> list[str]:
        """Store all of `texts` or none, in one transaction. StoreFullError if they do not fit together, even alone."""
        if not texts:
            return []
        unique = list(dict.fromkeys(texts))
        latest = self._clock() - self.ttl_seconds / USE_GRAIN
        placed = self._run(lambda connection: statements.settled(connection, unique, namespace, latest), heal=True)
        fresh = {text: pack(text) for text in unique if text not in placed}  # outside the lock: 10 MB take 0.1 s
        if fresh:
            if sum(map(len, fresh.values())) > self.max_bytes:
                raise StoreFullError(f"the texts need more than the store's whole limit of {self.max_bytes:,} bytes")
            placed |= self._run(lambda connection: self._write(connection, fresh, set(placed.values()), namespace), heal=True)
        return [placed[text] for text in texts]

    def get(self, reference: str, namespace: str = DEFAULT_NAMESPACE) -> str | None:
        """The original, exactly, or None. StoreError if what the file holds is damaged."""
        return self._run(lambda connection: self._read(connection, reference, namespace)) if reference.isascii() else None

    def missing(self, references: Collection[str], namespace: str = DEFAULT_NAMESPACE) -> set[str]:
        """Which of `references` are not here: one query, 0.15 ms for 300 references."""
        wanted = set(references)
        # What no reference ever is must not reach SQLite, which cannot bind lone surrogates.
        known = list(wanted) if "".join(wanted).isascii() else [reference for reference in wanted if reference.isascii()]
        if not known:
            return wanted
        found = self._run(lambda connection: self._present_or_found(connection, known, namespace))
        return wanted - found

    def purge(self, namespace: str | None = None, older_than_seconds: float | None = None) -> int:
        """Delete originals, give their room back to the file system, and say how many they were."""
        return self._run(lambda connection: self._purge(connection, namespace, older_than_seconds))

    def stats(self, namespace: str | None = None) -> StoreStats:
        """What is held and has not expired."""
        query = "SELECT count(*), total(size), total(stored), count(DISTINCT namespace) FROM entries WHERE used >= ?"
        parameters: list[object] = [self._clock() - self.ttl_seconds]
        if namespace is not None:
            query += " AND namespace = ?"
            parameters.append(statements.key(namespace))
        row = self._run(lambda connection: connection.execute(query, parameters).fetchone())
        return StoreStats(*map(int, row))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._drop_connection()

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self._drop_connection()

    # --- what each method does, once it has the connection ---------------------------------------------------------

    def _write(self, connection: sqlite3.Connection, bodies: dict[str, bytes], kept: set[str], namespace: str) -> dict[str, str]:
        now = self._clock()
        with transaction(connection):
            expired = "SELECT namespace, reference FROM entries WHERE used < ? ORDER BY used LIMIT ?"
            self._delete(connection, connection.execute(expired, (now - self.ttl_seconds, EXPIRED_PER_PUT)).fetchall())
            before = statements.total(connection)
            placed = {text: statements.place(connection, text, body, namespace, now) for text, body in bodies.items()}
            self._evict(connection, statements.key(namespace), kept | set(placed.values()), statements.total(connection) - before)
        return placed

    def _evict(self, connection: sqlite3.Connection, namespace: bytes, kept: set[str], added: int) -> None:
        """Make at least the room that was `added`, so that the file never grows beyond its limit, and at most a little more."""
        excess = statements.total(connection) - self.max_bytes
        if excess <= 0:
            return
        doomed = []
        for owner, reference, stored in connection.execute("SELECT namespace, reference, stored FROM entries ORDER BY used, body"):
            if owner == namespace and reference in kept:
                continue
            doomed.append((owner, reference))
            excess -= stored
            added -= stored
            if excess <= 0 or (added <= 0 and len(doomed) >= EVICTED_PER_PUT):
                break
        else:
            raise StoreFullError(f"the texts need more than the store's whole limit of {self.max_bytes:,} bytes")
        self._delete(connection, doomed)

    def _delete(self, connection: sqlite3.Connection, doomed: list[tuple[bytes, str]]) -> None:
        if doomed:
            self._present.clear()
            statements.delete(connection, doomed)

    def _read(self, connection: sqlite3.Connection, reference: str, namespace: str) -> str | None:
        row = statements.look_up(connection, reference, namespace)
        now = self._clock()
        if row is None or row[0] < now - self.ttl_seconds:
            return None
        text = unpack(row[1])
        if row[0] < now - self.ttl_seconds / USE_GRAIN:
            statements.touch(connection, [reference], namespace, now)
        return text

    def _present_or_found(self, connection: sqlite3.Connection, references: list[str], namespace: str) -> set[str]:
        """`_found`, asking only for what was not found a moment ago: a long conversation asks for the same ones each turn."""
        version, moment = connection.execute("PRAGMA data_version").fetchone()[0], self._clock()
        age = moment - self._present_as_of[1]
        if version != self._present_as_of[0] or not 0 <= age < min(PRESENT_SECONDS, self.ttl_seconds / USE_GRAIN / 2):
            self._present.clear()
            self._present_as_of = (version, moment)
        present = {reference for reference in references if (namespace, reference) in self._present}
        found = self._found(connection, [reference for reference in references if reference not in present], namespace)
        self._present.update((namespace, reference) for reference in found)
        return present | found

    def _found(self, connection: sqlite3.Connection, references: list[str], namespace: str) -> set[str]:
        now = self._clock()
        stale = now - self.ttl_seconds / USE_GRAIN
        found: set[str] = set()
        for start in range(0, len(references), REFERENCES_PER_QUERY):
            some = references[start : start + REFERENCES_PER_QUERY]
            where = f"FROM entries WHERE namespace = ? AND used >= ? AND reference IN ({statements.marks(some)})"
            # Counting is twice as fast as listing, and mostly everything is there and was used lately.
            count = connection.execute(f"SELECT count(*) {where}", (statements.key(namespace), stale, *some)).fetchone()[0]
            if count == len(some):
                found.update(some)
                continue
            rows = connection.execute(
                f"SELECT reference, used {where}", (statements.key(namespace), now - self.ttl_seconds, *some)
            ).fetchall()
            found.update(reference for reference, _ in rows)
            old = [reference for reference, used in rows if used < stale]
            if old and not statements.touch(connection, old, namespace, now):
                # Their life cannot be prolonged. Near its end, better call them missing than let a marker outlive them.
                found.difference_update(reference for reference, used in rows if used < now - self.ttl_seconds / 2)
        return found

    def _purge(self, connection: sqlite3.Connection, namespace: str | None, older_than_seconds: float | None) -> int:
        conditions, parameters = ["1"], []
        if namespace is not None:
            conditions.append("namespace = ?")
            parameters.append(statements.key(namespace))
        if older_than_seconds is not None:
            conditions.append("used <= ?")
            parameters.append(self._clock() - older_than_seconds)  # type: ignore[arg-type]
        self._present.clear()
        with transaction(connection):
            deleted = connection.execute(f"DELETE FROM entries WHERE {' AND '.join(conditions)}", parameters).rowcount  # noqa: S608
        if deleted:
            connection.executescript("PRAGMA incremental_vacuum")  # execute() would stop after its first page
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return deleted

    # --- the file and its connection --------------------------------------------------------------------------------

    def _run(self, work: Callable[[sqlite3.Connection], T], heal: bool = False) -> T:
        if os.getpid() != self._process:
            self._abandon()
        if not self._lock.acquire(timeout=self.busy_timeout_seconds):
            raise StoreError(f"the store {self.path} is busy with other threads of this process")
        try:
            try:
                return work(self._open())
            except sqlite3.DatabaseError as error:
                if not (heal and is_malformed(error) and self._move_aside()):
                    raise
                return work(self._open())
        except (sqlite3.Error, sqlite3.Warning, OSError, zlib.error, ValueError, OverflowError) as error:
            if not (isinstance(error, sqlite3.OperationalError) and "locked" in str(error)):
                self._drop_connection()  # it may have gone bad; opening another costs a millisecond
            raise StoreError(f"the store {self.path} failed: {type(error).__name__}: {error}") from error
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._identity == _identity(self.path):
                return self._connection
            self._drop_connection()  # the file was deleted or moved: what we would write, nobody would find
        if not self.path.parent.is_dir():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its log files the same mode
        self._identity = _identity(self.path)
        connection = sqlite3.connect(self.path, timeout=self.busy_timeout_seconds, isolation_level=None, check_same_thread=False)
        try:
            set_up(connection, self.busy_timeout_seconds)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        self._present.clear()
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:
                pass  # nothing was in flight: a failing close loses no data

    def _move_aside(self) -> bool:
        """Rename the malformed file and its logs; False if it may not be ours. True too if someone else already did."""
        mine = self._identity
        self._drop_connection()
        if mine is None or mine != _identity(self.path):
            return True
        if not self._was_ours():
            return False
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.corrupt-{number}")).exists():
            number += 1
        # The logs first: beside a fresh file, SQLite would replay the old log into it.
        for suffix in ("-wal", "-shm", ""):
            file = Path(f"{self.path}{suffix}")
            if file.exists():
                file.rename(f"{aside}{suffix}")
        return True

    def _was_ours(self) -> bool:
        # A readable header with another program's id is somebody's database; no header at all is a database
        # only if it is called one. Neither is overwritten here: the answer decides about a rename.
        with self.path.open("rb") as file:
            header = file.read(72)
        if header.startswith(b"SQLite format 3\0"):
            return header[68:72] in (APPLICATION_ID.to_bytes(4, "big"), bytes(4))
        return self.path.suffix in (".sqlite3", ".sqlite", ".db")

    def _abandon(self) -> None:
        """In a process that was forked behind Python's back: leave the parent's connection strictly alone."""
        if self._connection is not None:
            _ABANDONED.append(self._connection)  # closing it here would break the parent's locks
        self._connection = None
        self._lock = threading.Lock()
        self._process = os.getpid()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  (twice as fast as Path.stat, and each use of the store asks)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


# --- forks -------------------------------------------------------------------------------------------------------------

_LIVE: weakref.WeakSet[SQLiteStore] = weakref.WeakSet()
_ABANDONED: list[sqlite3.Connection] = []
_HELD: list[SQLiteStore] = []


def _before_fork() -> None:
    # SQLite's locks do not survive a fork, not even for a connection that the child never uses: so no connection
    # may be open when it happens. Both sides open again on their next use.
    for store in list(_LIVE):
        if store._lock.acquire(timeout=store.busy_timeout_seconds):
            store._drop_connection()
            _HELD.append(store)


def _after_fork() -> None:
    while _HELD:
        _HELD.pop()._lock.release()


def _after_fork_in_child() -> None:
    for store in list(_LIVE):
        if store not in _HELD:
            store._abandon()
        store._process = os.getpid()
    _after_fork()


def _at_exit() -> None:
    for store in list(_LIVE):
        store.close()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
