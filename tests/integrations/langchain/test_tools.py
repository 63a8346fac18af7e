"""wrap_tools_with_headroom: everything about a tool stays, but the length of what the model reads."""

from __future__ import annotations

import copy
import json
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import InjectedState, InjectedStore, InjectedToolCallId, ToolRuntime
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForToolRun
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool, ToolException, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.store.memory import InMemoryStore
from pydantic import BaseModel, Field

from headroom import CompressionService, ConfigError, MemoryStore, retrieve
from headroom.integrations.langchain import HeadroomMiddleware, create_retrieve_tool, original_content, wrap_tools_with_headroom
from tests.integrations.langchain.agents import (
    ASYNC_TOOLS,
    DIALECTS,
    LOG,
    ORDERS,
    TOOLS,
    assert_prefixes_repeat,
    list_orders,
    looks_around,
    model_of,
)
from tests.scripted_model import Call, Reply, ScriptedModel
from tests.shop import orders


def wrapped(known: Any, **options: Any) -> Any:
    return wrap_tools_with_headroom([known], store=MemoryStore(), **options)[0]


def called(known: Any, **arguments: Any) -> ToolMessage:
    message = known.invoke({"type": "tool_call", "name": known.name, "args": arguments, "id": "c1"})
    assert isinstance(message, ToolMessage)
    return message


@pytest.mark.parametrize("dialect", DIALECTS)
def test_in_an_agent(dialect: str) -> None:
    with ScriptedModel(looks_around) as server:
        agent = create_agent(model_of(dialect, server), wrap_tools_with_headroom(TOOLS))
        messages = agent.invoke({"messages": "What became of ord_7133?"})["messages"]
        log, listed, rows = server.requests[-1].tool_outputs
        assert len(log) < len(LOG) / 10 and len(listed) < len(ORDERS) / 5
        assert "ord_7133" in rows and "shipped" in rows
        assert server.requests[0].tools == ["list_orders", "read_log", "headroom_retrieve"]
        assert_prefixes_repeat(server)
        outputs = [message for message in messages if isinstance(message, ToolMessage)]
        assert [message.artifact for message in outputs[:2]] == [LOG, ORDERS]
        assert [message.content for message in outputs] == [log, listed, rows]


async def test_in_an_agent_asynchronously() -> None:
    both = Reply(calls=(Call("list_orders", {"day": 1}), Call("read_file", {"path": "a.py"})))
    with ScriptedModel([both, "done"]) as server:
        agent = create_agent(model_of("openai", server), wrap_tools_with_headroom(ASYNC_TOOLS))
        messages = (await agent.ainvoke({"messages": "?"}))["messages"]
        outputs = [message for message in messages if isinstance(message, ToolMessage)]
        assert all(len(message.content) < len(message.artifact) / 2 for message in outputs)


def test_with_the_middleware_there_is_one_tool_and_nothing_is_shortened_twice() -> None:
    with ScriptedModel(looks_around) as server:
        middleware = HeadroomMiddleware()
        agent = create_agent(model_of("openai", server), wrap_tools_with_headroom(TOOLS), middleware=[middleware])
        agent.invoke({"messages": "ord_7133?"})
        assert all(request.tools.count("headroom_retrieve") == 1 for request in server.requests)
        assert all(text.count("headroom_retrieve ref=") == 1 for text in server.requests[-1].tool_outputs[:2])
        assert "ord_7133" in server.requests[-1].tool_outputs[2]
        assert middleware.savings.tokens_saved == 0


# --- what stays ----------------------------------------------------------------------------------------------------------------


def test_what_a_tool_is() -> None:
    known = StructuredTool.from_function(
        lambda day: ORDERS, name="list_orders", description="Orders.", tags=["shop"], metadata={"team": "a"}, args_schema={
            "type": "object", "properties": {"day": {"type": "integer"}}, "required": ["day"]}, extras={"x": 1})  # fmt: skip
    ours = wrapped(known)
    assert isinstance(ours, StructuredTool) and type(ours).__name__ == "StructuredTool" and ours is not known
    assert convert_to_openai_tool(ours) == convert_to_openai_tool(known)
    for name in type(known).model_fields:
        assert getattr(ours, name) == getattr(known, name)
    assert len(called(ours, day=1).content) < len(ORDERS) / 5
    assert called(known, day=1).content == ORDERS, "the tool that was given is as it was"


def test_a_result_that_is_no_text_stays_json() -> None:
    @tool
    def rows(day: int) -> Any:
        """A dict."""
        return {"day": day, "orders": orders(100)}

    ours = wrapped(rows)
    message = called(ours, day=1)
    assert json.loads(message.artifact)["orders"] == orders(100)
    assert "'id'" not in message.content and len(message.content) < len(message.artifact) / 2
    assert ours.invoke({"day": 1}) == {"day": 1, "orders": orders(100)}, "a program gets what the tool gives"

    @tool
    def small(day: int) -> Any:
        """A small dict."""
        return {"day": day, "näh": None}

    assert called(wrapped(small), day=1).content == '{"day": 1, "näh": null}'


