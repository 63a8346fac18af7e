"""OpenAI's own clients behave as ever, send less, and their model can get back what was left out."""

from __future__ import annotations

import asyncio
import copy
import importlib
import itertools
import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

import headroom.integrations.openai as integration
from headroom import CompressionHooks, CompressionService, ConfigError, MemoryStore, MissingDependencyError
from headroom.integrations.openai import savings_of, with_headroom
from tests.scripted_model import Call, Reply, Request, ScriptedModel
from tests.wire.talks import Json, looks_once, messages, own_tool, retrieval

CHAT: Json = {"model": "m", "messages": messages("openai")}
ITEMS: Json = {"model": "m", "input": messages("responses")}
WORDS = "Let me look.It is ord_7301."


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(looks_once) as scripted:
        yield scripted


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.openai_url, api_key="k", max_retries=0) as plain:
        yield with_headroom(plain, store=MemoryStore())


def words(completion: Any) -> str:
    message = completion.choices[0].message
    assert not message.tool_calls
    return (message.content or "").replace("\n\n", "")


def create(client: Any) -> str:
    return words(client.chat.completions.create(**CHAT))


def streamed_chunks(client: Any) -> str:
    chunks = list(client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **CHAT))
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.usage.prompt_tokens for chunk in chunks if chunk.usage] == [400]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices).replace("\n\n", "")


def stream_helper(client: Any) -> str:
    with client.chat.completions.stream(**CHAT) as stream:
        return words(stream.get_final_completion())


def raw_response(client: Any) -> str:
    answer = client.chat.completions.with_raw_response.create(**CHAT)
    assert answer.headers["x-scripted"] == "yes" and answer.elapsed.total_seconds() > 0
    return words(answer.parse())


def streaming_response(client: Any) -> str:
    with client.chat.completions.with_streaming_response.create(**CHAT) as answer:
        return words(answer.parse())


def responses(client: Any) -> str:
    answer = client.responses.create(**ITEMS)
    assert answer.usage.total_tokens == 412 and answer.tools == []
    return str(answer.output_text)


def responses_streamed(client: Any) -> str:
    found = list(client.responses.create(stream=True, **ITEMS))
    assert [event.sequence_number for event in found] == list(range(len(found)))
    return "".join(event.delta for event in found if event.type == "response.output_text.delta")


def responses_helper(client: Any) -> str:
    with client.responses.stream(**ITEMS) as stream:
        return str(stream.get_final_response().output_text)


def with_options(client: Any) -> str:
    return create(client.with_options(timeout=30, max_retries=1))


WAYS = [
    create,
    streamed_chunks,
    stream_helper,
    raw_response,
    streaming_response,
    responses,
    responses_streamed,
    responses_helper,
    with_options,
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_ask(model: ScriptedModel, client: openai.OpenAI, way: Any) -> None:
    before = copy.deepcopy((CHAT, ITEMS))
    assert way(client) == WORDS
    assert before == (CHAT, ITEMS), "the caller's own is never changed"
    assert [request.tools for request in model.requests] == [["headroom_retrieve"]] * 2
    assert len(model.requests[0].raw) < len(json.dumps(CHAT)) / 2
    assert model.requests[1].messages[: len(model.requests[0].messages)] == model.requests[0].messages
    assert savings_of(client).summary()["retrievals"] == 1


class Found(BaseModel):
    id: str


def test_parsing(model: ScriptedModel, client: openai.OpenAI) -> None:
    model.script = lambda request: '{"id": "ord_7301"}' if len(request.tool_outputs) > 1 else Reply(calls=(retrieval(request),))
    completion = client.chat.completions.parse(response_format=Found, **CHAT)
    assert completion.choices[0].message.parsed == Found(id="ord_7301")
    assert client.responses.parse(text_format=Found, **ITEMS).output_parsed == Found(id="ord_7301")
    with client.chat.completions.stream(response_format=Found, **CHAT) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == Found(id="ord_7301")
    assert len(model.requests) == 6


async def test_every_way_to_ask_asynchronously(model: ScriptedModel) -> None:
    async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="k", max_retries=0) as plain:
        client = with_headroom(plain, store=MemoryStore())
        assert type(client) is openai.AsyncOpenAI
        assert words(await client.chat.completions.create(**CHAT)) == WORDS
        chunks = [chunk async for chunk in await client.chat.completions.create(stream=True, **CHAT)]
        assert chunks[-1].choices[0].finish_reason == "stop"
        async with client.chat.completions.stream(**CHAT) as stream:
            assert words(await stream.get_final_completion()) == WORDS
        assert words((await client.chat.completions.with_raw_response.create(**CHAT)).parse()) == WORDS
        async with client.chat.completions.with_streaming_response.create(**CHAT) as answer:
            assert words(await answer.parse()) == WORDS
        assert (await client.responses.create(**ITEMS)).output_text == WORDS
        async with client.responses.stream(**ITEMS) as events:
            assert (await events.get_final_response()).output_text == WORDS
        assert words(await client.with_options(timeout=9).chat.completions.create(**CHAT)) == WORDS
    assert len(model.requests) == 16
    assert savings_of(client).retrievals == 8


