"""The way to the provider, straight or through a general client: every kind of answer, and every kind of trouble."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from headroom.proxy.connection import MOST_WAITING_BYTES
from headroom.proxy.direct import DirectUpstream, upstream_for
from headroom.proxy.upstream import HTTPUpstream, TimeOuts, Upstream, UpstreamError, UpstreamRequest, UpstreamResponse

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
both = pytest.mark.parametrize("kind", [DirectUpstream, HTTPUpstream])
Kind = type[DirectUpstream] | type[HTTPUpstream]


class Provider:
    """Answers each request with the next of `answers`, bytes as they are; None hangs up."""

    def __init__(self, answers: list[bytes | None]) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            body = b""
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b": ")
                if name.lower() == b"content-length":
                    body = await reader.readexactly(int(value))
                elif name.lower() == b"transfer-encoding":
                    body = await reader.readuntil(b"0\r\n\r\n")
            self.requests.append(head + body)
            answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
            if answer is None:
                break
            writer.write(answer)
            if b"content-length" not in answer and b"chunked" not in answer and b" 204 " not in answer and b" 304 " not in answer:
                break
        writer.close()


@asynccontextmanager
async def listening(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    open_handlers: set[asyncio.Task[None]] = set()

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_handlers.add(asyncio.ensure_future(handler(reader, writer)))

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*open_handlers, return_exceptions=True)


@asynccontextmanager
async def opened(kind: Kind, url: str, **seconds: float) -> AsyncIterator[Upstream]:
    upstream = kind(url, TimeOuts(**seconds))
    try:
        yield upstream
    finally:
        await upstream.aclose()


async def read(response: UpstreamResponse) -> bytes:
    return b"".join([chunk async for chunk in response.chunks])


async def answer_to(kind: Kind, answer: bytes | None, method: str = "GET") -> tuple[UpstreamResponse, bytes]:
    async with listening(Provider([answer]).serve) as url, opened(kind, url) as upstream:
        response = await upstream.send(UpstreamRequest(method, "/x"))
        return response, await read(response)


@both
@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n", 200, b"hi yo"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n", 200, b"hi"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", 201, b""),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 500 No\r\ncontent-length: 2\r\n\r\nno", 500, b"no"),
    ],
)
async def test_every_kind_of_answer(kind: Kind, answer: bytes, status: int, body: bytes) -> None:
    response, found = await answer_to(kind, answer)
    assert (response.status, found) == (status, body)
    assert "link" not in dict(response.headers)


@both
async def test_a_head_request_has_no_body_whatever_its_length(kind: Kind) -> None:
    response, body = await answer_to(kind, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "HEAD")
    assert (response.headers, body) == ([("content-length", "5")], b"")


@both
@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 200",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nhi",
    ],
)
async def test_an_answer_that_breaks_off_is_trouble(kind: Kind, answer: bytes | None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer or b"")
        writer.close()

    async with listening(serve) as url, opened(kind, url) as upstream:
        with pytest.raises(UpstreamError) as caught:
            await read(await upstream.send(UpstreamRequest("GET", "/x")))
        assert caught.value.status == 502
        assert url in str(caught.value)


@both
async def test_the_request_goes_out_as_it_is(kind: Kind) -> None:
    provider = Provider([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
    async with listening(provider.serve) as url, opened(kind, f"{url}/api") as upstream:
        headers = [("X-Api-Key", "ké"), ("connection", "x-hop"), ("x-hop", "1"), ("te", "trailers"), ("host", "us")]
        await read(await upstream.send(UpstreamRequest("PUT", "/v1/a%2Fb/../c?q='\"%00", headers, b"body")))
    head, _, body = provider.requests[0].partition(b"\r\n\r\n")
    lines = sorted(line.lower() for line in head.split(b"\r\n"))
    host = url.removeprefix("http://").encode()
    first = b"put /api/v1/a%2fb/../c?q='\"%00 http/1.1"
    assert lines == sorted([first, b"host: " + host, "x-api-key: ké".encode("latin-1"), b"content-length: 4"])
    assert body == b"body"


async def test_a_header_cannot_smuggle_another() -> None:
    async with listening(Provider([b""]).serve) as url, opened(DirectUpstream, url) as upstream:
        with pytest.raises(UpstreamError, match="line end"):
            await upstream.send(UpstreamRequest("GET", "/x", [("a", "b\r\nevil: 1")]))


@both
async def test_a_body_is_streamed_in_chunks_or_with_its_length(kind: Kind) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    provider = Provider([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
    async with listening(provider.serve) as url, opened(kind, url) as upstream:
        await read(await upstream.send(UpstreamRequest("POST", "/x", stream=pieces())))
        await read(await upstream.send(UpstreamRequest("POST", "/x", [("content-length", "7")], stream=pieces())))
    assert provider.requests[0].endswith(b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")
    assert provider.requests[1].endswith(b"\r\n\r\none two")


async def test_connections_are_used_again_and_never_shared() -> None:
    provider = Provider([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"])
    async with listening(provider.serve) as url, opened(DirectUpstream, url) as upstream:
        for _ in range(3):
            await read(await upstream.send(UpstreamRequest("GET", "/x")))
        assert provider.connections == 1
        both_open = [await upstream.send(UpstreamRequest("GET", "/x")) for _ in range(2)]
        assert provider.connections == 2
        assert [await read(response) for response in both_open] == [b"hi", b"hi"]


async def test_an_answer_that_is_left_takes_its_connection_with_it() -> None:
    provider = Provider([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nyo"])
    async with listening(provider.serve) as url, opened(DirectUpstream, url) as upstream:
        response = await upstream.send(UpstreamRequest("GET", "/x"))
        await response.aclose()
        assert await read(await upstream.send(UpstreamRequest("GET", "/x"))) == b"yo"
    assert provider.connections == 2


async def test_a_connection_that_was_closed_while_nobody_used_it_is_not_used_again() -> None:
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with listening(serve) as url, opened(DirectUpstream, url) as upstream:
        for _ in range(3):
            assert await read(await upstream.send(UpstreamRequest("GET", "/x"))) == b"hi"
            await closed.wait()
            closed.clear()


@both
async def test_silence_is_a_504(kind: Kind) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(silent) as url, opened(kind, url, read=0.05) as upstream:
        with pytest.raises(UpstreamError, match="in time") as caught:
            await upstream.send(UpstreamRequest("GET", "/x"))
        assert caught.value.status == 504


@both
async def test_silence_in_the_middle_of_an_answer_is_a_504_too(kind: Kind) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi")
        await reader.read()
        writer.close()

    async with listening(half) as url, opened(kind, url, read=0.05) as upstream:
        response = await upstream.send(UpstreamRequest("GET", "/x"))
        with pytest.raises(UpstreamError) as caught:
            await read(response)
        assert caught.value.status == 504


async def test_a_client_that_does_not_read_holds_the_provider_back() -> None:
    sent = 0

    async def torrent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 80000000\r\n\r\n")
        for _ in range(1_220):
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536
        writer.write(b"x" * (80_000_000 - sent))
        writer.close()

    async with listening(torrent) as url, opened(DirectUpstream, url) as upstream:
        response = await upstream.send(UpstreamRequest("GET", "/x"))
        await anext(aiter(response.chunks))
        before = -1
        while before != sent:  # until the provider can write no more
            before = sent
            await asyncio.sleep(0.05)
        assert sent < 20 * MOST_WAITING_BYTES + 20_000_000
        rest = await read(response)
    assert 0 < 80_000_000 - len(rest) <= 65_536 * 4


@both
async def test_a_name_that_nobody_answers_to_is_a_502(kind: Kind) -> None:
    async with opened(kind, "http://127.0.0.1:1") as upstream:
        with pytest.raises(UpstreamError, match="could not be reached") as caught:
            await upstream.send(UpstreamRequest("GET", "/x"))
        assert caught.value.status == 502


ASKING = """
import asyncio, sys
from {module} import {kind}
from headroom.proxy.upstream import TimeOuts, UpstreamRequest

