"""The MCP server, asked by the official client: in this process, over stdio, and over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from headroom import CompressConfig, ConfigError, MemoryStore, compress
from headroom.tools import mcp as room
from tests import shop
from tests.redis_server import free_port

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


async def test_what_a_model_gets_wrong_is_answered_in_words() -> None:
    async with Client(room.server(MemoryStore())) as client:
        unknown = await client.call_tool("headroom_retrieve", {"ref": "nothing0000-abc"})
        assert "expired" in _text(unknown)
        missing = await client.call_tool("headroom_retrieve", {})
        assert missing.is_error
        assert "ref" in _text(missing)


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
