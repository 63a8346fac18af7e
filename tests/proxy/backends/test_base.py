"""What no backend may get wrong: requests that it cannot take, and the words in which it says so."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import pytest

from headroom.proxy.backends import base
from headroom.proxy.upstream import Upstream, UpstreamError, UpstreamRequest
from tests.proxy.backends.cloud_server import Answer, CloudServer
from tests.proxy.backends.conftest import Opened, ask
from tests.proxy.backends.servers import AzureServer, BedrockServer, VertexServer

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
CLAUDE = {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


Pair: TypeAlias = tuple[Upstream, CloudServer]


@pytest.fixture(params=["bedrock", "vertex", "azure", "openrouter"])
def every(request: pytest.FixtureRequest) -> Pair:
    """Each backend, and its server."""
    return request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_server")


@pytest.fixture(params=["bedrock", "vertex"])
def claude(request: pytest.FixtureRequest) -> Pair:
    """Those that speak Anthropic's dialect only."""
    return request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_server")


def a_path_of(upstream: Upstream) -> str:
    return "/v1/messages" if upstream.name in ("bedrock", "vertex_ai") else "/v1/chat/completions"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/chat/completions", "/v1/embeddings"])
async def test_openais_dialects_are_refused_where_nobody_speaks_them(claude: Pair, path: str) -> None:
    got = await ask(claude[0], path, CHAT)
    assert got.status == 400
    assert got.error["type"] == "invalid_request_error"
    assert "speaks Anthropic Messages" in got.error["message"]
    assert "azure and openrouter backends speak OpenAI's" in got.error["message"]
    assert set(got.json) == {"error"}  # OpenAI's form


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_messages_are_refused_by_azure_in_anthropics_form(azure: Upstream, path: str) -> None:
    got = await ask(azure, path, CLAUDE)
    assert (got.status, got.json["type"], got.error["type"]) == (400, "error", "invalid_request_error")
    assert "bedrock, vertex_ai and openrouter" in got.error["message"]


async def test_tokens_are_not_counted_by_openrouter(openrouter: Upstream) -> None:
    got = await ask(openrouter, "/v1/messages/count_tokens", CLAUDE)
    assert (got.status, got.json["type"]) == (400, "error")


async def test_batches_and_lists_are_refused_by_bedrock(bedrock: Upstream) -> None:
    for path, method in (("/v1/messages/batches", "POST"), ("/v1/messages", "GET"), ("/v1/models", "GET")):
        got = await ask(bedrock, path, method=method, headers={"anthropic-version": "2023-06-01"})
        assert (got.status, got.json["type"]) == (400, "error")


NO_OBJECT = (b"", b"{", b"[]", b'"words"', b"\xff\xfe")
NO_MODEL = (b"{}", b'{"model": 7}', b'{"model": ""}', b'{"model": ".."}')
HALF_A_CHARACTER = b'{"model": "m", "x": "\\ud83c"}'


@pytest.mark.parametrize("body", [*NO_OBJECT, *NO_MODEL, HALF_A_CHARACTER])
async def test_bodies_that_no_client_can_send(every: Pair, body: bytes) -> None:
    upstream, server = every
    got = await ask(upstream, a_path_of(upstream), body)
    assert got.status == 400
    assert got.error["type"] == "invalid_request_error"
    assert got.error["message"]
    assert server.requests == []


@pytest.mark.parametrize("model", ["a/b", "a?b=c", "a#b", "a b", "ä", "a;b", "a%2fb", "a:b"])
async def test_a_model_stays_one_part_of_the_path(bedrock: Upstream, bedrock_server: BedrockServer, model: str) -> None:
    assert (await ask(bedrock, "/v1/messages", {**CLAUDE, "model": model})).status == 200
    assert bedrock_server.model(bedrock_server.request) == model
    assert re.fullmatch(r"/model/[^/?#]+/invoke", bedrock_server.request.path)


@pytest.mark.parametrize("model", ["a/b", "a?b=c", "a#b", "a b", "ä", "a;b", "a%2fb", "a:b", ".."])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_what_is_no_name_of_vertexs_is_refused(vertex: Upstream, vertex_server: VertexServer, model: str, path: str) -> None:
    assert (await ask(vertex, path, {**CLAUDE, "model": model})).status == 400
    assert vertex_server.requests == []


async def test_values_arrive_as_they_were_sent(every: Pair) -> None:
    upstream, server = every
    odd: dict[str, Any] = {"big": 2**80, "tenth": 1.1, "nothing": None, "text": "Ä\u2028🍎\0", "deep": [[{"a": [1, True]}]]}
    body = {**(CLAUDE if a_path_of(upstream) == "/v1/messages" else CHAT), "metadata": odd}
    assert (await ask(upstream, a_path_of(upstream), body)).status == 200
    assert server.request.body["metadata"] == odd


async def test_a_body_that_the_proxy_only_passes_on(azure: Upstream, azure_server: AzureServer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"model": "embed", '
        yield b'"input": "x"}'

    response = await azure.send(UpstreamRequest("POST", "/v1/embeddings", [], stream=pieces()))
    assert response.status == 200
    assert azure_server.request.body == {"model": "embed", "input": "x"}
    await response.aclose()


async def test_such_a_body_has_a_limit(azure: Upstream, azure_server: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_MOST_BYTES", 1 << 20)
    taken = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            taken.append(number)
            yield b" " * (1 << 18)

    response = await azure.send(UpstreamRequest("POST", "/v1/embeddings", [], stream=pieces()))
    assert response.status == 413
    assert len(taken) == 5
    assert azure_server.requests == []


async def test_silence_is_a_time_out(bedrock_server: BedrockServer, amazon_environment: None, opened: Opened) -> None:
    bedrock_server.answer = Answer(never_ends=True)
    impatient = opened("bedrock", region="us-east-1", url=bedrock_server.url, time_outs=base.TimeOuts(read=0.05))
    with pytest.raises(UpstreamError, match="did not answer in time") as silence:
        await ask(impatient, "/v1/messages", CLAUDE)
    assert silence.value.status == 504


async def test_a_compressed_answer_arrives_plain(azure: Upstream, azure_server: AzureServer) -> None:
    packed = gzip.compress(b'{"error": {"message": "no"}}')
    azure_server.answer = Answer(status=400, body=packed, headers={"content-encoding": "gzip"})
    got = await ask(azure, "/v1/chat/completions", CHAT)
    assert "content-encoding" not in got.headers
    assert got.error["message"] == "no"


async def test_an_error_that_breaks_off_is_no_answer(every: Pair) -> None:
    upstream, server = every
    server.answer = Answer(status=500, body=b"not gzip", headers={"content-encoding": "gzip"})
    with pytest.raises(UpstreamError) as broken:
        await ask(upstream, a_path_of(upstream), CLAUDE)
    assert broken.value.status == 502
