"""Messages requests reach Vertex AI with a token of Google's, and Vertex's answer reaches the client."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from headroom import ConfigError
from headroom.proxy.upstream import Upstream, UpstreamError
from tests.proxy.backends.cloud_server import Answer
from tests.proxy.backends.conftest import Opened, ask, request
from tests.proxy.backends.servers import VertexServer

MODEL = "claude-sonnet-4-5-20250929"
BODY: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "Where is order 4711?"}]}
STREAMED = {**BODY, "stream": True}


async def test_a_message_carries_a_token_and_is_answered(vertex: Upstream, vertex_server: VertexServer) -> None:
    got = await ask(vertex, "/v1/messages?beta=true", BODY)

    assert got.status == 200
    assert got.json["content"] == [{"type": "text", "text": "The order is late."}]
    assert vertex_server.model(vertex_server.request) == "claude-sonnet-4-5@20250929:rawPredict"
    assert vertex_server.request.body == {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 100,
        "messages": BODY["messages"],
    }


async def test_the_token_is_fetched_once(vertex: Upstream, vertex_server: VertexServer) -> None:
    await ask(vertex, "/v1/messages", BODY)
    await ask(vertex, "/v1/messages", BODY)
    assert len(vertex_server.tokens) == 1


async def test_a_stream_comes_back_as_it_is(vertex: Upstream, vertex_server: VertexServer) -> None:
    got = await ask(vertex, "/v1/messages", STREAMED)
    assert got.headers["content-type"] == "text/event-stream"
    assert got.raw == b"".join(vertex_server.pieces(vertex_server.request))
    assert vertex_server.model(vertex_server.request) == "claude-sonnet-4-5@20250929:streamRawPredict"


async def test_an_event_is_passed_on_before_the_next_is_there(vertex: Upstream, vertex_server: VertexServer) -> None:
    goes_on = threading.Event()
    vertex_server.answer = Answer(goes_on=goes_on)
    response = await vertex.send(request("/v1/messages", STREAMED))
    assert (await anext(response.chunks)).startswith(b"event: message_start\n")
    goes_on.set()
    assert b"message_stop" in b"".join([chunk async for chunk in response.chunks])


async def test_tokens_are_counted(vertex: Upstream, vertex_server: VertexServer) -> None:
    got = await ask(vertex, "/v1/messages/count_tokens?beta=true", {"model": MODEL, "messages": BODY["messages"]})
    assert got.json == {"input_tokens": 1234}
    assert vertex_server.request.body["model"] == "claude-sonnet-4-5@20250929"


async def test_version_and_beta_features(vertex: Upstream, vertex_server: VertexServer) -> None:
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "oauth-2025-04-20,context-1m-2025-08-07"}
    await ask(vertex, "/v1/messages", BODY, headers)
    assert vertex_server.request.body["anthropic_version"] == "2026-10-21"
    assert vertex_server.request.headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert "the caller's" not in str(vertex_server.request.headers)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("status", "body", "message", "kind"),
    [
        (429, {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}, "Quota exceeded", "rate_limit_error"),
        (400, [{"error": {"code": 400, "message": "no such field"}}], "no such field", "invalid_request_error"),
        (500, b"<html>oops</html>", "<html>oops</html>", "api_error"),
    ],
)
async def test_googles_errors_are_written_as_anthropics(
    vertex: Upstream, vertex_server: VertexServer, status: int, body: Any, message: str, kind: str, streamed: bool
) -> None:
    vertex_server.answer = Answer(status=status, body=body, headers={"retry-after": "7"})
    got = await ask(vertex, "/v1/messages", STREAMED if streamed else BODY)
    assert (got.status, got.headers["retry-after"]) == (status, "7")
    assert got.json == {"type": "error", "error": {"type": kind, "message": message}}
    assert len(vertex_server.requests) == 1


async def test_a_stream_that_breaks_breaks_here_too(vertex: Upstream, vertex_server: VertexServer) -> None:
    vertex_server.answer = Answer(stops_after=3)
    response = await vertex.send(request("/v1/messages", STREAMED))
    with pytest.raises(UpstreamError, match="vertex_ai broke off its answer"):
        [chunk async for chunk in response.chunks]


async def test_a_client_that_leaves_ends_the_stream_at_vertex(vertex: Upstream, vertex_server: VertexServer) -> None:
    vertex_server.answer = Answer(never_ends=True)
    response = await vertex.send(request("/v1/messages", STREAMED))
    await anext(response.chunks)
    await response.aclose()
    assert await asyncio.to_thread(vertex_server.left.wait, 10)


async def test_the_project_may_be_the_credentials_own(vertex_server: VertexServer, google_environment: Path, opened: Opened) -> None:
    upstream = opened("vertex_ai", region="us-central1", url=f"{vertex_server.url}/v1")
    assert (await ask(upstream, "/v1/messages", BODY)).status == 200
    assert "/projects/shop-project/" in vertex_server.request.path


async def test_region_and_url_may_come_from_the_environment(
    vertex_server: VertexServer, google_environment: Path, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    monkeypatch.setenv("CLOUD_ML_REGION", "us-central1")
    monkeypatch.setenv("ANTHROPIC_VERTEX_BASE_URL", f"{vertex_server.url}/v1")
    assert (await ask(opened("vertex_ai"), "/v1/messages", BODY)).status == 200


async def test_credentials_that_google_refuses(
    vertex_server: VertexServer, google_environment: Path, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    account = json.loads(google_environment.read_text())
    google_environment.write_text(json.dumps({**account, "token_uri": f"{vertex_server.url}/v1/elsewhere"}))
    got = await ask(opened("vertex_ai", region="us-central1", url=f"{vertex_server.url}/v1"), "/v1/messages", BODY)
    assert (got.status, got.error["type"]) == (401, "authentication_error")
    assert vertex_server.requests == []
    vertex_server.refused.clear()


def test_what_must_be_set(opened: Opened, google_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="--region"):
        opened("vertex_ai")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    with pytest.raises(ConfigError, match=r"vertex_ai: .*credentials"):
        opened("vertex_ai", region="us-central1")
