"""HeadroomMiddleware in real agents: what is on the wire, what is in the checkpoint, what the model gets back."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    wrap_model_call,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from headroom import CompressionService, ConfigError, MemoryStore, StoreError, retrieve
from headroom.integrations.langchain import HeadroomMiddleware
from tests.integrations.langchain.agents import (
    ASYNC_TOOLS,
    DIALECTS,
    LOG,
    ORDERS,
    QUESTION,
    THREAD,
    TOOLS,
    agent_on,
    assert_prefixes_repeat,
    looks_around,
    model_of,
    tool_texts,
)
from tests.scripted_model import Reply, Request, ScriptedModel, calls


def assert_went_well(server: ScriptedModel, agent: Any) -> None:
    """What every run of `looks_around` must have done."""
    last = server.requests[-1]
    log, orders, rows = last.tool_outputs
    assert len(log) < len(LOG) / 10 and "card_8812" in log
    assert len(orders) < len(ORDERS) / 5 and '"ord_7133"' not in orders
    assert "ord_7133" in rows and "shipped" in rows and "ord_7134" not in rows
    assert all("headroom_retrieve" in request.tools for request in server.requests)
    assert_prefixes_repeat(server)
    kept = tool_texts(agent.get_state(THREAD).values["messages"])
    assert kept[:2] == [LOG, ORDERS]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_requests_are_short_the_checkpoint_is_whole_and_the_model_can_ask(dialect: str) -> None:
    with ScriptedModel(looks_around) as server:
        agent = agent_on(server, HeadroomMiddleware(), dialect=dialect, system_prompt="You help a shop.")
        answer = agent.invoke(QUESTION, THREAD)["messages"][-1]
        assert answer.text == "It was shipped."
        assert len(server.requests) == 4
        assert_went_well(server, agent)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_same_asynchronously(dialect: str) -> None:
    with ScriptedModel(looks_around) as server:
        agent = agent_on(server, HeadroomMiddleware(), dialect=dialect)
        answer = (await agent.ainvoke(QUESTION, THREAD))["messages"][-1]
        assert answer.text == "It was shipped."
        assert_went_well(server, agent)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mode", ["messages", "updates", "values"])
def test_the_same_streaming(dialect: str, mode: str) -> None:
    with ScriptedModel(looks_around) as server:
        agent = agent_on(server, HeadroomMiddleware(), dialect=dialect)
        assert list(agent.stream(QUESTION, THREAD, stream_mode=mode))
        assert_went_well(server, agent)
        assert all(request.body.get("stream", False) == (mode == "messages") for request in server.requests)


async def test_streaming_asynchronously_gives_the_words_as_they_come() -> None:
    with ScriptedModel(looks_around) as server:
        agent = agent_on(server, HeadroomMiddleware())
        pieces = [chunk.text async for chunk, _ in agent.astream(QUESTION, THREAD, stream_mode="messages") if chunk.type != "tool"]
        assert len([piece for piece in pieces if piece]) > 1
        assert "".join(pieces) == "It was shipped."
        assert_went_well(server, agent)


async def test_the_event_loop_goes_on_while_a_large_request_is_shortened() -> None:
    threads = set()

    class Watching(MemoryStore):
        def put_many(self, *args: Any, **options: Any) -> list[str]:
            threads.add(threading.current_thread())
            return super().put_many(*args, **options)

    with ScriptedModel([calls("list_orders", day=1), "done"]) as server:
        agent = create_agent(model_of("openai", server), ASYNC_TOOLS, middleware=[HeadroomMiddleware(store=Watching())])
        await agent.ainvoke(QUESTION)
    assert threads and threading.main_thread() not in threads


def test_a_conversation_of_many_turns_repeats_its_prefix_in_another_process_too() -> None:
    def script(request: Request) -> Reply | str:
        return "done" if request.messages[-1]["role"] == "tool" else calls("list_orders", day=len(request.messages))

    with ScriptedModel(script) as server:
        saver = InMemorySaver()
        for turn in range(4):  # a fresh agent and middleware, as after a restart: only checkpoint and store remain
            agent = create_agent(model_of("openai", server), TOOLS, middleware=[HeadroomMiddleware()], checkpointer=saver)
            agent.invoke({"messages": f"And day {turn}?"}, THREAD)
        assert_prefixes_repeat(server)
        assert len(server.requests) == 8
        assert tool_texts(agent.get_state(THREAD).values["messages"]) == [ORDERS] * 4


def test_the_tool_is_there_where_the_agent_has_none() -> None:
    with ScriptedModel(["hello"]) as server:
        agent_on(server, HeadroomMiddleware(), tools=[]).invoke(QUESTION, THREAD)
        assert server.requests[0].tools == ["headroom_retrieve"]


def test_without_retrieval_nothing_is_left_out_and_no_tool_is_added() -> None:
    with ScriptedModel([calls("list_orders", day=1), "done"]) as server:
        agent_on(server, HeadroomMiddleware(retrieve=False)).invoke(QUESTION, THREAD)
        last = server.requests[-1]
        assert last.tools == ["list_orders", "read_log"]
        (text,) = last.tool_outputs
        assert len(text) < len(ORDERS)
        assert all(f"ord_{7000 + row}" in text for row in range(300))
        assert not last.references


def test_a_model_that_cannot_call_tools_gets_folds_only() -> None:
    conversation = [
        HumanMessage("orders?"),
        AIMessage("", tool_calls=[{"name": "list_orders", "args": {}, "id": "1"}]),
        ToolMessage(ORDERS, tool_call_id="1", name="list_orders"),
    ]
    seen = []

    class Watching(FakeListChatModel):
        def _call(self, messages: Any, *args: Any, **options: Any) -> str:
            seen.append(messages)
            return "words"

    agent = create_agent(Watching(responses=["words"]), [], middleware=[HeadroomMiddleware()])
    assert agent.invoke({"messages": conversation})["messages"][-1].content == "words"
    text = seen[0][-1].content
    assert len(text) < len(ORDERS) and "headroom_retrieve" not in text and "ord_7133" in text


def test_a_selector_that_takes_the_tool_away_is_overruled_where_it_stands_outside() -> None:
    @wrap_model_call
    def only_orders(request: Any, handler: Any) -> Any:
        return handler(request.override(tools=[known for known in request.tools if known.name == "list_orders"]))

    with ScriptedModel([calls("list_orders", day=1), "done"]) as server:
        agent_on(server, only_orders, HeadroomMiddleware()).invoke(QUESTION, THREAD)
        assert [request.tools for request in server.requests] == [["list_orders", "headroom_retrieve"]] * 2


def test_structured_output_is_what_it_would_be_without() -> None:
    class Verdict(BaseModel):
        shipped: bool

    def script(request: Request) -> Reply | str:
        return calls("Verdict", shipped=True) if request.tool_outputs else calls("list_orders", day=1)

    with ScriptedModel(script) as server:
        agent = create_agent(model_of("openai", server), TOOLS, middleware=[HeadroomMiddleware()], response_format=ToolStrategy(Verdict))
        assert agent.invoke(QUESTION)["structured_response"] == Verdict(shipped=True)
        assert server.requests[0].tools == ["headroom_retrieve", "list_orders", "read_log", "Verdict"]
        assert len(server.requests[1].tool_outputs[0]) < len(ORDERS) / 5


def test_a_model_that_asks_for_ever_is_stopped_and_the_next_turn_may_ask_again() -> None:
    with ScriptedModel(lambda request: calls("headroom_retrieve", ref="gone") if len(request.tool_outputs) < 5 else "I give up") as server:
        middleware = HeadroomMiddleware(max_retrieve_calls=3)
        agent = agent_on(server, middleware)
        agent.invoke(QUESTION, THREAD)
        texts = server.requests[-1].tool_outputs
        assert all("No original is stored" in text for text in texts[:3])
        assert all("limit" in text for text in texts[3:])
        assert middleware.savings.retrievals == 3
        server.script = lambda request: "ok" if len(request.tool_outputs) > 5 else calls("headroom_retrieve", ref="gone")
        agent.invoke({"messages": "once more"}, THREAD)
        assert "No original is stored" in server.requests[-1].tool_outputs[-1]


def test_many_threads_and_tenants_do_not_meet() -> None:
    store = MemoryStore()
    middlewares = [HeadroomMiddleware(store=store, namespace=f"tenant-{number}") for number in range(2)]
    with ScriptedModel(lambda request: "done" if request.tool_outputs else calls("list_orders", day=1)) as server:
        for middleware in middlewares:
            agent_on(server, middleware).invoke(QUESTION, THREAD)
        references = [request.references[0] for request in server.requests if request.references]
        assert len(set(references)) == 2
        assert retrieve(references[0], store=store, namespace="tenant-0") == ORDERS
        answer = middlewares[1].tools[0].invoke({"ref": references[0]})
        assert "No original" in answer


def test_a_store_that_fails_costs_a_saving_and_one_warning() -> None:
    class Broken(MemoryStore):
        def put_many(self, *args: Any, **options: Any) -> list[str]:
            raise StoreError("no room")

    middleware = HeadroomMiddleware(store=Broken())
    with ScriptedModel([calls("list_orders", day=1), calls("read_log", service="a"), "done"]) as server:
        with pytest.warns(UserWarning, match="no room") as warned:
            answer = agent_on(server, middleware).invoke(QUESTION, THREAD)["messages"][-1]
        assert answer.text == "done"
        assert server.requests[-1].tool_outputs == [ORDERS, LOG]
        assert len(warned) == 1
        assert middleware.savings.failures == 2


def test_the_callers_messages_are_never_changed() -> None:
    conversation = [
        HumanMessage("orders?", id="h"),
        AIMessage("", tool_calls=[{"name": "list_orders", "args": {"day": 1}, "id": "1"}], id="a"),
        ToolMessage(ORDERS, tool_call_id="1", name="list_orders", id="t", status="error", artifact=[1]),
    ]
    before = [message.model_dump() for message in conversation]
    with ScriptedModel(["done"]) as server:
        result = create_agent(model_of("openai", server), TOOLS, middleware=[HeadroomMiddleware()]).invoke({"messages": conversation})
        assert [message.model_dump() for message in conversation] == before
        assert [message.model_dump() for message in result["messages"][:3]] == before
        assert len(server.requests[0].tool_outputs[0]) < len(ORDERS) / 5


def test_savings_are_counted() -> None:
    service = CompressionService(store=MemoryStore())
    middleware = HeadroomMiddleware(service=service)
    with ScriptedModel(looks_around) as server:
        agent_on(server, middleware).invoke(QUESTION, THREAD)
    assert middleware.savings is service.savings
    assert service.savings.requests == 4 and service.savings.retrievals == 1
    assert service.savings.savings_percent > 80
    assert service.savings.recent[0].model == "gpt-4o"


def test_mistyped_options_are_errors_at_once() -> None:
    with pytest.raises(ConfigError, match="namespace"):
        HeadroomMiddleware(namespase="a")
    with pytest.raises(ConfigError, match="not both"):
        HeadroomMiddleware(service=CompressionService(), namespace="a")


async def test_requests_side_by_side() -> None:
    with ScriptedModel(lambda request: "done" if request.tool_outputs else calls("list_orders", day=1)) as server:
        agent = create_agent(model_of("openai", server), TOOLS, middleware=[HeadroomMiddleware()])
        results = await asyncio.gather(*(agent.ainvoke({"messages": f"number {number}"}) for number in range(8)))
        assert all(result["messages"][-1].text == "done" for result in results)
        lengths = {len(request.tool_outputs[0]) for request in server.requests if request.tool_outputs}
        assert max(lengths) < len(ORDERS) / 5


def test_tool_results_in_blocks_are_shortened_in_place() -> None:
    @tool
    def blocks(day: int) -> Any:
        """Text and an image."""
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
        return [{"type": "text", "text": ORDERS}, image]

    with ScriptedModel([calls("blocks", day=1), "done"]) as server:
        agent = agent_on(server, HeadroomMiddleware(), tools=[blocks])
        agent.invoke(QUESTION, THREAD)
        content = server.requests[-1].messages[-1]["content"]
        assert [block["type"] for block in content] == ["text", "image_url"]
        assert len(json.dumps(content)) < len(ORDERS) / 5
