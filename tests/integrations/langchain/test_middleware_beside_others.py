"""HeadroomMiddleware among LangChain's own middlewares, in any order, and around a model that shortens by itself."""

from __future__ import annotations

import inspect
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
)
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from headroom import MemoryStore
from headroom.integrations.langchain import HeadroomChatModel, HeadroomMiddleware, original_content
from tests.integrations.langchain.agents import (
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