def test_called_by_a_program_a_text_is_shortened() -> None:
    store = MemoryStore()
    ours = wrap_tools_with_headroom([list_orders], store=store)[0]
    text = ours.invoke({"day": 1})
    assert isinstance(text, str) and len(text) < len(ORDERS) / 5
    reference = text.rpartition("ref=")[2].partition("]")[0]
    assert retrieve(reference, store=store) == ORDERS


def test_an_artifact_of_the_tools_own() -> None:
    class Rows(BaseModel):
        count: int

    @tool(response_format="content_and_artifact")
    def with_artifact(day: int) -> Any:
        """Text and an object."""
        return ORDERS, Rows(count=300)

    message = called(wrapped(with_artifact), day=1)
    assert message.artifact == Rows(count=300)
    assert len(message.content) < len(ORDERS) / 5
    assert original_content(message) == ORDERS


def test_an_artifact_alone_and_short_outputs_are_as_they_were() -> None:
    @tool
    def short(day: int) -> str:
        """Short."""
        return "ok"

    assert called(wrapped(short), day=1) == called(short, day=1)
    assert original_content(called(wrapped(short), day=1)) == "ok"


class Known(BaseTool):
    """A tool as people derive them."""

    name: str = "known"
    description: str = "A tool of a class of its own."
    limit: int = 3
    seen: list[Any] = Field(default_factory=list)

    def _run(self, day: int, config: RunnableConfig, run_manager: CallbackManagerForToolRun | None = None) -> str:
        self.seen.append((day, config["metadata"]["who"], run_manager is not None))
        return ORDERS

    async def _arun(self, day: int, config: RunnableConfig) -> str:
        self.seen.append(("async", day, config["metadata"]["who"]))
        return ORDERS


async def test_a_class_of_ones_own() -> None:
    known = Known(limit=5)
    ours = wrapped(known)
    assert isinstance(ours, Known) and ours.limit == 5
    config: Any = {"metadata": {"who": "me"}}
    assert len(ours.invoke({"day": 1}, config)) < len(ORDERS) / 5
    assert len(await ours.ainvoke({"day": 2}, config)) < len(ORDERS) / 5
    assert known.seen == [(1, "me", True), ("async", 2, "me")]


def test_a_tool_of_one_string_and_a_plain_function() -> None:
    def by_day(day: str) -> str:
        """Orders of a day."""
        return ORDERS

    old, new = wrap_tools_with_headroom([Tool("old", by_day, "Orders."), by_day], store=MemoryStore())[:2]
    assert isinstance(old, Tool) and len(old.invoke("monday")) < len(ORDERS) / 5
    assert len(old.run("monday")) < len(ORDERS) / 5
    assert new.name == "by_day" and len(new.invoke({"day": "monday"})) < len(ORDERS) / 5


class State(BaseModel):
    messages: Any = None


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_injected_arguments(asynchronous: bool) -> None:
    seen: dict[str, Any] = {}

    @tool
    def injected(
        day: int,
        state: Annotated[Any, InjectedState],
        messages: Annotated[list[Any], InjectedState("messages")],
        store: Annotated[Any, InjectedStore()],
        call_id: Annotated[str, InjectedToolCallId],
        runtime: ToolRuntime,
        config: RunnableConfig,
    ) -> str:
        """All that can be injected."""
        seen.update(day=day, state=len(state["messages"]), messages=len(messages), store=store, call_id=call_id)
        seen.update(runtime=runtime.tool_call_id, thread=config["configurable"]["thread_id"])
        return ORDERS

    backing = InMemoryStore()
    with ScriptedModel([Reply(calls=(Call("injected", {"day": 1}, "c9"),)), "done"]) as server:
        agent = create_agent(model_of("openai", server), [wrapped(injected)], store=backing)
        config: Any = {"configurable": {"thread_id": "t"}}
        await agent.ainvoke({"messages": "?"}, config) if asynchronous else agent.invoke({"messages": "?"}, config)
        assert seen == {"day": 1, "state": 2, "messages": 2, "store": backing, "call_id": "c9", "runtime": "c9", "thread": "t"}
        declared = server.requests[0].body["tools"][0]["function"]["parameters"]["properties"]
        assert list(declared) == ["day"]
        assert len(server.requests[-1].tool_outputs[0]) < len(ORDERS) / 5


