"""The statements with which SQLiteStore reads and writes its file, on a connection that is ready."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Collection, Sequence

from headroom.core.errors import StoreError
from headroom.core.store.base import references_for, unpack


def key(namespace: str) -> bytes:
    return namespace.encode("utf-8", "surrogatepass")  # a str with lone surrogates cannot be bound


def marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))


def look_up(connection: sqlite3.Connection, reference: str, namespace: str) -> tuple[float, bytes] | None:
    query = "SELECT used, b.body FROM entries e JOIN bodies b ON b.id = e.body WHERE namespace = ? AND reference = ?"
    row: tuple[float, bytes] | None = connection.execute(query, (key(namespace), reference)).fetchone()
    return row


def settled(connection: sqlite3.Connection, texts: list[str], namespace: str, latest: float) -> dict[str, str]:
    """Of `texts`, those that are stored already and were used since `latest`, with their references: nothing to write."""
    found = {}
    for text in texts:
        for reference in references_for(text, namespace):
            row = look_up(connection, reference, namespace)
            if row is None:
                break
            if holds(row[1], text):
                if row[0] >= latest:
                    found[text] = reference
                break
    return found


def holds(body: bytes, text: str) -> bool:
    try:
        return unpack(body) == text
    except (zlib.error, ValueError):
        return False


def damaged(body: bytes) -> bool:
    try:
        unpack(body)
    except (zlib.error, ValueError):
        return True
    return False


def place(connection: sqlite3.Connection, text: str, body: bytes, namespace: str, now: float) -> str:
    """Store `text` under the first of its references that is free, or is its own already. Inside a transaction."""
    for reference in references_for(text, namespace):
        row = look_up(connection, reference, namespace)
        if row is not None and holds(row[1], text):
            connection.execute("UPDATE entries SET used = ? WHERE namespace = ? AND reference = ?", (now, key(namespace), reference))
            return reference
        if row is not None:
            if not damaged(row[1]):
                continue
            delete(connection, [(key(namespace), reference)])
        number = connection.execute("INSERT INTO bodies(body) VALUES(?)", (body,)).lastrowid
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        entry = (key(namespace), reference, now, size, len(body), number)
        connection.execute("INSERT INTO entries(namespace, reference, used, size, stored, body) VALUES(?,?,?,?,?,?)", entry)
        return reference
    raise StoreError("every reference of this text, even the longest, is another text's")


def total(connection: sqlite3.Connection) -> int:
    stored: int = connection.execute("SELECT stored FROM total").fetchone()[0]
    return stored


def delete(connection: sqlite3.Connection, keys: Sequence[tuple[bytes, str]]) -> None:
    connection.executemany("DELETE FROM entries WHERE namespace = ? AND reference = ?", keys)


def touch(connection: sqlite3.Connection, references: list[str], namespace: str, now: float) -> bool:
    """Note a use. Best effort, without waiting: reading must work while another process writes, or on a full disk."""
    timeout = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 20")
    try:
        update = f"UPDATE entries SET used = ? WHERE namespace = ? AND reference IN ({marks(references)})"  # noqa: S608
        connection.execute(update, (now, key(namespace), *references))
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {timeout}")
    return True
