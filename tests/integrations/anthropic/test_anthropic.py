"""Anthropic's own clients behave as ever, send less, and their model can get back what was left out."""

from __future__ import annotations

import asyncio
import copy
import importlib
import itertools
import json
import sys
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest

import headroom.integrations.anthropic as integration
from headroom import CompressionHooks, CompressionService, ConfigError, MemoryStore, MissingDependencyError
from headroom.integrations.anthropic import HeadroomMiddleware, savings_of, with_headroom
from tests.scripted_model import Call, Reply, Request, ScriptedModel
from tests.wire.talks import ORDERS, Json, looks_once, messages, retrieval
from tests.wire.threads import Threads

ASKED: Json = {"model": "m", "max_tokens": 9, "messages": messages("anthropic")}
WORDS = "Let me look.It is ord_7301."


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(looks_once) as scripted:
        yield scripted


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=model.url, api_key="k", max_retries=0) as plain:
        yield with_headroom(plain, store=MemoryStore())


def words(message: Any) -> str:
    assert [block.type for block in message.content if block.type == "tool_use"] == []
    return "".join(block.text for block in message.content if block.type == "text")


def create(client: Any) -> str:
    return words(client.messages.create(**ASKED))


def streamed_events(client: Any) -> str:
    found = list(client.messages.create(stream=True, **ASKED))
    assert [event.type for event in found].count("message_start") == 1
    return "".join(event.delta.text for event in found if event.type == "content_block_delta" and event.delta.type == "text_delta")


def stream_helper(client: Any) -> str:
    with client.messages.stream(**ASKED) as stream:
        said = "".join(stream.text_stream)
        assert words(stream.get_final_message()) == said
        assert stream.get_final_message().usage.input_tokens == 400
    return said


def raw_response(client: Any) -> str:
    answer = client.messages.with_raw_response.create(**ASKED)
    assert answer.headers["x-scripted"] == "yes" and answer.elapsed.total_seconds() > 0
    return words(answer.parse())


def streaming_response(client: Any) -> str:
    with client.messages.with_streaming_response.create(**ASKED) as answer:
        return words(answer.parse())


def streaming_response_lines(client: Any) -> str:
    with client.messages.with_streaming_response.create(stream=True, **ASKED) as answer:
        found = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    return "".join(event["delta"].get("text", "") for event in found if event["type"] == "content_block_delta")


def beta(client: Any) -> str:
    return words(client.beta.messages.create(**ASKED))


def with_options(client: Any) -> str:
    return create(client.with_options(timeout=30, max_retries=1))


EVERY_WAY = [create, streamed_events, stream_helper, raw_response, streaming_response, streaming_response_lines, beta, with_options]


@pytest.mark.parametrize("way", EVERY_WAY)
def test_every_way_to_ask(model: ScriptedModel, client: anthropic.Anthropic, way: Any) -> None:
    before = copy.deepcopy(ASKED)
    assert way(client) == WORDS
    assert before == ASKED, "the caller's own is never changed"
    assert [request.tools for request in model.requests] == [["headroom_retrieve"]] * 2
    assert len(model.requests[0].raw) < len(json.dumps(ASKED)) / 2
    assert model.requests[1].messages[: len(model.requests[0].messages)] == model.requests[0].messages
    assert savings_of(client).summary()["retrievals"] == 1


async def test_every_way_to_ask_asynchronously(model: ScriptedModel) -> None:
    async with anthropic.AsyncAnthropic(base_url=model.url, api_key="k", max_retries=0) as plain:
        client = with_headroom(plain, store=MemoryStore())
        assert isinstance(client, anthropic.AsyncAnthropic)
        assert words(await client.messages.create(**ASKED)) == WORDS
        async with client.messages.stream(**ASKED) as stream:
            assert words(await stream.get_final_message()) == WORDS
        found = [event async for event in await client.messages.create(stream=True, **ASKED)]
        assert found[-1].type == "message_stop"
        assert words(await (await client.messages.with_raw_response.create(**ASKED)).parse()) == WORDS
        async with client.messages.with_streaming_response.create(**ASKED) as answer:
            assert words(await answer.parse()) == WORDS
        assert words(await client.with_options(timeout=9).beta.messages.create(**ASKED)) == WORDS
    assert len(model.requests) == 12
    assert savings_of(client).retrievals == 6


async def test_many_at_once_do_not_mix(model: ScriptedModel) -> None:
    async with anthropic.AsyncAnthropic(base_url=model.url, api_key="k") as plain:
        client = with_headroom(plain, store=MemoryStore())
        said = await asyncio.gather(*(client.messages.create(**ASKED) for _ in range(12)))
    assert {words(message) for message in said} == {WORDS}
    assert savings_of(client).retrievals == 12


