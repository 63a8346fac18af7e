"""A model server for benchmarks/proxy.py: one asyncio loop, no framework, so that what is measured is the proxy.

    python benchmarks/proxy_upstream.py THINK_SECONDS CHUNKS GAP_SECONDS        prints its port, serves until killed

Answers every POST in Anthropic's dialect: a stream if the body asks for one, each piece of text the time at which it
was written, in nanoseconds of the machine's monotonic clock. GET /received says how many bytes a body had on average,
for each key that clients sent.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import ClassVar

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"x-api-key:\s*(\S+)", re.IGNORECASE)
_USAGE = '"usage":{"input_tokens":10,"output_tokens":1}'
_MESSAGE = '{"id":"msg_1","type":"message","role":"assistant","model":"scripted","stop_sequence":null,'


class Connection(asyncio.Protocol):
    """One client; requests one after the other."""

    think, chunks, gap = 0.0, 10, 0.0
    bodies: ClassVar[dict[str, list[int]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = bytearray()
        self._answering: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, _ = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = _LENGTH.search(head)
        end = len(head) + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) >= end:
            body = bytes(self._buffer[len(head) + 4 : end])
            del self._buffer[:end]
            if head.startswith(b"GET"):
                self._transport.write(self._sizes())
                return
            key = _KEY.search(head)
            self.bodies.setdefault(key[1].decode() if key else "", []).append(len(body))
            self._answering = asyncio.ensure_future(self._answer(b'"stream":true' in body or b'"stream": true' in body))

    def connection_lost(self, _: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cancel()

    async def _answer(self, stream: bool) -> None:
        await asyncio.sleep(self.think)
        if not stream:
            body = (_MESSAGE + '"content":[{"type":"text","text":"done"}],"stop_reason":"end_turn",' + _USAGE + "}").encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)
            return
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        started = _MESSAGE + '"content":[],"stop_reason":null,' + _USAGE + "}"
        self._write("message_start", f'"message":{started}')
        self._write("content_block_start", '"index":0,"content_block":{"type":"text","text":""}')
        for _ in range(self.chunks):
            await asyncio.sleep(self.gap)
            self._write("content_block_delta", f'"index":0,"delta":{{"type":"text_delta","text":"at {time.monotonic_ns()} "}}')
        self._write("content_block_stop", '"index":0')
        self._write("message_delta", '"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}')
        self._write("message_stop", '"end":true')
        self._transport.write(b"0\r\n\r\n")

    def _sizes(self) -> bytes:
        body = json.dumps({key: sum(sizes) / len(sizes) for key, sizes in self.bodies.items()}).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    def _write(self, name: str, fields: str) -> None:
        event = f'event: {name}\ndata: {{"type":"{name}",{fields}}}\n\n'.encode()
        self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))


async def main() -> None:
    """Serve on any free port."""
    Connection.think, Connection.chunks, Connection.gap = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
