"""What the SQLite file looks like, and how a connection to it is made ready."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

SCHEMA_VERSION = 1
APPLICATION_ID = 0x48524D43  # tells our files from other programs' databases, which we leave alone

# The bodies live apart from what is looked up often, so that `missing`, eviction and statistics read a few dense
# pages. The triggers keep bodies and the total in step with the entries whatever deletes those.
_SCHEMA = """
CREATE TABLE entries(
  namespace BLOB NOT NULL, reference TEXT NOT NULL, used REAL NOT NULL, size INTEGER NOT NULL, stored INTEGER NOT NULL,
  body INTEGER NOT NULL, PRIMARY KEY(namespace, reference)) WITHOUT ROWID;
CREATE INDEX entries_by_use ON entries(used, body);
CREATE TABLE bodies(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE total(stored INTEGER NOT NULL);
INSERT INTO total VALUES(0);
CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN UPDATE total SET stored = stored + new.stored; END;
CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
  DELETE FROM bodies WHERE id = old.body; UPDATE total SET stored = stored - old.stored; END;
"""

UPGRADES: dict[int, str] = {}
"""Statements that turn schema N into N + 1, by N. There has been one schema so far. Whoever adds the second: processes
of the older version go on with the connections they have, so either what they do still works, or it must fail."""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def set_up(connection: sqlite3.Connection, patience: float) -> None:
    version, application = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
    if version < 0:
        raise sqlite3.OperationalError(f"nobody knows its schema ({version}): it was not written by any version")
    if version > SCHEMA_VERSION:
        raise sqlite3.OperationalError(f"it was written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})")
    if application != APPLICATION_ID and not _is_empty(connection):
        raise sqlite3.OperationalError("it is another program's database")
    if version == 0:  # later it has no meaning, and would wait for whoever is writing: reading must not
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _use_write_ahead_log(connection, patience)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {16 << 20}")
    if version < SCHEMA_VERSION:
        _bring_up_to_date(connection)


def _is_empty(connection: sqlite3.Connection) -> bool:
    # One statement, so one state of the file: another process may be making it ours at this moment.
    query = "SELECT count(*) FROM sqlite_master WHERE (SELECT application_id FROM pragma_application_id) != ?"
    return not connection.execute(query, (APPLICATION_ID,)).fetchone()[0]


def _use_write_ahead_log(connection: sqlite3.Connection, patience: float) -> None:
    # Switching needs the file alone and does not wait for it as other statements do: two processes that open a new
    # store at the same moment would fail without this loop.
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.005)


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Create what a new file holds, or take an older one up, one schema after the other: all of it or nothing."""
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        scripts = [_SCHEMA] if version == 0 else [UPGRADES[older] for older in range(version, SCHEMA_VERSION)]
        for statement in _statements("\n".join(scripts)):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {max(version, SCHEMA_VERSION)}")


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the transaction that we are in.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def is_malformed(error: sqlite3.DatabaseError) -> bool:
    # Python 3.10 has no error codes. A lock, a full disk or a missing right never carries these words.
    return any(words in str(error) for words in ("malformed", "file is not a database"))
