"""In real applications behind real sockets: FastAPI and Starlette under uvicorn, streams, keep-alive, clients that leave."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route

from headroom import MemoryStore
from headroom.integrations.asgi import CompressionMiddleware
from tests.integrations.asgi.servers import served
from tests.wire.talks import DIALECTS, PATHS, body_of, messages

LONG = json.dumps(body_of("openai", messages("openai"))).encode()


async def _echo(request: Request) -> JSONResponse:
    raw = await request.body()
    declared = request.headers.get("content-length")
    return JSONResponse({"length": len(raw), "declared": None if declared is None else int(declared), "body": json.loads(raw or b"null")})


def _starlette(**options: Any) -> Starlette:
    routes = [Route(path, _echo, methods=["POST"]) for path in PATHS.values()]
    return Starlette(routes=routes, middleware=[Middleware(CompressionMiddleware, store=MemoryStore(), **options)])


def _fastapi() -> FastAPI:
    app = FastAPI()
    app.add_middleware(CompressionMiddleware, store=MemoryStore())  # type: ignore[arg-type]  # its own protocol names other aliases

    async def completions(request: FastAPIRequest) -> Any:
        raw = await request.body()
        return {"length": len(raw), "declared": int(request.headers["content-length"]), "body": json.loads(raw)}

    async def parsed(body: dict[str, Any]) -> Any:
        return {"length": len(json.dumps(body)), "declared": None, "body": body}

    app.post("/v1/chat/completions")(completions)
    app.post("/v1/messages")(completions)
    app.post("/v1/responses")(parsed)
    return app


@pytest.mark.parametrize("make", [_starlette, _fastapi])
def test_applications_see_shorter_requests_of_the_right_length(make: Any) -> None:
    with served(make()) as url, httpx.Client(base_url=url, verify=False, timeout=60) as client:
        for dialect in DIALECTS:
            body = body_of(dialect, messages(dialect))
            answer = client.post(PATHS[dialect], json=body)
            told = answer.json()
            assert told["length"] < len(json.dumps(body)) / 1.5
            assert told["declared"] in (None, told["length"])
            assert told["body"]["model"] == "m"
            assert int(answer.headers["x-headroom-tokens-saved"]) > 1_000
        small = client.post("/v1/chat/completions", content=b'{"messages":[]}')
        assert "x-headroom-compressed" not in small.headers


def test_behind_a_mount() -> None:
    inner = _starlette()
    with served(Starlette(routes=[Mount("/llm", app=inner)])) as url, httpx.Client(base_url=url, verify=False, timeout=60) as client:
        assert client.post("/llm/v1/chat/completions", content=LONG).json()["length"] < len(LONG)


def test_requests_in_chunks_over_one_connection() -> None:
    """Without a length, one after the other on one socket, also sent before the first is answered."""
    with served(_starlette()) as url:
        host = urlsplit(url)
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (LONG[:100], LONG[100:]))
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        with socket.create_connection((host.hostname, host.port)) as connection:
            connection.sendall((head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n") * 2)
            connection.sendall(head + b"content-length: 15\r\nconnection: close\r\n\r\n" + b'{"messages":[]}')
            raw = b""
            while piece := connection.recv(65_536):
                raw += piece
    assert raw.count(b"HTTP/1.1 200") == 3
    assert raw.count(b"x-headroom-compressed: true") == 2
    assert raw.endswith(b'{"length":15,"declared":15,"body":{"messages":[]}}')


def test_streams_pass_as_they_are_made() -> None:
    """The second piece is made only when the client has told that it holds the first."""
    client_has_first = threading.Event()

    async def stream(request: Request) -> StreamingResponse:
        await request.body()

        async def words() -> AsyncIterator[bytes]:
            yield b"data: one\n\n"
            assert await asyncio.to_thread(client_has_first.wait, 10)
            yield b"data: two\n\n"

        return StreamingResponse(words(), media_type="text/event-stream")

    app = CompressionMiddleware(Starlette(routes=[Route("/v1/chat/completions", stream, methods=["POST"])]), store=MemoryStore())
    with served(app) as url, httpx.stream("POST", url + "/v1/chat/completions", content=LONG, verify=False, timeout=60) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: one\n\n"
        client_has_first.set()
        assert b"".join(pieces) == b"data: two\n\n"
        assert answer.headers["x-headroom-compressed"] == "true"


def test_a_client_that_leaves_a_stream_ends_it() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def stream(request: Request) -> StreamingResponse:
        await request.body()

        async def words() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"data: x\n\n"
                    begun.set()
                    await asyncio.sleep(0.005)
            finally:
                ended.set()

        return StreamingResponse(words(), media_type="text/event-stream")

    app = CompressionMiddleware(Starlette(routes=[Route("/v1/chat/completions", stream, methods=["POST"])]), store=MemoryStore())
    with served(app) as url:
        with httpx.stream("POST", url + "/v1/chat/completions", content=LONG, verify=False, timeout=60):
            assert begun.wait(10)
        assert ended.wait(10)


def test_a_client_that_leaves_in_the_middle_of_its_body_is_heard() -> None:
    heard: list[str] = []
    over = threading.Event()

    async def reads(request: Request) -> JSONResponse:
        try:
            await request.body()
        except ClientDisconnect:
            heard.append("left")
        finally:
            over.set()
        return JSONResponse({})

    app = CompressionMiddleware(Starlette(routes=[Route("/v1/chat/completions", reads, methods=["POST"])]), store=MemoryStore())
    with served(app) as url:
        host = urlsplit(url)
        with socket.create_connection((host.hostname, host.port)) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n{")
        assert over.wait(10)
    assert heard == ["left"]


def test_many_at_once() -> None:
    with served(_starlette()) as url:

        async def all_of_them() -> list[int]:
            async with httpx.AsyncClient(base_url=url, verify=False, timeout=60) as client:
                answers = await asyncio.gather(*(client.post("/v1/chat/completions", content=LONG) for _ in range(40)))
            return [answer.json()["length"] for answer in answers]

        lengths = asyncio.run(all_of_them())
    assert len(set(lengths)) == 1 and lengths[0] < len(LONG)
