"""The way to the provider: what an upstream is, and the one that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

from headroom import MissingDependencyError

try:
    import httpx
except ImportError as missing:
    raise MissingDependencyError("httpx", extra="proxy") from missing

Headers = list[tuple[str, str]]

HOP_BY_HOP = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    )
)
"""Headers about one connection, which no forwarder passes on."""


@dataclass(slots=True)
class UpstreamRequest:
    """A request to send. `path` starts with "/" and holds the query; `stream`, if given, is sent in place of `body`."""

    method: str
    path: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    """Only on paths that nobody here reads: a body that goes through as it comes."""


@dataclass(slots=True)
class UpstreamResponse:
    """What came back. `chunks` are bytes as they came, still in their content-encoding; `aclose()` ends it early."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]
    aclose: Callable[[], Awaitable[None]]


class UpstreamError(Exception):
    """No response to pass on. `status` is what the client gets (502, or 504 for a time-out)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Upstream(Protocol):
    """Where requests go. Raises UpstreamError where there is no response; a response with an error status is one."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send, and return as soon as status and headers are there."""

    async def aclose(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class TimeOuts:
    """Seconds. `read` is the longest silence between two pieces of a response: a model may think for minutes."""

    connect: float = 10.0
    read: float = 600.0
    write: float = 60.0


class HTTPUpstream:
    """Requests to `base_url` (scheme, host, port and perhaps a path before every request's own), headers as the caller wrote them.

    `known_as` is what clients know the path of `base_url` by: "/v1" where it stands for http://host:port/api/v1.
    """

    def __init__(self, base_url: str, time_outs: TimeOuts | None = None, known_as: str = "") -> None:
        url = httpx.URL(base_url)
        self.base_url = base_url.rstrip("/")
        self._origin = url.copy_with(raw_path=b"/")
        self._known_as = known_as
        self._prefix = url.raw_path.decode("ascii").rstrip("/")
        seconds = time_outs or TimeOuts()
        # How many requests there may be at once is for the proxy to say, before they come here: the pool sets no limit.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(connect=seconds.connect, read=seconds.read, write=seconds.write, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one caller's cookies are not another's
            follow_redirects=False,
        )

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """UpstreamError: 504 if the provider did not answer in time, 502 if it could not be reached."""
        try:
            response = await self._client.send(self._built(request), stream=True)
        except httpx.HTTPError as error:
            raise self._trouble(error) from error
        return UpstreamResponse(
            response.status_code, forwarded_headers(_decoded(response.headers.raw)), self._chunks(response), response.aclose
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _built(self, request: UpstreamRequest) -> httpx.Request:
        path = request.path
        if self._known_as and path.startswith((f"{self._known_as}/", f"{self._known_as}?")):
            path = path[len(self._known_as) :]
        target = (self._prefix + path).encode("latin-1")
        own = ("host",) if request.stream is not None else ("host", "content-length")
        # A request made by hand has no header but these, and the target goes out byte for byte as it came.
        return httpx.Request(
            request.method,
            self._origin,
            headers=_as_bytes((name, value) for name, value in forwarded_headers(request.headers) if name.lower() not in own),
            content=request.body if request.stream is None else request.stream,
            extensions={"target": target, "timeout": self._client.timeout.as_dict()},
        )

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except httpx.HTTPError as error:
            raise self._trouble(error) from error
        finally:
            await response.aclose()

    def _trouble(self, error: httpx.HTTPError) -> UpstreamError:
        if isinstance(error, httpx.TimeoutException):
            return UpstreamError(504, f"{self.base_url} did not answer in time ({type(error).__name__})")
        return UpstreamError(502, f"{self.base_url} could not be reached ({type(error).__name__}: {error})")


def forwarded_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """`headers` without those about one connection, the ones that `connection` names included."""
    listed = list(headers)
    named = {word.strip().lower() for name, value in listed if name.lower() == "connection" for word in value.split(",")}
    return [(name, value) for name, value in listed if name.lower() not in HOP_BY_HOP and name.lower() not in named]


def _as_bytes(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _decoded(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
