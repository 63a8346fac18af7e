"""LangGraph: the prebuilt agent's hook, graphs of one's own, and what their checkpoints hold."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition

from headroom import CompressionService, ConfigError, MemoryStore
from headroom.integrations.langchain import (
    CompressedMessagesState,
    create_compress_tool_messages_node,
    create_pre_model_hook,
    create_retrieve_tool,
    original_content,
)
from tests.integrations.langchain.agents import DIALECTS, LOG, ORDERS, TOOLS, assert_prefixes_repeat, looks_around, model_of, tool_texts
from tests.scripted_model import ScriptedModel, calls

pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")

THREAD: Any = {"configurable": {"thread_id": "1"}}
QUESTION: Any = {"messages": [HumanMessage("What became of order ord_7133?")]}


def assert_short_on_the_wire(server: ScriptedModel) -> None:
    log, orders, rows = server.requests[-1].tool_outputs
    assert len(log) < len(LOG) / 10 and "card_8812" in log
    assert len(orders) < len(ORDERS) / 5
    assert "ord_7133" in rows and "shipped" in rows
    assert_prefixes_repeat(server)


def prebuilt(server: ScriptedModel, dialect: str) -> Any:
    retrieve_tool = create_retrieve_tool(store=MemoryStore())
    hook = create_pre_model_hook(retrieve_tool=retrieve_tool)
    tools = [*TOOLS, retrieve_tool]
    return create_react_agent(model_of(dialect, server), tools, pre_model_hook=hook, checkpointer=InMemorySaver())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_prebuilt_agent(dialect: str) -> None:
    with ScriptedModel(looks_around) as server:
        agent = prebuilt(server, dialect)
        assert agent.invoke(QUESTION, THREAD)["messages"][-1].text == "It was shipped."
        assert_short_on_the_wire(server)
        assert tool_texts(agent.get_state(THREAD).values["messages"])[:2] == [LOG, ORDERS]


async def test_the_prebuilt_agent_asynchronously_and_streaming() -> None:
    with ScriptedModel(looks_around) as server:
        agent = prebuilt(server, "openai")
        pieces = [chunk async for chunk in agent.astream(QUESTION, THREAD, stream_mode=["messages", "updates"])]
        assert pieces
        assert_short_on_the_wire(server)
        assert tool_texts(agent.get_state(THREAD).values["messages"])[:2] == [LOG, ORDERS]


def test_without_the_tool_nothing_is_left_out() -> None:
    with ScriptedModel([calls("list_orders", day=1), "done"]) as server:
        agent = create_react_agent(model_of("openai", server), TOOLS, pre_model_hook=create_pre_model_hook())
        agent.invoke(QUESTION)
        (text,) = server.requests[-1].tool_outputs
        assert len(text) < len(ORDERS) and all(f"ord_{7000 + row}" in text for row in range(300))
        assert "headroom_retrieve" not in text


def own_graph(server: ScriptedModel, dialect: str = "openai", state: Any = CompressedMessagesState) -> Any:
    """A graph as people write them: tools, our node, the model."""
    retrieve_tool = create_retrieve_tool(store=MemoryStore())
    tools = [*TOOLS, retrieve_tool]
    model = model_of(dialect, server).bind_tools(tools)

    def call_model(state: Any) -> Any:
        return {"messages": [model.invoke(state["llm_input_messages"])]}

    async def acall_model(state: Any) -> Any:
        return {"messages": [await model.ainvoke(state["llm_input_messages"])]}

    from langchain_core.runnables import RunnableLambda

    graph = StateGraph(state)
    graph.add_node("compress", create_compress_tool_messages_node(retrieve_tool=retrieve_tool))
    graph.add_node("model", RunnableLambda(call_model, acall_model))
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "compress")
    graph.add_edge("compress", "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "compress")
    return graph.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_graph_of_ones_own(dialect: str) -> None:
    with ScriptedModel(looks_around) as server:
        graph = own_graph(server, dialect)
        assert graph.invoke(QUESTION, THREAD)["messages"][-1].text == "It was shipped."
        assert_short_on_the_wire(server)
        assert tool_texts(graph.get_state(THREAD).values["messages"])[:2] == [LOG, ORDERS]


def test_what_the_model_reads_is_in_no_checkpoint() -> None:
    with ScriptedModel(looks_around) as server:
        graph = own_graph(server)
        graph.invoke(QUESTION, THREAD)
        kept = [str(saved.checkpoint["channel_values"].keys()) for saved in graph.checkpointer.list(THREAD)]
        assert kept and not any("llm_input_messages" in names for names in kept)


async def test_a_graph_of_ones_own_asynchronously() -> None:
    with ScriptedModel(looks_around) as server:
        graph = own_graph(server)
        await graph.ainvoke(QUESTION, THREAD)
        assert_short_on_the_wire(server)
        assert tool_texts(graph.get_state(THREAD).values["messages"])[:2] == [LOG, ORDERS]


def conversation() -> list[AnyMessage]:
    return [
        HumanMessage("orders?", id="h"),
        AIMessage("", tool_calls=[{"name": "list_orders", "args": {"day": 1}, "id": "1"}], id="a"),
        ToolMessage(ORDERS, tool_call_id="1", name="list_orders", id="t"),
    ]


def birth_graph(tool: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("compress", create_compress_tool_messages_node(retrieve_tool=tool, output_key="messages"))
    graph.add_edge(START, "compress")
    graph.add_edge("compress", END)
    return graph.compile()


async def test_the_node_can_shorten_the_state_at_birth_and_keep_the_original_beside_it() -> None:
    graph = birth_graph(create_retrieve_tool(store=MemoryStore()))
    for result in (graph.invoke({"messages": conversation()}), await graph.ainvoke({"messages": conversation()})):
        assert [message.id for message in result["messages"]] == ["h", "a", "t"]
        message = result["messages"][-1]
        assert len(message.content) < len(ORDERS) / 5
        assert message.artifact == original_content(message) == ORDERS


def test_at_birth_nothing_happens_where_nothing_is_new() -> None:
    graph = birth_graph(create_retrieve_tool(store=MemoryStore()))
    messages = [*conversation(), AIMessage("done", id="z")]
    assert graph.invoke({"messages": messages})["messages"] == messages


def test_messages_under_another_key_in_another_kind_of_state() -> None:
    class Own(TypedDict):
        talk: Annotated[list[AnyMessage], add_messages]
        sent: list[AnyMessage]

    node = create_compress_tool_messages_node(messages_key="talk", output_key="sent", retrieve_tool=create_retrieve_tool())
    graph = StateGraph(Own)
    graph.add_node("compress", node)
    graph.add_edge(START, "compress")
    graph.add_edge("compress", END)
    result = graph.compile().invoke({"talk": conversation(), "sent": []})
    assert result["talk"][-1].content == ORDERS
    assert len(result["sent"][-1].content) < len(ORDERS) / 5
    with pytest.raises(ConfigError, match="messages_key"):
        node.invoke({"chat": []})


def test_contradicting_arguments_are_errors_at_once() -> None:
    tool = create_retrieve_tool(store=MemoryStore())
    with pytest.raises(ConfigError, match="decides about store"):
        create_pre_model_hook(retrieve_tool=tool, store=MemoryStore())
    with pytest.raises(ConfigError, match="one store"):
        create_pre_model_hook(retrieve_tool=tool, service=CompressionService(store=MemoryStore()))
    with pytest.raises(ConfigError, match="not both"):
        create_pre_model_hook(service=CompressionService(), min_tokens=3)
    with pytest.raises(ConfigError, match="create_retrieve_tool"):
        create_pre_model_hook(retrieve_tool="headroom_retrieve")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="min_tokens"):
        create_pre_model_hook(min_token=3)


def test_the_tools_namespace_and_the_hooks_own_options_go_together() -> None:
    store = MemoryStore()
    tool = create_retrieve_tool(store=store, namespace="tenant")
    hook = create_pre_model_hook(retrieve_tool=tool, min_tokens=100)
    text = hook.invoke({"messages": conversation()})["llm_input_messages"][-1].content
    assert store.stats("tenant").entries == 1
    reference = text.rpartition("ref=")[2].partition("]")[0]
    assert "ord_7133" in tool.invoke({"ref": reference, "query": "ord_7133"})
