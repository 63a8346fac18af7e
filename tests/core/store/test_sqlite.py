import multiprocessing
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom.core.errors import ConfigError, StoreError, StoreFullError
from headroom.core.store import SQLiteStore, sqlite_statements
from headroom.core.store import sqlite as room
from headroom.core.store.base import pack, reference_for

any_text = st.text(st.characters(exclude_categories=()))


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "originals.sqlite3"


@pytest.fixture
def store(path):
    store = SQLiteStore(path)
    yield store
    store.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    store = SQLiteStore(tmp_path_factory.mktemp("shared") / "o.sqlite3")
    yield store
    store.close()


def run(code, *arguments):
    """The same code in a fresh process."""
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def writes(path):
    """Changes whenever anything is committed to the file by somebody else than this connection."""
    connection = sqlite3.connect(path)

    def version():
        return connection.execute("PRAGMA data_version").fetchone()[0]

    return version, connection.close


# --- what is put comes back --------------------------------------------------------------------------------------------


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(any_text, max_size=5), namespace=any_text)
def test_gives_back_exactly_what_was_put(shared, texts, namespace):
    references = shared.put_many(texts, namespace)
    assert references == [reference_for(text, namespace) for text in texts]
    assert [shared.get(reference, namespace) for reference in references] == texts
    assert shared.missing(references, namespace) == set()


def test_odd_texts(store):
    texts = ["", "\0", "a\0b", "\ud800", "\udc00\ud800", "\ud83d\ude00", "😀", "\r\n\r", "x" * 3_000_000, "same", "same"]
    references = store.put_many(texts)
    assert [store.get(reference) for reference in references] == texts
    assert store.stats().entries == len(set(texts))


@given(reference=any_text)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_string_may_be_asked_for(shared, reference):
    assert shared.get(reference, "empty") is None
    assert shared.missing([reference], "empty") == {reference}


def test_survives_closing_and_another_object(store, path):
    (reference,) = store.put_many(["text"])
    store.close()
    assert store.get(reference) == "text"
    other = SQLiteStore(path)
    assert other.get(reference) == "text"
    other.close()


def test_namespaces_do_not_leak(store):
    (reference,) = store.put_many(["secret"], "one")
    assert store.get(reference, "two") is None
    assert store.missing([reference], "two") == {reference}
    assert store.stats("two").entries == 0
    assert store.purge("two") == 0
    assert store.get(reference, "one") == "secret"


def test_many_references_at_once(store):
    references = store.put_many([f"text {i}" for i in range(2000)])
    assert store.missing([*references, "unknown"]) == {"unknown"}


def test_a_taken_reference_is_never_served_for_another_text(store, monkeypatch):
    real = reference_for
    monkeypatch.setattr("headroom.core.store.base.reference_for", lambda t, n, length=10: "same" if length == 10 else real(t, n, length))
    first, second = store.put_many(["first", "second"])
    assert first == "same" and len(second) == 16
    assert (store.get(first), store.get(second)) == ("first", "second")
    assert store.put_many(["second", "first"]) == [second, first]
    assert store.stats().entries == 2


def test_all_or_none(store, monkeypatch):
    monkeypatch.setattr(sqlite_statements, "references_for", lambda text, namespace: iter(["same"]))
    with pytest.raises(StoreError):
        store.put_many(["first", "second"])
    assert store.stats().entries == 0


# --- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights elsewhere")
def test_nobody_else_may_read_it(store, path):
    store.put_many(["text"])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = list(path.parent.iterdir())
    assert len(files) == 3, "the file, its log and the log's index"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_opens_nothing_before_it_is_used(store, path):
    assert not path.parent.exists()


def test_the_default_path_is_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADROOM_HOME", str(tmp_path))
    assert SQLiteStore().path == tmp_path / "originals.sqlite3"


def test_a_database_in_memory_is_another_class():
    with pytest.raises(ConfigError):
        SQLiteStore(":memory:")


