"""`litellm.callbacks = [HeadroomCallback()]`: what reaches the provider, on each of LiteLLM's ways to call one."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

import litellm
import pytest

from headroom import CompressContext, CompressionHooks, ConfigError, MemoryStore
from headroom.integrations.litellm_callback import HeadroomCallback
from tests.integrations.litellm.talk import (
    LITELLMS_OWN_WARNINGS,
    ORDERS,
    PROVIDERS,
    TOOLS,
    Model,
    Provider,
    answered,
    conversation,
    is_shorter,
    sent_output,
)
from tests.scripted_model import Reply

pytestmark = LITELLMS_OWN_WARNINGS

Way = Callable[[dict[str, Any], dict[str, Any]], Awaitable[Any]]


async def acompletion(to: dict[str, Any], options: dict[str, Any]) -> Any:
    return await litellm.acompletion(messages=conversation("openai"), **to, **options)


async def completion(to: dict[str, Any], options: dict[str, Any]) -> Any:
    return await asyncio.to_thread(litellm.completion, messages=conversation("openai"), **to, **options)


async def router_acompletion(to: dict[str, Any], options: dict[str, Any]) -> Any:
    router = litellm.Router(model_list=[{"model_name": "any", "litellm_params": to}])
    return await router.acompletion(model="any", messages=conversation("openai"), **options)


async def router_completion(to: dict[str, Any], options: dict[str, Any]) -> Any:
    router = litellm.Router(model_list=[{"model_name": "any", "litellm_params": to}])
    return await asyncio.to_thread(router.completion, model="any", messages=conversation("openai"), **options)


async def anthropic_messages(to: dict[str, Any], options: dict[str, Any]) -> Any:
    return await litellm.anthropic.messages.acreate(messages=conversation("anthropic"), max_tokens=99, **to, **options)


async def aresponses(to: dict[str, Any], options: dict[str, Any]) -> Any:
    return await litellm.aresponses(input=conversation("responses"), **to, **options)


async def responses(to: dict[str, Any], options: dict[str, Any]) -> Any:
    return await asyncio.to_thread(litellm.responses, input=conversation("responses"), **to, **options)


WAYS: list[Way] = [acompletion, completion, router_acompletion, router_completion, anthropic_messages, aresponses, responses]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
async def test_every_way_to_every_provider_saves_tokens(way: Way, provider: Provider, callback: HeadroomCallback) -> None:
    with Model() as model:
        await way(provider.at(model), {})
        assert [is_shorter(request) for request in model.requests] == [True]
    assert callback.savings.tokens_saved > 5_000
    assert callback.savings.failures == 0


SYNCHRONOUS = (completion, router_completion, responses)


async def number_of_chunks(stream: Any, way: Way) -> int:
    return len(list(stream)) if way in SYNCHRONOUS else len([chunk async for chunk in stream])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
async def test_streams_are_compressed_and_stay_streams(way: Way, provider: Provider, callback: HeadroomCallback) -> None:
    with Model(["one two three four five six seven eight"]) as model:
        assert await number_of_chunks(await way(provider.at(model), {"stream": True}), way) > 3
        assert [is_shorter(request) for request in model.requests] == [True]
        assert model.requests[0].body["stream"] is True
    assert callback.savings.failures == 0


async def test_the_three_lines_of_the_guide(store_of_its_own: object) -> None:
    with Model() as model:
        litellm.callbacks = [HeadroomCallback()]
        litellm.completion(model="gpt-4o", messages=conversation("openai"), api_base=model.openai_url, api_key="key")
        assert is_shorter(model.requests[0])


async def test_without_the_callback_nothing_is_compressed() -> None:
    with Model() as model:
        await acompletion(PROVIDERS["openai"].at(model), {})
        assert sent_output(model.requests[0]) == ORDERS


async def test_positional_arguments_are_compressed_too(callback: HeadroomCallback) -> None:
    with Model() as model:
        await litellm.acompletion("openai/gpt-4o", conversation("openai"), api_base=model.openai_url, api_key="key")
        assert is_shorter(model.requests[0])


@pytest.mark.parametrize("way", [acompletion, completion], ids=lambda way: way.__name__)
async def test_the_callers_objects_stay_as_they_are(way: Way, callback: HeadroomCallback, monkeypatch: pytest.MonkeyPatch) -> None:
    messages, tools = conversation("openai"), copy.deepcopy(TOOLS["openai"])
    before = copy.deepcopy((messages, tools))
    monkeypatch.setattr("tests.integrations.litellm.test_callback.conversation", lambda dialect: messages)
    with Model() as model:
        await way(PROVIDERS["openai"].at(model), {"tools": tools})
        assert is_shorter(model.requests[0])
    assert (messages, tools) == before


@pytest.mark.parametrize("model_name", ["openai/gpt-4o", "gemini/gemini-2.0-flash"])
async def test_messages_may_be_the_objects_that_litellm_returned(model_name: str, callback: HeadroomCallback) -> None:
    """LiteLLM's own examples append `response.choices[0].message` to the conversation."""
    question, turn, output = conversation("openai")
    said = litellm.Message(content=None, tool_calls=turn["tool_calls"])
    kwargs = {"model": model_name, "messages": [question, said, output], "litellm_call_id": "call-1"}
    new = await callback.async_pre_call_deployment_hook(kwargs, "acompletion")
    assert new is not None
    assert new["messages"][:2] == [question, said]
    assert new["messages"][1] is said
    assert len(new["messages"][2]["content"]) < len(ORDERS) / 2


async def test_an_input_that_is_one_text_stays_one(callback: HeadroomCallback) -> None:
    with Model() as model:
        to = PROVIDERS["openai"].at(model)
        await litellm.aresponses(input="Which of these are late?\n" + ORDERS, **to)
        sent = model.requests[0].body["input"]
    assert isinstance(sent, str)
    assert len(sent) < len(ORDERS) / 2


