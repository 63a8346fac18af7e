"""LiteLLM as a client of `headroom proxy`: its api_base is the proxy's, with the callback on this side or without."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import litellm
import pytest

from headroom.integrations.litellm_callback import HeadroomCallback
from tests.clients.proxy_process import ProxyProcess
from tests.integrations.litellm.talk import (
    LITELLMS_OWN_WARNINGS,
    TOOLS,
    WANTED,
    Model,
    answered,
    asks_once,
    conversation,
    is_shorter,
    sent_output,
)
from tests.scripted_model import Reply

pytestmark = LITELLMS_OWN_WARNINGS

HANG_UP = {"connection": "close"}
"""LiteLLM keeps its clients, and event loops end with a test."""


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model(asks_once) as model:
        yield model


@pytest.fixture(scope="module")
def url(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ProxyProcess(model, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy.url


async def ask(way: str, url: str) -> str:
    """The words that come back."""
    to_openai = {"model": "openai/gpt-4o", "api_base": f"{url}/v1", "api_key": "key", "max_retries": 0, "extra_headers": HANG_UP}
    to_anthropic = {**to_openai, "model": "anthropic/claude-sonnet-4-5", "api_base": url}
    if way == "aresponses":
        whole = await litellm.aresponses(input=conversation("responses"), tools=TOOLS["responses"], **to_openai)
        return str(whole.output[-1].content[0].text)
    if way == "anthropic.messages":
        whole = await litellm.anthropic.messages.acreate(
            messages=conversation("anthropic"), tools=TOOLS["anthropic"], max_tokens=99, **to_anthropic
        )
        return str(whole["content"][-1]["text"])
    to = {"messages": conversation("openai"), "tools": TOOLS["openai"], **(to_anthropic if "anthropic" in way else to_openai)}
    whole = await (litellm.acompletion(**to) if way.startswith("a") else asyncio.to_thread(litellm.completion, **to))
    return str(whole.choices[0].message.content)


WAYS = ["acompletion", "acompletion anthropic", "completion", "completion anthropic", "anthropic.messages", "aresponses"]


@pytest.mark.parametrize("way", WAYS)
async def test_the_proxy_alone_compresses_and_answers(way: str, url: str, model: Model) -> None:
    model.clear()
    assert await ask(way, url) == "found"
    first, second = model.requests
    assert is_shorter(first)
    assert WANTED in second.tool_outputs[1]


@answered()
@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("completion")])
async def test_with_the_callback_too_the_callback_does_all_of_it(way: str, url: str, model: Model, callback: HeadroomCallback) -> None:
    """What reaches the proxy is marked, and the tool is its client's: it leaves both alone."""
    model.clear()
    assert await ask(way, url) == "found"
    first, second = model.requests
    assert WANTED not in sent_output(first)
    assert sent_output(first).count("headroom_retrieve") == 1
    assert first.tools.count("headroom_retrieve") == 1
    assert second.messages[: len(first.messages)] == first.messages
    assert callback.savings.retrievals == 1


@pytest.mark.parametrize("way", ["completion", "completion anthropic"])
async def test_what_the_callback_could_only_fold_the_proxy_leaves_folded(
    way: str, url: str, model: Model, callback: HeadroomCallback, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.clear()
    monkeypatch.setattr(model, "script", ["all of it is there"])
    assert await ask(way, url) == "all of it is there"
    (request,) = model.requests
    assert is_shorter(request)
    assert WANTED in sent_output(request)


@pytest.mark.parametrize("way", ["acompletion", "acompletion anthropic"])
async def test_streams_come_through(way: str, url: str, model: Model) -> None:
    model.clear()
    to = {"model": "openai/gpt-4o", "api_base": f"{url}/v1"} if way == "acompletion" else {"model": "anthropic/claude-x", "api_base": url}
    stream = await litellm.acompletion(
        messages=conversation("openai"), tools=TOOLS["openai"], api_key="key", stream=True, extra_headers=HANG_UP, **to
    )
    words = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(words) == "found"
    assert is_shorter(model.requests[0])


async def test_errors_of_the_provider_come_through(url: str, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "script", [Reply(status=429, error="slow down")])
    with pytest.raises(litellm.RateLimitError, match="slow down"):
        await ask("acompletion", url)
