"""LangGraph's SQLite checkpointer and store: what is on disk, and what another process finds there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage

from headroom.integrations.langchain import HeadroomMiddleware, LangGraphStore, original_content
from tests.integrations.langchain.agents import LOG, ORDERS, TOOLS, assert_prefixes_repeat, looks_around, model_of, tool_texts
from tests.scripted_model import ScriptedModel

sqlite = pytest.importorskip("langgraph.checkpoint.sqlite")
asynchronous = pytest.importorskip("langgraph.checkpoint.sqlite.aio")
stores = pytest.importorskip("langgraph.store.sqlite")

THREAD: Any = {"configurable": {"thread_id": "1"}}
QUESTION: Any = {"messages": "What became of order ord_7133?"}


@pytest.mark.parametrize("at_birth", [False, True])
def test_another_process_finds_the_originals_in_the_checkpoint(at_birth: bool, tmp_path: Path) -> None:
    with ScriptedModel(looks_around) as server:
        for turn in range(2):
            with sqlite.SqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver:
                middleware = HeadroomMiddleware(at_birth=at_birth)
                agent = create_agent(model_of("openai", server), TOOLS, middleware=[middleware], checkpointer=saver)
                if turn:
                    outputs = [kept for kept in agent.get_state(THREAD).values["messages"] if isinstance(kept, ToolMessage)]
                    assert [original_content(kept) for kept in outputs[:2]] == [LOG, ORDERS]
                agent.invoke(QUESTION, THREAD)
        assert_prefixes_repeat(server)


async def test_asynchronously_with_originals_in_the_graphs_own_store(tmp_path: Path) -> None:
    async with (
        asynchronous.AsyncSqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver,
        stores.AsyncSqliteStore.from_conn_string(str(tmp_path / "store.db")) as store,
    ):
        await store.setup()
        middleware = HeadroomMiddleware(store=LangGraphStore(store))
        with ScriptedModel(looks_around) as server:
            agent = create_agent(model_of("openai", server), TOOLS, middleware=[middleware], checkpointer=saver, store=store)
            async for _ in agent.astream(QUESTION, THREAD, stream_mode="updates"):
                pass
            assert "ord_7133" in server.requests[-1].tool_outputs[2]
            assert_prefixes_repeat(server)
        assert tool_texts((await agent.aget_state(THREAD)).values["messages"])[:2] == [LOG, ORDERS]
        assert middleware.savings.failures == 0
        assert len(await store.asearch(("headroom",))) == 2
