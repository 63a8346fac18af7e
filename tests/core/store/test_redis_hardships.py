"""RedisStore where it is not alone and not well: other settings, eviction, few rights, dead connections, forks."""

from __future__ import annotations

import copy
import os
import pickle
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from headroom import CompressionService, compress
from headroom import service as service_module
from headroom.core.errors import ConfigError, StoreError
from headroom.core.store import RedisStore, open_store
from headroom.core.store import redis as room
from headroom.core.store.base import pack
from tests import shop
from tests.redis_server import RedisServer, free_port


def _books(admin: Any, *names: str) -> list[bytes]:
    return [key for name in names or ("used", "sizes", "total") for key in admin.keys(f"*:{name}")]


def _bodies(admin: Any) -> int:
    return sum(admin.strlen(key) for key in admin.keys("*:o:*"))


# --- time to live --------------------------------------------------------------------------------------------------------


def test_a_shorter_time_to_live_takes_nothing_from_a_longer_one(server: RedisServer, store: RedisStore, admin: Any) -> None:
    brief = RedisStore(server.url, ttl_seconds=0.2)
    (reference,) = store.put_many(["kept for long"])
    time.sleep(0.3)
    brief.put_many(["another"])
    assert brief.get(reference) == "kept for long", "another store's sweep spares it"
    brief.put_many(["kept for long"])
    assert brief.missing([reference]) == set()
    assert all(admin.pttl(key) > 1_000_000 for key in _books(admin)), "the books live as long as the longest"
    time.sleep(0.3)
    assert store.get(reference) == "kept for long"
    brief.close()