async def test_many_at_once_do_not_mix(model: ScriptedModel) -> None:
    async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="k") as plain:
        client = with_headroom(plain, store=MemoryStore())
        said = await asyncio.gather(*(client.chat.completions.create(**CHAT) for _ in range(12)))
    assert {words(completion) for completion in said} == {WORDS}
    assert savings_of(client).retrievals == 12


def test_the_client_is_of_the_same_class_and_the_other_one_stays_as_it_is(model: ScriptedModel) -> None:
    with openai.OpenAI(base_url=model.openai_url, api_key="k") as plain:
        before = plain._client
        client = with_headroom(plain, store=MemoryStore())
        assert type(client) is openai.OpenAI and plain._client is before
        model.script = ["plain"]
        plain.chat.completions.create(**CHAT)
        assert model.bodies[-1] == json.loads(json.dumps(CHAT))
        with pytest.raises(ValueError, match="with_headroom"):
            savings_of(plain)
        again = with_headroom(client, store=MemoryStore())
        assert create(again) == "plain"
        assert model.requests[-1].tools == ["headroom_retrieve"], "wrapped once, however often it is asked for"
        assert savings_of(again) is not savings_of(client)


def test_azure(model: ScriptedModel) -> None:
    with openai.AzureOpenAI(azure_endpoint=model.url, api_key="k", api_version="2024-10-21") as plain:
        client = with_headroom(plain, store=MemoryStore())
        assert type(client) is openai.AzureOpenAI
        assert create(client) == WORDS
        assert create(client.with_options(timeout=4)) == WORDS
    assert model.requests[0].path == "/openai/deployments/m/chat/completions?api-version=2024-10-21"
    assert model.requests[0].headers["api-key"] == "k"
    assert model.requests[1].path == model.requests[0].path


def test_an_http_client_of_ones_own_keeps_its_ways(model: ScriptedModel) -> None:
    seen: list[str] = []
    hooks = {"request": [lambda request: seen.append(request.headers["x-own"])]}
    own = httpx.Client(headers={"x-own": "mine"}, event_hooks=hooks, auth=("user", "word"))
    with openai.OpenAI(base_url=model.openai_url, api_key="k", http_client=own) as plain:
        assert create(with_headroom(plain, store=MemoryStore())) == WORDS
    assert seen == ["mine", "mine"]
    assert [request.headers["x-own"] for request in model.requests] == ["mine", "mine"]
    assert own.is_closed


def test_httpx2(model: ScriptedModel) -> None:
    httpx2 = pytest.importorskip("httpx2")
    try:
        plain = openai.OpenAI(base_url=model.openai_url, api_key="k", http_client=httpx2.Client())
    except TypeError:
        pytest.skip("this client does not know httpx2 yet")
    with plain:
        client = with_headroom(plain, store=MemoryStore())
        for way in (create, streamed_chunks, raw_response, responses_helper):
            assert way(client) == WORDS


def test_closing_closes() -> None:
    plain = openai.OpenAI(api_key="k")
    with with_headroom(plain, store=MemoryStore()) as client:
        assert not client.is_closed()
    assert client.is_closed() and plain.is_closed(), "they share connections, as copies by with_options() do"


def test_a_client_stays_open_when_the_one_it_was_made_from_is_forgotten(model: ScriptedModel) -> None:
    client = with_headroom(openai.OpenAI(base_url=model.openai_url, api_key="k"), store=MemoryStore())
    assert create(client) == WORDS
    with_headroom(client, store=MemoryStore())
    assert create(client) == WORDS
    client.close()


def test_an_agent_loop_beside_ours(model: ScriptedModel, client: openai.OpenAI) -> None:
    """The client's tool and ours in one breath: the agent sees its own, and its next prompt begins with the last."""

    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) == 1:
            return Reply(None or "", calls=(Call("get_order", {"id": 7}), retrieval(request)))
        return f"seen: {'ord_7301' in ''.join(request.tool_outputs[1:])}"

    model.script = script
    conversation: Any = list(CHAT["messages"])
    tools: Any = [own_tool("openai", "get_order")]
    first = client.chat.completions.create(model="m", messages=conversation, tools=tools).choices[0].message
    assert [call.function.name for call in first.tool_calls or [] if call.type == "function"] == ["get_order"]
    conversation += [first, {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "the order"}]  # type: ignore[index]
    assert words(client.chat.completions.create(model="m", messages=conversation, tools=tools)) == "seen: True"
    for earlier, later in itertools.pairwise(model.requests):
        assert later.messages[: len(earlier.messages)] == earlier.messages


