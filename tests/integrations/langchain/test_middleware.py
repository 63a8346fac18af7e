"""HeadroomMiddleware in real agents: what is on the wire, what is in the checkpoint, what the model gets back."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    ModelFallbackMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
    wrap_model_call,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel

from headroom import CompressionService, ConfigError, MemoryStore, StoreError, retrieve
from headroom.integrations.langchain import HeadroomChatModel, HeadroomMiddleware, original_content
from tests.integrations.langchain.agents import (
    ASYNC_TOOLS,
    DIALECTS,
    LOG,
    ORDERS,
    TOOLS,
    assert_prefixes_repeat,
    looks_around,
    model_of,
    tool_texts,
)
from tests.scripted_model import Call, Reply, Request, ScriptedModel, calls

THREAD: Any = {"configurable": {"thread_id": "1"}}
QUESTION: Any = {"messages": [HumanMessage("What became of order ord_7133?")]}


def agent_on(server: ScriptedModel, *middleware: Any, dialect: str = "openai", tools: Any = TOOLS, **options: Any) -> Any:
    return create_agent(model_of(dialect, server), tools, middleware=middleware, checkpointer=InMemorySaver(), **options)


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


# --- beside other middlewares ------------------------------------------------------------------------------------------------


def _others(server: ScriptedModel) -> list[Any]:
    return [
        ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=10**9)]),
        SummarizationMiddleware(model=model_of("openai", server)),
        HumanInTheLoopMiddleware(interrupt_on={"delete_everything": True}),
        ToolRetryMiddleware(max_retries=1),
        ModelFallbackMiddleware(model_of("openai", server)),
        TodoListMiddleware(),
        ToolCallLimitMiddleware(run_limit=50),
    ]


@pytest.mark.parametrize("position", ["outermost", "innermost", "between"])
@pytest.mark.parametrize("at_birth", [False, True])
def test_it_stands_anywhere_among_the_built_in_middlewares(position: str, at_birth: bool) -> None:
    with ScriptedModel(looks_around) as server:
        others = _others(server)
        place = {"outermost": 0, "between": len(others) // 2, "innermost": len(others)}[position]
        others.insert(place, HeadroomMiddleware(at_birth=at_birth))
        agent = agent_on(server, *others)
        assert agent.invoke(QUESTION, THREAD)["messages"][-1].text == "It was shipped."
        assert "ord_7133" in server.requests[-1].tool_outputs[2]
        assert_prefixes_repeat(server)
        messages = agent.get_state(THREAD).values["messages"]
        kept = [original_content(message) for message in messages if isinstance(message, ToolMessage)]
        assert kept[:2] == [LOG, ORDERS]


@pytest.mark.parametrize("outside", [True, False])
def test_what_context_editing_clears_stays_cleared(outside: bool) -> None:
    editing = ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=100, keep=1)])
    ours = HeadroomMiddleware()
    with ScriptedModel([calls("list_orders", day=1), calls("read_log", service="a"), "done"]) as server:
        agent_on(server, *((ours, editing) if outside else (editing, ours))).invoke(QUESTION, THREAD)
        first, second = server.requests[-1].tool_outputs
        assert first == "[cleared]"
        assert "card_8812" in second and len(second) < len(LOG) / 10


@pytest.mark.parametrize("outside", [True, False])
def test_a_summary_replaces_what_it_replaces_and_the_rest_stays_short(outside: bool) -> None:
    def script(request: Request) -> Reply | str:
        if not request.tools:
            return "There were orders."  # the model that writes the summary
        return "done" if request.messages[-1]["role"] == "tool" else calls("list_orders", day=request.number)

    with ScriptedModel(script) as server:
        when = {"trigger": ("messages", 7)} if _knows("trigger") else {"max_tokens_before_summary": 25_000}
        keep = {"keep": ("messages", 4)} if _knows("keep") else {"messages_to_keep": 4}
        summary = SummarizationMiddleware(model=model_of("openai", server), **when, **keep)
        ours = HeadroomMiddleware()
        agent = agent_on(server, *((ours, summary) if outside else (summary, ours)))
        for question in ("first?", "second?", "third?"):
            agent.invoke({"messages": question}, THREAD)
        messages = agent.get_state(THREAD).values["messages"]
        assert "summary of the conversation" in str(messages[0].content)
        assert all(text == ORDERS for text in tool_texts(messages))
        assert all(len(text) < len(ORDERS) / 5 for request in server.requests for text in request.tool_outputs)


def _knows(option: str) -> bool:
    return option in inspect.signature(SummarizationMiddleware.__init__).parameters


def test_a_fallback_model_gets_the_same_short_texts() -> None:
    def script(request: Request) -> Reply | str:
        if request.body["model"] == "gpt-4o" and request.tool_outputs:
            return Reply(status=500)
        return "done" if request.tool_outputs else calls("list_orders", day=1)

    with ScriptedModel(script) as server:
        for order in (0, 1):
            server.clear()
            middleware: list[Any] = [ModelFallbackMiddleware(model_of("anthropic", server))]
            middleware.insert(order, HeadroomMiddleware())
            agent = create_agent(model_of("openai", server), TOOLS, middleware=middleware)
            assert agent.invoke(QUESTION)["messages"][-1].text == "done"
            failed, answered = server.requests[-2:]
            assert failed.tool_outputs == answered.tool_outputs
            assert len(answered.tool_outputs[0]) < len(ORDERS) / 5
            assert "headroom_retrieve" in answered.tools


def test_a_tool_that_waits_for_a_human_is_shortened_like_any_other() -> None:
    with ScriptedModel([calls("list_orders", day=1), "done"]) as server:
        agent = agent_on(server, HumanInTheLoopMiddleware(interrupt_on={"list_orders": True}), HeadroomMiddleware())
        assert "__interrupt__" in agent.invoke(QUESTION, THREAD)
        agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
        assert len(server.requests[-1].tool_outputs[0]) < len(ORDERS) / 5
        assert tool_texts(agent.get_state(THREAD).values["messages"]) == [ORDERS]


def test_a_tool_that_fails_and_is_tried_again() -> None:
    attempts = []

    @tool
    def flaky(day: int) -> str:
        """Fails once."""
        attempts.append(day)
        if len(attempts) == 1:
            raise ValueError("try again")
        return ORDERS

    for at_birth in (False, True):
        attempts.clear()
        with ScriptedModel([calls("flaky", day=1), "done"]) as server:
            retry = ToolRetryMiddleware(max_retries=2, initial_delay=0)
            agent_on(server, HeadroomMiddleware(at_birth=at_birth), retry, tools=[flaky]).invoke(QUESTION, THREAD)
            assert len(attempts) == 2
            assert len(server.requests[-1].tool_outputs[0]) < len(ORDERS) / 5


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("at_birth", [False, True])
@pytest.mark.parametrize("bound", [False, True])
def test_a_model_that_shortens_by_itself_gets_one_tool_and_nothing_is_shortened_twice(dialect: str, at_birth: bool, bound: bool) -> None:
    stores = MemoryStore(), MemoryStore()
    with ScriptedModel(looks_around) as server:
        model: Any = HeadroomChatModel(model_of(dialect, server), store=stores[0])
        model = model.bind(stop=["\n\nEnd"]) if bound else model
        middleware = HeadroomMiddleware(store=stores[1], at_birth=at_birth)
        agent = create_agent(model, TOOLS, middleware=[middleware], checkpointer=InMemorySaver())
        agent.invoke(QUESTION, THREAD)
        assert all(request.tools.count("headroom_retrieve") == 1 for request in server.requests)
        log, orders, rows = server.requests[-1].tool_outputs
        assert log.count("headroom_retrieve ref=") == orders.count("headroom_retrieve ref=") == 1
        assert "ord_7133" in rows and "shipped" in rows
        assert_prefixes_repeat(server)
        assert sorted(store.stats().entries for store in stores) == [0, 2], "one of them did all the work"
        kept = [message for message in agent.get_state(THREAD).values["messages"] if isinstance(message, ToolMessage)]
        assert [original_content(message) for message in kept[:2]] == [LOG, ORDERS]


# --- at birth ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_at_birth_the_state_is_short_and_the_original_lies_beside_it(dialect: str) -> None:
    with ScriptedModel(looks_around) as server:
        agent = agent_on(server, HeadroomMiddleware(at_birth=True), dialect=dialect)
        agent.invoke(QUESTION, THREAD)
        outputs = [message for message in agent.get_state(THREAD).values["messages"] if isinstance(message, ToolMessage)]
        assert [message.content for message in outputs] == server.requests[-1].tool_outputs
        assert [message.artifact for message in outputs[:2]] == [LOG, ORDERS]
        assert "ord_7133" in outputs[2].content and outputs[2].artifact is None
        assert len(server.requests[-1].raw) < len(ORDERS) / 2, "artifacts are never sent"
        assert_prefixes_repeat(server)


async def test_at_birth_asynchronously() -> None:
    with ScriptedModel([Reply(calls=(Call("list_orders", {"day": 1}), Call("read_file", {"path": "a.py"}))), "done"]) as server:
        agent = agent_on(server, HeadroomMiddleware(at_birth=True), tools=ASYNC_TOOLS)
        await agent.ainvoke(QUESTION, THREAD)
        outputs = [message for message in agent.get_state(THREAD).values["messages"] if isinstance(message, ToolMessage)]
        assert all(len(message.content) < len(message.artifact) for message in outputs)
        assert [message.content for message in outputs] == server.requests[-1].tool_outputs


def test_at_birth_an_artifact_of_the_tools_own_is_kept() -> None:
    rows = [{"kept": True}]

    @tool(response_format="content_and_artifact")
    def with_artifact(day: int) -> Any:
        """Orders and their rows."""
        return ORDERS, rows

    with ScriptedModel([calls("with_artifact", day=1), "done"]) as server:
        agent = agent_on(server, HeadroomMiddleware(at_birth=True), tools=[with_artifact])
        message = agent.invoke(QUESTION, THREAD)["messages"][2]
        assert message.artifact == rows
        assert len(message.content) < len(ORDERS) / 5
        assert original_content(message) == ORDERS


def test_at_birth_a_command_keeps_its_other_updates() -> None:
    @tool
    def commanding(day: int) -> Any:
        """Answers with a command."""
        message = ToolMessage(ORDERS, tool_call_id="one", name="commanding", id="m1")
        return Command(update={"messages": [message]})

    with ScriptedModel([Reply(calls=(Call("commanding", {"day": 1}, "one"),)), "done"]) as server:
        agent = agent_on(server, HeadroomMiddleware(at_birth=True), tools=[commanding])
        message = agent.invoke(QUESTION, THREAD)["messages"][2]
        assert message.id == "m1" and message.artifact == ORDERS
        assert server.requests[-1].tool_outputs == [message.content]


# --- bounds and trouble ------------------------------------------------------------------------------------------------------


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
