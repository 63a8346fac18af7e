"""A request as it came, the answer on its way back, and a response passed on piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headroom.proxy.credentials import TOKEN_HEADER
from headroom.proxy.limits import Scope, Send
from headroom.proxy.targets import Target, target_of
from headroom.proxy.upstream import Headers, UpstreamRequest, UpstreamResponse

_OURS_ALONE = frozenset((TOKEN_HEADER, "expect", "host"))
"""Never sent on: our own token; what the server here has answered already; and the name that we are called by."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came, without its body."""

    method: str
    path: str
    """Without the query."""
    query: str
    headers: Headers
    by_name: Mapping[str, str]
    """Names in lower case."""
    target: Target

    @classmethod
    def of(cls, scope: Scope) -> Call:
        """What the ASGI server says about it; the path with its escapes as they came."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        by_name = {name.lower(): value for name, value in headers}
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        method = scope["method"]
        target = target_of(method, path, by_name)
        return cls(method, path, scope["query_string"].decode("latin-1"), headers, by_name, target)

    def to_send(self, body: bytes = b"", **others: Any) -> UpstreamRequest:
        """The request to make upstream: everything as it came."""
        path = f"{self.path}?{self.query}" if self.query else self.path
        headers = [(name, value) for name, value in self.headers if name.lower() not in _OURS_ALONE]
        return UpstreamRequest(self.method, path, headers, body, **others)


class Reply:
    """What goes back to the client. `started`: status and headers are out, and no other answer can be given."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.status = 0

    async def start(self, status: int, headers: Headers) -> None:
        """Status and headers."""
        self.started = True
        self.status = status
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def piece(self, body: bytes) -> None:
        """A part of the body, at once."""
        if body:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        """The last part."""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """All at once, its length said."""
        others = [(name, value) for name, value in headers if name.lower() != "content-length"]
        await self.start(status, [*others, ("content-length", str(len(body)))])
        await self.end(body)


async def relay(response: UpstreamResponse, reply: Reply, more_headers: Headers | None = None) -> None:
    """A response as it comes, piece by piece."""
    try:
        await reply.start(response.status, [*response.headers, *(more_headers or [])])
        async for chunk in response.chunks:
            await reply.piece(chunk)
        await reply.end()
    finally:
        await response.aclose()
