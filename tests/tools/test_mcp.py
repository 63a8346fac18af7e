"""The MCP server, asked by the official client: in this process, over stdio, and over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from headroom import CompressConfig, ConfigError, MemoryStore, compress
from headroom.core.retrieval_tool import PARAMETERS
from headroom.stores import default_store, open_store
from headroom.tools import mcp as room
from tests import shop
from tests.redis_server import RedisServer, free_port

ORDERS = shop.conversation()[-1]["content"]


def _text(answer: Any) -> str:
    (part,) = answer.content
    return str(part.text)


async def _works(client: Client) -> None:
    """The three tools, together."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"headroom_retrieve", "headroom_compress", "headroom_stats"}
    assert all(tool.description for tool in tools.values())
    shorter = _text(await client.call_tool("headroom_compress", {"text": ORDERS, "question": "Which order failed?"}))
    assert len(shorter) < len(ORDERS) / 3
    assert "ord_7301" in shorter
    ref = shorter.partition("headroom_retrieve ref=")[2].partition("]")[0]
    found = _text(await client.call_tool("headroom_retrieve", {"ref": ref, "query": "ord_7123"}))
    assert '"id": "ord_7123"' in found
    stats = await client.call_tool("headroom_stats", {})
    assert stats.structured_content is not None
    assert stats.structured_content["originals"] == 1
    assert stats.structured_content["original_bytes"] == len(ORDERS)


async def test_in_this_process() -> None:
    async with Client(room.server(MemoryStore())) as client:
        await _works(client)


async def test_over_stdio(store_of_its_own: Any) -> None:
    command = StdioServerParameters(command=sys.executable, args=["-m", "headroom.cli", "mcp"], env={**os.environ})
    async with Client(command) as client:
        await _works(client)


@pytest.fixture
def http_server(store_of_its_own: Any) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "headroom.cli", "mcp", "--http", "--port", str(port)])
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/mcp"
    process.terminate()
    assert process.wait(20) is not None


async def test_over_streamable_http(http_server: str) -> None:
    async with Client(http_server) as client:
        await _works(client)


async def test_a_long_log_goes_over_http_in_one_piece(http_server: str) -> None:
    log = shop.info_log({}) * 80
    assert len(log) > 5 << 20
    async with Client(http_server) as client:
        assert len(_text(await client.call_tool("headroom_compress", {"text": log}))) < len(log) / 50


def test_a_page_in_a_browser_here_is_refused(http_server: str) -> None:
    """Another name in Host is DNS rebinding, another Origin a page from elsewhere; plain text needs no leave to be sent."""
    port = int(http_server.rpartition(":")[2].partition("/")[0])
    expected: list[tuple[dict[str, str], int]] = [
        ({}, 200),
        ({"host": "evil.example"}, 421),
        ({"host": f"evil.example:{port}"}, 421),
        ({"host": f"127.0.0.1.evil.example:{port}"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 400),
    ]
    assert [(headers, _posted(port, headers)) for headers, _ in expected] == expected


def _posted(port: int, headers: dict[str, str]) -> int:
    """The status of an answer, which no page of another origin may read."""
    asked = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/mcp", json.dumps(_INITIALIZE), asked)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]
    return answer.status


# --- what befalls a process -----------------------------------------------------------------------------------------------

_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}},
}
_SERVE = [sys.executable, "-c", "from headroom.tools.mcp import run; run()"]


class _Server:
    """A server over stdio, spoken to by hand."""

    def __init__(self, *command: str) -> None:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen(command or _SERVE, **pipes)
        self.send(_INITIALIZE)
        assert self.answer()["id"] == 1
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None

    def ended(self) -> tuple[int, bytes]:
        """Its exit code and what it said on stderr."""
        assert self.process.stderr is not None
        with self.process:
            return self.process.wait(20), self.process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes in other ways")
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(told: signal.Signals) -> None:
    server = _Server()
    server.process.send_signal(told)
    assert server.ended() == (-told, b"")


