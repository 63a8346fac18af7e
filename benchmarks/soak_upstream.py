"""A model server for benchmarks/soak.py that often fails, as the request asks: prints its port, serves until killed.

The words FAULT:429, FAULT:500 and FAULT:reset in a request make it answer so; a reset cuts a stream in the middle.
Every answer ends with the characters that arrived, so that whoever asked can tell which request it answers.
"""

from __future__ import annotations

import asyncio
import re

LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
FAULT = re.compile(rb"FAULT:(\w+)")
NUMBER = re.compile(rb"NUMBER:(\d+)")
REFUSALS = {b"429": b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\n", b"500": b"HTTP/1.1 500 Internal Server Error\r\n"}
MESSAGE = (
    b'{"id":"c1","object":"chat.completion","created":1,"model":"scripted","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"answer %s"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)
CHUNK = (
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"scripted","choices":[{"index":0,"finish_reason":null,'
    b'"delta":{"content":"%s"}}]}\n\n'
)
LAST = (
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"scripted","choices":[{"index":0,"finish_reason":"stop",'
    b'"delta":{}}]}\n\ndata: [DONE]\n\n'
)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests of one connection, one after the other."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            if not await answer(body, writer):
                writer.transport.abort()
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(body: bytes, writer: asyncio.StreamWriter) -> bool:
    """False: the connection is to be reset."""
    fault, number = FAULT.search(body), NUMBER.search(body)
    name = fault[1] if fault else b""
    said = number[1] if number else b"?"
    if name in REFUSALS:
        error = b'{"error":{"message":"scripted","type":"scripted","code":null}}'
        writer.write(REFUSALS[name] + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(error), error))
    elif b'"stream":true' in body or b'"stream": true' in body:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in (b"answer ", said, b" ", b"and ", b"so ", b"on"):
            event = CHUNK % part
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.005)
            if name == b"reset" and part == b" ":
                return False
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(LAST), LAST))
    elif name == b"reset":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{")
        await writer.drain()
        return False
    else:
        text = MESSAGE % said
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text))
    await writer.drain()
    return True


async def main() -> None:
    """Serve on any free port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024, limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
