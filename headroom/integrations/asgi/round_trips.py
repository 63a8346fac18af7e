"""The application is asked again, until the model has got back what it wanted to see; the client gets one response."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from headroom.integrations.asgi.messages import App, Message, Receive, Scope, Send, header_of, replaying, without
from headroom.wire.json_text import write
from headroom.wire.rounds import Rounds


class RoundTrips:
    """One request of a client's and the calls of the application that answer it."""

    def __init__(self, app: App, scope: Scope, receive: Receive, send: Send, rounds: Rounds) -> None:
        self._app = app
        # what is to be read must be readable: the application must not compress it
        self._scope = {**scope, "headers": without(scope["headers"], b"accept-encoding")}
        self._receive = receive
        self._send = send
        self._rounds = rounds
        self._stream = rounds.stream()
        self.begun = False
        """Whether the client has the head of a stream."""

    async def run(self, raw: bytes) -> None:
        """Until the client has its whole response."""
        following: bytes | None = raw
        while following is not None:
            response = _Response(self)
            length = (b"content-length", str(len(following)).encode())
            message: Message = {"type": "http.request", "body": following, "more_body": False}
            scope = {**self._scope, "headers": [*self._scope["headers"], length]}
            await self._app(scope, replaying([message], self._receive), response.send)
            following = None if response.following is None else write(response.following)

    # --- what became of one call ---------------------------------------------------------------------------------------

    async def streamed(self, start: Message, piece: bytes, last: bool) -> Mapping[str, Any] | None:
        """A piece of a stream; at its end the next body to send, if there is one."""
        if not self.begun:
            self.begun = True
            await self._send({**start, "headers": without(start.get("headers", ()), b"content-length")})
        piece = self._stream.feed(piece)
        following = None
        if last:
            rest, following = await self._stream.aend()
            piece += rest
        if piece or (last and following is None):
            await self._send({"type": "http.response.body", "body": piece, "more_body": not last or following is not None})
        return following

    async def whole(self, start: Message, raw: bytes) -> Mapping[str, Any] | None:
        """A response that is no stream; the next body to send, or None once the client has its response."""
        answer = _json(raw)
        if start["status"] >= 400:
            following = await asyncio.to_thread(self._rounds.refused, start["status"], raw if answer is None else answer)
        else:
            following = await self._rounds.atake(answer)
        if following is not None:
            return following
        if self.begun:  # half a stream is with the client already
            await self._send({"type": "http.response.body", "body": self._stream.failed(start["status"], raw), "more_body": False})
            return None
        if start["status"] < 400 and self._rounds.response is not answer:
            raw = write(self._rounds.response)
            headers = [*without(start.get("headers", ()), b"content-length"), (b"content-length", str(len(raw)).encode())]
            start = {**start, "headers": headers}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": raw, "more_body": False})
        return None

    async def passed(self, message: Message) -> None:
        """Something that is not for us to read."""
        await self._send(message)


class _Response:
    """What the application sends in one call: read if it is the model's words, passed on if it is anything else."""

    def __init__(self, trips: RoundTrips) -> None:
        self._trips = trips
        self._start: Message = {}
        self._pieces: list[bytes] = []
        self._kind = ""
        self.following: Mapping[str, Any] | None = None

    async def send(self, message: Message) -> None:
        """An ASGI send."""
        if message["type"] == "http.response.start":
            self._start = message
            self._kind = _kind_of(message) or ("whole" if self._trips.begun else "")
            if not self._kind:
                await self._trips.passed(message)
        elif message["type"] != "http.response.body" or not self._kind:
            await self._trips.passed(message)
        else:
            await self._on_body(message.get("body", b""), not message.get("more_body", False))

    async def _on_body(self, piece: bytes, last: bool) -> None:
        if self._kind == "stream":
            self.following = await self._trips.streamed(self._start, piece, last)
            return
        self._pieces.append(piece)
        if last:
            self.following = await self._trips.whole(self._start, b"".join(self._pieces))


def _kind_of(start: Message) -> str:
    """ "stream", "whole", or "" for what cannot be read here."""
    headers = list(start.get("headers", ()))
    if header_of(headers, b"content-encoding") not in ("", "identity"):
        return ""
    kind = header_of(headers, b"content-type")
    if start["status"] >= 400:
        return "whole"
    return "stream" if "event-stream" in kind else "whole" if "json" in kind else ""


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
