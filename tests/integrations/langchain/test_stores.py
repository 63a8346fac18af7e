"""LangChainStore and LangGraphStore keep the contract of our own stores, in the user's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.stores import BaseStore, InMemoryByteStore
from langgraph.store.base.batch import AsyncBatchedBaseStore
from langgraph.store.memory import InMemoryStore

from headroom import MemoryStore, retrieve
from headroom.integrations.langchain import HeadroomMiddleware, LangChainStore, LangGraphStore
from tests.core.store.contract import Clock, StoreBehindContract
from tests.integrations.langchain.agents import ORDERS, TOOLS, looks_around, model_of
from tests.scripted_model import ScriptedModel, calls


class Folder(BaseStore[str, bytes]):
    """A store of files, as strict about keys as such stores are."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        assert key.isascii() and ".." not in key and " " not in key
        return self.root / key

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self._path(key).read_bytes() if self._path(key).exists() else None for key in keys]

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        for key, value in key_value_pairs:
            self._path(key).parent.mkdir(parents=True, exist_ok=True)
            self._path(key).write_bytes(value)

    def mdelete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def yield_keys(self, *, prefix: str | None = None) -> Iterator[str]:
        for path in (self.root / (prefix or "")).rglob("*"):
            if path.is_file():
                yield str(path.relative_to(self.root))


class OnFire(BaseStore[str, bytes]):
    def mget(self, *_: Any, **__: Any) -> Any:
        raise OSError("the disk is on fire")

    mset = mdelete = yield_keys = mget


class GraphOnFire(InMemoryStore):
    def batch(self, ops: Any) -> Any:
        raise OSError("the disk is on fire")


class TestInALangChainStore(StoreBehindContract):
    def make(self, ttl_seconds: float = 1_000.0, clock: Any = None) -> Any:
        return LangChainStore(InMemoryByteStore(), ttl_seconds=ttl_seconds, clock=clock)

    def broken(self) -> Any:
        return LangChainStore(OnFire())


