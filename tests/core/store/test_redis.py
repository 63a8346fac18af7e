"""RedisStore against a real redis-server: the contract, and everything that befalls a server."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom import compress, retrieve
from headroom.core.errors import ConfigError, StoreError, StoreFullError
from headroom.core.store import CompressionStore, RedisStore, default_store
from headroom.core.store import redis as room
from headroom.core.store.base import pack, reference_for
from headroom.core.store.redis_link import Circuit
from tests import shop
from tests.redis_server import RedisServer

any_text = st.text(st.characters(exclude_categories=()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(any_text), namespace=any_text)
def test_gives_back_exactly_what_was_put(store: RedisStore, texts: list[str], namespace: str) -> None:
    references = store.put_many(texts, namespace)
    assert [store.get(reference, namespace) for reference in references] == texts
    assert store.missing(references, namespace) == set()
    assert references == [reference_for(text, namespace) for text in texts]


def test_it_is_a_store(store: RedisStore) -> None:
    assert isinstance(store, CompressionStore)


def test_namespaces_do_not_leak(store: RedisStore) -> None:
    (reference,) = store.put_many(["secret"], "one")
    assert store.get(reference, "two") is None
    assert store.missing([reference, "öä"], "two") == {reference, "öä"}
    assert store.stats("two").entries == 0
    assert store.purge("two") == 0
    assert store.get(reference, "one") == "secret"


def test_stats_and_purge(store: RedisStore) -> None:
    store.put_many(["a" * 100, "b" * 200], "one")
    store.put_many(["c" * 300], "two")
    everything = store.stats()
    assert (everything.entries, everything.original_bytes, everything.namespaces) == (3, 600, 2)
    assert everything.stored_bytes == sum(len(pack(letter * count)) for letter, count in (("a", 100), ("b", 200), ("c", 300)))
    assert store.purge("one", older_than_seconds=60) == 0
    assert store.purge("one") == 2
    assert store.purge() == 1
    assert store.stats().entries == 0


def test_lives_as_long_as_it_is_used(server: RedisServer, store: RedisStore) -> None:
    brief = RedisStore(server.url, ttl_seconds=0.6)
    used, unused = brief.put_many(["used", "unused"])
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        assert brief.missing([used]) == set()
        time.sleep(0.05)
    assert brief.missing([used, unused]) == {unused}
    assert brief.get(unused) is None
    assert brief.stats().entries == 1
    brief.put_many(["later"])
    assert brief.stats().entries == 2


def test_evicts_what_was_used_longest_ago_and_only_of_this_namespace(server: RedisServer, store: RedisStore) -> None:
    texts = [f"{i}" * 40 for i in range(4)]
    small = RedisStore(server.url, max_bytes=sum(len(pack(text)) for text in texts[:3]))
    (other,) = small.put_many(["another tenant's"], "other")
    a, b, c = (small.put_many([text])[0] for text in texts[:3])
    time.sleep(0.01)
    small.put_many([texts[0]])  # a use
    (d,) = small.put_many([texts[3]])
    assert small.missing([a, b, c, d]) == {b}
    assert small.get(other, "other") == "another tenant's"
    with pytest.raises(StoreFullError):
        small.put_many([str(number) * 50 for number in range(1_000)])
    assert small.missing([a, c, d]) == set()


def test_a_collision_is_never_served(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        room, "reference_for", lambda text, namespace, length: "same" if length == 10 else reference_for(text, namespace, length)
    )
    first, second = store.put_many(["one"]) + store.put_many(["two"])
    assert first == "same"
    assert second == reference_for("two", "default", 16)
    assert (store.get(first), store.get(second)) == ("one", "two")
    assert store.put_many(["two", "one", "two"]) == [second, first, second]


def test_what_the_server_evicted_is_missing_and_stored_again(server: RedisServer, store: RedisStore) -> None:
    (reference,) = store.put_many(["gone soon"])
    with server.client() as client:
        assert client.delete(*client.keys("*:o:*")) == 1
    assert store.missing([reference]) == {reference}
    assert store.put_many(["gone soon"]) == [reference]
    assert store.get(reference) == "gone soon"
    assert store.stats().stored_bytes == len(pack("gone soon"))


def test_a_damaged_original_is_an_error_and_not_served(server: RedisServer, store: RedisStore) -> None:
    (reference,) = store.put_many(["sound"])
    with server.client() as client:
        client.set(client.keys("*:o:*")[0], b"not packed")
    with pytest.raises(StoreError, match="damaged"):
        store.get(reference)


def test_keys_show_nobody_whose_they_are(server: RedisServer, store: RedisStore) -> None:
    store.put_many(["text"], "customer-4711")
    with server.client() as client:
        assert not any(b"4711" in key for key in client.keys("*"))


# --- trouble ---------------------------------------------------------------------------------------------------------------


def test_while_redis_is_away_originals_are_sent_and_it_recovers_by_itself(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always")
    store = RedisStore(server.url, timeout_seconds=0.3)
    try:
        before = compress(shop.conversation(), store=store)
        assert before.references
        server.stop()
        away = compress(shop.conversation(), store=store)
        assert [block.reason for block in away.blocks if block.failed]
        assert away.messages == shop.conversation()
        start = time.monotonic()
        for _ in range(100):
            with pytest.raises(StoreError, match=r"not tried again|cannot be reached"):
                store.put_many(["x"])
        assert time.monotonic() - start < 5, "the circuit is open: nobody waits for time-outs"
        server.start()
        _until(lambda: compress(shop.conversation(), store=store).references == before.references)
        assert retrieve(before.references[0], store=store) == shop.conversation()[-1]["content"]
    finally:
        store.close()
        server.stop()


def test_the_circuit_doubles_its_pause_and_closes_on_success() -> None:
    circuit = Circuit()
    pauses = []
    for _ in range(8):
        circuit.failed()
        pauses.append(circuit._pause)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]
    with pytest.raises(StoreError, match="not tried again"):
        circuit.check("the store")
    circuit.succeeded()
    circuit.check("the store")


def test_a_server_that_does_not_answer_costs_a_time_out_and_no_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisStore(f"redis://:secret@127.0.0.1:{silent.getsockname()[1]}/0", timeout_seconds=0.2)
        start = time.monotonic()
        with pytest.raises(StoreError, match="cannot be reached") as trouble:
            store.put_many(["x"])
        assert time.monotonic() - start < 3
        assert "secret" not in str(trouble.value)
        store.close()


def test_a_slow_network_is_still_exact(server: RedisServer, store: RedisStore) -> None:
    with _SlowLink(server.port, delay=0.02) as port:
        far = RedisStore(f"redis://127.0.0.1:{port}/0", timeout_seconds=2)
        texts = [f"text {number} " * 500 for number in range(20)]
        references = far.put_many(texts)
        assert [far.get(reference) for reference in references] == texts
        far.close()


def test_memory_limit_reached_sends_originals_and_keeps_what_is_there(server: RedisServer, store: RedisStore) -> None:
    (reference,) = store.put_many(["kept"])
    with server.client() as client:
        client.config_set("maxmemory", "100kb")
        client.config_set("maxmemory-policy", "noeviction")
        try:
            with pytest.raises(StoreError, match=r"OOM|maxmemory"):
                store.put_many([str(time.time())])
            result = compress(shop.conversation(), store=store)
            assert result.messages == shop.conversation()
            assert any("OOM" in block.reason or "maxmemory" in block.reason for block in result.blocks)
            assert store.get(reference) == "kept"
            assert store.missing([reference]) == set()
        finally:
            client.config_set("maxmemory", "0")
    assert compress(shop.conversation(), store=store).references


def test_failover_to_a_read_only_replica_still_retrieves(server: RedisServer, store: RedisStore, tmp_path: Path) -> None:
    (reference,) = store.put_many(["replicated"])
    replica = RedisServer(tmp_path, "--replicaof", "127.0.0.1", str(server.port))
    reader = RedisStore(replica.url)
    try:
        _until(lambda: reader.get(reference) == "replicated")
        assert reader.missing([reference]) == set()
        with pytest.raises(StoreError, match=r"(?i)read.?only"):
            reader.put_many(["new"])
        assert reader.get(reference) == "replicated", "a refused write opens no circuit"
    finally:
        reader.close()
        replica.stop()


def test_four_processes_at_once_lose_nothing(server: RedisServer, store: RedisStore) -> None:
    program = (
        "import sys; from headroom.core.store import RedisStore\n"
        "store = RedisStore(sys.argv[1], timeout_seconds=10)\n"
        "texts = [f'shared {number} ' * 40 for number in range(150)] + [f'{sys.argv[2]} {number} ' * 40 for number in range(150)]\n"
        "references = [store.put_many([text])[0] for text in texts]\n"
        "assert [store.get(reference) for reference in references] == texts\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, server.url, str(number)]) for number in range(4)]
    assert [worker.wait(60) for worker in workers] == [0] * 4
    stats = store.stats()
    assert stats.entries == 150 + 4 * 150
    assert stats.stored_bytes == _bytes_in(server)


def _bytes_in(server: RedisServer) -> int:
    with server.client() as client:
        return sum(client.strlen(key) for key in client.keys("*:o:*"))


def test_threads_share_one_store(store: RedisStore) -> None:
    texts = [f"text {number} " * 30 for number in range(200)]
    found: list[Any] = []

    def work() -> None:
        found.append([store.get(reference) for reference in store.put_many(texts)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [texts] * 8


# --- choosing it --------------------------------------------------------------------------------------------------------------


def test_the_environment_selects_it_everywhere(server: RedisServer, store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_STORE", server.url)
    assert isinstance(default_store(), RedisStore)
    assert default_store() is default_store()
    result = compress(shop.conversation())
    assert retrieve(result.references[0]) == shop.conversation()[-1]["content"]
    assert store.stats().entries == 1
    default_store().close()


@pytest.mark.parametrize("url", ["redis//typo", "postgres://127.0.0.1/0", "redis://127.0.0.1:port/0"])
def test_a_url_that_is_none_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_STORE", url)
    with pytest.raises(ConfigError, match="redis://"):
        default_store()
    result = compress(shop.conversation())
    assert result.messages == shop.conversation(), "the request goes on, and the result says why nothing was saved"
    assert any("ConfigError" in block.reason for block in result.blocks)


def test_it_can_be_sent_to_another_process(server: RedisServer, store: RedisStore) -> None:
    (reference,) = store.put_many(["text"])
    copy = pickle.loads(pickle.dumps(store))
    assert copy.get(reference) == "text"
    copy.close()


def _until(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except StoreError:
            pass
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


class _SlowLink:
    """Passes bytes on to a port, each piece after a delay."""

    def __init__(self, port: int, delay: float) -> None:
        self._target, self._delay = port, delay
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._accept, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with source, target:
            try:
                while piece := source.recv(65_536):
                    time.sleep(self._delay)
                    target.sendall(piece)
            except OSError:
                pass
