"""The round trips of one conversation: what the model asks of headroom_retrieve is answered here, and the client never knows."""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from headroom.proxy.calls import Reply, relay
from headroom.proxy.problems import Problem, body_for
from headroom.proxy.upstream import Headers, Upstream, UpstreamError, UpstreamRequest, UpstreamResponse
from headroom.wire.json_text import write
from headroom.wire.rounds import Rounds

InThread = Callable[..., Awaitable[Any]]
_OF_THE_BODY = frozenset(("content-length", "content-encoding", "content-md5", "digest", "etag"))
"""Headers that are not true any more once a body was changed."""


class Refused(Exception):
    """A later round that the provider did not take: its status, and what it said."""

    def __init__(self, status: int, answer: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.answer = answer


class RoundTrips:
    """One conversation between `reply` and `upstream`, from its first request on."""

    def __init__(
        self, rounds: Rounds, request: UpstreamRequest, upstream: Upstream, reply: Reply, figures: Headers, in_thread: InThread
    ) -> None:
        self._rounds = rounds
        self._upstream = upstream
        self._reply = reply
        self._figures = figures
        self._in_thread = in_thread
        self._request = request
        # What is to be read must be readable: the answer is asked for without a content-encoding.
        request.headers = [(name, value) for name, value in request.headers if name.lower() != "accept-encoding"]
        request.headers.append(("accept-encoding", "identity"))

    async def run(self) -> None:
        """Until the client has its whole answer."""
        response: UpstreamResponse | None = await self._upstream.send(self._request)
        while response is not None:
            response = await self._through(response)

    async def _through(self, response: UpstreamResponse) -> UpstreamResponse | None:
        """Deal with a response; the next one, if the conversation goes on."""
        read = _reader_of(_header(response, "content-encoding"))
        kind = _header(response, "content-type").partition(";")[0].strip().lower()
        if read is None or (kind not in ("text/event-stream", "application/json") and response.status < 400):
            await relay(response, self._reply, self._figures)
            return None
        if response.status < 400 and kind == "text/event-stream":
            return await self._streamed(response, read)
        return await self._whole(response, read)

    # --- whole responses ----------------------------------------------------------------------------------------------

    async def _whole(self, response: UpstreamResponse, read: Callable[[bytes], bytes]) -> UpstreamResponse | None:
        raw = await _all_of(response)
        answer = _json(read(raw))
        if response.status >= 400:
            following = await self._in_thread(self._rounds.refused, response.status, answer if answer is not None else raw)
        else:
            following = await self._in_thread(self._rounds.take, answer)
        if following is not None:
            return await self._send(following)
        if response.status >= 400 or self._rounds.response is answer:
            headers = [*response.headers, *self._figures]
        else:
            raw = write(self._rounds.response)
            headers = [*_without_body(response.headers), *self._figures]
        await self._reply.whole(response.status, headers, raw)
        return None

    # --- streams ------------------------------------------------------------------------------------------------------

    async def _streamed(self, response: UpstreamResponse, read: Callable[[bytes], bytes]) -> UpstreamResponse | None:
        """All streams that follow from here are one to the client."""
        await self._reply.start(response.status, [*_without_body(response.headers), *self._figures])
        stream = self._rounds.stream()
        while True:
            try:
                async for chunk in response.chunks:
                    await self._reply.piece(stream.feed(read(chunk)))
            finally:
                await response.aclose()
            last, following = await stream.aend()
            await self._reply.piece(last)
            if following is None:
                break
            try:
                response, read = await self._next_stream(following)
            except Refused as refused:
                await self._reply.piece(stream.failed(refused.status, refused.answer))
                break
        await self._reply.end()
        return None

    async def _next_stream(self, body: Mapping[str, Any]) -> tuple[UpstreamResponse, Callable[[bytes], bytes]]:
        """The stream that answers `body`. Refused if there is none, when the client has half an answer already."""
        while True:
            try:
                response = await self._send(body)
            except UpstreamError as error:
                message = f"headroom proxy: {error}"
                provider = "anthropic" if self._rounds.dialect == "anthropic" else "openai"
                raise Refused(error.status, body_for(provider, Problem(error.status, message))) from error
            read = _reader_of(_header(response, "content-encoding"))
            if response.status < 400 and read is not None and _header(response, "content-type").startswith("text/event-stream"):
                return response, read
            raw = await _all_of(response)
            answer = raw if read is None else read(raw)
            following = await self._in_thread(self._rounds.refused, response.status, answer)
            if following is None:
                raise Refused(response.status, answer)
            body = following

    async def _send(self, body: Mapping[str, Any]) -> UpstreamResponse:
        self._request.body = await self._in_thread(write, body)
        self._request.headers = [(name, value) for name, value in self._request.headers if name.lower() != "content-encoding"]
        return await self._upstream.send(self._request)


def _reader_of(encoding: str) -> Callable[[bytes], bytes] | None:
    """What takes the content-encoding off a response piece by piece; None if it cannot be read here."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda piece: piece
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress if name in ("gzip", "x-gzip") else None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


async def _all_of(response: UpstreamResponse) -> bytes:
    try:
        return b"".join([chunk async for chunk in response.chunks])
    finally:
        await response.aclose()


def _header(response: UpstreamResponse, name: str) -> str:
    return next((value for known, value in response.headers if known.lower() == name), "")


def _without_body(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in _OF_THE_BODY]
