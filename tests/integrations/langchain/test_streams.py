"""Chunks as providers write them: calls in pieces or whole, with an index or without, ours before the application's or after."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from headroom.integrations.langchain import HeadroomChatModel
from tests.integrations.langchain.agents import list_orders
from tests.integrations.langchain.models import conversation

Chunk = AIMessageChunk


class Scripted(BaseChatModel):
    """A model that streams the chunks that it is given, a list a request."""

    rounds: list[list[Any]]
    asked: list[Any] = []  # noqa: RUF012

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, Any]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("it is streamed")

    def _stream(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        self.asked.append(messages)
        for chunk in self.rounds[len(self.asked) - 1]:
            yield ChatGenerationChunk(message=chunk.model_copy(deep=True))


def piece(name: str | None, args: str, index: int | None, id: str | None = None) -> Any:
    return {"type": "tool_call_chunk", "name": name, "args": args, "index": index, "id": id}


def streamed(*rounds: list[Any], **options: Any) -> tuple[list[AIMessageChunk], AIMessageChunk, Any]:
    model = HeadroomChatModel(Scripted(rounds=list(rounds), asked=[]), **options)
    chunks = list(model.bind_tools([list_orders]).stream(conversation()))
    joined = chunks[0]
    for chunk in chunks[1:]:
        joined += chunk
    return chunks, joined, model


REF = json.dumps({"ref": "k3v9x2m7qa-f3k"})
ANSWER = [Chunk("It was "), Chunk("paid.")]


@pytest.mark.parametrize(
    "call",
    [
        [Chunk("", tool_call_chunks=[piece("headroom_retrieve", "", 0, "c1")]), Chunk("", tool_call_chunks=[piece(None, REF, 0)])],
        [Chunk("", tool_call_chunks=[piece("headroom_retrieve", REF, None, "c1")])],
        [Chunk("", tool_call_chunks=[piece("headroom_retrieve", REF, 0, "c1"), piece("headroom_retrieve", REF, 1, "c2")])],
        [Chunk("", tool_call_chunks=[piece("headroom_retrieve", '{"ref": ', 0, "c1")])],
    ],
    ids=["in pieces", "whole, no index", "twice", "broken off"],
)
def test_a_call_of_ours_is_answered_however_it_arrives(call: list[Any]) -> None:
    chunks, joined, model = streamed(call, ANSWER)
    assert joined.content == "It was paid."
    assert not any(chunk.tool_call_chunks for chunk in chunks)
    assert joined.tool_calls == joined.invalid_tool_calls == []
    answers = model.asked[1][len(conversation()) + 1 :]
    assert [answer.tool_call_id for answer in answers] == [call["id"] for call in _calls(model.asked[1][-len(answers) - 1])]


def _calls(message: Any) -> list[Any]:
    return [*message.tool_calls, *message.invalid_tool_calls]


@pytest.mark.parametrize("ours_first", [True, False])
def test_beside_another_call_ours_is_cut_out_of_each_chunk(ours_first: bool) -> None:
    ours, own = (0, 1) if ours_first else (1, 0)
    pieces = [
        Chunk("Both.", usage_metadata={"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}),
        Chunk("", tool_call_chunks=[piece("headroom_retrieve", "", ours, "c1"), piece("list_orders", "", own, "c2")]),
        Chunk("", tool_call_chunks=[piece(None, '{"day"', own), piece(None, REF[:4], ours)]),
        Chunk("", tool_call_chunks=[piece(None, REF[4:], ours), piece(None, ": 2}", own)]),
    ]
    chunks, joined, model = streamed(pieces)
    assert [(call["name"], call["args"], call["id"]) for call in joined.tool_calls] == [("list_orders", {"day": 2}, "c2")]
    assert all(call["index"] == own for chunk in chunks for call in chunk.tool_call_chunks)
    assert joined.usage_metadata is not None
    assert joined.usage_metadata["total_tokens"] == 7
    assert len(model.asked) == 1
    assert joined.response_metadata["headroom"]["beside"]["answers"][0]["id"] == "c1"


def test_rounds_merge_into_one_message() -> None:
    usage: Any = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    first = [
        Chunk("Look.", response_metadata={"model_name": "m", "model_provider": "p"}, id="msg_a"),
        Chunk("", tool_call_chunks=[piece("headroom_retrieve", REF, 0, "c1")]),
        Chunk("", response_metadata={"finish_reason": "tool_calls"}, usage_metadata=usage, chunk_position="last"),
    ]
    second = [
        Chunk("Paid.", response_metadata={"model_name": "m", "model_provider": "p"}, id="msg_b"),
        Chunk("", tool_call_chunks=[piece("list_orders", '{"day": 2}', 0, "c2")]),
        Chunk("", response_metadata={"finish_reason": "stop"}, usage_metadata=usage, chunk_position="last"),
    ]
    chunks, joined, _ = streamed(first, second)
    assert joined.content == "Look.\n\nPaid."
    assert joined.id == "msg_a"
    assert [call["id"] for call in joined.tool_calls] == ["c2"]
    metadata = {key: value for key, value in joined.response_metadata.items() if key != "headroom"}
    assert metadata == {"model_name": "m", "model_provider": "p", "finish_reason": "stop"}
    assert joined.usage_metadata is not None
    assert joined.usage_metadata["total_tokens"] == 14
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]


def test_blocks_of_later_rounds_get_places_of_their_own() -> None:
    first = [
        Chunk([{"type": "text", "text": "Look.", "index": 0}]),
        Chunk(
            [{"type": "tool_use", "id": "c1", "name": "headroom_retrieve", "input": {}, "index": 1}],
            tool_call_chunks=[piece("headroom_retrieve", "", 1, "c1")],
        ),
        Chunk([{"type": "input_json_delta", "partial_json": REF, "index": 1}], tool_call_chunks=[piece(None, REF, 1)]),
    ]
    second = [
        Chunk([{"type": "text", "text": "Paid.", "index": 0}]),
        Chunk(
            [{"type": "tool_use", "id": "c2", "name": "list_orders", "input": {}, "index": 1}],
            tool_call_chunks=[piece("list_orders", '{"day": 2}', 1, "c2")],
        ),
    ]
    _, joined, _ = streamed(first, second)
    assert [block["type"] for block in joined.content] == ["text", "text", "tool_use"]  # type: ignore[index]
    assert joined.text == "Look.\n\nPaid."
    assert [call["id"] for call in joined.tool_calls] == ["c2"]


def test_a_stream_that_is_left_early_ends_there() -> None:
    model: Any = HeadroomChatModel(Scripted(rounds=[ANSWER], asked=[]))
    stream = model.stream(conversation())
    assert next(stream).content == "It was "
    stream.close()
    assert model.get_metrics()["requests"] == 1


@pytest.mark.parametrize("broken", ["_Passed.fitted", "_Round.heard", "_Round.reply"])
def test_trouble_of_ours_lets_the_chunks_through(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(f"headroom.integrations.langchain.streams.{broken}", fails)
    call = Chunk("", tool_call_chunks=[piece("headroom_retrieve", REF, 0, "c1")])
    with pytest.warns(UserWarning, match="broken"):
        _, joined, model = streamed([*ANSWER, call, Chunk("", chunk_position="last")])
    assert joined.content == "It was paid."
    assert model.get_metrics()["failures"] == 1


async def test_an_asynchronous_stream_that_is_abandoned_makes_no_noise() -> None:
    model: Any = HeadroomChatModel(Scripted(rounds=[ANSWER], asked=[]))
    stream = model.astream(conversation())
    assert (await anext(stream)).content == "It was "
    del stream
    gc.collect()
    await asyncio.sleep(0)


def test_a_stream_that_breaks_breaks_for_the_application() -> None:
    class Breaks(Scripted):
        def _stream(self, *_: Any, **__: Any) -> Iterator[Any]:
            yield ChatGenerationChunk(message=Chunk("It was "))
            raise ConnectionError("gone")

    seen = []
    with pytest.raises(ConnectionError, match="gone"):
        for chunk in HeadroomChatModel(Breaks(rounds=[])).stream(conversation()):
            seen.append(chunk.content)  # noqa: PERF401
    assert seen == ["It was "]