def test_counting_tokens_counts_what_would_be_sent(model: ScriptedModel, client: openai.OpenAI) -> None:
    if not hasattr(client.responses, "input_tokens"):
        pytest.skip("this client does not count tokens yet")
    with pytest.raises(openai.NotFoundError):  # the scripted model counts for Anthropic only
        client.responses.input_tokens.count(**ITEMS)
    assert model.requests[0].tools == ["headroom_retrieve"]
    assert len(model.requests[0].raw) < len(json.dumps(ITEMS)) / 2
    assert savings_of(client).requests == 0


def test_what_is_no_conversation_passes(model: ScriptedModel, client: openai.OpenAI) -> None:
    assert client.models.list().data[0].id == "scripted"
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="m", input=[json.dumps(CHAT)])
    assert model.bodies[-1]["input"] == [json.dumps(CHAT)]
    with pytest.raises(openai.NotFoundError):
        client.files.create(file=b"x" * 100, purpose="batch")
    assert b"x" * 100 in model.requests[-1].raw


class _Counting(CompressionHooks):
    def __init__(self) -> None:
        self.calls = 0

    def pre_compress(self, messages: Any, context: Any) -> Any:
        self.calls += 1
        return messages


def test_a_request_that_is_tried_again_is_compressed_once(model: ScriptedModel) -> None:
    model.script = [Reply(status=503, headers={"retry-after-ms": "1"}), Reply(status=500, headers={"retry-after-ms": "1"}), "there"]
    hooks = _Counting()
    with openai.OpenAI(base_url=model.openai_url, api_key="k", max_retries=3) as plain:
        client = with_headroom(plain, store=MemoryStore(), hooks=hooks)
        assert create(client) == "there"
    assert len({request.raw for request in model.requests}) == 1 and len(model.requests) == 3
    assert hooks.calls == savings_of(client).requests == 1


def test_errors_keep_their_types(model: ScriptedModel, client: openai.OpenAI) -> None:
    model.script = [Reply(status=429, headers={"retry-after": "7"})]
    with pytest.raises(openai.RateLimitError) as refused:
        create(client)
    assert refused.value.response.headers["retry-after"] == "7"
    model.script = lambda request: Reply(status=500) if len(request.tool_outputs) > 1 else looks_once(request)
    assert [event.type for event in client.responses.create(stream=True, **ITEMS)][-1] == "error"
    for way in (streamed_chunks, stream_helper):
        with pytest.raises(openai.APIError, match="scripted error"):
            way(client)
    with pytest.raises(openai.InternalServerError):
        create(client)
    model.script = [Reply("a long reply " * 9, breaks_after=3)]
    with pytest.raises(Exception, match=r"incomplete|closed|disconnected|Connection error"):
        streamed_chunks(client)


def test_a_stream_that_nobody_reads_to_its_end_is_let_go(model: ScriptedModel, client: openai.OpenAI) -> None:
    with client.chat.completions.create(stream=True, **CHAT) as stream:
        assert next(iter(stream)).choices[0].delta.role == "assistant"
    assert len(model.requests) == 1


def test_without_retrieval_texts_are_only_folded(model: ScriptedModel) -> None:
    model.script = ["plain"]
    with openai.OpenAI(base_url=model.openai_url, api_key="k") as plain:
        assert create(with_headroom(plain, retrieve=False, store=MemoryStore())) == "plain"
    assert "tools" not in model.bodies[0]
    assert "headroom_retrieve" not in model.requests[0].raw.decode()
    assert len(model.requests[0].raw) < len(json.dumps(CHAT)) / 2


def test_options_are_checked_at_once() -> None:
    with openai.OpenAI(api_key="k") as plain, pytest.raises(ConfigError, match="min_tokens"):
        with_headroom(plain, min_token=3)


def test_a_service_may_be_shared(model: ScriptedModel) -> None:
    service = CompressionService(store=MemoryStore())
    with openai.OpenAI(base_url=model.openai_url, api_key="k") as plain:
        client = with_headroom(plain, service=service)
        create(client)
        assert savings_of(client.with_options(timeout=3)) is service.savings


@pytest.mark.filterwarnings("ignore:Headroom")
def test_trouble_of_ours_never_fails_a_request(model: ScriptedModel, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError("out of order")

    model.script = ["plain"]
    monkeypatch.setattr(integration, "Rounds", broken)
    assert create(client) == "plain"
    assert model.bodies[0] == json.loads(json.dumps(CHAT))
    assert savings_of(client).failures == 1


def test_a_missing_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingDependencyError, match=r"headroom-ai\[openai\]"):
        importlib.reload(integration)
    monkeypatch.undo()
    importlib.reload(integration)
