"""An agent around a wrapped model: turn after turn through a checkpoint, in streams, and when another provider takes over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.integrations.langchain.agents import DIALECTS, ORDERS, list_orders, model_of
from tests.integrations.langchain.models import Server, conversation, wrapped
from tests.scripted_model import Call, Reply, Request

ROW = "ord_7123"


def agents_model(request: Request) -> Reply | str:
    """Lists the orders; then asks for a row, beside another list; then answers each new question after asking once more."""
    outputs = request.tool_outputs
    asked = sum(ROW in output and len(output) < 5_000 for output in outputs)
    ask = Call("headroom_retrieve", {"ref": request.references[0], "query": ROW}) if request.references else None
    if ask is None:
        return Reply("I list them.", calls=(Call("list_orders", {"day": 1}),))
    if asked == 0:
        return Reply(calls=(ask, Call("list_orders", {"day": 2})))
    turns = sum(message.get("role") == "user" and "This is turn" in json.dumps(message) for message in request.messages)
    return Reply("Let me see again.", calls=(ask,)) if asked <= turns else f"Turn {turns}: found."


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream"])
async def test_prefixes_repeat_over_turns_and_the_checkpoint_holds_the_originals(dialect: str, way: str) -> None:
    with Server(agents_model) as server:
        agent: Any = create_agent(wrapped(dialect, server), [list_orders], checkpointer=InMemorySaver(), system_prompt="A shop.")
        config: Any = {"configurable": {"thread_id": "1"}}
        for number in (1, 2, 3):
            question = {"messages": [HumanMessage(f"This is turn {number}.")]}
            if way == "invoke":
                agent.invoke(question, config)
            elif way == "ainvoke":
                await agent.ainvoke(question, config)
            else:
                streamed = [message async for message, _ in agent.astream(question, config, stream_mode="messages")]
                assert "headroom_retrieve" not in json.dumps([message.content for message in streamed])
                assert not any(chunk["name"] == "headroom_retrieve" for m in streamed for chunk in getattr(m, "tool_call_chunks", ()))
        state = agent.get_state(config).values["messages"]
        for before, after in zip(server.requests, server.requests[1:], strict=False):
            assert after.messages[: len(before.messages)] == before.messages
            assert after.tools == ["headroom_retrieve", "list_orders"]
        assert [message.content for message in state if isinstance(message, ToolMessage)] == [ORDERS, ORDERS]
        assert not any(call["name"] == "headroom_retrieve" for m in state if isinstance(m, AIMessage) for call in m.tool_calls)
        assert state[-1].text.endswith("Turn 3: found.")
        assert len(server.requests) >= 6


def test_another_provider_can_take_over_with_what_was_told() -> None:
    def asks(request: Request) -> Reply | str:
        told = any(ROW in output for output in request.tool_outputs)
        return "Paid." if told else Reply("Look.", calls=(Call("headroom_retrieve", {"ref": request.references[0], "query": ROW}),))

    with Server(asks) as first, Server(["As I said: paid."]) as second:
        for own, other in (("openai", "anthropic"), ("anthropic", "responses"), ("responses", "openai")):
            first.clear()
            second.clear()
            reply = wrapped(own, first).invoke(conversation())
            said = wrapped(other, second).invoke([*conversation(), reply, HumanMessage("Sure?")])
            assert said.text == "As I said: paid."
            assert ROW in second.requests[0].tool_outputs[1]
            bare = model_of(other, second).invoke([*conversation(), reply, HumanMessage("Sure?")])
            assert bare.text == "As I said: paid."
            assert len(second.requests[1].tool_outputs) == 1
