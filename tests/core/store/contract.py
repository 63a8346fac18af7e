"""What every CompressionStore keeps: a class of tests to derive from, with `make()` giving a fresh store."""

from __future__ import annotations

import threading
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom import CompressionStore, StoreError, compress, retrieve
from headroom.core.store import base
from headroom.core.store.base import reference_for
from headroom.stores import references_for
from tests.shop import orders, turn

any_text = st.text(st.characters(exclude_categories=()))


class Clock:
    """Seconds since the epoch, as a test says."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class StoreContract:
    """Derive, and give `make`."""

    def make(self, ttl_seconds: float = 1_000.0, clock: Any = None) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def store(self, clock: Clock) -> Any:
        made = self.make(clock=clock)
        yield made
        made.close()

    def test_keeps_the_protocol(self, store: Any) -> None:
        assert isinstance(store, CompressionStore)

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors])
    @given(texts=st.lists(any_text, max_size=5), namespace=any_text.filter(bool))
    def test_gives_back_exactly_what_was_put(self, store: Any, texts: list[str], namespace: str) -> None:
        references = store.put_many(texts, namespace)
        assert references == [reference_for(text, namespace) for text in texts]
        assert [store.get(reference, namespace) for reference in references] == texts
        assert store.missing(references, namespace) == set()

    def test_putting_again_gives_the_same_and_stores_nothing_new(self, store: Any) -> None:
        assert store.put_many(["one", "two", "one"]) == [*store.put_many(["one", "two"]), store.put_many(["one"])[0]]
        assert store.stats().entries == 2
        assert store.put_many([]) == []

    def test_namespaces_do_not_leak(self, store: Any) -> None:
        (reference,) = store.put_many(["secret"], "one")
        for other in ("two", "one1", "on", "one/x", "x-6f6e65", "n-one"):
            assert store.get(reference, other) is None
            assert store.missing([reference], other) == {reference}
            assert store.stats(other).entries == 0
            assert store.purge(other) == 0
        assert store.get(reference, "one") == "secret"

    def test_what_no_store_has_given_is_missing_and_no_error(self, store: Any) -> None:
        odd = ["", "nope", "../../etc/passwd", "a" * 500, "\ud800", "naïve", "a/b", "0" * 10, "aaaaaaaaaa"]
        assert [store.get(reference) for reference in odd] == [None] * len(odd)
        assert store.missing(odd) == set(odd)
        assert store.missing([]) == set()

    def test_lives_as_long_as_it_is_used(self, store: Any, clock: Clock) -> None:
        got, asked, unused = store.put_many(["got", "asked for", "unused"])
        for _ in range(5):
            clock.now += 600
            assert store.get(got) == "got"
            assert store.missing([asked]) == set()
        assert store.missing([got, asked, unused]) == {unused}
        assert store.get(unused) is None
        assert store.stats().entries == 2
        clock.now += 1_001
        assert store.get(got) is None
        assert store.stats().entries == 0

    def test_putting_counts_as_a_use(self, store: Any, clock: Clock) -> None:
        (reference,) = store.put_many(["text"])
        clock.now += 900
        store.put_many(["text"])
        clock.now += 900
        assert store.get(reference) == "text"

    def test_purges_by_namespace_and_age(self, store: Any, clock: Clock) -> None:
        store.put_many(["a", "b"], "one")
        store.put_many(["c"], "two")
        clock.now += 100
        store.put_many(["d"], "one")
        assert store.purge("one", older_than_seconds=50) == 2
        assert store.stats("one").entries == 1
        assert store.purge("two") == 1
        assert store.purge() == 1
        assert store.stats().entries == 0

    def test_stats(self, store: Any) -> None:
        store.put_many(["ä" * 1000, "short"], "one")
        store.put_many(["ä" * 1000], "two")
        stats = store.stats()
        assert (stats.entries, stats.namespaces, stats.original_bytes) == (3, 2, 4005)
        assert 0 < stats.stored_bytes < 400
        assert store.stats("one").entries == 2

    def test_more_than_a_page_of_originals(self, store: Any) -> None:
        texts = [f"text {number}" for number in range(250)]
        references = store.put_many(texts)
        assert store.missing(references) == set()
        assert store.stats().entries == 250
        assert store.purge() == 250

    def test_a_collision_is_never_served(self, store: Any) -> None:
        taken = dict(zip(["first", "second", "third"], [list(references_for(text, "default")) for text in "abc"], strict=True))
        shared = taken["first"][0]

        def references(text: str, namespace: str, length: int = 10) -> str:
            return shared if length == 10 else reference_for(text, namespace, length)

        with patch.object(base, "reference_for", references):
            given_first, given_second = store.put_many(["first", "second"])
            (given_third,) = store.put_many(["third"])
            assert store.put_many(["second"]) == [given_second]
        assert given_first == shared
        assert len({given_first, given_second, given_third}) == 3
        assert [store.get(reference) for reference in (given_first, given_second, given_third)] == ["first", "second", "third"]

    def test_many_threads(self, store: Any) -> None:
        failures: list[Exception] = []

        def work(number: int) -> None:
            try:
                for turn_number in range(10):
                    texts = [f"shared {turn_number}", f"own {number} {turn_number}"]
                    references = store.put_many(texts)
                    assert [store.get(reference) for reference in references] == texts
                    store.stats()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert store.stats().entries == 50

    def test_serves_compress_and_retrieve(self, store: Any) -> None:
        import json

        text = json.dumps(orders(200))
        result = compress(turn(text), store=store)
        (reference,) = result.references
        assert retrieve(reference, store=store) == text
        assert compress(turn(text), store=store).messages == result.messages


class StoreBehindContract(StoreContract):
    """For stores over somebody else's: whatever that one raises is a StoreError."""

    def broken(self) -> Any:
        raise NotImplementedError

    def test_trouble_is_a_store_error(self) -> None:
        store = self.broken()
        for work in (
            lambda: store.put_many(["text"]),
            lambda: store.get("aaaaaaaaaa"),
            lambda: store.missing(["aaaaaaaaaa"]),
            store.purge,
            store.stats,
        ):
            with pytest.raises(StoreError, match="the disk is on fire"):
                work()

    def test_trouble_sends_the_original(self) -> None:
        import json

        messages = turn(json.dumps(orders(200)))
        result = compress(messages, store=self.broken())
        assert result.messages == messages
        assert any("the disk is on fire" in block.reason for block in result.blocks)
