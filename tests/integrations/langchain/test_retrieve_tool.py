"""create_retrieve_tool: LangChain's own standard tests, what the model is told, and whatever a model may write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_anthropic.chat_models import convert_to_anthropic_tool
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from headroom import CompressionService, MemoryStore
from headroom.integrations.langchain import create_retrieve_tool
from headroom.tools import definition
from tests.integrations.langchain.agents import ORDERS

STORE = MemoryStore()
(REFERENCE,) = STORE.put_many([ORDERS])


class _Ours:
    @property
    def tool_constructor(self) -> Any:
        return create_retrieve_tool(store=STORE)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"ref": REFERENCE, "query": "ord_7133"}


class TestStandardUnits(_Ours, ToolsUnitTests):
    pass


class TestStandardIntegration(_Ours, ToolsIntegrationTests):
    pass


def test_a_model_is_told_exactly_what_every_other_entrance_tells() -> None:
    tool = create_retrieve_tool(store=STORE)
    assert convert_to_openai_tool(tool) == definition("openai")
    assert convert_to_anthropic_tool(tool) == definition("anthropic")
    assert tool.get_input_schema().model_json_schema()["required"] == ["ref"]


def test_finds_rows_ranges_and_pages() -> None:
    tool = create_retrieve_tool(store=STORE)
    assert "ord_7133" in tool.invoke({"ref": REFERENCE, "query": "ord_7133"})
    whole = tool.invoke({"ref": REFERENCE})
    assert ORDERS.startswith(whole.rpartition("\n[")[0])
    assert tool.invoke({"ref": f"{REFERENCE}-abc", "offset": len(ORDERS) - 10}).startswith(ORDERS[-10:])


def test_a_string_alone_is_the_reference() -> None:
    assert ORDERS.startswith(create_retrieve_tool(store=STORE).invoke(REFERENCE)[:1_000])


@pytest.mark.parametrize(
    "written",
    [
        {"ref": REFERENCE, "offset": "39,400"},
        {"ref": REFERENCE, "offset": 39_400.0},
        {"ref": f"ref={REFERENCE}", "query": ["ord_7133"]},
        {"ref": REFERENCE, "query": 7133},
        {"ref": REFERENCE, "lines": [1, 2]},
        {"reference": REFERENCE},
        {"ref": REFERENCE, "query": None, "lines": "", "pattern": "x"},
    ],
)
def test_wrong_types_are_mended_where_the_meaning_is_plain(written: dict[str, Any]) -> None:
    answer = create_retrieve_tool(store=STORE).invoke(written)
    assert "ord_" in answer or answer.startswith("[{") or '"' in answer
    assert "No original" not in answer and "missing" not in answer


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["ref", "query", "lines", "offset", "other", "self", "config", "run_manager", "args", ""]), values))
def test_nothing_that_a_model_writes_raises(arguments: dict[str, Any]) -> None:
    tool = create_retrieve_tool(store=STORE)
    call = {"type": "tool_call", "name": "headroom_retrieve", "id": "1", "args": arguments}
    message = tool.invoke(call)
    assert isinstance(message, ToolMessage) and message.content and message.status == "success"


def test_a_broken_store_is_answered_in_words() -> None:
    class Broken(MemoryStore):
        def get(self, *args: Any) -> str | None:
            raise RuntimeError("no such table")

    with pytest.raises(RuntimeError):
        Broken().get("x")
    answer = create_retrieve_tool(store=STORE, namespace="other").invoke({"ref": REFERENCE})
    assert "run the tool that gave the output once more" in answer


async def test_works_in_a_tool_node_of_a_graph_of_ones_own() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([create_retrieve_tool(store=STORE)]))
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    call = AIMessage("", tool_calls=[{"name": "headroom_retrieve", "args": {"ref": REFERENCE, "query": "ord_7133"}, "id": "c1"}])
    for answer in (graph.compile().invoke({"messages": [call]}), await graph.compile().ainvoke({"messages": [call]})):
        message = answer["messages"][-1]
        assert message.tool_call_id == "c1" and "ord_7133" in message.content


def test_a_shared_service_counts_what_is_asked() -> None:
    service = CompressionService(store=STORE)
    create_retrieve_tool(service=service).invoke({"ref": "nope"})
    assert service.savings.retrievals == 1


def test_it_can_be_shown_and_traced_without_its_store() -> None:
    tool = create_retrieve_tool(store=STORE)
    assert "MemoryStore" not in repr(tool)
    assert "service" not in json.loads(json.dumps(tool.model_dump(exclude={"args_schema"}), default=str))