async def ask():
    upstream = {kind}("{url}", TimeOuts())
    response = await upstream.send(UpstreamRequest("GET", "/x"))
    sys.stdout.write("".join([chunk.decode() async for chunk in response.chunks]))
    await response.aclose()
    await upstream.aclose()

asyncio.run(ask())
"""


@both
async def test_certificates_are_checked(kind: Kind, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with listening(Provider([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]).serve, context) as url:
        async with opened(kind, url) as upstream:
            with pytest.raises(UpstreamError, match="certificate"):
                await upstream.send(UpstreamRequest("GET", "/x"))
        # in a process of its own: what else runs in this one may have changed where TLS looks for certificates
        program = ASKING.format(kind=kind.__name__, module=kind.__module__, url=url)
        environment = {**os.environ, "SSL_CERT_FILE": str(certificate)}
        asking = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment, stdout=subprocess.PIPE)
        assert (await asking.communicate())[0] == b"hi"


def test_the_networks_own_proxy_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert isinstance(upstream_for("https://api.example"), DirectUpstream)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert isinstance(upstream_for("https://api.example"), HTTPUpstream)
    assert isinstance(upstream_for("http://localhost:1234/v1"), DirectUpstream)
    monkeypatch.setenv("NO_PROXY", "api.example")
    assert isinstance(upstream_for("https://api.example"), DirectUpstream)
