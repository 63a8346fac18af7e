"""What can happen to a file: nothing acknowledged is lost, and whoever calls compress() notices nothing.

The store of a million entries is a benchmark: `benchmarks/torture.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from headroom import compress
from headroom.core import pipeline
from headroom.core.errors import StoreError
from headroom.core.store import SQLiteStore, sqlite_file
from headroom.core.store.sqlite_file import SCHEMA_VERSION
from tests.conversations import call_and_output
from tests.core.store.kill_writer import text_of

ROOT = Path(__file__).parents[3]
KILLS = 200
ROWS = json.dumps([{"id": f"ord_{i}", "status": "failed" if i % 90 == 7 else "ok", "note": f"note {i * 37 % 101}"} for i in range(400)])

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9, limits and mounts are POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "originals.sqlite3"


def some_texts(count: int, size: int = 3_000, seed: int = 1) -> list[str]:
    dice = random.Random(seed)
    return [f"{number} " + dice.randbytes(size // 2).hex() for number in range(count)]


def conversation(output: str = ROWS) -> list[Any]:
    return call_and_output("openai", 1, "list", '{"q": "failed"}', [output], "")


def compressed(store: SQLiteStore) -> Any:
    """compress() as a new process would do it, over this store: it must not raise, whatever state the store is in."""
    pipeline._remembered.clear()
    return compress(conversation(), "gpt-4o", store=store)


def sends_the_original(store: SQLiteStore) -> bool:
    """Whether nothing was left out: what has no place to be kept is sent whole, and the caller hears of it."""
    result = compressed(store)
    assert result.blocks[0].failed and "store" in result.blocks[0].reason
    return bool(result.messages == conversation() and not result.references)


def saves_again(store: SQLiteStore) -> bool:
    """Whether the same conversation is shortened, and what was left out can be had."""
    result = compressed(store)
    return bool(result.references) and all(store.get(reference) == ROWS for reference in result.references)


# --- kill -9 ------------------------------------------------------------------------------------------------------------


def test_a_kill_in_the_middle_of_a_write_loses_nothing_acknowledged(path: Path) -> None:
    acknowledged = kill_and_check(path, KILLS)
    assert acknowledged > KILLS


def kill_and_check(path: Path, kills: int) -> int:
    """Kill a writer `kills` times, each at another moment, in one file; what it acknowledged, all of it, is there each time."""
    dice = random.Random(kills)
    known: dict[str, tuple[int, int]] = {}
    for round_number in range(kills):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.core.store.kill_writer", str(path), str(round_number)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(dice.randrange(1, 40))]
            writer.send_signal(signal.SIGKILL)  # it goes on writing meanwhile: in the middle of something
            lines += writer.stdout.read().splitlines()
        of_round = [line.split() for line in lines if len(line.split()) == 2 and len(line.split()[1]) == 10]
        known |= {reference: (round_number, int(number)) for number, reference in of_round}
        with contextlib.closing(SQLiteStore(path)) as store:
            assert store.missing(known.keys()) == set()
            for number, reference in of_round:
                assert store.get(reference) == text_of(round_number, int(number))
    with contextlib.closing(SQLiteStore(path)) as store:
        assert all(store.get(reference) == text_of(*where) for reference, where in known.items())
    assert whole(path) and not aside(path)
    return len(known)


def whole(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def aside(path: Path) -> list[Path]:
    return [file for file in path.parent.iterdir() if "corrupt" in file.name and not file.name.endswith(("-wal", "-shm"))]


# --- a full disk --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of so many MB at `folder` where mounting is allowed; else no file may grow beyond that size."""
    folder.mkdir(parents=True)
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if mount and os.geteuid() == 0 and subprocess.run([mount, *options], check=False, capture_output=True).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)


def test_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder, 3):
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(500_000))
        store = SQLiteStore(folder / "originals.sqlite3")
        kept: dict[str, str] = {}
        with pytest.raises(StoreError, match=r"full|disk"):
            for text in some_texts(3_000):
                kept[store.put_many([text])[0]] = text
        assert len(kept) > 100
        assert all(store.get(reference) == text for reference, text in kept.items()), "reading goes on"
        assert store.missing(kept) == set()
        assert sends_the_original(store)
        assert not aside(store.path), "a full disk is no damage"
        ballast.unlink()
        assert saves_again(store), "as soon as there is room"
        store.close()


# --- rights -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def as_nobody(tmp_path: Path) -> Iterator[None]:
    """Root may write everywhere: for a while the test is nobody."""
    if os.geteuid() != 0:
        yield
        return
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("logs", ["closed", "killed"])
def test_a_file_and_a_folder_that_may_only_be_read(tmp_path: Path, path: Path, logs: str) -> None:
    store = SQLiteStore(path)
    kept = store.put_many(some_texts(20))
    if logs == "closed":
        store.close()
    else:  # as a killed process leaves them
        copy = path.parent.parent / "copy"
        shutil.copytree(path.parent, copy)
        store.close()
        path = copy / path.name
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    with as_nobody(tmp_path):
        reader = SQLiteStore(path, busy_timeout_seconds=0.2)
        assert sends_the_original(reader)
        with contextlib.suppress(StoreError):  # SQLite may need to write even to read such a file: then it says so
            assert [reader.get(reference) for reference in kept] == some_texts(20)
        reader.close()
    path.parent.chmod(0o755)
    for file in path.parent.iterdir():
        file.chmod(0o600)
    with contextlib.closing(SQLiteStore(path)) as again:
        assert [again.get(reference) for reference in kept] == some_texts(20)
        assert saves_again(again) and not aside(path)


