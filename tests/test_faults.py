"""A store in trouble: the originals are sent, the report says why, nothing raises; and when it recovers, so do we."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from headroom import CompressResult, SQLiteStore, compress, retrieve
from headroom.core import pipeline
from tests.conversations import call_and_output

LOG = "\n".join(f"10:{i // 60:02d}:{i % 60:02d} INFO request {i * 7919 % 10007} served by worker-{i % 7}" for i in range(900))
MESSAGES = call_and_output("openai", 1, "logs", "{}", [LOG], "")


def run(store: SQLiteStore) -> CompressResult:
    pipeline._remembered.clear()
    return compress(MESSAGES, "gpt-4o", store=store)


def locked(folder: Path) -> tuple[SQLiteStore, Callable[[], None]]:
    store = SQLiteStore(folder / "o.sqlite3", busy_timeout_seconds=0.2)
    store.put_many(["x"])
    other = sqlite3.connect(folder / "o.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return store, other.close


def read_only(folder: Path) -> tuple[SQLiteStore, Callable[[], None]]:
    store = SQLiteStore(folder / "o.sqlite3")
    store.put_many(["x"])
    connection = store._connection
    assert connection is not None
    connection.execute("PRAGMA query_only = ON")
    return store, lambda: None  # its connection went bad with the failure: the next one may write


def full(folder: Path) -> tuple[SQLiteStore, Callable[[], None]]:
    store = SQLiteStore(folder / "o.sqlite3", max_bytes=200)

    def make_room() -> None:
        store.max_bytes = 10**6

    return store, make_room


def no_folder(folder: Path) -> tuple[SQLiteStore, Callable[[], None]]:
    (folder / "file").write_text("in the way")
    return SQLiteStore(folder / "file" / "o.sqlite3"), (folder / "file").unlink


@pytest.mark.parametrize("trouble", [locked, read_only, full, no_folder])
def test_the_originals_are_sent_until_the_store_is_well(
    trouble: Callable[[Path], tuple[SQLiteStore, Callable[[], None]]], tmp_path: Path
) -> None:
    store, mend = trouble(tmp_path)
    sent = run(store)
    assert sent.messages == MESSAGES and sent.references == []
    assert sent.blocks[-1].failed and "store" in sent.blocks[-1].reason
    assert sent.transforms_applied[0].startswith("failed:") and sent.tokens_saved == 0 < sent.tokens_before
    mend()
    well = run(store)
    assert well.tokens_saved > 0 and retrieve(well.references[0], store=store) == LOG
    store.close()


def test_a_corrupt_file_is_set_aside_and_a_fresh_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    store = SQLiteStore(path)
    store.put_many(["x"])
    store.close()
    path.write_bytes(os.urandom(4_000) + path.read_bytes()[4_000:])
    result = run(SQLiteStore(path))
    assert result.references and retrieve(result.references[0], store=SQLiteStore(path)) == LOG
    assert (tmp_path / "o.sqlite3.corrupt-1").exists(), "what may still be saved is not thrown away"