def test_what_ends_between_a_look_and_a_touch_is_missing(store: RedisStore, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, living = store.put_many(["ended", "living"])
    (key,) = [key for key in admin.keys("*:o:*") if key.endswith(ended.encode())]
    seen = store._times_left

    def look(references: list[str], namespace: str) -> list[int]:
        for one in references:
            admin.pexpire(key.replace(ended.encode(), one.encode()), 2_000)
        left = seen(references, namespace)
        admin.delete(key)
        return left

    monkeypatch.setattr(store, "_times_left", look)
    assert store.missing([ended, living]) == {ended}


@pytest.mark.parametrize("seconds", [float("inf"), 1e15])
def test_a_time_to_live_without_end_is_a_long_one(server: RedisServer, admin: Any, seconds: float) -> None:
    store = RedisStore(server.url, ttl_seconds=seconds)
    assert store.get(store.put_many(["text"])[0]) == "text"
    store.close()


# --- eviction by the server ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("evicted", [("used",), ("sizes",), ("total",), ("used", "sizes"), ("used", "sizes", "total")])
def test_whichever_book_the_server_evicts_nothing_is_lost_and_sums_are_right(
    server: RedisServer, store: RedisStore, admin: Any, evicted: tuple[str, ...]
) -> None:
    texts = [f"{number} " * 50 for number in range(20)]
    references = store.put_many(texts)
    admin.delete(*_books(admin, *evicted))
    assert store.missing(references) == set()
    assert [store.get(reference) for reference in references] == texts
    assert store.put_many(texts) == references
    stats = store.stats()
    assert (stats.entries, stats.stored_bytes) == (20, _bodies(admin))
    assert int(admin.get(*_books(admin, "total"))) == _bodies(admin)


@pytest.mark.parametrize("evicted", [("total",), ("used", "sizes", "total")])
def test_the_limit_holds_although_books_were_evicted(server: RedisServer, admin: Any, evicted: tuple[str, ...]) -> None:
    small = RedisStore(server.url, max_bytes=2_000)
    kept: dict[str, str] = {}
    for round_ in range(120):
        text = f"{round_} {random.Random(round_).random()}"
        kept[small.put_many([text])[0]] = text
        if round_ % 40 == 20:
            admin.delete(*_books(admin, *evicted))
    there = set(kept) - small.missing(list(kept))
    assert there
    assert all(small.get(reference) == kept[reference] for reference in there)
    if "used" not in evicted:  # what stands in no book expires by itself
        assert _bodies(admin) <= 2_000
    small.close()


@pytest.mark.parametrize("namespace", ["tenant", None])
def test_purge_finds_what_stands_in_no_book(server: RedisServer, admin: Any, namespace: str | None) -> None:
    store, other = RedisStore(server.url, prefix="a*b[c]?\\"), RedisStore(server.url, prefix="axb")
    references = store.put_many([f"private {number}" for number in range(50)], "tenant")
    (kept,) = other.put_many(["another program's"], "tenant")
    admin.delete(*[key for key in admin.keys("*") if b":o:" not in key and key.startswith(b"a*b")])
    assert store.purge(namespace, older_than_seconds=60) == 0
    assert store.purge(namespace) == 50
    assert all(store.get(reference, "tenant") is None for reference in references)
    assert other.get(kept, "tenant") == "another program's"


def test_a_server_that_evicts_anything_serves_nothing_wrong(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-random")
    store = RedisStore(server.url)
    try:
        texts: dict[str, str] = {}
        for number in range(400):
            new = [f"{number} {place} " + random.Random(number * 5 + place).randbytes(4_000).hex() for place in range(5)]
            texts |= zip(store.put_many(new), new, strict=True)
        gone = store.missing(list(texts))
        assert 0 < len(gone) < len(texts), "the server did evict"
        found = {reference: store.get(reference) for reference in texts}
        assert all(text in (None, texts[reference]) for reference, text in found.items())
        assert all(found[reference] is None for reference in gone)
        result = compress(shop.conversation(), store=store)
        assert store.get(result.references[0]) == shop.conversation()[-1]["content"]
    finally:
        store.close()
        server.stop()


def test_figures_and_purges_go_in_small_steps(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BATCH", 7)
    texts = [f"text {number}" for number in range(50)]
    store.put_many(texts)
    store.put_many(["other"], "other")
    stats = store.stats()
    assert (stats.entries, stats.original_bytes, stats.namespaces) == (51, sum(map(len, texts)) + 5, 2)
    assert stats.stored_bytes == sum(len(pack(text)) for text in [*texts, "other"])
    assert store.purge("default") == 50
    assert store.stats().entries == 1


def test_namespaces_that_hold_nothing_leave_no_names(server: RedisServer, store: RedisStore, admin: Any) -> None:
    for number in range(20):
        store.put_many(["text"], f"caller {number}")
    assert store.purge() == 20
    assert admin.scard("headroom:namespaces") == 0


# --- the circuit -----------------------------------------------------------------------------------------------------------


def test_a_refusal_is_an_answer_and_closes_the_circuit(server: RedisServer, store: RedisStore, admin: Any) -> None:
    """A server that came back full, or as a replica, still gives back what it holds: at once, not after the next pause."""
    (reference,) = store.put_many(["held"])
    store._link.circuit.failed()
    store._link.circuit._closed_again_at = time.monotonic()
    admin.config_set("maxmemory", "100kb")
    try:
        with pytest.raises(StoreError, match=r"OOM|maxmemory"):
            store.put_many(["new"])
        assert store.get(reference) == "held"
    finally:
        admin.config_set("maxmemory", "0")


def test_after_a_cut_every_idle_connection_is_replaced_at_once(server: RedisServer, store: RedisStore) -> None:
    """A firewall forgot them, and nobody was told: each of them would cost a time-out and a longer pause."""
    with _Link(server.port) as link:
        far = RedisStore(f"redis://127.0.0.1:{link.port}/0", timeout_seconds=0.2)
        pool = far._link.client.connection_pool
        for connection in [pool.get_connection() for _ in range(12)]:
            pool.release(connection)
        link.swallow_what_is_open()
        with pytest.raises(StoreError, match="cannot be reached"):
            far.put_many(["first"])
        far._link.circuit._closed_again_at = time.monotonic()
        assert far.put_many(["second"]), "the first try after the pause is a new connection"
        far.close()


def test_a_large_text_on_a_slow_link_is_no_reason_to_leave_the_server_alone(server: RedisServer, store: RedisStore) -> None:
    with _Link(server.port, stall_after=200_000) as link:
        far = RedisStore(f"redis://127.0.0.1:{link.port}/0", timeout_seconds=0.2)
        (reference,) = far.put_many(["small"])
        with pytest.raises(StoreError, match="Timeout"):
            far.put_many([random.Random(1).randbytes(8_000_000).hex()])
        assert far.get(reference) == "small", "others go on"
        far.close()


def test_a_server_that_is_busy_costs_one_time_out(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    store = RedisStore(server.url, timeout_seconds=0.2)
    try:
        store.put_many(["before"])
        with server.client() as admin, admin.pipeline(transaction=False) as pipe:
            pipe.connection = pipe.connection_pool.get_connection()
            pipe.connection.send_command("EVAL", "local n = 0; for i = 1, 3e8 do n = n + 1 end; return n", 0)
            with pytest.raises(StoreError, match="cannot be reached"):
                _until_raises(lambda: store.put_many(["meanwhile"]))
            started = time.monotonic()
            with pytest.raises(StoreError, match="not tried again"):
                store.put_many(["meanwhile"])
            assert time.monotonic() - started < 0.15
            pipe.connection.disconnect()
        server.stop()
        server.start()
        _until(lambda: store.put_many(["after"]) != [])
    finally:
        store.close()
        server.stop()


def test_commands_of_an_administrator_break_nothing(store: RedisStore, admin: Any) -> None:
    (reference,) = store.put_many(["text"])
    admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert store.get(reference) == "text"
    admin.script_flush()
    assert store.put_many(["text"]) == [reference]
    admin.script_flush()
    assert store.stats().entries == 1
    admin.flushall()
    assert store.missing([reference]) == {reference}
    assert store.get(reference) is None
    assert (store.put_many(["text"]), store.get(reference)) == ([reference], "text")


@pytest.mark.parametrize("name", ["used", "sizes", "total"])
def test_another_programs_keys_are_left_alone(store: RedisStore, admin: Any, name: str) -> None:
    key = f"headroom:{{{store._space('default')}}}:{name}"
    admin.lpush(key, "theirs")
    result = compress(shop.conversation(), store=store)
    assert result.messages == shop.conversation()
    assert any("WRONGTYPE" in block.reason for block in result.blocks)
    store.purge("another")
    assert admin.lrange(key, 0, -1) == [b"theirs"]


# --- ways in ---------------------------------------------------------------------------------------------------------------


def test_few_rights_are_enough_and_fewer_are_told(server: RedisServer, store: RedisStore, admin: Any) -> None:
    rights = "+get +set +del +unlink +exists +strlen +pttl +pexpire +hget +hset +hsetnx +hdel +hkeys +zadd +zrem +zrange +zrangebyscore"
    more = "+incrby +decrby +sadd +srem +smembers +time +scan +eval +evalsha +hello +select"
    admin.execute_command("ACL", "SETUSER", "agent", "on", ">pass", "~headroom:*", *rights.split(), *more.split())
    admin.execute_command("ACL", "SETUSER", "reader", "on", ">pass", "~headroom:*", "+get", "+pttl", "+hello", "+select")
    agent = RedisStore(f"redis://agent:pass@127.0.0.1:{server.port}/0")
    texts = [f"text {number}" for number in range(5)]
    references = agent.put_many(texts)
    assert agent.missing(references) == set()
    assert [agent.get(reference) for reference in references] == texts
    assert agent.stats().entries == 5
    reader = RedisStore(f"redis://reader:pass@127.0.0.1:{server.port}/0")
    assert reader.get(references[0]) == "text 0"
    with pytest.raises(StoreError, match=r"(?i)no ?perm"):
        reader.put_many(["new"])
    assert agent.purge() == 5
    wrong = RedisStore(f"redis://agent:wrong@127.0.0.1:{server.port}/0")
    with pytest.raises(StoreError, match="invalid username-password"):
        wrong.put_many(["x"])


def test_databases_are_apart(server: RedisServer, store: RedisStore) -> None:
    third = RedisStore(f"redis://127.0.0.1:{server.port}/3")
    (reference,) = third.put_many(["in the third"])
    assert store.get(reference) is None
    assert store.purge() == 0
    assert third.get(reference) == "in the third"
    with pytest.raises(ConfigError, match="the database is a number"):
        RedisStore(f"redis://127.0.0.1:{server.port}/tenant7")
    with pytest.raises(StoreError, match="out of range"):
        RedisStore(f"redis://127.0.0.1:{server.port}/99").put_many(["x"])


@pytest.mark.skipif(os.name == "nt", reason="no such sockets")
@pytest.mark.parametrize("scheme", ["unix", "redis+unix"])
def test_over_a_socket_of_the_file_system(scheme: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("s") / "r.sock"
    server = RedisServer(path.parent, "--unixsocket", str(path))
    store = open_store(f"{scheme}://{path}?db=2")
    assert store.get(store.put_many(["text"])[0]) == "text"
    with redis.Redis(unix_socket_path=str(path), db=2) as admin:
        assert admin.dbsize() > 0
    store.close()
    server.stop()


def test_over_tls_and_only_to_whom_the_certificate_names(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is not installed; on Debian: apt-get install -y openssl")
    key, certificate, port = tmp_path / "key.pem", tmp_path / "cert.pem", free_port()
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    made += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=somebody", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, check=True, capture_output=True)
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    server = RedisServer(tmp_path, "--tls-port", str(port), *files)
    try:
        store = open_store(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}")
        assert store.get(store.put_many(["over TLS"])[0]) == "over TLS"
        store.close()
        with pytest.raises(StoreError, match=r"(?i)certificate"):
            open_store(f"rediss://127.0.0.1:{port}/0").put_many(["to nobody knows whom"])
        with pytest.raises(StoreError, match=r"(?i)hostname|mismatch|certificate"):
            open_store(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}").put_many(["x"])
    finally:
        server.stop()


@pytest.mark.parametrize(
    "url",
    [
        "redis://:SECRET@127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?password=SECRET",
        "redis://127.0.0.1:1/0?password=SECRET@x",
        "redis://user:SECRET@127.0.0.1:port/0",
        "redis://:SECRET#SECRET@127.0.0.1:1",
        "redis://:SECRET/SECRET@127.0.0.1:1",
        "redis://:SECRET?SECRET@127.0.0.1:1",
        "redis://user:SECRET@@127.0.0.1:1/0",
        "unix:///nowhere.sock?password=SECRET",
        "redis+unix://SECRET@/nowhere.sock",
        "valkey://127.0.0.1/?password=SECRET",
        "redis:/:SECRET@127.0.0.1",
    ],
)
def test_no_password_is_ever_told(url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("HEADROOM_STORE", url)
    result = compress(shop.conversation())
    reasons = [block.reason for block in result.blocks if block.failed]
    assert reasons
    assert "SECRET" not in str(reasons)
    service = CompressionService()
    with pytest.warns(UserWarning, match="uncompressed") as told:
        service.compress(shop.conversation())
    assert "SECRET" not in str([str(warning.message) for warning in told]) + caplog.text + service.answer("headroom_retrieve", {"ref": "a"})


def test_a_cluster_is_refused_in_words(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    store = RedisStore(server.url)
    try:
        with server.client() as admin:
            for first in range(0, 8_192, 2_048):
                admin.execute_command("CLUSTER", "ADDSLOTS", *range(first, first + 2_048))
            _until(lambda: "cluster_state:ok" in str(admin.execute_command("CLUSTER", "INFO")))
        spaces = [f"namespace {number}" for number in range(20)]
        with pytest.raises(StoreError, match="is a node of a Redis Cluster"):
            for space in spaces:
                store.put_many(["text"], space)
    finally:
        store.close()
        server.stop()


def test_a_client_of_the_callers_own(server: RedisServer, store: RedisStore) -> None:
    """As one of a Sentinel is made. Copies of a framework's share it; another process cannot."""
    own = RedisStore(client=redis.Redis(port=server.port, db=5))
    (reference,) = own.put_many(["text"])
    assert copy.deepcopy(own).get(reference) == copy.copy(own).get(reference) == "text"
    assert own.url == f"redis://localhost:{server.port}/5"
    with pytest.raises(TypeError, match="give it a URL"):
        pickle.dumps(own)
    for wrong in (redis.asyncio.Redis(port=server.port), redis.Redis(port=server.port, decode_responses=True), object()):
        with pytest.raises(ConfigError):
            RedisStore(client=wrong)  # type: ignore[arg-type]


async def test_the_event_loop_never_waits_for_it(server: RedisServer, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen by the environment too, and however small the request."""
    seen: list[threading.Thread] = []

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.append(threading.current_thread())
        return compress(*arguments, **options)

    monkeypatch.setattr(service_module, "compress", spy)
    small = [{"role": "user", "content": "small"}]
    await CompressionService(store=RedisStore(server.url)).acompress(small)
    monkeypatch.setenv("HEADROOM_STORE", server.url)
    await CompressionService().acompress(small)
    assert threading.main_thread() not in seen
    assert len(seen) == 2


# --- many at once ----------------------------------------------------------------------------------------------------------


def test_four_processes_race_for_the_last_bytes(server: RedisServer, store: RedisStore, admin: Any) -> None:
    program = (
        "import random, sys; from headroom.core.store import RedisStore\n"
        "store = RedisStore(sys.argv[1], timeout_seconds=10, max_bytes=20_000); seed = random.Random(sys.argv[2])\n"
        "for number in range(150):\n"
        "    texts = [seed.randbytes(seed.randrange(10, 400)).hex() for _ in range(4)]\n"
        "    references = store.put_many(texts)\n"
        "    assert all(store.get(r) in (None, t) for r, t in zip(references, texts))\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, server.url, str(number)]) for number in range(4)]
    most = 0
    while any(worker.poll() is None for worker in workers):
        most = max(most, int(admin.get(*_books(admin, "total")) or 0) if _books(admin, "total") else 0)
    assert [worker.wait(60) for worker in workers] == [0] * 4
    assert most <= 20_000
    assert store.stats().stored_bytes == _bodies(admin) == int(admin.get(*_books(admin, "total"))) <= 20_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_while_threads_are_at_work_has_connections_of_its_own(store: RedisStore) -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            store._link.circuit.check("the store")
            with store._link.client.connection_pool._lock:  # as its pool holds it in the middle of giving a connection
                time.sleep(0.001)
            store.put_many([str(random.random())])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(30):
            child = os.fork()
            if child == 0:
                _end_child(store, f"child {number}")
            assert os.waitpid(child, 0)[1] == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _end_child(store: RedisStore, text: str) -> None:
    code = 1
    try:
        signal.alarm(10)
        (reference,) = store.put_many([text])
        code = int(store.get(reference) != text)
    except BaseException as trouble:
        os.write(2, repr(trouble).encode())
    finally:
        os._exit(code)  # nothing of pytest goes on in here


def test_fifty_megabytes_of_odd_text(server: RedisServer, admin: Any) -> None:
    store = RedisStore(server.url, timeout_seconds=20)
    text = "half an emoji \ud83d, a \0 and \r\n" * 1_900_000
    (reference,) = store.put_many([text], "a\0b\ud800")
    is_same = store.get(reference, "a\0b\ud800") == text  # by itself: nobody wants to see the difference
    assert is_same
    store.close()


# --- help ------------------------------------------------------------------------------------------------------------------


def _until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except StoreError:
            pass
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _until_raises(work: Callable[[], Any], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        work()


class _Link:
    """Passes bytes on to a port. It can swallow what comes over the connections that are open, or stall after so many bytes."""

    def __init__(self, port: int, stall_after: float = float("inf")) -> None:
        self._target, self._stall_after = port, stall_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._age = 0
        self._closing = threading.Event()

    def __enter__(self) -> _Link:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.close()

    def swallow_what_is_open(self) -> None:
        self._age += 1

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for source, target, limit in ((near, far, self._stall_after), (far, near, float("inf"))):
                threading.Thread(target=self._pass_on, args=(source, target, limit, self._age), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, limit: float, age: int) -> None:
        passed = 0
        with source, target:
            try:
                while piece := source.recv(65_536):
                    passed += len(piece)
                    if passed > limit:
                        self._closing.wait(20)
                        return
                    if age == self._age:
                        target.sendall(piece)
            except OSError:
                pass
