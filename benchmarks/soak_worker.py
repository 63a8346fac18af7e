"""The library and the ASGI middleware under load, as a process of their own, for benchmarks/soak.py.

    python benchmarks/soak_worker.py SECONDS SEED       prints one JSON object when it is done

Each turn compresses a conversation by the library, and sends another through the middleware to a little application that
answers, refuses, raises or is left alone by its client. What went through must be what compress() promises; anything
raised that the application did not raise itself is an error of ours.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proxy_requests import output

from headroom import StoreError, UnknownReferenceError, compress, retrieve
from headroom.integrations.asgi import CompressionMiddleware


class Scripted(Exception):
    """What the application raises, on purpose."""


def conversation(dice: random.Random, words: str = "") -> list[dict[str, Any]]:
    """A question, a call and its output, in OpenAI's dialect."""
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": json.dumps({"page": dice.randrange(9)})}}
    return [
        {"role": "user", "content": f"Why did checkout fail? {words}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": output(dice, dice.choice((400, 4_000, 12_000)))},
    ]


def library(dice: random.Random, counts: Counter[str]) -> None:
    messages = conversation(dice)
    result = compress(messages, "gpt-4o")
    counts["library: requests"] += 1
    counts["library: sent whole, the store was away"] += any(block.failed for block in result.blocks)
    for reference in result.references:
        counts[f"library: {looked_up(reference, messages[2]['content'])}"] += 1


def looked_up(reference: str, original: str) -> str:
    try:
        return "originals got back" if retrieve(reference) == original else "wrong originals"
    except UnknownReferenceError:
        return "originals lost"
    except StoreError:
        return "look-ups while the store was away"


async def application(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    said = json.loads(body)["messages"][0]["content"]
    if "FAULT:raise" in said:
        raise Scripted
    status = 500 if "FAULT:500" in said else 200
    answer = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}).encode()
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})


async def middleware(app: CompressionMiddleware, dice: random.Random, counts: Counter[str]) -> None:
    fault = dice.choice(("", "", "", "FAULT:raise", "FAULT:500", "FAULT:leaves"))
    body = json.dumps({"model": "gpt-4o", "messages": conversation(dice, fault)}).encode()
    half = len(body) // 2
    events = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.disconnect"} if fault == "FAULT:leaves" else {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0) if events else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers, "query_string": b""}
    counts["middleware: requests"] += 1
    try:
        await app(scope, receive, send)
    except Scripted:
        counts["middleware: the application's own exceptions"] += fault == "FAULT:raise"
        counts["middleware: wrong answers"] += fault != "FAULT:raise"
        return
    wanted = {"": 200, "FAULT:500": 500, "FAULT:leaves": None}.get(fault)
    got = sent[0]["status"] if sent else None
    counts["middleware: wrong answers"] += wanted is not None and got != wanted


async def main() -> None:
    """Turns until the time is over."""
    warnings.simplefilter("ignore")
    until, dice = time.monotonic() + float(sys.argv[1]), random.Random(sys.argv[2])
    counts: Counter[str] = Counter(
        {"library: wrong originals": 0, "library: originals lost": 0, "middleware: wrong answers": 0, "errors of ours": 0}
    )
    app = CompressionMiddleware(application)
    while time.monotonic() < until:
        try:
            library(dice, counts)
            await asyncio.gather(*(middleware(app, dice, counts) for _ in range(2)))
        except Exception as error:
            counts["errors of ours"] += 1
            counts[f"{type(error).__name__}: {error}"[:120]] += 1
        await asyncio.sleep(0.05)
    print(json.dumps(counts))


if __name__ == "__main__":
    asyncio.run(main())
