import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.errors import StoreError, StoreFullError
from headroom.core.store import MemoryStore, memory
from headroom.core.store.base import pack, reference_for

any_text = st.text(st.characters(exclude_categories=()))


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@given(st.lists(any_text), any_text)
def test_gives_back_exactly_what_was_put(texts, namespace):
    store = MemoryStore()
    references = store.put_many(texts, namespace)
    assert [store.get(reference, namespace) for reference in references] == texts
    assert store.missing(references, namespace) == set()
    assert references == [reference_for(text, namespace) for text in texts]


def test_namespaces_do_not_leak():
    store = MemoryStore()
    (reference,) = store.put_many(["secret"], "one")
    assert store.get(reference, "two") is None
    assert store.missing([reference], "two") == {reference}
    assert store.stats("two").entries == 0
    assert store.purge("two") == 0
    assert store.get(reference, "one") == "secret"


def test_lives_as_long_as_it_is_used():
    clock = Clock()
    store = MemoryStore(ttl_seconds=100, clock=clock)
    used, unused = store.put_many(["used", "unused"])
    for _ in range(5):
        clock.now += 60
        assert store.get(used) == "used"
    assert store.missing([used, unused]) == {unused}
    clock.now += 101
    assert store.get(used) is None
    assert store.stats().entries == 0


def test_evicts_what_was_used_longest_ago():
    texts = [f"{i}" * 40 for i in range(4)]
    room = sum(len(pack(text)) for text in texts[:3])
    store = MemoryStore(max_bytes=room)
    a, b, c = store.put_many(texts[:3])
    assert store.get(a)
    (d,) = store.put_many([texts[3]])
    assert store.missing([a, b, c, d]) == {b}


def test_a_text_above_the_limit_is_refused_and_evicts_nothing():
    store = MemoryStore(max_bytes=100)
    (reference,) = store.put_many(["small"])
    with pytest.raises(StoreFullError):
        store.put_many([str(list(range(1000)))])
    assert store.get(reference) == "small"


def test_a_taken_reference_is_never_served_for_another_text(monkeypatch):
    real = reference_for
    monkeypatch.setattr("headroom.core.store.base.reference_for", lambda t, n, length=10: "same" if length == 10 else real(t, n, length))
    store = MemoryStore()
    first, second = store.put_many(["first", "second"])
    assert first == "same" and len(second) == 16
    assert (store.get(first), store.get(second)) == ("first", "second")
    assert store.put_many(["second", "first"]) == [second, first]


def test_gives_up_when_every_reference_is_taken(monkeypatch):
    monkeypatch.setattr(memory, "references_for", lambda text, namespace: iter(["same"]))
    store = MemoryStore()
    store.put_many(["first"])
    with pytest.raises(StoreError):
        store.put_many(["second"])


def test_purges_by_namespace_and_by_age():
    clock = Clock()
    store = MemoryStore(clock=clock)
    store.put_many(["old"], "one")
    clock.now += 50
    store.put_many(["new"], "one")
    store.put_many(["other"], "two")
    assert store.stats().namespaces == 2
    assert store.purge("one", older_than_seconds=50) == 1
    assert store.purge(older_than_seconds=51) == 0
    assert store.purge() == 2
    assert store.stats().stored_bytes == 0


def test_threads_share_it():
    store = MemoryStore()
    failures = []

    def work(number):
        for i in range(50):
            text = f"{number} {i}" * 20
            (reference,) = store.put_many([text])
            if store.get(reference) != text:
                failures.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.stats().entries == 800
    store.close()
    assert store.stats().entries == 800