@answered("openai")
async def test_each_request_repeats_the_one_before(callback: HeadroomCallback) -> None:
    """Byte for byte, or the provider's prefix cache misses; with the tool in the list from the first request on."""
    messages: list[Any] = [{"role": "user", "content": "hello"}]
    with Model() as model:
        for day in range(4):
            await litellm.acompletion(messages=messages, tools=TOOLS["openai"], **PROVIDERS["openai"].at(model))
            messages = [*messages, *conversation("openai", ORDERS.replace("ord_7", f"ord_{day}"))]
        for earlier, later in zip(model.requests, model.requests[1:], strict=False):
            assert later.body["messages"][: len(earlier.body["messages"])] == earlier.body["messages"]
            assert later.body["tools"] == earlier.body["tools"]
            assert earlier.tools == ["list_orders", "headroom_retrieve"]


async def test_what_a_call_carries_besides_stays(callback: HeadroomCallback) -> None:
    options = {"temperature": 0.5, "user": "u1", "response_format": {"type": "json_object"}, "extra_headers": {"x-mine": "1"}}
    with Model() as model:
        await acompletion(PROVIDERS["openai"].at(model), options)
        (request,) = model.requests
    assert {name: request.body[name] for name in ("temperature", "user", "response_format")} == {
        "temperature": 0.5,
        "user": "u1",
        "response_format": {"type": "json_object"},
    }
    assert request.headers["x-mine"] == "1"
    assert not [name for name in request.body if "headroom" in name or "litellm" in name]


async def test_other_endpoints_are_left_alone(callback: HeadroomCallback) -> None:
    assert await callback.async_pre_call_deployment_hook({"model": "m", "input": ["text"] * 9}, "aembedding") is None
    assert await callback.async_pre_call_deployment_hook({"model": "m", "messages": conversation("openai")}, None) is None
    assert callback.savings.requests == 0


# --- trouble ------------------------------------------------------------------------------------------------------------


class BrokenHooks(CompressionHooks):
    def pre_compress(self, messages: list[dict[str, Any]], ctx: CompressContext) -> list[dict[str, Any]]:
        raise RuntimeError("broken hook")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_trouble_of_ours_never_fails_a_call(way: Way) -> None:
    litellm.callbacks = [HeadroomCallback(hooks=BrokenHooks())]
    with Model() as model, pytest.warns(UserWarning, match="broken hook"):
        await way(PROVIDERS["openai"].at(model), {})
        assert [sent_output(request) for request in model.requests] == [ORDERS]
    assert litellm.callbacks[0].savings.failures == 1


async def test_trouble_is_warned_of_once() -> None:
    litellm.callbacks = [HeadroomCallback(hooks=BrokenHooks())]
    with Model() as model:
        with pytest.warns(UserWarning, match="broken hook"):
            await acompletion(PROVIDERS["openai"].at(model), {})
        await acompletion(PROVIDERS["openai"].at(model), {})  # a second warning would be an error here
    assert litellm.callbacks[0].savings.failures == 2


@pytest.mark.parametrize("messages", [[{"role": "user"}], [{"content": 7}], [3], "text", None, [], {}])
async def test_messages_that_make_no_sense_are_litellms_business(messages: Any, callback: HeadroomCallback) -> None:
    with pytest.warns(UserWarning) if isinstance(messages, list) and messages else _nothing():
        new = await callback.async_pre_call_deployment_hook({"model": "m", "messages": messages}, "acompletion")
    assert new is None or new["messages"] is messages or new["messages"] == messages


def _nothing() -> Any:
    import contextlib

    return contextlib.nullcontext()


async def test_errors_of_the_provider_come_through(callback: HeadroomCallback) -> None:
    with Model([Reply(status=429, error="slow down")]) as model, pytest.raises(litellm.RateLimitError, match="slow down"):
        await acompletion(PROVIDERS["openai"].at(model), {})
    assert callback.savings.failures == 0


async def test_a_mistyped_option_is_an_error_at_once() -> None:
    with pytest.raises(ConfigError, match="lossless"):
        HeadroomCallback(losless=True)


# --- tenants ------------------------------------------------------------------------------------------------------------


@answered("openai")
async def test_keys_of_a_proxy_read_only_their_own_originals() -> None:
    callback = HeadroomCallback(store=MemoryStore())
    one, other = ({"metadata": {"user_api_key_hash": name}} for name in ("hash-one", "hash-two"))
    kwargs = {"model": "m", "messages": conversation("openai"), "tools": TOOLS["openai"], "litellm_call_id": "1", **one}
    new = await callback.async_pre_call_deployment_hook(kwargs, "acompletion")
    assert new is not None
    reference = new["messages"][-1]["content"].rpartition("ref=")[2].rstrip("]\n")
    asked = {"ref": reference}
    assert callback.service_of(one).answer("headroom_retrieve", asked) != callback.service_of(other).answer("headroom_retrieve", asked)
    assert "ord_7000" in callback.service_of(one).answer("headroom_retrieve", asked)
    assert "No original is stored" in callback.service_of(other).answer("headroom_retrieve", asked)
    assert callback.service_of(one) is callback.service_of(one)
    assert callback.savings.retrievals == 4


async def test_savings_are_counted_together() -> None:
    callback = HeadroomCallback(store=MemoryStore())
    for name in ("hash-one", "hash-two"):
        kwargs = {"messages": conversation("openai"), "tools": TOOLS["openai"], "metadata": {"user_api_key_hash": name}}
        await callback.async_pre_call_deployment_hook(kwargs, "acompletion")
    assert callback.savings.requests == 2
    assert json.dumps(callback.savings.summary())
