"""HeadroomCallbackHandler: sees what is sent, counts, and changes nothing."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage

from headroom import MemoryStore, compress
from headroom.integrations.langchain import HeadroomCallbackHandler, HeadroomMiddleware
from tests.integrations.langchain.agents import DIALECTS, ORDERS, TOOLS, looks_around, model_of
from tests.scripted_model import ScriptedModel, calls


def run(server: ScriptedModel, dialect: str, handler: HeadroomCallbackHandler | None, *middleware: Any) -> list[Any]:
    config: Any = {"callbacks": [handler]} if handler else {}
    agent = create_agent(model_of(dialect, server), TOOLS, middleware=middleware)
    agent.invoke({"messages": "What became of ord_7133?"}, config)
    return [request.body for request in server.requests]


def orders_then_done() -> Any:
    return [calls("list_orders", day=3), "done"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_says_what_could_be_saved_and_changes_nothing(dialect: str) -> None:
    store = MemoryStore()
    handler = HeadroomCallbackHandler(store=store)
    with ScriptedModel(orders_then_done()) as server:
        bare = json.dumps(run(server, dialect, None))
        server.clear()
        assert json.dumps(run(server, dialect, handler)) == bare
        messages = server.requests[-1].messages
    first, second = handler.runs
    assert (first.tokens_saved, first.tokens_that_could_be_saved) == (0, 0)
    assert second.tokens_saved == 0 and second.tokens_that_could_be_saved > second.tokens * 0.8
    assert second.model in ("gpt-4o", "claude-scripted")
    expected = compress(messages, second.model, store=MemoryStore())
    assert second.tokens_that_could_be_saved == pytest.approx(expected.tokens_saved, rel=0.02)
    assert store.stats().entries == 0, "a trial leaves nothing behind"


def test_says_what_the_middleware_has_saved() -> None:
    store = MemoryStore()
    handler, middleware = HeadroomCallbackHandler(store=store), HeadroomMiddleware(store=store)
    with ScriptedModel(looks_around) as server:
        run(server, "openai", handler, middleware)
    assert handler.tokens_saved == middleware.savings.tokens_saved > 0
    assert handler.tokens_that_could_be_saved == 0
    assert handler.summary()["runs"] == len(handler.runs) == 4


def test_an_original_that_cannot_be_found_is_not_guessed() -> None:
    handler = HeadroomCallbackHandler(store=MemoryStore())
    with ScriptedModel(orders_then_done()) as server:
        run(server, "openai", handler, HeadroomMiddleware(store=MemoryStore()))
    assert handler.tokens_saved == 0


class Unreadable(HumanMessage):
    def __getattribute__(self, name: str) -> Any:
        if name == "content":
            raise RuntimeError("what is this?")
        return super().__getattribute__(name)


def test_a_message_that_nobody_can_read_is_no_trouble_of_the_users() -> None:
    handler = HeadroomCallbackHandler()
    with pytest.warns(UserWarning, match="what is this"):
        handler.on_chat_model_start({}, [[Unreadable("x")], [HumanMessage("fine")]], run_id=uuid4())
    assert len(handler.runs) == 1


def test_the_newest_runs_are_remembered_and_all_are_counted() -> None:
    handler = HeadroomCallbackHandler(most_remembered=1)
    with ScriptedModel(["done"]) as server:
        model = model_of("openai", server)
        for text in ("hello", ORDERS):
            assert model.invoke(text, {"callbacks": [handler]}).text == "done"
    (newest,) = handler.runs
    assert newest.tokens_that_could_be_saved > 0 and handler.summary()["runs"] == 2


async def test_beside_asynchronous_models() -> None:
    handler = HeadroomCallbackHandler()
    with ScriptedModel(["done"]) as server:
        await model_of("anthropic", server).ainvoke("hello", {"callbacks": [handler]})
        async for _ in model_of("openai", server).astream("hello", {"callbacks": [handler]}):
            pass
    assert [recorded.model for recorded in handler.runs] == ["claude-scripted", "gpt-4o"]
