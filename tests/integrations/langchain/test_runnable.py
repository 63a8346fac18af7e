"""HeadroomRunnable: what passes through a chain, shorter and in its own form."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import RunnableLambda

from headroom import MemoryStore, retrieve
from headroom.integrations.langchain import HeadroomRunnable, create_retrieve_tool
from tests.integrations.langchain.agents import DIALECTS, ORDERS, model_of
from tests.scripted_model import ScriptedModel

HISTORY = [
    HumanMessage("orders?"),
    AIMessage("", tool_calls=[{"name": "list_orders", "args": {"day": 1}, "id": "1"}]),
    ToolMessage(ORDERS, tool_call_id="1", name="list_orders", id="t"),
]
PROMPT = ChatPromptTemplate.from_messages([("system", "You help {whom}."), MessagesPlaceholder("history"), ("human", "{question}")])
VALUES = {"whom": "a shop", "history": HISTORY, "question": "And ord_7133?"}
PASTED = f"What is wrong here?\n{ORDERS}\nTell me."


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_between_a_prompt_and_a_model(dialect: str) -> None:
    store = MemoryStore()
    tool = create_retrieve_tool(store=store)
    with ScriptedModel(["done"]) as server:
        chain = PROMPT | HeadroomRunnable(retrieve_tool=tool) | model_of(dialect, server).bind_tools([tool])
        assert chain.invoke(VALUES).text == "done"
        assert (await chain.ainvoke(VALUES)).text == "done"
        assert "".join(chunk.text for chunk in chain.stream(VALUES)) == "done"
        assert [answer.text for answer in chain.batch([VALUES] * 3)] == ["done"] * 3
        texts = {request.tool_outputs[0] for request in server.requests}
        assert len(server.requests) == 6 and len(texts) == 1
        assert len(texts.pop()) < len(ORDERS) / 5
        assert retrieve(server.requests[0].references[0], store=store) == ORDERS
        assert server.requests[0].user_text == "And ord_7133?"


def test_without_a_tool_it_folds_only() -> None:
    text = HeadroomRunnable().invoke(HISTORY)[-1].content
    assert len(text) < len(ORDERS) and all(f"ord_{7000 + row}" in text for row in range(300))


def test_every_form_comes_back_in_its_own() -> None:
    step = HeadroomRunnable(retrieve_tool=create_retrieve_tool(store=MemoryStore()))
    prompt = step.invoke(ChatPromptValue(messages=HISTORY))
    assert isinstance(prompt, ChatPromptValue) and len(prompt.to_string()) < len(ORDERS) / 5
    text = step.invoke(PromptTemplate.from_template("{it}").invoke({"it": PASTED}))
    assert isinstance(text, StringPromptValue) and text.text.startswith("What is wrong here?\n") and text.text.endswith("Tell me.")
    assert len(text.text) < len(ORDERS) / 3
    words = step.invoke(PASTED)
    assert isinstance(words, str) and words == text.text
    message = step.invoke(HumanMessage(PASTED, id="m"))
    assert isinstance(message, HumanMessage) and message.id == "m" and message.content == words
    state = step.invoke({"messages": HISTORY, "other": 1})
    assert state["other"] == 1 and len(state["messages"][-1].content) < len(ORDERS) / 5
    pairs = step.invoke([("system", "Be brief."), ("human", PASTED)])
    assert pairs == [SystemMessage("Be brief."), HumanMessage(words)]


@pytest.mark.parametrize(
    "value", [None, 7, "short", [], {}, {"messages": []}, {"question": PASTED}, [1, 2], ["a", "b"], b"x", {"messages": None}]
)
def test_what_needs_nothing_comes_back_as_the_same_object(value: Any) -> None:
    assert HeadroomRunnable().invoke(value) is value


def test_the_input_is_never_changed() -> None:
    before = [message.model_dump() for message in HISTORY]
    HeadroomRunnable().invoke(HISTORY)
    assert [message.model_dump() for message in HISTORY] == before


def test_it_is_a_step_like_any_other() -> None:
    seen = []
    chain = HeadroomRunnable(namespace="tenant").with_config(run_name="shorten") | RunnableLambda(seen.append)
    events = [type(event).__name__ for event in (chain.invoke(HISTORY),)]
    assert events == ["NoneType"] and len(seen[0][-1].content) < len(ORDERS)
    step = HeadroomRunnable()
    step.with_retry().invoke(HISTORY)
    assert step.savings.requests == 1
    assert step.get_name() == "HeadroomRunnable"
