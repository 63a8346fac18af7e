"""OpenAI's chat and Responses requests, and Anthropic's Messages, reach OpenRouter with its key."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import ConfigError
from headroom.proxy.upstream import Upstream
from tests.proxy.backends.cloud_server import Answer
from tests.proxy.backends.conftest import Opened, ask
from tests.proxy.backends.servers import OpenRouterServer

QUESTION = [{"role": "user", "content": "Where is order 4711?"}]
EVERY = pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "openai/gpt-4o", "messages": QUESTION}),
        ("/v1/responses", {"model": "openai/gpt-4o", "input": QUESTION}),
        ("/v1/messages", {"model": "anthropic/claude-sonnet-4.5", "max_tokens": 5, "messages": QUESTION}),
    ],
    ids=["chat", "responses", "messages"],
)


@EVERY
async def test_each_dialect_whole_and_streamed(
    openrouter: Upstream, openrouter_server: OpenRouterServer, path: str, body: dict[str, Any]
) -> None:
    whole = await ask(openrouter, path, body)
    assert whole.json == openrouter_server.written(openrouter_server.request).whole()
    assert openrouter_server.request.path == f"/api{path}"
    assert openrouter_server.request.body == body

    streamed = await ask(openrouter, path, {**body, "stream": True})
    assert streamed.raw == b"".join(openrouter_server.pieces(openrouter_server.request))


async def test_headers_for_openrouter_pass_and_credentials_stay(
    openrouter_server: OpenRouterServer, openrouter: Upstream, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-openai")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-openai")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    upstream = opened("openrouter", url=f"{openrouter_server.url}/api/v1")
    body = {"model": "openai/gpt-4o", "messages": QUESTION}
    got = await ask(
        upstream, "/v1/chat/completions", body, {"authorization": "Bearer the caller's", "HTTP-Referer": "https://shop.example"}
    )
    assert got.status == 200
    assert openrouter_server.request.headers["http-referer"] == "https://shop.example"
    assert "of-openai" not in str(openrouter_server.request.headers)
    assert "the caller's" not in str(openrouter_server.request.headers)


@EVERY
async def test_errors_keep_status_and_headers_in_the_dialect(
    openrouter: Upstream, openrouter_server: OpenRouterServer, path: str, body: dict[str, Any]
) -> None:
    error = {"error": {"code": 429, "message": "Provider returned error", "metadata": {"provider_name": "x"}}}
    openrouter_server.answer = Answer(status=429, body=error, headers={"retry-after": "7"})
    got = await ask(openrouter, path, body)
    assert (got.status, got.headers["retry-after"]) == (429, "7")
    anthropic = {"type": "error", "error": {"type": "rate_limit_error", "message": "Provider returned error"}}
    assert got.json == (anthropic if path == "/v1/messages" else error)


async def test_models_are_listed(openrouter: Upstream) -> None:
    assert (await ask(openrouter, "/v1/models", method="GET")).json == {"data": [{"id": "openai/gpt-4o"}]}


async def test_models_may_be_mapped(openrouter_server: OpenRouterServer, openrouter: Upstream, opened: Opened) -> None:
    mapped = opened("openrouter", url=f"{openrouter_server.url}/api/v1", model_map={"gpt-4o": "openai/gpt-4o"})
    await ask(mapped, "/v1/chat/completions", {"model": "gpt-4o", "messages": QUESTION})
    assert openrouter_server.request.body["model"] == "openai/gpt-4o"


@pytest.mark.parametrize(
    "path", ["/v1/keys", "/v1/credits", "/v1/models/../keys", "/v1/models/%2e%2e/keys", "/v1/models//keys", "/v1/modelsx"]
)
async def test_what_is_not_about_models_stays_out_of_reach(openrouter: Upstream, openrouter_server: OpenRouterServer, path: str) -> None:
    got = await ask(openrouter, path, method="GET")
    assert got.status == 400
    assert "openrouter" in got.error["message"]
    assert openrouter_server.requests == []


def test_the_key_must_be_set(opened: Opened) -> None:
    with pytest.raises(ConfigError, match="OPENROUTER_API_KEY"):
        opened("openrouter")
