"""Everything that is no conversation, and what the proxy does when there is trouble: limits, time-outs, people who leave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from headroom.proxy.app import ProxyApp
from headroom.proxy.settings import ProxySettings
from headroom.proxy.upstream import TimeOuts, UpstreamRequest, UpstreamResponse
from tests.proxy.running import KEYS, Proxy, question, read_all
from tests.scripted_model import Reply, ScriptedModel


class Held:
    """An upstream under a test's control: it says a piece when it is told to, and notes who leaves."""

    def __init__(self) -> None:
        self.thinks = False
        """It takes a request and does not answer."""
        self.asked = threading.Event()
        self.may_go_on = threading.Event()
        self.left = threading.Event()
        self.received: list[bytes] = []
        self.requests: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        if request.stream is not None:
            async for piece in request.stream:
                self.received.append(piece)
                self.asked.set()
        self.asked.set()
        try:
            while self.thinks:
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            self.left.set()
            raise
        return UpstreamResponse(200, [("content-type", "text/event-stream")], self._pieces(), self.aclose)

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            yield b"data: first\n\n"
            while not self.may_go_on.is_set():
                await asyncio.sleep(0.005)
            yield b"data: second\n\n"
        except asyncio.CancelledError:
            self.left.set()
            raise

    async def aclose(self) -> None:
        self.left.set()


@contextmanager
def held(**settings: Any) -> Iterator[tuple[Held, Proxy]]:
    upstream = Held()
    proxy = Proxy(**settings)
    proxy.state.upstreams = {"openai": upstream, "anthropic": upstream}
    with proxy:
        yield upstream, proxy


# --- other paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/files/file%2D1/content?limit=20&after=a%20b", "/v1/embeddings", "/v1/a//b/../c?x=%00&&y"])
def test_other_paths_are_forwarded_as_they_are(method: str, path: str) -> None:
    upstream = Recorder()
    body = b"\x00binary\xff" if method in ("POST", "PUT", "PATCH") else b""
    asyncio.run(upstream.call(method, path, body))
    (request,) = upstream.requests
    assert (request.method, request.path, upstream.body) == (method, path, body)


class Recorder:
    """An upstream that notes what comes."""

    def __init__(self) -> None:
        self.requests: list[UpstreamRequest] = []
        self.body = b""

    async def call(self, method: str, path: str, body: bytes) -> None:
        raw_path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": raw_path, "raw_path": raw_path.encode(), "query_string": query.encode()}
        headers = [(b"content-length", str(len(body)).encode())] if body else []
        events = iter([{"type": "http.request", "body": body, "more_body": False}])
        forever = asyncio.Event()

        async def receive() -> dict[str, Any]:
            event = next(events, None)
            if event is None:
                await forever.wait()
            assert event is not None
            return event

        async def send(_: object) -> None:
            pass

        await ProxyApp(ProxySettings(), {"openai": self, "anthropic": self})({**scope, "headers": headers}, receive, send)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        self.body = request.body if request.stream is None else b"".join([piece async for piece in request.stream])
        return UpstreamResponse(204, [], self._nothing(), self.aclose)

    async def _nothing(self) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for piece in nothing:
            yield piece

    async def aclose(self) -> None:
        pass


def test_models_come_from_the_provider_that_the_caller_speaks_to() -> None:
    with ScriptedModel() as openai, ScriptedModel() as anthropic, Proxy(openai_url=openai.openai_url, anthropic_url=anthropic.url) as proxy:
        for headers in (KEYS["anthropic"], {"authorization": "Bearer sk-ant-oat-1"}):
            proxy.http.get("/v1/models", headers=headers)
        for headers in (KEYS["openai"], {}):
            assert proxy.http.get("/v1/models", headers=headers).json()["data"][0]["id"] == "scripted"
    assert [request.path for request in openai.requests] == ["/v1/models"] * 2
    assert [request.path for request in anthropic.requests] == ["/v1/models"] * 2


def test_credentials_and_other_headers_are_the_callers_own(model: ScriptedModel, proxy: Proxy) -> None:
    own = {"authorization": "Bearer sk-mine", "openai-organization": "org-1", "user-agent": "agent/1", "x-request-id": "r1"}
    proxy.http.get("/v1/models", headers={**own, "x-headroom-token": "t", "connection": "keep-alive, x-hop", "x-hop": "1"})
    (request,) = model.requests
    assert {name: request.headers[name] for name in own} == own
    assert request.headers["host"] == f"127.0.0.1:{model.port}"
    assert not {"x-headroom-token", "x-hop", "x-forwarded-for"} & request.headers.keys()