def test_the_client_is_of_the_same_class_and_the_other_one_stays_as_it_is(model: ScriptedModel) -> None:
    with anthropic.Anthropic(base_url=model.url, api_key="k") as plain:
        client = with_headroom(plain, store=MemoryStore())
        assert type(client) is anthropic.Anthropic
        assert plain.middleware == ()
        model.script = ["plain"]
        plain.messages.create(**ASKED)
        assert model.bodies[-1]["messages"] == json.loads(json.dumps(ASKED["messages"]))
        with pytest.raises(ValueError, match="with_headroom"):
            savings_of(plain)
        again = with_headroom(client, store=MemoryStore())
        assert len(again.middleware) == 1, "wrapped once, however often it is asked for"
        assert savings_of(again) is not savings_of(client)


def test_closing_closes() -> None:
    client = with_headroom(anthropic.Anthropic(api_key="k"), store=MemoryStore())
    with client:
        assert not client.is_closed()
    assert client.is_closed()


def test_a_tool_runner_runs_its_tools_beside_ours(model: ScriptedModel, client: anthropic.Anthropic) -> None:
    def script(request: Request) -> Reply | str:
        outputs = request.tool_outputs
        if not outputs:
            return Reply(calls=(Call("list_orders", {}),))
        if len(outputs) == 1:
            return Reply("Both.", calls=(retrieval(request), Call("get_order", {"number": 7})))
        return f"seen: {'ord_7301' in outputs[1]}, {outputs[2]}"

    @anthropic.beta_tool
    def list_orders() -> str:
        """All orders."""
        return ORDERS

    @anthropic.beta_tool
    def get_order(number: int) -> str:
        """One order."""
        return f"order {number}"

    model.script = threads = Threads(script)
    question: Any = [{"role": "user", "content": "so?"}]
    runner = client.beta.messages.tool_runner(model="m", max_tokens=9, messages=question, tools=[list_orders, get_order])
    assert words(runner.until_done()) == "seen: True, order 7"
    assert len(threads.whole) == 3
    for earlier, later in itertools.pairwise(threads.whole):
        assert later.tools == earlier.tools == ["list_orders", "get_order", "headroom_retrieve"]
        assert json.dumps(later.messages).startswith(json.dumps(earlier.messages)[:-1])


def test_counting_tokens_counts_what_would_be_sent(model: ScriptedModel, client: anthropic.Anthropic) -> None:
    counted = client.messages.count_tokens(model="m", messages=ASKED["messages"]).input_tokens
    assert counted < len(json.dumps(ASKED)) / 8
    assert model.requests[0].tools == ["headroom_retrieve"]
    assert savings_of(client).requests == 0


def test_what_is_no_conversation_passes(model: ScriptedModel, client: anthropic.Anthropic) -> None:
    assert client.models.list(limit=1).data[0].id == "scripted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.create(requests=[{"custom_id": "a", "params": ASKED}])  # type: ignore[typeddict-item]
    assert model.bodies[-1]["requests"][0]["params"] == json.loads(json.dumps(ASKED))


class _Counting(CompressionHooks):
    def __init__(self) -> None:
        self.calls = 0

    def pre_compress(self, messages: Any, context: Any) -> Any:
        self.calls += 1
        return messages


def test_a_request_that_is_tried_again_is_compressed_once(model: ScriptedModel) -> None:
    replies = [Reply(status=529, headers={"retry-after-ms": "1"}), Reply(status=500, headers={"retry-after-ms": "1"}), "there"]
    model.script = replies
    hooks = _Counting()
    with anthropic.Anthropic(base_url=model.url, api_key="k", max_retries=3) as plain:
        client = with_headroom(plain, store=MemoryStore(), hooks=hooks)
        assert words(client.messages.create(**ASKED)) == "there"
    assert len(model.requests) == 3
    assert len({request.raw for request in model.requests}) == 1
    assert hooks.calls == savings_of(client).requests == 1


def test_a_later_round_that_fails_is_tried_again_from_the_start(model: ScriptedModel) -> None:
    failures = iter([Reply(status=529, headers={"retry-after-ms": "1"})])

    def script(request: Request) -> Reply | str:
        return (next(failures, None) or looks_once(request)) if len(request.tool_outputs) > 1 else looks_once(request)

    model.script = script
    with anthropic.Anthropic(base_url=model.url, api_key="k", max_retries=1) as plain:
        client = with_headroom(plain, store=MemoryStore())
        assert words(client.messages.create(**ASKED)) == WORDS
    assert len(model.requests) == 4
    assert savings_of(client).requests == 1