# --- locks --------------------------------------------------------------------------------------------------------------

LOCKS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE" if sys.argv[2] == "write" else "PRAGMA locking_mode = EXCLUSIVE")
connection.execute("UPDATE total SET stored = stored")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["write", "whole file"])
def test_locked_by_another_process(path: Path, kind: str) -> None:
    with contextlib.closing(SQLiteStore(path)) as first:
        (reference,) = first.put_many(["text"])
    store = SQLiteStore(path, busy_timeout_seconds=0.2)
    with subprocess.Popen(
        [sys.executable, "-c", LOCKS, str(path), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        assert sends_the_original(store)
        if kind == "write":
            assert store.get(reference) == "text"
        other.stdin.close()
    assert store.get(reference) == "text" and saves_again(store) and not aside(path)
    store.close()


# --- damage -------------------------------------------------------------------------------------------------------------


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Bytes flipped at random places, a stretch overwritten, or the end cut off."""
    changed, way = bytearray(content), dice.randrange(4)
    if way == 0:
        for _ in range(dice.choice((1, 10, 500))):
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    elif way == 1:
        start = dice.randrange(len(changed))
        changed[start : start + 4096] = dice.randbytes(len(changed[start : start + 4096]))
    elif way == 2:
        del changed[dice.randrange(len(changed)) :]
    else:
        page = 4096 * dice.randrange(len(changed) // 4096)
        changed[page : page + 4096] = bytes(4096)
    return bytes(changed)


@pytest.mark.parametrize("seed", range(24))
def test_damage_never_serves_another_text_and_never_raises_into_compress(path: Path, seed: int) -> None:
    texts = some_texts(60)
    with contextlib.closing(SQLiteStore(path)) as store:
        references = store.put_many(texts)
    before = damaged(path.read_bytes(), random.Random(seed))
    path.write_bytes(before)
    store = SQLiteStore(path, busy_timeout_seconds=0.2)
    for reference, text in zip(references, texts, strict=True):
        with contextlib.suppress(StoreError):
            assert store.get(reference) in (text, None), "another's text"
    result = compressed(store)
    assert all(store.get(reference) == ROWS for reference in result.references)
    if not result.references:
        assert result.messages == conversation()
    if aside(path):
        assert aside(path)[0].stat().st_size > 0 or not before
    store.close()


def test_a_damaged_log_beside_a_good_file(path: Path) -> None:
    store = SQLiteStore(path)
    references = store.put_many(some_texts(30))
    copy = path.parent.parent / "copy"
    shutil.copytree(path.parent, copy)  # as a killed process leaves it: nearly all is in the log
    store.close()
    log = copy / f"{path.name}-wal"
    log.write_bytes(damaged(log.read_bytes(), random.Random(5)))
    with contextlib.closing(SQLiteStore(copy / path.name)) as survivor:
        found = [survivor.get(reference) for reference in references]
        assert all(got in (text, None) for got, text in zip(found, some_texts(30), strict=True))
        assert saves_again(survivor)


# --- time ---------------------------------------------------------------------------------------------------------------


class Clock:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("jump", [-10 * 365 * 86_400.0, -86_400.0, -1.0, 3_600.0])
def test_the_clock_is_set(path: Path, jump: float) -> None:
    clock = Clock()
    store = SQLiteStore(path, clock=clock)
    references = store.put_many(some_texts(20))
    clock.now += jump
    assert store.missing(references) == set()
    assert store.put_many(some_texts(20)) == references
    assert saves_again(store)
    assert [store.get(reference) for reference in references] == some_texts(20)
    clock.now -= jump
    assert store.missing(references) == set()
    store.close()


def test_the_clock_is_set_far_forward_and_back(path: Path) -> None:
    clock = Clock()
    store = SQLiteStore(path, clock=clock)
    references = store.put_many(some_texts(20))
    clock.now += 10 * 365 * 86_400.0
    store.get(references[0])  # by this clock they have expired: they may be missing, and are asked for before use
    assert saves_again(store)
    clock.now -= 10 * 365 * 86_400.0
    assert saves_again(store), "what was used in the future is still here"
    assert store.put_many(some_texts(20)) == references
    assert [store.get(reference) for reference in references] == some_texts(20)
    store.close()


# --- another version ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 1_000_000])
def test_a_newer_schema_is_refused_with_its_number_and_left_as_it_was(path: Path, version: int) -> None:
    with contextlib.closing(SQLiteStore(path)) as store:
        references = store.put_many(some_texts(5))
    set_version(path, version)
    before = path.read_bytes()
    store = SQLiteStore(path)
    with pytest.raises(StoreError, match=str(version)):
        store.get(references[0])
    assert sends_the_original(store)
    store.close()
    assert path.read_bytes() == before and not aside(path)
    set_version(path, SCHEMA_VERSION)
    with contextlib.closing(SQLiteStore(path)) as store:
        assert [store.get(reference) for reference in references] == some_texts(5), "the version that wrote it still reads it"


LATER = 3
LATER_UPGRADES = {
    1: "ALTER TABLE entries ADD COLUMN kind TEXT;\nCREATE INDEX entries_by_kind ON entries(kind);",
    2: "CREATE TABLE notes(body INTEGER, note TEXT);\nINSERT INTO notes SELECT id, 'old' FROM bodies;",
}
SLOW = "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e12) SELECT i FROM n);"


@contextlib.contextmanager
def later_version(upgrades: dict[int, str] | None = None) -> Iterator[None]:
    """There has been one schema so far, so what is tried here is a later version that meets today's files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_file, "SCHEMA_VERSION", LATER)
        patch.setattr(sqlite_file, "UPGRADES", LATER_UPGRADES if upgrades is None else upgrades)
        yield


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_an_older_schema_is_upgraded_and_every_original_is_there(path: Path) -> None:
    with contextlib.closing(SQLiteStore(path)) as store:
        references = store.put_many(some_texts(50))
    with later_version(), contextlib.closing(SQLiteStore(path)) as store:
        assert [store.get(reference) for reference in references] == some_texts(50)
        assert saves_again(store)
    assert version_of(path) == LATER and whole(path) and not aside(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM notes WHERE note = 'old'").fetchone() == (50,), "step by step"
    assert sends_the_original(SQLiteStore(path)), "today's version does not touch what it does not know"


def test_a_process_of_the_older_version_that_has_the_file_open_loses_nothing(path: Path) -> None:
    older = SQLiteStore(path)
    references = older.put_many(some_texts(5))
    with later_version(), contextlib.closing(SQLiteStore(path)) as store:
        assert store.get(references[0]) == some_texts(5)[0]
    more = older.put_many(some_texts(5, seed=2))
    assert [older.get(reference) for reference in references + more] == some_texts(5) + some_texts(5, seed=2)
    older.close()
    with later_version(), contextlib.closing(SQLiteStore(path)) as store:
        assert [store.get(reference) for reference in references + more] == some_texts(5) + some_texts(5, seed=2)


def test_many_upgrade_at_once(path: Path) -> None:
    with contextlib.closing(SQLiteStore(path)) as store:
        (reference,) = store.put_many(["text"])
    with later_version(), ThreadPoolExecutor(8) as pool:
        stores = [SQLiteStore(path, busy_timeout_seconds=30) for _ in range(8)]
        assert list(pool.map(lambda store: store.get(reference), stores)) == ["text"] * 8
        for store in stores:
            store.close()
    assert version_of(path) == LATER and whole(path)


def test_an_upgrade_that_fails_half_way_leaves_the_file_as_it_was(path: Path) -> None:
    with contextlib.closing(SQLiteStore(path)) as store:
        references = store.put_many(some_texts(5))
    with later_version({1: LATER_UPGRADES[1], 2: "INSERT INTO nowhere VALUES(1);"}):
        assert sends_the_original(SQLiteStore(path))
    assert version_of(path) == 1 and not aside(path)
    with contextlib.closing(SQLiteStore(path)) as store:
        assert [store.get(reference) for reference in references] == some_texts(5) and saves_again(store)


UPGRADES = """
import sys
from headroom.core.store import SQLiteStore, sqlite_file
sqlite_file.SCHEMA_VERSION, sqlite_file.UPGRADES = 2, {1: sys.argv[2]}
print("upgrading", flush=True)
SQLiteStore(sys.argv[1]).get("x")
"""


def test_a_kill_in_the_middle_of_an_upgrade(path: Path) -> None:
    with contextlib.closing(SQLiteStore(path)) as store:
        references = store.put_many(some_texts(50))
    with subprocess.Popen(
        [sys.executable, "-c", UPGRADES, str(path), LATER_UPGRADES[1] + "\n" + SLOW], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "upgrading\n"
        while can_write(path) and other.poll() is None:
            time.sleep(0.01)
        assert other.poll() is None
        other.kill()
    assert version_of(path) == 1 and whole(path) and not aside(path)
    with later_version(), contextlib.closing(SQLiteStore(path)) as store:
        assert [store.get(reference) for reference in references] == some_texts(50)


def can_write(path: Path) -> bool:
    """Whether nobody is in the middle of a transaction that writes."""
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


@pytest.mark.parametrize("version", [0, -1])
def test_an_older_schema_that_nobody_knows_is_refused_and_left_as_it_was(path: Path, version: int) -> None:
    with contextlib.closing(SQLiteStore(path)) as store:
        store.put_many(some_texts(5))
    set_version(path, version)
    store = SQLiteStore(path)
    assert sends_the_original(store)
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM bodies").fetchone() == (5,)
    assert not aside(path)


def set_version(path: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