def test_no_header_is_added_to_a_request_that_is_passed_on(model: ScriptedModel, proxy: Proxy) -> None:
    with proxy.connect() as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-One: 1\r\nConnection: close\r\n\r\n")
        read_all(connection)
    (request,) = model.requests
    assert request.headers.keys() == {"host", "x-one"}


def test_no_header_is_added_to_or_lost_from_an_answer_that_is_passed_on(model: ScriptedModel, proxy: Proxy) -> None:
    through = proxy.http.get("/v1/models")
    direct = httpx.get(f"{model.url}/v1/models")
    dates = {"date"}
    assert {name: value for name, value in through.headers.items() if name not in dates} == {
        name: value for name, value in direct.headers.items() if name not in dates
    }
    assert through.content == direct.content


def test_redirects_are_the_clients_to_follow() -> None:
    with ScriptedModel([Reply(status=307, headers={"location": "/elsewhere"})]) as model, Proxy(model) as proxy:
        response = proxy.post("openai", question("openai"))
    assert (response.status_code, response.headers["location"]) == (307, "/elsewhere")
    assert len(model.requests) == 1


def test_a_large_upload_is_streamed_and_has_no_limit() -> None:
    with held(max_body_bytes=1_000) as (upstream, proxy), proxy.connect() as connection:
        connection.sendall(b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"5\r\nfirst\r\n")
        assert upstream.asked.wait(10), "the first piece waited for the last"
        assert upstream.received == [b"first"]
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (50_000, b"x" * 50_000))
        assert b"data: first" in read_until(connection, b"data: first")
        upstream.may_go_on.set()
        read_until(connection, b"data: second")
    assert sum(map(len, upstream.received)) == 50_005


def test_a_stream_arrives_piece_by_piece() -> None:
    with held() as (upstream, proxy), proxy.connect() as connection:
        connection.sendall(_request(question("openai", stream=True)))
        read_until(connection, b"data: first\n\n")  # the second is not even made yet
        assert not upstream.may_go_on.is_set()
        upstream.may_go_on.set()
        read_until(connection, b"data: second\n\n")


def _request(body: dict[str, Any]) -> bytes:
    raw = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    """What arrives up to and including `wanted`."""
    found = b""
    while wanted not in found:
        piece = connection.recv(65_536)
        assert piece, f"closed after {found!r}"
        found += piece
    return found


# --- limits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "kind"), [("anthropic", "request_too_large"), ("openai", "invalid_request_error")])
def test_a_conversation_over_the_limit_is_refused_in_the_clients_dialect(dialect: str, kind: str) -> None:
    with ScriptedModel() as model, Proxy(model, max_body_bytes=10_000) as proxy:
        response = proxy.post(dialect, question(dialect))
        assert proxy.post(dialect, question(dialect, "short")).status_code == 200
    assert response.status_code == 413
    assert response.json()["error"]["type"] == kind
    assert "10000 bytes" in response.json()["error"]["message"]
    assert len(model.requests) == 1


def test_a_body_that_unpacks_to_more_than_the_limit_is_not_unpacked() -> None:
    import gzip  # for this test alone

    bomb = gzip.compress(b'{"messages": [' + b" " * 5_000_000 + b"]}")
    with ScriptedModel() as model, Proxy(model, max_body_bytes=100_000) as proxy:
        proxy.post("openai", bomb, **{"content-encoding": "gzip"})
    assert model.requests[0].raw == bomb


def test_more_requests_than_there_is_room_for_are_told_to_come_back() -> None:
    with held(max_requests=1) as (upstream, proxy), proxy.connect() as connection:
        connection.sendall(_request(question("openai", stream=True)))
        assert upstream.asked.wait(10)
        refused = proxy.post("anthropic", question("anthropic"))
        health = proxy.http.get("/health")
        upstream.may_go_on.set()
        read_until(connection, b"0\r\n\r\n")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["error"]["type"] == "overloaded_error"
    assert "1 requests are under way" in refused.json()["error"]["message"]
    assert health.status_code == 200


