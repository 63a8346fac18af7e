"""OpenAI's chat and Responses requests reach the deployment that their model names."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headroom import ConfigError
from headroom.proxy.upstream import Upstream, UpstreamError
from tests.proxy.backends.cloud_server import Answer
from tests.proxy.backends.conftest import Opened, ask, request
from tests.proxy.backends.servers import AzureServer

CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is order 4711?"}]}
RESPONSES: dict[str, Any] = {"model": "gpt-4o", "input": "Where is order 4711?"}
BOTH = pytest.mark.parametrize(("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/responses", RESPONSES)], ids=["chat", "responses"])


async def test_chat_goes_to_its_deployment(azure: Upstream, azure_server: AzureServer) -> None:
    got = await ask(azure, "/v1/chat/completions", CHAT, {"authorization": "Bearer the caller's"})
    assert got.json["choices"][0]["message"]["content"] == "The order is late."
    assert azure_server.request.path == "/openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview"
    assert azure_server.request.body == CHAT
    assert "the caller's" not in str(azure_server.request.headers)


async def test_a_path_without_v1_is_the_same(azure: Upstream, azure_server: AzureServer) -> None:
    assert (await ask(azure, "/chat/completions", CHAT)).status == 200


async def test_responses_go_to_the_resource(azure: Upstream, azure_server: AzureServer) -> None:
    got = await ask(azure, "/v1/responses", RESPONSES)
    assert got.json["output"][0]["content"][0]["text"] == "The order is late."
    assert azure_server.request.path == "/openai/responses?api-version=2025-04-01-preview"


@BOTH
async def test_a_stream_comes_back_as_it_is(azure: Upstream, azure_server: AzureServer, path: str, body: dict[str, Any]) -> None:
    got = await ask(azure, path, {**body, "stream": True})
    assert got.headers["content-type"] == "text/event-stream"
    assert got.raw == b"".join(azure_server.pieces(azure_server.request))


async def test_an_event_is_passed_on_before_the_next_is_there(azure: Upstream, azure_server: AzureServer) -> None:
    goes_on = threading.Event()
    azure_server.answer = Answer(goes_on=goes_on)
    response = await azure.send(request("/v1/chat/completions", {**CHAT, "stream": True}))
    assert b"assistant" in await anext(response.chunks)
    goes_on.set()
    assert b"".join([chunk async for chunk in response.chunks]).endswith(b"data: [DONE]\n\n")


async def test_a_model_may_be_mapped_to_a_deployment(azure_server: AzureServer, azure: Upstream, opened: Opened) -> None:
    mapped = opened("azure", model_map={"gpt-4o": "shop-4o"})
    assert (await ask(mapped, "/v1/chat/completions", CHAT)).status == 200
    assert "/deployments/shop-4o/" in azure_server.request.path


async def test_other_paths_about_models(azure: Upstream, azure_server: AzureServer) -> None:
    await ask(azure, "/v1/embeddings", {"model": "embed", "input": "x"})
    assert azure_server.request.path.startswith("/openai/deployments/embed/embeddings?")
    await ask(azure, "/v1/models", method="GET")
    assert azure_server.request.path == "/openai/models?api-version=2025-04-01-preview"
    await ask(azure, "/v1/responses/resp_1?include[]=a&include[]=b&stream=false", method="GET")
    assert azure_server.request.path.startswith("/openai/responses/resp_1?")
    assert azure_server.request.path.count("include%5B%5D=") == 2
    await ask(azure, "/v1/responses/resp_1", method="DELETE")
    assert azure_server.request.method == "DELETE"


@BOTH
@pytest.mark.parametrize("status", [429, 400, 500])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_errors_keep_status_headers_and_body(
    azure: Upstream, azure_server: AzureServer, path: str, body: dict[str, Any], status: int, streamed: bool
) -> None:
    error = {"error": {"code": str(status), "message": "Requests have exceeded the rate limit", "innererror": {"code": "x"}}}
    azure_server.answer = Answer(status=status, body=error, headers={"retry-after": "7", "x-ratelimit-remaining-tokens": "0"})
    got = await ask(azure, path, {**body, "stream": streamed})
    assert (got.status, got.headers["retry-after"], got.headers["x-ratelimit-remaining-tokens"]) == (status, "7", "0")
    assert got.json == error
    assert len(azure_server.requests) == 1


async def test_an_error_of_azures_gateway_is_written_as_openais(azure: Upstream, azure_server: AzureServer) -> None:
    azure_server.answer = Answer(status=404, body={"statusCode": 404, "message": "Resource not found"})
    got = await ask(azure, "/v1/chat/completions", CHAT)
    assert (got.status, got.error["message"], got.error["type"]) == (404, "Resource not found", "invalid_request_error")


async def test_a_stream_that_breaks_breaks_here_too(azure: Upstream, azure_server: AzureServer) -> None:
    azure_server.answer = Answer(stops_after=2)
    response = await azure.send(request("/v1/chat/completions", {**CHAT, "stream": True}))
    with pytest.raises(UpstreamError, match="azure broke off its answer"):
        [chunk async for chunk in response.chunks]


async def test_a_client_that_leaves_ends_the_stream_at_azure(azure: Upstream, azure_server: AzureServer) -> None:
    azure_server.answer = Answer(never_ends=True)
    response = await azure.send(request("/v1/chat/completions", {**CHAT, "stream": True}))
    await anext(response.chunks)
    await response.aclose()
    assert await asyncio.to_thread(azure_server.left.wait, 10)


@pytest.mark.parametrize("model", ["../../other", "a/b", "gpt-4o?x=", "a%2fb", "..", ""])
async def test_a_model_cannot_lead_elsewhere(azure: Upstream, azure_server: AzureServer, model: str) -> None:
    assert (await ask(azure, "/v1/chat/completions", {**CHAT, "model": model})).status == 400
    assert azure_server.requests == []


async def test_a_directorys_token_takes_the_place_of_the_key(
    azure_server: AzureServer, azure: Upstream, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure_server.directory_token = "entra-token"
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "entra-token")
    assert (await ask(opened("azure"), "/v1/chat/completions", CHAT)).status == 200


def test_what_must_be_set(opened: Opened, azure: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION", "AZURE_OPENAI_API_KEY"):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(ConfigError, match=name):
                opened("azure")