def test_errors_are_handled_as_the_tool_says() -> None:
    def fails(day: int) -> str:
        """Fails."""
        raise ToolException(f"no day {day}: " + LOG if day > 5 else "no such day")

    raising = wrapped(StructuredTool.from_function(fails))
    with pytest.raises(ToolException, match="no such day"):
        called(raising, day=1)
    handled = called(wrapped(StructuredTool.from_function(fails, handle_tool_error=True)), day=1)
    assert (handled.status, handled.content) == ("error", "no such day")
    told = called(wrapped(StructuredTool.from_function(fails, handle_tool_error=lambda error: "sorry")), day=1)
    assert (told.status, told.content) == ("error", "sorry")
    long = called(wrapped(StructuredTool.from_function(fails, handle_tool_error=True)), day=9)
    assert long.status == "error" and len(long.content) < len(LOG) / 5 and original_content(long).endswith(LOG[-50:])  # type: ignore[union-attr]
    wrong = called(wrapped(StructuredTool.from_function(fails, handle_validation_error="a number, please")), day="x")
    assert (wrong.status, wrong.content) == ("error", "a number, please")


def test_what_speaks_to_the_user_is_left_alone_and_so_is_what_is_not_ours() -> None:
    @tool(return_direct=True)
    def final(day: int) -> str:
        """To the user."""
        return ORDERS

    provider = {"type": "web_search"}
    ours = create_retrieve_tool(store=MemoryStore())
    result = wrap_tools_with_headroom([final, provider, ours])
    assert result == [final, provider, ours] and result[0] is final and result[2] is ours


def test_copies_shorten_too_and_two_wrappings_do_not_mix() -> None:
    stores = MemoryStore(), MemoryStore()
    first, second = (wrap_tools_with_headroom([list_orders], store=store)[0] for store in stores)
    assert type(first) is type(second)
    for known in (first, copy.deepcopy(first), first.model_copy(update={"tags": ["x"]})):
        assert len(known.invoke({"day": 1})) < len(ORDERS) / 5
    assert [store.stats().entries for store in stores] == [1, 0]
    second.invoke({"day": 1})
    assert [store.stats().entries for store in stores] == [1, 1]
    assert first.model_dump(exclude={"args_schema", "func"}) == list_orders.model_dump(exclude={"args_schema", "func"})


def test_wrapping_twice_is_wrapping_once() -> None:
    once = wrap_tools_with_headroom(TOOLS, store=MemoryStore())
    twice = wrap_tools_with_headroom(once)
    assert [known is before for known, before in zip(twice, once, strict=True)] == [True] * 3


def test_the_offered_tools_store_is_used() -> None:
    ours = create_retrieve_tool(store=MemoryStore(), namespace="tenant")
    first, second = wrap_tools_with_headroom([list_orders, ours])
    reference = first.invoke({"day": 1}).rpartition("ref=")[2].partition("]")[0]
    assert second is ours and "ord_7133" in ours.invoke({"ref": reference, "query": "ord_7133"})
    with pytest.raises(ConfigError, match="decides about"):
        wrap_tools_with_headroom([list_orders, ours], store=MemoryStore())


def test_without_retrieval_there_is_no_tool_and_nothing_is_left_out() -> None:
    (ours,) = wrap_tools_with_headroom([list_orders], retrieve=False)
    text = ours.invoke({"day": 1})
    assert len(text) < len(ORDERS) and all(f"ord_{7000 + row}" in text for row in range(300))


def test_callbacks_and_tags_see_the_tool_at_work() -> None:
    seen: list[Any] = []

    class Handler(BaseCallbackHandler):
        def on_tool_start(self, serialized: Any, input_str: str, *, tags: Any = None, metadata: Any = None, **_: Any) -> None:
            seen.append((serialized["name"], tags, metadata["team"]))

        def on_tool_end(self, output: Any, **_: Any) -> None:
            seen.append(len(output.content))

    known = StructuredTool.from_function(
        lambda day: ORDERS, name="orders", description="o", callbacks=[Handler()], tags=["shop"], metadata={"team": "a"},
        args_schema=list_orders.args_schema)  # fmt: skip
    called(wrapped(known), day=1)
    assert seen == [("orders", ["shop"], "a"), len(ORDERS)]


def test_the_call_decides_what_is_shown() -> None:
    @tool
    def search(text: str, state: Annotated[Any, InjectedState] = None) -> str:
        """Finds orders."""
        return ORDERS

    content = called(wrapped(search), text="ord_7133").content
    assert '"ord_7133"' in content or "ord_7133," in content


def test_trouble_of_ours_gives_what_the_tool_gave() -> None:
    class Broken(MemoryStore):
        def put_many(self, *args: Any, **options: Any) -> list[str]:
            raise RuntimeError("no room")

    service = CompressionService(store=Broken())
    ours = wrap_tools_with_headroom([list_orders], service=service)[0]
    with pytest.warns(UserWarning, match="no room"):
        assert called(ours, day=1) == called(list_orders, day=1)
    assert service.savings.failures == 1
    with pytest.raises(ConfigError, match="not both"):
        wrap_tools_with_headroom([], service=service, namespace="x")