def test_it_ends_in_silence_when_its_client_closes_its_mouth() -> None:
    server = _Server()
    server.close_stdin()
    assert server.ended() == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows names a broken pipe otherwise")
def test_it_ends_in_silence_when_its_client_is_gone() -> None:
    server = _Server()
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.send({"jsonrpc": "2.0", "id": 2, "method": "ping"})
    server.close_stdin()
    assert server.ended() == (0, b"")


def test_what_a_library_prints_is_no_answer() -> None:
    """A store of somebody's prints while it works: stdout is the client's alone."""
    program = (
        "import os, warnings\n"
        "from headroom import MemoryStore\n"
        "from headroom.tools import mcp\n"
        "class Chatty(MemoryStore):\n"
        "    def stats(self, *a, **k):\n"
        "        print('hello', flush=True); os.system('echo hello'); warnings.warn('hello')\n"
        "        return super().stats(*a, **k)\n"
        "mcp.default_store = lambda kept=Chatty(): kept\n"
        "mcp.run()\n"
    )
    server = _Server(sys.executable, "-c", program)
    server.send({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "headroom_stats", "arguments": {}}})
    answer = server.answer()
    assert answer["id"] == 2
    assert answer["result"]["structuredContent"]["originals"] == 0
    server.close_stdin()
    code, said = server.ended()
    assert code == 0 and said.count(b"hello") >= 3


async def test_half_an_emoji_in_an_original_ends_no_connection(store_of_its_own: Any) -> None:
    (reference,) = default_store().put_many(["cut \ud83d here, whole \U0001f600, and \0"])
    async with Client(StdioServerParameters(command=_SERVE[0], args=_SERVE[1:], env={**os.environ})) as client:
        found = await client.call_tool("headroom_retrieve", {"ref": reference})
        assert _text(found) == "cut \ufffd here, whole \U0001f600, and \0"
        stats = await client.call_tool("headroom_stats", {})
        assert stats.structured_content is not None and stats.structured_content["originals"] == 1


async def test_many_at_once_and_one_that_is_given_up(store_of_its_own: Any) -> None:
    (reference,) = default_store().put_many([ORDERS])
    async with Client(StdioServerParameters(command=_SERVE[0], args=_SERVE[1:], env={**os.environ})) as client:
        large = asyncio.ensure_future(client.call_tool("headroom_compress", {"text": ORDERS * 60}))
        await asyncio.sleep(0)
        large.cancel()
        asked = [client.call_tool("headroom_retrieve", {"ref": reference, "query": f"ord_7{n:03}"}) for n in range(100)]
        answers = await asyncio.gather(*asked)
        assert all(f"ord_7{n:03}" in _text(answer) for n, answer in enumerate(answers))


async def test_the_environment_names_store_and_namespace(tmp_path: Path) -> None:
    """What one agent's server left out on one machine, another's gives back elsewhere; another tenant's does not."""
    redis = RedisServer(tmp_path)
    try:
        shared = {**os.environ, "HEADROOM_STORE": redis.url, "HEADROOM_NAMESPACE": "team"}
        (reference,) = open_store(redis.url).put_many([ORDERS], "team")
        for namespace, found in (("team", "ord_7123"), ("others", "No original is stored")):
            env = {**shared, "HEADROOM_NAMESPACE": namespace}
            async with Client(StdioServerParameters(command=_SERVE[0], args=_SERVE[1:], env=env)) as client:
                answer = await client.call_tool("headroom_retrieve", {"ref": reference, "query": "ord_7123"})
                assert found in _text(answer)
    finally:
        redis.stop()