class TestInALangChainStoreOfFiles(StoreBehindContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.root = tmp_path

    def make(self, ttl_seconds: float = 1_000.0, clock: Any = None) -> Any:
        return LangChainStore(Folder(self.root), ttl_seconds=ttl_seconds, clock=clock)

    def broken(self) -> Any:
        return LangChainStore(OnFire())


class TestInALangGraphStore(StoreBehindContract):
    def make(self, ttl_seconds: float = 1_000.0, clock: Any = None) -> Any:
        return LangGraphStore(InMemoryStore(), ttl_seconds=ttl_seconds, clock=clock)

    def broken(self) -> Any:
        return LangGraphStore(GraphOnFire())


class Expiring(InMemoryStore):
    """A store with times to live of its own: notes what it is told."""

    supports_ttl = True

    def __init__(self) -> None:
        super().__init__()
        self.minutes: list[Any] = []

    def batch(self, ops: Any) -> Any:
        ops = list(ops)
        self.minutes += [op.ttl for op in ops if hasattr(op, "ttl") and op.value is not None]
        return super().batch(ops)


def test_a_store_with_times_to_live_is_told_ours() -> None:
    backing = Expiring()
    LangGraphStore(backing, ttl_seconds=600).put_many(["text"])
    assert backing.minutes == [10.0]


def test_originals_lie_beside_the_users_own_entries_and_leave_them_alone() -> None:
    backing = InMemoryByteStore()
    backing.mset([("mine", b"1"), ("headroom/n-default/mine", b"2"), ("headroom/n-default/aaaaaaaaaa", b"3"), ("headrooms/x", b"4")])
    backing.mset([("headroom/x-ray/aaaaaaaaaa", b"5")])
    store = LangChainStore(backing)
    (reference,) = store.put_many(["text"])
    assert store.get("aaaaaaaaaa") is None
    assert store.stats().entries == 1
    assert store.purge() == 1
    assert sorted(backing.yield_keys()) == [
        "headroom/n-default/aaaaaaaaaa",
        "headroom/n-default/mine",
        "headroom/x-ray/aaaaaaaaaa",
        "headrooms/x",
        "mine",
    ]

    graph = InMemoryStore()
    graph.put(("headroom", "n-default"), "note", {"mine": True})
    graph.put(("users",), "u1", {"name": "x"})
    kept = LangGraphStore(graph)
    assert kept.put_many(["text"]) == [reference]
    assert (kept.stats().entries, kept.purge()) == (1, 1)
    assert graph.get(("users",), "u1") is not None and graph.get(("headroom", "n-default"), "note") is not None


def test_a_damaged_original_is_an_error_and_is_mended_by_the_next_put() -> None:
    backing = InMemoryByteStore()
    store = LangChainStore(backing)
    (reference,) = store.put_many(["text"])
    (key,) = backing.yield_keys()
    (value,) = backing.mget([key])
    assert value is not None
    backing.mset([(key, value[:-3])])
    with pytest.raises(Exception, match="LangChainStore failed"):
        store.get(reference)
    assert store.put_many(["text"]) == [reference]
    assert store.get(reference) == "text"


def test_a_use_is_written_down_seldom() -> None:
    writes = []

    class Counting(InMemoryByteStore):
        def mset(self, key_value_pairs: Any) -> None:
            writes.append(len(key_value_pairs))
            super().mset(key_value_pairs)

    clock = Clock()
    store = LangChainStore(Counting(), ttl_seconds=1_000, clock=clock)
    references = store.put_many(["a", "b"])
    for _ in range(5):
        assert not store.missing(references)
        store.put_many(["a", "b"])
    assert writes == [2]
    clock.now += 11
    store.missing(references)
    assert writes == [2, 2]


@pytest.mark.parametrize("backing", [LangChainStore(InMemoryByteStore()), LangGraphStore(InMemoryStore())], ids=["langchain", "langgraph"])
def test_an_agent_keeps_its_originals_there(backing: Any) -> None:
    with ScriptedModel(looks_around) as server:
        agent = create_agent(model_of("openai", server), TOOLS, middleware=[HeadroomMiddleware(store=backing)])
        agent.invoke({"messages": "ord_7133?"})
        last = server.requests[-1]
        assert "ord_7133" in last.tool_outputs[2]
        assert retrieve(last.references[-1], store=backing) == ORDERS


class ForAsyncioOnly(AsyncBatchedBaseStore):
    """As the asynchronous stores of LangGraph are: refuses to be asked on its own event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = InMemoryStore()

    async def abatch(self, ops: Any) -> Any:
        await asyncio.sleep(0)
        return self.inner.batch(ops)


async def test_a_store_for_asyncio_alone_serves_an_asynchronous_agent() -> None:
    backing = ForAsyncioOnly()
    middleware = HeadroomMiddleware(store=LangGraphStore(backing))
    small = "\n".join(f"row {number}: nothing to report from the warehouse today" for number in range(60))

    with ScriptedModel(looks_around) as server:
        agent = create_agent(model_of("openai", server), TOOLS, middleware=[middleware])
        await agent.ainvoke({"messages": "ord_7133?"})
        assert "ord_7133" in server.requests[-1].tool_outputs[2]
        assert middleware.savings.failures == 0
    assert len(small) < 30_000, "small requests must leave the event loop too"
    result = await middleware.service.acompress(
        [{"role": "user", "content": "?"}, {"role": "tool", "tool_call_id": "1", "name": "read", "content": small}]
    )
    assert result is not None and result.tokens_saved > 0 and middleware.savings.failures == 0


def test_two_stores_in_one_process_do_not_mix() -> None:
    first, second = LangGraphStore(InMemoryStore()), MemoryStore()
    with ScriptedModel(lambda request: "done" if request.tool_outputs else calls("list_orders", day=1)) as server:
        for store in (first, second):
            create_agent(model_of("openai", server), TOOLS, middleware=[HeadroomMiddleware(store=store)]).invoke({"messages": "?"})
        reference = server.requests[-1].references[0]
    assert retrieve(reference, store=first) == retrieve(reference, store=second) == ORDERS
