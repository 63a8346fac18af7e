"""`HeadroomCallback().install()`: synchronous completion with all that asynchronous calls have, until `uninstall()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import litellm
import pytest

from headroom import CompressContext, CompressionHooks, MemoryStore
from headroom.integrations.litellm_callback import HeadroomCallback
from tests.integrations.litellm.talk import (
    LITELLMS_OWN_WARNINGS,
    ORDERS,
    PROVIDERS,
    TOOLS,
    WANTED,
    Model,
    Provider,
    answered,
    asks_once,
    conversation,
    sent_output,
)
from tests.scripted_model import Call, Reply

pytestmark = LITELLMS_OWN_WARNINGS


@pytest.fixture
def installed() -> Iterator[HeadroomCallback]:
    callback = HeadroomCallback(store=MemoryStore()).install()
    yield callback
    callback.uninstall()


def ask(to: dict[str, Any], **options: Any) -> Any:
    return litellm.completion(messages=conversation("openai"), **{"tools": TOOLS["openai"], **to, **options})


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_completion_digests_and_answers(provider: Provider, installed: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        response = ask(provider.at(model))
        first, second = model.requests
    assert response.choices[0].message.content == "found"
    assert WANTED not in sent_output(first)
    assert second.messages[: len(first.messages)] == first.messages
    assert installed.savings.requests == 1
    assert installed.savings.retrievals == 1


def test_a_router_and_positional_arguments_come_through_it(installed: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        to = PROVIDERS["openai"].at(model)
        router = litellm.Router(model_list=[{"model_name": "any", "litellm_params": to}])
        assert router.completion("any", conversation("openai"), tools=TOOLS["openai"]).choices[0].message.content == "found"
        name = to.pop("model")
        assert litellm.completion(name, conversation("openai"), tools=TOOLS["openai"], **to).choices[0].message.content == "found"


def test_the_last_round_comes_without_the_tool_and_no_call_of_ours_is_left(installed: HeadroomCallback) -> None:
    with Model([Reply(calls=(Call("headroom_retrieve", {"ref": "x"}, id="same"),))]) as model:
        response = ask(PROVIDERS["openai"].at(model))
        assert [request.tools[-1] for request in model.requests] == ["headroom_retrieve"] * 3 + ["list_orders"]
    assert not response.choices[0].message.tool_calls


def test_bedrock_is_reached(installed: HeadroomCallback) -> None:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_region_name": "us-east-1"}
    with Model() as model, pytest.raises(litellm.NotFoundError):
        ask({"model": "bedrock/converse/amazon.nova-pro-v1:0", "api_base": model.url, "max_retries": 0, **keys})
    assert len(model.requests[0].raw) < len(ORDERS) / 2


def test_streams_are_folded(installed: HeadroomCallback) -> None:
    with Model() as model:
        assert len(list(ask(PROVIDERS["openai"].at(model), stream=True))) > 1
        assert model.requests[0].tools == ["list_orders"]
        assert WANTED in sent_output(model.requests[0])
        assert len(sent_output(model.requests[0])) < len(ORDERS) / 2


@answered("openai")
async def test_asynchronous_calls_go_on_as_before(installed: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        response = await litellm.acompletion(messages=conversation("openai"), tools=TOOLS["openai"], **PROVIDERS["openai"].at(model))
    assert response.choices[0].message.content == "found"
    assert installed.savings.requests == 1


def test_uninstall_puts_back_what_stood_there() -> None:
    original = litellm.completion
    callback = HeadroomCallback(store=MemoryStore()).install().install()
    assert litellm.completion is not original
    assert litellm.callbacks == [callback]
    callback.uninstall()
    callback.uninstall()
    assert litellm.completion is original
    assert litellm.callbacks == []


def test_nothing_is_replaced_unless_asked() -> None:
    original = litellm.completion
    litellm.callbacks = [HeadroomCallback()]
    assert litellm.completion is original


class BrokenHooks(CompressionHooks):
    def pre_compress(self, messages: list[dict[str, Any]], ctx: CompressContext) -> list[dict[str, Any]]:
        raise RuntimeError("broken hook")


def test_trouble_of_ours_never_fails_a_call() -> None:
    callback = HeadroomCallback(hooks=BrokenHooks()).install()
    try:
        with Model() as model, pytest.warns(UserWarning, match="broken hook"):
            assert ask(PROVIDERS["openai"].at(model)).choices[0].message.content == "ok"
            assert sent_output(model.requests[0]) == ORDERS
    finally:
        callback.uninstall()
