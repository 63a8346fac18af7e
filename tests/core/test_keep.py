"""Originals first: every reference that leaves resolves, to its own original, in the store of this very call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from headroom import MemoryStore, compress, retrieve
from headroom.core import marker, pipeline
from headroom.core.store import memory
from headroom.core.store.base import reference_for
from tests.conversations import FORMATS, call_and_output

MODEL = "gpt-4o"


def rows(salt: int) -> str:
    return json.dumps([{"id": f"o{salt}_{i}", "status": "ok", "note": f"note {i * 37 % 101}"} for i in range(400)])


def conversation(dialect: str = "openai", turns: int = 2) -> list[Any]:
    messages: list[Any] = [{"role": "user", "content": "find the failed order"}]
    for turn in range(turns):
        messages += call_and_output(dialect, turn + 1, "list", json.dumps({"page": turn}), [rows(turn)], "")
    return messages


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def put_many(self, texts: Sequence[str], namespace: str = "default") -> list[str]:
        self.written += texts
        return super().put_many(texts, namespace)


@pytest.fixture(autouse=True)
def forget() -> None:
    pipeline._remembered.clear()


def assert_resolves(result: Any, store: Any) -> None:
    changed = [report for report in result.blocks if report.changed]
    assert changed and len(result.references) == len(changed)
    for report in changed:
        found = marker.find(report.after)
        assert found is not None and found.reference == report.reference
        assert retrieve(report.reference, store=store) == report.before


def test_each_original_is_written_once_however_many_turns_follow() -> None:
    store, messages = CountingStore(), conversation(turns=4)
    for n in range(len(messages) + 1):
        compress(messages[:n], MODEL, store=store)
    assert sorted(store.written) == sorted(rows(turn) for turn in range(4))


def test_the_store_is_not_asked_when_nothing_was_shortened() -> None:
    def refuse() -> Any:
        raise AssertionError("opened")

    class Untouchable:
        put_many = missing = get = property(lambda self: refuse())

    store: Any = Untouchable()
    assert compress([{"role": "user", "content": "hello"}], MODEL, store=store).references == []
    assert compress(conversation(), MODEL, store=store, lossless=True).references == []


@pytest.mark.parametrize("dialect", FORMATS)
def test_another_store_gets_everything_it_needs(dialect: str) -> None:
    messages = conversation(dialect)
    for store in (MemoryStore(), MemoryStore(), CountingStore()):
        for _ in range(2):
            assert_resolves(compress(messages, MODEL, store=store), store)


def test_an_outage_sends_the_originals_and_ends_by_itself() -> None:
    class Flaky(MemoryStore):
        down = False

        def put_many(self, texts: Any, namespace: str = "default") -> list[str]:
            if self.down:
                raise OSError("disk full")
            return super().put_many(texts, namespace)

        def missing(self, references: Any, namespace: str = "default") -> set[str]:
            if self.down:
                raise OSError("gone")
            return super().missing(references, namespace)

    store, messages = Flaky(), conversation()
    first = compress(messages, MODEL, store=store)
    store.down = True
    for _ in range(2):
        during = compress(messages, MODEL, store=store)
        assert during.messages == messages and during.references == [] and during.tokens_saved == 0
        assert [transform.split(":")[0] for transform in during.transforms_applied] == ["failed", "failed"]
        assert all("OSError: gone" in report.reason for report in during.blocks if report.kind)
    grown = [*messages, *call_and_output("openai", 9, "list", '{"page": 9}', [rows(9)], "")]
    assert compress(grown, MODEL, store=store).messages == grown
    store.down = False
    after = compress(grown, MODEL, store=store)
    assert after.messages[: len(messages)] == first.messages
    assert_resolves(after, store)


def test_a_data_folder_that_cannot_be_made_costs_the_saving_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HEADROOM_HOME", str(tmp_path / "file" / "home"))
    result = compress(conversation(), MODEL)
    assert result.messages == conversation() and all(report.failed for report in result.blocks if report.kind)


def test_what_was_evicted_is_stored_again_when_it_is_sent_again() -> None:
    store, messages = MemoryStore(), conversation()
    compress(messages, MODEL, store=store)
    store.purge()
    assert_resolves(compress(messages, MODEL, store=store), store)


def test_markers_that_came_in_are_named_if_the_store_knows_them() -> None:
    store = MemoryStore()
    once = compress(conversation(), MODEL, store=store)
    assert compress(once.messages, MODEL, store=store).references == once.references
    assert compress(once.messages, MODEL, store=MemoryStore()).references == []


# --- collisions: two texts, one short reference ---------------------------------------------------------------------------


def colliding(text: str, namespace: str) -> Iterator[str]:
    """References as if every text shared the short one."""
    yield "collisions"
    for length in (16, 26, 52):
        yield reference_for(text, namespace, length)


@pytest.fixture
def collisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "references_for", colliding)
    monkeypatch.setattr(pipeline, "reference_for", lambda text, namespace: "collisions")


def conversation_of(*salts: int) -> list[Any]:
    messages: list[Any] = []
    for salt in salts:
        messages += call_and_output("openai", salt, "list", json.dumps({"page": salt}), [rows(salt)], "")
    return messages


@pytest.mark.usefixtures("collisions")
def test_a_collision_is_resolved_by_a_longer_reference_that_verifies() -> None:
    store = MemoryStore()
    first = compress(conversation_of(1), MODEL, store=store)
    second = compress(conversation_of(2), MODEL, store=store)
    assert first.references == ["collisions"] and len(second.references[0]) == 16
    for result in (first, second, compress(conversation_of(2), MODEL, store=store)):
        assert_resolves(result, store)


@pytest.mark.usefixtures("collisions")
def test_a_collision_is_resolved_anew_in_another_store() -> None:
    one, other = MemoryStore(), MemoryStore()
    compress(conversation_of(1), MODEL, store=one)
    compress(conversation_of(2), MODEL, store=other)
    for _ in range(2):
        for store in (one, other):
            for salt in (1, 2):
                assert_resolves(compress(conversation_of(salt), MODEL, store=store), store)


@pytest.mark.usefixtures("collisions")
def test_a_branch_of_a_conversation_with_a_collision_stays_whole() -> None:
    store = MemoryStore()
    compress(conversation_of(1), MODEL, store=store)
    trunk = conversation_of(2)
    branch = [*trunk[:2], {"role": "user", "content": "another way"}]
    for messages in (trunk, branch, [*trunk, {"role": "user", "content": "on"}], branch, trunk):
        assert_resolves(compress(messages, MODEL, store=store), store)


def test_two_namespaces_do_not_share_an_original() -> None:
    store = MemoryStore()
    one = compress(conversation(), MODEL, store=store, namespace="one")
    two = compress(conversation(), MODEL, store=store, namespace="two")
    assert not set(one.references) & set(two.references)
    for reference in one.references:
        assert store.get(reference, "two") is None and store.get(reference, "one") is not None
