"""With retrieve=True the application is asked again until the model has what it wanted; the client gets one response."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from headroom import MemoryStore
from headroom.integrations.asgi import CompressionMiddleware
from tests.integrations.asgi.servers import served
from tests.scripted_model import Reply, ScriptedModel
from tests.scripted_model import Request as Asked
from tests.wire.talks import DIALECTS, PATHS, Json, body_of, calls_of, looks_once, messages, retrieval, whole_of, words_of

every = pytest.mark.parametrize("dialect", DIALECTS)
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def gateway(model: ScriptedModel, tasks: list[str] | None = None) -> Starlette:
    """An application as many write it: it hands requests on to a model."""

    async def hand_on(request: Request) -> Response:
        raw = await request.body()
        client = httpx.AsyncClient(base_url=model.url, verify=False, timeout=60)
        upstream = await client.send(client.build_request("POST", request.url.path, content=raw), stream=True)

        async def closing() -> None:
            await upstream.aclose()
            await client.aclose()
            if tasks is not None:
                tasks.append("done")

        kind = upstream.headers["content-type"]
        return StreamingResponse(upstream.aiter_raw(), upstream.status_code, media_type=kind, background=BackgroundTask(closing))

    return Starlette(routes=[Route("/{path:path}", hand_on, methods=["POST"])])


def ask(app: Any, dialect: str, body: Json) -> httpx.Response:
    with served(app) as url:
        return httpx.post(url + PATHS[dialect], json=body, verify=False, timeout=30)


@every
@both
def test_a_retrieval_is_answered_before_the_client_has_its_response(dialect: str, stream: bool) -> None:
    tasks: list[str] = []
    with ScriptedModel(looks_once) as model:
        middleware = CompressionMiddleware(gateway(model, tasks), retrieve=True, store=MemoryStore())
        answer = ask(middleware, dialect, body_of(dialect, messages(dialect), stream=stream))
    response = whole_of(dialect, answer.content) if stream else answer.json()
    assert words_of(dialect, response).endswith("It is ord_7301.")
    assert calls_of(dialect, response) == []
    assert [len(request.tools) for request in model.requests] == [1, 1]
    assert answer.headers["x-headroom-compressed"] == "true"
    assert middleware.savings.retrievals == 1
    assert tasks == ["done", "done"], "the application was called twice, and closed what it opened"
    if not stream:
        assert answer.headers["content-length"] == str(len(answer.content))


def test_an_application_that_compresses_its_responses_does_not_where_they_are_read() -> None:
    with ScriptedModel(looks_once) as model:
        app = GZipMiddleware(gateway(model), minimum_size=10)
        answer = ask(CompressionMiddleware(app, retrieve=True, store=MemoryStore()), "openai", body_of("openai", messages("openai")))
    assert words_of("openai", answer.json()).endswith("ord_7301.")
    assert "content-encoding" not in answer.headers


@every
@both
def test_errors_reach_the_client(dialect: str, stream: bool) -> None:
    with ScriptedModel([Reply(status=429, error="slow down")]) as model:
        app = CompressionMiddleware(gateway(model), retrieve=True, store=MemoryStore())
        answer = ask(app, dialect, body_of(dialect, messages(dialect), stream=stream))
    assert answer.status_code == 429
    assert answer.json()["error"]["message"] == "slow down"
    assert len(model.requests) == 1


@every
def test_an_error_of_a_later_round_is_told_in_the_stream(dialect: str) -> None:
    def script(request: Asked) -> Reply:
        return Reply(status=503, error="gone") if len(request.tool_outputs) > 1 else Reply("Wait.", calls=(retrieval(request),))

    with ScriptedModel(script) as model:
        app = CompressionMiddleware(gateway(model), retrieve=True, store=MemoryStore())
        answer = ask(app, dialect, body_of(dialect, messages(dialect), stream=True))
    assert answer.status_code == 200
    assert b"Wait." in answer.content and b"gone" in answer.content


@pytest.mark.parametrize("kind", ["text", "broken json", "empty"])
@pytest.mark.filterwarnings("ignore:Headroom")
def test_what_is_no_model_response_passes(kind: str) -> None:
    made = {
        "text": PlainTextResponse("hello"),
        "broken json": Response(b'{"choices": [', media_type="application/json"),
        "empty": Response(b"", 204),
    }[kind]

    async def app(request: Request) -> Response:
        return made

    inner = Starlette(routes=[Route("/v1/chat/completions", app, methods=["POST"])])
    answer = ask(CompressionMiddleware(inner, retrieve=True, store=MemoryStore()), "openai", body_of("openai", messages("openai")))
    assert (answer.status_code, answer.content) == (made.status_code, made.body)


def test_tokens_are_counted_with_the_tool() -> None:
    seen: list[Json] = []

    async def count(request: Request) -> Response:
        seen.append(await request.json())
        return JSONResponse({"input_tokens": 7})

    inner = Starlette(routes=[Route("/v1/messages/count_tokens", count, methods=["POST"])])
    with served(CompressionMiddleware(inner, retrieve=True, store=MemoryStore())) as url:
        answer = httpx.post(url + "/v1/messages/count_tokens", json=body_of("anthropic", messages("anthropic")), verify=False, timeout=60)
    assert answer.json() == {"input_tokens": 7}
    assert [tool["name"] for tool in seen[0]["tools"]] == ["headroom_retrieve"]
    assert len(json.dumps(seen[0])) < 10_000