async def test_the_command_line_names_a_store(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.sqlite3"
    command = StdioServerParameters(command=sys.executable, args=["-m", "headroom.cli", "mcp", "--store", str(path)], env={**os.environ})
    async with Client(command) as client:
        await _works(client)
    assert open_store(str(path)).stats().entries == 1


# --- arguments -------------------------------------------------------------------------------------------------------------


async def test_the_tool_is_described_as_in_every_dialect() -> None:
    async with Client(room.server(MemoryStore())) as client:
        (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "headroom_retrieve"]
        described = {
            name: {key: value for key, value in field.items() if key in ("type", "description")}
            for name, field in tool.input_schema["properties"].items()
        }
        assert described == PARAMETERS["properties"]
        assert tool.input_schema["required"] == ["ref"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"query": '{"id": "ord_7123"}'}, "ord_7123"),
        ({"query": '["ord_7123"]'}, "ord_7123"),
        ({"query": ["ord_7123"]}, "ord_7123"),
        ({"query": 7123}, "ord_7123"),
        ({"query": "null"}, '"null"'),
        ({"lines": [1, 1]}, ORDERS[:500]),
        ({"lines": 1}, ORDERS[:500]),
        ({"offset": "5"}, ORDERS[5:500]),
        ({"query": None, "lines": None, "offset": None}, ORDERS[:500]),
        ({"offset": "five"}, "must be a whole number"),
    ],
    ids=str,
)
async def test_what_a_model_miswrites_is_mended_or_answered_in_words(given: dict[str, Any], found: str) -> None:
    store = MemoryStore()
    (reference,) = store.put_many([ORDERS])
    async with Client(room.server(store)) as client:
        answer = await client.call_tool("headroom_retrieve", {"ref": reference, **given})
        assert not answer.is_error
        assert found in _text(answer)


async def test_a_document_is_taken_for_the_text_that_it_is() -> None:
    rows = json.loads(ORDERS)
    async with Client(room.server(MemoryStore())) as client:
        asked = {"text": rows, "question": None, "model": None}
        assert "headroom_retrieve ref=" in _text(await client.call_tool("headroom_compress", asked))


async def test_what_a_model_gets_wrong_is_answered_in_words() -> None:
    async with Client(room.server(MemoryStore())) as client:
        unknown = await client.call_tool("headroom_retrieve", {"ref": "nothing0000-abc"})
        assert "expired" in _text(unknown)
        for name, words in (("headroom_retrieve", "ref is missing"), ("headroom_compress", "text is missing")):
            assert words in _text(await client.call_tool(name, {}))


async def test_a_reference_under_its_longer_name_is_understood() -> None:
    store = MemoryStore()
    (reference,) = store.put_many([ORDERS])
    async with Client(room.server(store)) as client:
        assert ORDERS[:500] in _text(await client.call_tool("headroom_retrieve", {"reference": reference}))
        required = {tool.name: tool.input_schema.get("required") for tool in (await client.list_tools()).tools}
        assert (required["headroom_retrieve"], required["headroom_compress"]) == (["ref"], ["text"])


async def test_another_namespace_gets_nothing() -> None:
    store = MemoryStore()
    reference = compress(shop.conversation(), store=store, namespace="one").references[0]
    async with Client(room.server(store, CompressConfig(namespace="two"))) as client:
        assert "expired" in _text(await client.call_tool("headroom_retrieve", {"ref": reference}))


async def test_a_store_in_trouble_is_said_and_not_raised() -> None:
    class Broken(MemoryStore):
        def get(self, *arguments: Any, **options: Any) -> Any:
            from headroom import StoreError

            raise StoreError("disk gone")

        stats = get

    async with Client(room.server(Broken())) as client:
        assert "disk gone" in _text(await client.call_tool("headroom_retrieve", {"ref": "aaaaaaaaaa-bbb"}))
        held = await client.call_tool("headroom_stats", {})
        assert held.is_error
        assert "disk gone" in _text(held)


@pytest.mark.parametrize(("transport", "host"), [("http", "0.0.0.0"), ("carrier pigeon", "127.0.0.1")])
def test_it_listens_on_this_machine_only(transport: str, host: str) -> None:
    with pytest.raises(ConfigError):
        room.run(transport, host)
