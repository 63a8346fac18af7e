"""The round trips of one conversation: what the model asks of headroom_retrieve is answered here, and the client never knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from headroom.proxy.calls import Reply, relay
from headroom.proxy.encodings import reader_of
from headroom.proxy.problems import Problem, event_for
from headroom.proxy.upstream import Headers, Upstream, UpstreamError, UpstreamRequest, UpstreamResponse
from headroom.wire.rounds import Rounds

InThread = Callable[..., Awaitable[Any]]
_OF_THE_BODY = frozenset(("content-length", "content-encoding", "content-md5", "digest", "etag"))
"""Headers that are not true any more once a body was changed."""


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
        read = reader_of(_header(response, "content-encoding"))
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
        answer = read_json(read(raw))
        if response.status >= 400:
            following = await self._in_thread(self._rounds.refused, response.status, answer if answer is not None else raw)
        else:
            following = await self._in_thread(self._rounds.take, answer)
        if following is not None:
            return await self._send(following)
        if response.status >= 400 or self._rounds.response is answer:
            headers = [*response.headers, *self._figures]
        else:
            raw = write_json(self._rounds.response)
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
            last, following = await self._in_thread(stream.end)
            await self._reply.piece(last)
            if following is None:
                break
            try:
                response, read = await self._next_stream(following)
            except (Problem, UpstreamError) as trouble:
                problem = trouble if isinstance(trouble, Problem) else Problem(trouble.status, f"headroom proxy: {trouble}")
                await self._reply.piece(event_for(self._rounds.dialect, problem))
                break
        await self._reply.end()
        return None

    async def _next_stream(self, body: Mapping[str, Any]) -> tuple[UpstreamResponse, Callable[[bytes], bytes]]:
        """The stream that answers `body`. Problem if the provider refuses it, when the client has half an answer already."""
        while True:
            response = await self._send(body)
            read = reader_of(_header(response, "content-encoding"))
            if response.status < 400 and read is not None and _header(response, "content-type").startswith("text/event-stream"):
                return response, read
            raw = await _all_of(response)
            answer = raw if read is None else read_json(read(raw))
            following = await self._in_thread(self._rounds.refused, response.status, raw if answer is None else answer)
            if following is None:
                raise Problem(response.status, _message_in(answer) or f"the provider answered {response.status}")
            body = following

    async def _send(self, body: Mapping[str, Any]) -> UpstreamResponse:
        self._request.body = await self._in_thread(write_json, body)
        self._request.headers = [(name, value) for name, value in self._request.headers if name.lower() != "content-encoding"]
        return await self._upstream.send(self._request)


def read_json(raw: bytes) -> Any:
    """What `raw` holds; None if that is no JSON."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def write_json(value: Any) -> bytes:
    """The bytes to send."""
    return msgspec.json.encode(value)


async def _all_of(response: UpstreamResponse) -> bytes:
    try:
        return b"".join([chunk async for chunk in response.chunks])
    finally:
        await response.aclose()


def _header(response: UpstreamResponse, name: str) -> str:
    return next((value for known, value in response.headers if known.lower() == name), "")


def _without_body(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in _OF_THE_BODY]


def _message_in(answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""