def test_errors_keep_their_types(model: ScriptedModel, client: anthropic.Anthropic) -> None:
    model.script = [Reply(status=429, headers={"retry-after": "7"})]
    with pytest.raises(anthropic.RateLimitError) as refused:
        client.messages.create(**ASKED)
    assert refused.value.response.headers["retry-after"] == "7"
    model.script = lambda request: Reply(status=500) if len(request.tool_outputs) > 1 else looks_once(request)
    with pytest.raises(anthropic.APIStatusError), client.messages.stream(**ASKED) as stream:
        stream.until_done()
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(**ASKED)


def test_a_stream_that_nobody_reads_to_its_end_is_let_go(model: ScriptedModel, client: anthropic.Anthropic) -> None:
    with client.messages.create(stream=True, **ASKED) as stream:
        assert next(iter(stream)).type == "message_start"
    assert len(model.requests) == 1


def test_other_middleware_sees_what_the_caller_sent(model: ScriptedModel) -> None:
    seen: list[Any] = []

    class Spy(anthropic.Middleware):
        def handle(self, request: Any, call_next: Any) -> Any:
            response = call_next(request)
            seen.append((request.json["messages"], words(response.parse())))
            return response

    with anthropic.Anthropic(base_url=model.url, api_key="k", middleware=[Spy()]) as plain:
        assert create(with_headroom(plain, store=MemoryStore())) == WORDS
        inside = with_headroom(anthropic.Anthropic(base_url=model.url, api_key="k"), store=MemoryStore())
        assert seen == [(ASKED["messages"], WORDS)]
    with inside.with_options(middleware=[*inside.middleware, Spy()]) as client:
        model.script = ["plain"]
        assert create(client) == "plain"


def test_without_retrieval_texts_are_only_folded(model: ScriptedModel) -> None:
    model.script = ["plain"]
    with anthropic.Anthropic(base_url=model.url, api_key="k") as plain:
        assert create(with_headroom(plain, retrieve=False, store=MemoryStore())) == "plain"
    assert "tools" not in model.bodies[0]
    assert "headroom_retrieve" not in model.requests[0].raw.decode()
    assert len(model.requests[0].raw) < len(json.dumps(ASKED)) / 2


def test_options_are_checked_at_once() -> None:
    with anthropic.Anthropic(api_key="k") as plain, pytest.raises(ConfigError, match="min_tokens"):
        with_headroom(plain, min_token=3)


def test_a_service_may_be_shared(model: ScriptedModel) -> None:
    service = CompressionService(store=MemoryStore())
    with anthropic.Anthropic(base_url=model.url, api_key="k") as plain:
        client = with_headroom(plain, service=service)
        create(client)
        assert savings_of(client.with_options(timeout=3)) is service.savings
    with anthropic.Anthropic(base_url=model.url, api_key="k", middleware=[HeadroomMiddleware(service)]) as own:
        assert create(own) == WORDS
    assert service.savings.requests == 2


@pytest.mark.filterwarnings("ignore:Headroom")
def test_trouble_of_ours_never_fails_a_request(model: ScriptedModel, client: anthropic.Anthropic, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError("out of order")

    model.script = ["plain"]
    monkeypatch.setattr(integration, "Rounds", broken)
    assert create(client) == "plain"
    assert model.bodies[0]["messages"] == json.loads(json.dumps(ASKED["messages"]))
    assert savings_of(client).failures == 1


def test_bedrock_is_folded_before_it_is_signed() -> None:
    """Its streams come in frames that only its own client reads, so no tool is offered there."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        content = [{"type": "text", "text": "plain"}]
        return httpx2.Response(200, json={"id": "m", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": {}})

    http_client = httpx2.Client(transport=httpx2.MockTransport(answer))
    with anthropic.AnthropicBedrock(aws_access_key="a", aws_secret_key="s", aws_region="eu-west-1", http_client=http_client) as plain:
        assert create(with_headroom(plain, store=MemoryStore())) == "plain"
    sent = json.loads(seen[0].read())
    assert "tools" not in sent and len(json.dumps(sent)) < len(json.dumps(ASKED)) / 2
    assert seen[0].headers["authorization"].startswith("AWS4-HMAC-SHA256")


def test_a_missing_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(MissingDependencyError, match=r"headroom-ai\[anthropic\]"):
        importlib.reload(integration)
    monkeypatch.undo()
    importlib.reload(integration)
