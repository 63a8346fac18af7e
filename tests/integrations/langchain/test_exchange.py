"""The model asks for what was left out and gets it, within one invoke or stream; the application never sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.caches import InMemoryCache
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
    messages_from_dict,
    messages_to_dict,
)
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import BaseModel

from tests.integrations.langchain.agents import DIALECTS, list_orders, model_of
from tests.integrations.langchain.models import HAS_V3, Runs, Server, conversation, wrapped
from tests.scripted_model import Call, Reply, Request, Script

pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
]
ROW = "ord_7123"
"""A row in the middle, which a digest leaves out."""


def ask(request: Request, query: str = ROW) -> Call:
    return Call("headroom_retrieve", {"ref": request.references[0], "query": query})


def asks_once(says: str = "", then: str = "It was paid.", beside: tuple[Call, ...] = (), usage: tuple[int, int] = (100, 7)) -> Script:
    def script(request: Request) -> Reply | str:
        if any(ROW in output for output in request.tool_outputs):
            return Reply(then, usage=usage)
        return Reply(says, calls=(ask(request), *beside), usage=usage)

    return script


def _invoke(model: Any, messages: list[BaseMessage]) -> AIMessage:
    reply: AIMessage = model.invoke(messages)
    return reply


def _stream(model: Any, messages: list[BaseMessage]) -> AIMessage:
    return _joined(list(model.stream(messages)))


def _ainvoke(model: Any, messages: list[BaseMessage]) -> AIMessage:
    reply: AIMessage = asyncio.run(model.ainvoke(messages))
    return reply


def _astream(model: Any, messages: list[BaseMessage]) -> AIMessage:
    async def collect() -> list[Any]:
        return [chunk async for chunk in model.astream(messages)]

    return _joined(asyncio.run(collect()))


def _v3(model: Any, messages: list[BaseMessage]) -> AIMessage:
    stream = model.stream_events(messages, version="v3")
    assert list(stream)
    reply: AIMessage = stream.output
    return reply


def _joined(chunks: list[AIMessageChunk]) -> AIMessage:
    joined = chunks[0]
    for chunk in chunks[1:]:
        joined += chunk
    assert joined.chunk_position == "last"
    message = message_chunk_to_message(joined)
    assert isinstance(message, AIMessage)
    return message


WAYS: dict[str, Callable[[Any, list[BaseMessage]], AIMessage]] = {
    "invoke": _invoke,
    "stream": _stream,
    "ainvoke": _ainvoke,
    "astream": _astream,
    **({"v3": _v3} if HAS_V3 else {}),
}
every_way = pytest.mark.parametrize("way", WAYS)
every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def assert_each_request_begins_with_the_one_before(server: Server) -> None:
    for before, after in zip(server.requests, server.requests[1:], strict=False):
        assert after.messages[: len(before.messages)] == before.messages
        assert after.body.get("tools") == before.body.get("tools")
        assert after.body.get("system") == before.body.get("system")


@every_dialect
@every_way
@pytest.mark.parametrize("says", ["", "Let me look."], ids=["silent", "with words"])
def test_a_call_is_answered_within_the_same_request(dialect: str, way: str, says: str) -> None:
    with Server(asks_once(says)) as server:
        runs = Runs()
        model = wrapped(dialect, server, stream_usage=True, callbacks=[runs])
        reply = WAYS[way](model, conversation())
        assert reply.text.split() == f"{says} It was paid.".split()
        assert reply.tool_calls == []
        assert reply.invalid_tool_calls == []
        assert "headroom_retrieve" not in json.dumps(reply.content)
        assert reply.usage_metadata is not None
        assert reply.usage_metadata["output_tokens"] == 14
        assert runs.events == ["start", "end"]
        assert len(server.requests) == 2
        assert ROW in server.requests[1].tool_outputs[-1]
        assert ROW not in server.requests[1].tool_outputs[0]
        assert model.get_metrics()["retrievals"] == 1
        assert model.get_metrics()["requests"] == 1
        assert_each_request_begins_with_the_one_before(server)


@every_dialect
@every_way
@pytest.mark.parametrize(
    ("says", "kept", "blocks"), [("", "object", None), ("Let me look.", "checkpoint", None), ("Let me look.", "checkpoint", "v1")]
)
def test_the_model_keeps_what_it_was_told_and_the_prefix_repeats(dialect: str, way: str, says: str, kept: str, blocks: str | None) -> None:
    with Server(asks_once(says)) as server:
        model = wrapped(dialect, server, output_version=blocks)
        reply = WAYS[way](model, conversation())
        if kept == "checkpoint":
            reply = messages_from_dict(json.loads(json.dumps(messages_to_dict([reply]))))[0]
        WAYS[way](model, [*conversation(), reply, HumanMessage("Thanks.")])
        assert len(server.requests) == 3
        assert_each_request_begins_with_the_one_before(server)
        last = server.requests[2]
        assert len(last.tool_outputs) == 2
        assert json.dumps(last.messages).count("It was paid.") == 1, last.messages[-3:]
        assert json.dumps(last.messages).count("Let me look.") == bool(says)


@every_dialect
@every_way
@pytest.mark.parametrize("blocks", [None, "v1"])
def test_a_call_beside_the_applications_own_is_hidden_and_put_back(dialect: str, way: str, blocks: str | None) -> None:
    own = Call("list_orders", {"day": 2}, id="call_own")

    def script(request: Request) -> Reply | str:
        return "Done." if len(request.tool_outputs) > 1 else Reply("Both.", calls=(ask(request), own))

    with Server(script) as server:
        model = wrapped(dialect, server, output_version=blocks).bind_tools([list_orders])
        reply = WAYS[way](model, conversation())
        assert [call["name"] for call in reply.tool_calls] == ["list_orders"]
        assert "headroom_retrieve" not in json.dumps([reply.content, reply.additional_kwargs])
        assert len(server.requests) == 1
        messages = [*conversation(), reply, ToolMessage("[]", tool_call_id="call_own", name="list_orders")]
        again = WAYS[way](model, messages)
        WAYS[way](model, [*messages, again, HumanMessage("Thanks.")])
        second = server.requests[1]
        assert ROW in second.tool_outputs[1]
        assert second.tool_outputs[2] == "[]"
        assert json.dumps(second.messages).index('headroom_retrieve"') < json.dumps(second.messages).index("call_own")
        assert_each_request_begins_with_the_one_before(server)


@every_dialect
@every_way
def test_a_framework_that_drops_metadata_loses_only_those_rounds(dialect: str, way: str) -> None:
    with Server(asks_once("Let me look.")) as server:
        model = wrapped(dialect, server)
        reply = WAYS[way](model, conversation())
        WAYS[way](model, [*conversation(), AIMessage(reply.text), HumanMessage("Thanks.")])
        assert len(server.requests[2].tool_outputs) == 1


@every_dialect
@every_way
@pytest.mark.parametrize("tools", [[], [list_orders]], ids=["no tools", "with tools"])
def test_rounds_are_bounded_and_the_last_request_must_be_answered(dialect: str, way: str, tools: list[Any]) -> None:
    def insatiable(request: Request) -> Reply | str:
        choice = request.body.get("tool_choice")
        may_ask = "headroom_retrieve" in request.tools and choice not in ("none", {"type": "none"})
        return Reply(calls=(ask(request),)) if may_ask else "I give up."

    with Server(insatiable) as server:
        model = wrapped(dialect, server, headroom={"max_retrieve_rounds": 2})
        reply = WAYS[way](model.bind_tools(tools) if tools else model, conversation())
        assert reply.text == "I give up."
        assert len(server.requests) == 3
        assert len(server.requests[2].tool_outputs) == 3


@every_dialect
@every_way
def test_a_model_that_asks_on_when_it_may_not_is_not_heard(dialect: str, way: str) -> None:
    with Server(lambda request: Reply("Hm.", calls=(ask(request),))) as server:
        reply = WAYS[way](wrapped(dialect, server, headroom={"max_retrieve_rounds": 1}), conversation())
        assert len(server.requests) == 2
        assert reply.text.split() == ["Hm.", "Hm."]
        assert reply.tool_calls == []


@every_dialect
@every_way
def test_a_miswritten_call_is_answered_with_words_the_model_can_act_on(dialect: str, way: str) -> None:
    def script(request: Request) -> Reply | str:
        return "I see." if len(request.tool_outputs) > 1 else Reply(calls=(Call("headroom_retrieve", {"query": "paid"}),))

    with Server(script) as server:
        assert WAYS[way](wrapped(dialect, server), conversation()).text == "I see."
        assert "headroom_retrieve(ref=" in server.requests[1].tool_outputs[1]


@every_dialect
def test_a_required_call_may_be_ours_first(dialect: str) -> None:
    def script(request: Request) -> Reply:
        told = any(ROW in output for output in request.tool_outputs)
        return Reply(calls=(Call("list_orders", {"day": 2}),) if told else (ask(request),))

    with Server(script) as server:
        reply = wrapped(dialect, server).bind_tools([list_orders], tool_choice="any").invoke(conversation())
        assert [call["name"] for call in reply.tool_calls] == ["list_orders"]
        assert [request.body["tool_choice"] for request in server.requests] == [server.requests[0].body["tool_choice"]] * 2


class Verdict(BaseModel):
    """What became of it."""

    status: str


@every_dialect
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_document_may_be_preceded_by_a_question_of_ours(dialect: str, way: str) -> None:
    if dialect == "anthropic" and "method" not in signature(ChatAnthropic.with_structured_output).parameters:
        pytest.skip("this langchain-anthropic writes documents as forced calls only")
    with Server(asks_once(then='{"status": "paid"}')) as server:
        model = wrapped(dialect, server).with_structured_output(Verdict, method="json_schema")
        found = model.invoke(conversation()) if way == "invoke" else list(model.stream(conversation()))[-1]
        assert found == Verdict(status="paid")
        assert len(server.requests) == 2


@every_dialect
def test_a_cached_reply_holds_its_rounds(dialect: str) -> None:
    with Server(asks_once()) as server:
        model = wrapped(dialect, server, cache=InMemoryCache())
        first, second = model.invoke(conversation()), model.invoke(conversation())
        assert len(server.requests) == 2
        model.invoke([*conversation(), second, HumanMessage("Thanks.")])
        assert first.content == second.content
        assert_each_request_begins_with_the_one_before(server)


@every_dialect
@every_way
def test_a_rate_limiter_is_asked_for_every_round(dialect: str, way: str) -> None:
    class Limiter(BaseRateLimiter):
        asked = 0

        def acquire(self, *, blocking: bool = True) -> bool:
            Limiter.asked += 1
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            return self.acquire()

    with Server(asks_once()) as server:
        WAYS[way](wrapped(dialect, server, rate_limiter=Limiter()), conversation())
        assert Limiter.asked == len(server.requests) == 2


@every_dialect
def test_several_requests_at_once_do_not_mix(dialect: str) -> None:
    def script(request: Request) -> Reply | str:
        wanted = request.user_text.split()[-1]
        return f"{wanted} found" if any(wanted in output for output in request.tool_outputs) else Reply(calls=(ask(request, wanted),))

    def asking(row: str) -> list[BaseMessage]:
        first, _, *rest = conversation()
        return [first, HumanMessage(f"What about {row[:4]}?"), *rest, HumanMessage(f"Look up {row}")]

    rows = [f"ord_7{number}" for number in range(150, 162)]
    with Server(script) as server:
        model = wrapped(dialect, server)
        assert [reply.text for reply in model.batch([asking(row) for row in rows])] == [f"{row} found" for row in rows]


@every_dialect
@pytest.mark.parametrize("way", ["stream", "astream"])
def test_words_arrive_as_they_are_said_and_calls_never_do(dialect: str, way: str) -> None:
    with Server(asks_once("Let me look it up.")) as server:
        chunks: list[AIMessageChunk] = []
        for chunk in wrapped(dialect, server, stream_usage=True).stream(conversation()):
            if chunk.text and not any(earlier.text for earlier in chunks):
                assert len(server.requests) == 1  # the first word passes before the second request is made
            chunks.append(chunk)
        assert sum(1 for chunk in chunks if chunk.text) > 4
        assert all(not chunk.tool_call_chunks for chunk in chunks)
        assert not {chunk.id for chunk in chunks} & {"resp_1", "chatcmpl-1"}  # all chunks are of one message
        counted = [chunk for chunk in chunks if chunk.usage_metadata and chunk.usage_metadata["output_tokens"]]
        assert len(counted) == 1


def test_anthropic_streams_strings_as_the_bare_model_does() -> None:
    with Server(asks_once("Let me look.")) as server:
        assert all(isinstance(chunk.content, str) for chunk in wrapped("anthropic", server).stream(conversation()))
    with Server(["Hello."]) as server:
        for options in ({}, {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}):
            bare = [chunk.content for chunk in model_of("anthropic", server, **options).stream("hello")]
            assert [chunk.content for chunk in wrapped("anthropic", server, **options).stream("hello")] == bare


@pytest.mark.parametrize("dialect", ["responses", "anthropic"])
@every_way
def test_thinking_before_a_call_stays_with_it(dialect: str, way: str) -> None:
    def script(request: Request) -> Reply:
        told = any(ROW in output for output in request.tool_outputs)
        return Reply("Paid.", thinking="Now I know.") if told else Reply(calls=(ask(request),), thinking="I must look.")

    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048} if dialect == "anthropic" else {}
    with Server(script) as server:
        model = wrapped(dialect, server, **thinking)
        reply = WAYS[way](model, conversation())
        WAYS[way](model, [*conversation(), reply, HumanMessage("Thanks.")])
        assert_each_request_begins_with_the_one_before(server)
        last = json.dumps(server.requests[2].messages)
        assert (last.count("I must look."), last.count("Now I know."), last.count("Paid.")) == (1, 1, 1)


def test_a_conversation_on_the_servers_side_goes_on() -> None:
    def script(request: Request) -> Reply | str:
        return "Fine." if request.number else Reply("Let me look.", calls=(ask(request),))

    for way in WAYS.values():
        with Server(script) as server:
            model = wrapped("responses", server, use_previous_response_id=True)
            reply = way(model, conversation())
            way(model, [*conversation(), reply, HumanMessage("Thanks.")])
            assert [request.body.get("previous_response_id") for request in server.requests] == [None, "resp_0", "resp_1"]
            assert [len(request.messages) for request in server.requests[1:]] == [1, 1]


@every_dialect
def test_trouble_of_ours_with_a_reply_gives_the_reply_as_it_came(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("headroom.integrations.langchain.exchange.hidden.calls_of", fails)
    with Server(["It was paid."]) as server, pytest.warns(UserWarning, match="broken"):
        model = wrapped(dialect, server)
        assert model.invoke(conversation()).text == "It was paid."
        assert model.get_metrics()["failures"] == 1
