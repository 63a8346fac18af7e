"""Requests straight to a provider, over connections that are kept: a fraction of what a general HTTP client costs.

Where the environment names a proxy of the network's, `upstream.HTTPUpstream` speaks through it instead.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from headroom.proxy.connection import Connection
from headroom.proxy.upstream import (
    Headers,
    HTTPUpstream,
    TimeOuts,
    Upstream,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
    forwarded_headers,
)

MOST_IDLE = 100
IDLE_SECONDS = 30.0


def upstream_for(base_url: str, time_outs: TimeOuts | None = None, known_as: str = "") -> Upstream:
    """Straight to `base_url`, or through the network's own proxy if the environment names one for it."""
    url = urlsplit(base_url)
    proxies = getproxies()
    behind = (proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.hostname or "")
    return (HTTPUpstream if behind else DirectUpstream)(base_url, time_outs, known_as)


class DirectUpstream:
    """Takes what HTTPUpstream takes, and does the same."""

    def __init__(self, base_url: str, time_outs: TimeOuts | None = None, known_as: str = "") -> None:
        url = urlsplit(base_url)
        self.base_url = base_url.rstrip("/")
        self._secure = url.scheme == "https"
        self._host = url.hostname or ""
        self._port = url.port or (443 if self._secure else 80)
        self._authority = url.netloc.rpartition("@")[2]
        self._prefix = url.path.rstrip("/")
        self._known_as = known_as
        self._time_outs = time_outs or TimeOuts()
        self._context: ssl.SSLContext | None = None
        self._idle: list[Connection] = []

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """UpstreamError: 504 if the provider did not answer in time, 502 if it could not be reached."""
        head = self._head(request)
        kept = self._kept()
        if kept is not None:
            try:
                return await self._asked(kept, request, head)
            except UpstreamError:
                # Closed by the provider while nobody used it, which shows only now. What was never answered is asked once more.
                if not kept.closed_unheard or request.stream is not None:
                    raise
        return await self._asked(await self._connected(), request, head)

    async def _asked(self, connection: Connection, request: UpstreamRequest, head: bytes) -> UpstreamResponse:
        try:
            body = request.body if request.stream is None else b""
            status, headers = await connection.ask(request.method, head, body, request.stream)
        except BaseException:
            connection.abort()
            raise
        answer = _Answer(self, connection)
        return UpstreamResponse(status, forwarded_headers(headers), answer.chunks(), answer.aclose)

    async def aclose(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._idle.pop().abort()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next request, if there can be one."""
        connection.release()
        if connection.reusable and len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.abort()

    def _kept(self) -> Connection | None:
        """The connection used last, unless it was closed meanwhile."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and now - connection.idle_since < IDLE_SECONDS:
                return connection
            connection.abort()
        return None

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        if self._secure and self._context is None:
            self._context = httpx.create_ssl_context()
        made = loop.create_connection(
            lambda: Connection(self.base_url, self._time_outs.read),
            self._host,
            self._port,
            ssl=self._context,
            server_hostname=self._host if self._secure else None,
        )
        try:
            _, connection = await asyncio.wait_for(made, self._time_outs.connect)
        except (asyncio.TimeoutError, TimeoutError) as error:
            raise UpstreamError(504, f"{self.base_url} did not answer in time: no connection") from error
        except OSError as error:
            raise UpstreamError(502, f"{self.base_url} could not be reached ({error})") from error
        return connection

    def _head(self, request: UpstreamRequest) -> bytes:
        path = request.path
        if self._known_as and path.startswith((f"{self._known_as}/", f"{self._known_as}?")):
            path = path[len(self._known_as) :]
        lines = [f"{request.method} {self._prefix}{path} HTTP/1.1", f"host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in _framed(request)]
        if any("\r" in line or "\n" in line for line in lines):
            raise UpstreamError(502, "a header of the request holds a line end")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _framed(request: UpstreamRequest) -> Headers:
    """The caller's headers, and the one that says where the body ends."""
    headers = [(name, value) for name, value in forwarded_headers(request.headers) if name.lower() != "host"]
    if request.stream is None:
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("content-length", str(len(request.body))))
    elif not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("transfer-encoding", "chunked"))
    return headers


class _Answer:
    """An answer that is being read: at its end the connection goes back, and is closed if it is left before."""

    def __init__(self, upstream: DirectUpstream, connection: Connection) -> None:
        self._upstream = upstream
        self._connection: Connection | None = connection

    async def chunks(self) -> AsyncIterator[bytes]:
        connection = self._connection
        if connection is None:
            return
        try:
            async for piece in connection.pieces():
                yield piece
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._upstream.give_back(connection)