def test_begins_anew_when_its_file_is_deleted(store, path):
    (reference,) = store.put_many(["text"])
    for file in path.parent.iterdir():
        file.unlink()
    assert store.missing([reference]) == {reference}
    assert store.put_many(["text"]) == [reference]
    other = SQLiteStore(path)
    assert other.get(reference) == "text"
    other.close()


# --- time ---------------------------------------------------------------------------------------------------------------


def test_lives_as_long_as_it_is_used(path):
    clock = Clock()
    store = SQLiteStore(path, ttl_seconds=100, clock=clock)
    got, looked, put, unused = store.put_many(["got", "looked", "put", "unused"])
    for _ in range(5):
        clock.now += 60
        assert store.get(got) == "got"
        assert store.missing([looked]) == set()
        assert store.put_many(["put"]) == [put]
    assert store.missing([got, looked, put, unused]) == {unused}
    assert store.get(unused) is None
    clock.now += 101
    assert store.get(got) is None
    assert store.missing([got, looked, put]) == {got, looked, put}
    assert store.stats().entries == 0
    store.close()


def test_expired_originals_are_swept_out_in_passing(path):
    clock = Clock()
    store = SQLiteStore(path, ttl_seconds=100, clock=clock)
    store.put_many([f"old {i}" for i in range(room.EXPIRED_PER_PUT + 5)])
    clock.now += 101
    store.put_many(["new 1"])
    store.put_many(["new 2"])
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*), (SELECT count(*) FROM bodies) FROM entries").fetchone() == (2, 2)
    assert connection.execute("SELECT stored FROM total").fetchone() == (store.stats().stored_bytes,)
    connection.close()
    store.close()


def test_an_expired_original_can_be_put_again(path):
    clock = Clock()
    store = SQLiteStore(path, ttl_seconds=100, clock=clock)
    (reference,) = store.put_many(["text"])
    clock.now += 101
    assert store.put_many(["text"]) == [reference]
    assert store.get(reference) == "text"
    store.close()


def test_repeated_turns_write_nothing(path):
    clock = Clock()
    store = SQLiteStore(path, ttl_seconds=1000, clock=clock)
    references = store.put_many(["one", "two"])
    version, close = writes(path)
    before = version()
    clock.now += 5
    store.put_many(["one", "two"])
    store.missing(references)
    store.get(references[0])
    assert version() == before
    clock.now += 6
    store.missing(references)
    assert version() != before
    close()
    store.close()


# --- size ---------------------------------------------------------------------------------------------------------------


def test_evicts_what_was_used_longest_ago(path):
    clock = Clock()
    texts = [f"{i}" * 40 for i in range(5)]
    store = SQLiteStore(path, ttl_seconds=1000, max_bytes=sum(len(pack(text)) for text in texts[:3]), clock=clock)
    a, b, c = store.put_many(texts[:3])
    clock.now += 20
    assert store.get(a)
    clock.now += 20
    (d,) = store.put_many([texts[3]])
    assert store.missing([a, b, c, d]) == {b}
    clock.now += 20
    (e,) = store.put_many([texts[4]])
    assert len(store.missing([a, c, d, e])) == 1
    assert store.missing([e]) == set()
    store.close()


def test_never_evicts_what_the_same_put_holds(path):
    texts = [f"{i}" * 40 for i in range(3)]
    store = SQLiteStore(path, max_bytes=sum(len(pack(text)) for text in texts[:2]))
    a, b = store.put_many(texts[:2])
    assert store.put_many([texts[0], texts[2]])[0] == a
    assert store.missing([a, b]) == {b}
    with pytest.raises(StoreFullError):
        store.put_many(texts)
    assert store.missing([a]) == set()
    store.close()


