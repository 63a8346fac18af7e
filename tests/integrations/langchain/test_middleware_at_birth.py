"""HeadroomMiddleware(at_birth=True): tool outputs shortened once, the original beside them in the state."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.types import Command

from headroom.integrations.langchain import HeadroomMiddleware, original_content
from tests.integrations.langchain.agents import (
    ASYNC_TOOLS,
    DIALECTS,
    LOG,
    ORDERS,
    QUESTION,
    THREAD,
    agent_on,
    assert_prefixes_repeat,
    looks_around,
)
from tests.scripted_model import Call, Reply, ScriptedModel, calls


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