# --- trouble upstream ---------------------------------------------------------------------------------------------------


def test_a_provider_that_is_not_there_is_a_502() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with Proxy(anthropic_url=f"http://127.0.0.1:{unused.getsockname()[1]}") as proxy:
            response = proxy.post("anthropic", question("anthropic"))
    assert response.status_code == 502
    assert response.json()["type"] == "error"
    assert "could not be reached" in response.json()["error"]["message"]


def test_a_provider_that_does_not_answer_in_time_is_a_504() -> None:
    with ScriptedModel([Reply("late", delay=5)]) as model, Proxy(model, time_outs=TimeOuts(read=0.1)) as proxy:
        response = proxy.post("openai", question("openai"))
        assert response.status_code == 504
        assert "in time" in response.json()["error"]["message"]


@pytest.mark.parametrize("retrieve", [True, False])
def test_a_stream_that_breaks_off_breaks_off_for_the_client_too(retrieve: bool, capfd: pytest.CaptureFixture[str]) -> None:
    body = question("anthropic", stream=True)
    with ScriptedModel([Reply("one two three four five", breaks_after=4)]) as model, Proxy(model, retrieve=retrieve) as proxy:
        with pytest.raises(httpx.RemoteProtocolError), proxy.http.stream("POST", "/v1/messages", json=body) as response:
            list(response.iter_raw())
        assert proxy.http.get("/health").status_code == 200
    assert "Traceback" not in capfd.readouterr().err


# --- clients that leave -------------------------------------------------------------------------------------------------


def test_a_client_that_leaves_a_stream_ends_it_upstream() -> None:
    with held() as (upstream, proxy):
        with proxy.connect() as connection:
            connection.sendall(_request(question("openai", stream=True)))
            read_until(connection, b"data: first")
        assert upstream.left.wait(10)


def test_a_client_that_leaves_while_the_model_thinks_ends_the_request_upstream() -> None:
    with held() as (upstream, proxy):
        upstream.thinks = True
        with proxy.connect() as connection:
            connection.sendall(_request(question("openai")))
            assert upstream.asked.wait(10)
        assert upstream.left.wait(10)
        proxy.stop()
        assert proxy.state.room.open == 0


def test_a_client_that_leaves_in_the_middle_of_its_body_costs_nothing() -> None:
    with held() as (upstream, proxy):
        with proxy.connect() as connection:
            connection.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        assert proxy.http.get("/health").status_code == 200
        proxy.stop()
        assert upstream.requests == []
        assert proxy.state.room.open == 0


# --- the end ------------------------------------------------------------------------------------------------------------


def test_a_stream_is_finished_before_the_proxy_stops() -> None:
    with held() as (upstream, proxy), proxy.connect() as connection:
        connection.sendall(_request(question("openai", stream=True)))
        read_until(connection, b"data: first")
        proxy.server.should_exit = True
        with pytest.raises(OSError):  # nobody new is let in
            while True:
                proxy.connect().close()
        upstream.may_go_on.set()
        read_until(connection, b"data: second")


def test_the_command_serves_and_stops_on_a_signal() -> None:
    with ScriptedModel(["hello"]) as model:
        command = [sys.executable, "-c", "from headroom.cli import app; app()", "proxy", "--port", "0"]
        environment = {**os.environ, "HEADROOM_OPENAI_URL": model.openai_url, "HEADROOM_ANTHROPIC_URL": model.url}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            url = line.split()[4]
            answer = httpx.post(f"{url}/v1/messages", json=question("anthropic"), headers=KEYS["anthropic"], timeout=20)
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
        assert process.returncode in (0, -signal.SIGTERM)
    assert answer.json()["content"][0]["text"] == "hello"
    assert answer.headers["x-headroom-compressed"] == "true"
    assert rest == ""


def test_another_host_needs_a_token() -> None:
    command = [sys.executable, "-c", "from headroom.cli import app; app()", "proxy", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--token or HEADROOM_TOKEN" in done.stderr


@pytest.mark.parametrize("package", ["uvicorn", "httptools"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from headroom.cli import app; app()"
    done = subprocess.run([sys.executable, "-c", code, "proxy", "--port", "0"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"headroom: {package} is not installed: pip install 'headroom-ai[proxy]'\n"