def test_a_lowered_limit_is_reached_in_steps_and_never_exceeded_by_more(path, monkeypatch):
    monkeypatch.setattr(room, "EVICTED_PER_PUT", 10)
    with closing(SQLiteStore(path)) as store:
        store.put_many([f"text {number}" for number in range(200)])
        before = store.stats().stored_bytes
    with closing(SQLiteStore(path, max_bytes=before // 2)) as store:
        sizes = []
        for number in range(30):
            (reference,) = store.put_many([f"another {number}"])
            assert store.get(reference) == f"another {number}"
            sizes.append(store.stats().stored_bytes)
        assert sizes[0] > before // 2, "nobody waits for all of it"
        assert sizes[-1] <= before // 2
        assert all(later <= max(earlier, before // 2) for earlier, later in pairwise(sizes))


def test_a_put_that_is_larger_than_all_steps_still_makes_its_room(path, monkeypatch):
    monkeypatch.setattr(room, "EVICTED_PER_PUT", 1)
    large = random.Random(1).randbytes(20_000).hex()
    with closing(SQLiteStore(path, max_bytes=len(pack(large)) + 100)) as store:
        store.put_many([f"text {number}" for number in range(300)])
        store.put_many([large])
        assert store.stats().stored_bytes <= store.max_bytes


def test_a_text_above_the_limit_is_refused_and_evicts_nothing(path):
    store = SQLiteStore(path, max_bytes=100)
    (reference,) = store.put_many(["small"])
    with pytest.raises(StoreFullError):
        store.put_many([str(list(range(1000)))])
    assert store.get(reference) == "small"
    store.close()


def test_purges_by_namespace_and_by_age_and_gives_the_room_back(path):
    clock = Clock()
    store = SQLiteStore(path, clock=clock)
    store.put_many([os.urandom(50_000).hex() for _ in range(10)], "one")
    clock.now += 50
    store.put_many(["new"], "one")
    store.put_many(["other"], "two")
    assert store.stats().namespaces == 2
    assert store.stats("one").original_bytes == 1_000_003
    assert store.purge("one", older_than_seconds=50) == 10
    assert path.stat().st_size < 100_000
    assert store.purge(older_than_seconds=51) == 0
    assert store.purge() == 2
    assert store.stats().stored_bytes == 0
    store.close()


# --- threads, processes, forks ------------------------------------------------------------------------------------------

PUTS = """
    import sys
    from headroom.core.store.sqlite import SQLiteStore
    store = SQLiteStore(sys.argv[1], busy_timeout_seconds=20)
    for i in range(int(sys.argv[3])):
        text = f"{sys.argv[2]} {i} " * 50
        reference, common = store.put_many([text, f"common {i}"])
        print(reference, flush=True)
        assert store.get(reference) == text
"""


def test_four_processes_and_sixteen_threads_share_a_file(path):
    store = SQLiteStore(path, busy_timeout_seconds=20)
    failures = []

    def work(number):
        for i in range(20):
            text = f"thread {number} {i} " * 50
            (reference,) = store.put_many([text])
            if store.get(reference) != text or store.missing([reference]):
                failures.append(text)

    processes = [run(PUTS, path, number, 40) for number in range(4)]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    printed = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert not failures
    assert store.missing([reference for references in printed for reference in references]) == set()
    assert store.stats().entries == 16 * 20 + 4 * 40 + 40
    store.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_what_was_acknowledged_survives_a_kill(path):
    process = run(PUTS, path, "killed", 1_000_000)
    acknowledged = [process.stdout.readline().strip() for _ in range(60)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += process.communicate()[0].split("\n")[:-1]
    store = SQLiteStore(path)
    for i, reference in enumerate(acknowledged):
        assert store.get(reference) == f"killed {i} " * 50
    store.put_many(["goes on"])
    store.close()


def in_a_child(path, reference, queue):
    store = SQLiteStore(path)
    queue.put((store.get(reference), store.put_many(["from the child"])))
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_may_happen_at_any_moment(path):
    store = SQLiteStore(path, busy_timeout_seconds=10)
    (reference,) = store.put_many(["from the parent"])
    stop = threading.Event()

    def keep_busy():
        number = 0
        while not stop.is_set():
            number += 1
            store.put_many([f"busy {number}"])

    thread = threading.Thread(target=keep_busy)
    thread.start()
    for number in range(5):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                (child_reference,) = store.put_many([f"from child {number}"])
                status = 0 if store.get(reference) == "from the parent" and store.get(child_reference) else 2
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    thread.join()
    assert store.missing([reference_for(f"from child {number}", "default") for number in range(5)]) == set()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_behind_pythons_back_leaves_the_parents_connection_alone(store):
    (reference,) = store.put_many(["text"])
    parents = store._connection
    store._process = -1  # as in a child whose fork ran no hooks
    assert store.get(reference) == "text"
    assert store._connection is not parents
    parents.execute("SELECT 1")  # still open
    parents.close()
    room._ABANDONED.remove(parents)


def test_works_in_a_spawned_process(store, path):
    (reference,) = store.put_many(["from the parent"])
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=in_a_child, args=(path, reference, queue))
    process.start()
    text, (child_reference,) = queue.get(timeout=30)
    process.join()
    assert text == "from the parent"
    assert store.get(child_reference) == "from the child"
    queue.close()
    queue.join_thread()


# --- trouble ------------------------------------------------------------------------------------------------------------


def everything_fails(store):
    for use in (
        lambda: store.put_many(["text"]),
        lambda: store.get("unknown"),
        lambda: store.missing(["unknown"]),
        store.purge,
        store.stats,
    ):
        started = time.monotonic()
        with pytest.raises(StoreError):
            use()
        assert time.monotonic() - started < 2


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    everything_fails(SQLiteStore(tmp_path / "file" / "o.sqlite3"))


def test_a_folder_in_the_place_of_the_file(tmp_path):
    everything_fails(SQLiteStore(tmp_path))


def test_a_folder_that_may_not_be_written_to(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    privileged = os.geteuid() == 0  # root may write everywhere: the test becomes nobody for a while
    if privileged:
        for parent in (folder, tmp_path, *tmp_path.parents[:2]):  # pytest's own folders, which nobody else may enter
            parent.chmod(parent.stat().st_mode | 0o055)
        os.seteuid(65_534)
    try:
        everything_fails(SQLiteStore(folder / "o.sqlite3"))
    finally:
        if privileged:
            os.seteuid(0)


def test_a_file_that_may_not_be_written_to_can_still_be_read(path):
    clock = Clock()
    store = SQLiteStore(path, ttl_seconds=100, clock=clock)
    (reference,) = store.put_many(["text"])
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        store.put_many(["new"])
    store.missing([])
    store._open().execute("PRAGMA query_only = ON")
    clock.now += 10
    assert store.get(reference) == "text"
    assert store.missing([reference]) == set()
    clock.now += 60  # its life cannot be prolonged and is nearly over: better put it again
    assert store.missing([reference]) == {reference}
    store.close()


def test_a_full_disk(store):
    (reference,) = store.put_many(["text"])
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError):
        store.put_many([os.urandom(100_000).hex()])
    assert store.get(reference) == "text"
    assert store.stats().entries == 1
    store.put_many([os.urandom(100_000).hex()])  # there is room again


def test_a_lock_held_by_another_process(path):
    store = SQLiteStore(path, busy_timeout_seconds=0.3)
    (reference,) = store.put_many(["text"])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(StoreError):
        store.put_many(["new"])
    assert time.monotonic() - started < 1, "waited once"
    assert store.get(reference) == "text", "reading goes on"
    assert store.missing([reference]) == set()
    other.execute("COMMIT")
    store.put_many(["new"])
    assert sorted(file.name for file in path.parent.iterdir() if "corrupt" in file.name) == []
    other.close()
    store.close()


def test_a_lock_held_while_opening(tmp_path):
    path = tmp_path / "o.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    with pytest.raises(StoreError):
        SQLiteStore(path, busy_timeout_seconds=0.3).put_many(["text"])
    assert time.monotonic() - started < 1.5
    other.close()


def test_a_lock_held_by_another_thread(store):
    store.busy_timeout_seconds = 0.1
    store._lock.acquire()
    everything_fails(store)
    store._lock.release()
    store.put_many(["text"])


@pytest.mark.parametrize("damage", ["all", "head", "pages"])
def test_a_malformed_file_is_moved_aside(path, damage):
    store = SQLiteStore(path)
    references = store.put_many([os.urandom(2000).hex() for _ in range(50)])
    store.close()
    content = bytearray(path.read_bytes())
    span = {"all": slice(0, None), "head": slice(0, 100), "pages": slice(100, None)}[damage]
    content[span] = b"garbage!" * (len(content[span]) // 8) + b"." * (len(content[span]) % 8)
    path.write_bytes(content)
    with pytest.raises(StoreError):
        store.get(references[0])
    (reference,) = store.put_many(["text"])
    assert store.get(reference) == "text"
    assert path.with_name(path.name + ".corrupt-1").read_bytes() == bytes(content)
    store.close()
    path.write_bytes(b"garbage again")
    store.put_many(["text"])
    assert path.with_name(path.name + ".corrupt-2").read_bytes() == b"garbage again"
    assert store.get(reference) == "text"
    store.close()


def test_two_processes_that_find_it_malformed_move_it_once(path):
    first, second = SQLiteStore(path), SQLiteStore(path)
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreError):
        second.get("unknown")
    (one,) = first.put_many(["one"])
    (two,) = second.put_many(["two"])
    assert first.missing([one, two]) == set()
    assert len(list(path.parent.glob("*.corrupt-?"))) == 1
    first.close()
    second.close()


def test_a_file_that_is_not_ours_is_left_alone(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database at all" * 100)
    everything_fails(SQLiteStore(notes))
    database = tmp_path / "theirs.sqlite3"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE theirs(a)")
    connection.commit()
    connection.close()
    before = database.read_bytes()
    everything_fails(SQLiteStore(database))
    assert database.read_bytes() == before
    assert notes.read_text() == "not a database at all" * 100
    assert sorted(file.name for file in tmp_path.iterdir()) == ["notes.txt", "theirs.sqlite3"]


def test_a_file_of_a_newer_version_is_left_alone(store, path):
    store.put_many(["text"])
    store._connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="newer version"):
        store.put_many(["new"])


def test_a_damaged_original_is_an_error_and_mended_by_putting_it_again(store, path):
    (reference,) = store.put_many(["text" * 100])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE bodies SET body = x'00'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError):
        store.get(reference)
    assert store.put_many(["text" * 100]) == [reference]
    assert store.get(reference) == "text" * 100


def test_an_unclosed_store_is_closed_with_its_object(path):
    store = SQLiteStore(path)
    store.put_many(["text"])
    connection = store._connection
    del store
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_is_fast_enough(store):
    text = (Path(room.__file__).read_text() * 2)[:8192]
    store.put_many([text])
    started = time.perf_counter()
    references = [store.put_many([f"{i}{text}"])[0] for i in range(300)]
    assert (time.perf_counter() - started) / 300 < 0.005, "0.2 ms on an idle machine"
    started = time.perf_counter()
    assert not store.missing(references)
    assert time.perf_counter() - started < 0.02, "0.15 ms on an idle machine"


def test_what_was_there_a_moment_ago_is_asked_for_again_once_somebody_deleted(path):
    ours, theirs = SQLiteStore(path), SQLiteStore(path)
    references = ours.put_many(["one", "two"])
    assert ours.missing(references) == set() == ours.missing(references)
    theirs.purge()
    assert ours.missing(references) == set(references)
    ours.put_many(["one", "two"])
    assert ours.missing(references) == set()
    ours.purge()
    assert ours.missing(references) == set(references)
