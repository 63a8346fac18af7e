"""What all backends share: a request as they read it, and what becomes of an official client's errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import unquote

from headroom.proxy.backends.answers import error_answer, error_of_cloud
from headroom.proxy.upstream import Headers, TimeOuts, UpstreamError, UpstreamRequest, UpstreamResponse, forwarded_headers

UNREAD = {"X-Stainless-Raw-Response": "stream"}
"""What tells both official clients to hand over a response as it arrives."""

_MOST_BYTES = 64 << 20
"""Of a body that the proxy did not read: a client of a cloud takes it as a whole."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How a backend is opened. What is empty is left to the official client, which asks the environment."""

    region: str = ""
    url: str = ""
    """In place of the service's own."""
    model_map: Mapping[str, str] = field(default_factory=dict)
    """Names that clients send -> names that the service knows; all others follow the backend's rule."""
    time_outs: TimeOuts = field(default_factory=TimeOuts)


class Refused(Exception):
    """A request that the backend cannot take; the client is told why, with this status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the backends read it. `path` is without query and /v1; `headers` have names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    request: UpstreamRequest

    @property
    def dialect(self) -> str:
        """In which an error is written."""
        if self.path.startswith("/messages"):
            return "anthropic"
        return "anthropic" if self.path.startswith("/models") and "anthropic-version" in self.headers else "openai"

    async def json(self, *, with_model: bool = True) -> dict[str, Any]:
        """The body. Refused if it is anything but an object, or has no model."""
        try:
            body = json.loads(await self._raw())
        except ValueError as broken:
            raise Refused(f"the body is not JSON: {broken}") from broken
        if not isinstance(body, dict):
            raise Refused("the body must be a JSON object")
        if with_model and (not isinstance(body.get("model"), str) or body["model"] in ("", ".", "..")):  # it becomes part of a path
            raise Refused("model: a name is required")
        return body

    async def _raw(self) -> bytes:
        if self.request.stream is None:
            return self.request.body
        pieces: list[bytes] = []
        size = 0
        async for piece in self.request.stream:
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_BYTES:
                raise Refused(f"the body is over {_MOST_BYTES >> 20} MiB", status=413)
        return b"".join(pieces)


def read_call(request: UpstreamRequest) -> Call:
    """A request as the backends read it; its body waits."""
    path, _, query = request.path.partition("?")
    headers = {name.lower(): value for name, value in request.headers}
    return Call(request.method.upper(), path.removeprefix("/v1") or "/", query, headers, request)


def leaves_its_path(path: str) -> bool:
    """Whether a path may mean another than it says: the service would see it with our credentials."""
    plain = unquote(path).replace("\\", "/")
    return any(part in (".", "..") for part in plain.split("/")) or "//" in plain


class OfficialResponse(Protocol):
    """A response of the HTTP library below an official client: which one it is differs from client to client."""

    status_code: int
    headers: Any

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body, decoded."""

    async def aclose(self) -> None:
        """End it early."""


class CloudUpstream:
    """An upstream behind an official client. Subclasses answer; what goes wrong is told in the client's dialect."""

    name: str
    sdk: ModuleType
    """`anthropic` or `openai`: both name their errors alike."""
    transport_error: type[Exception]
    """The root of what the HTTP library below the client raises, which the client lets through while it reads an error."""
    credential_errors: tuple[type[Exception], ...] = ()
    """What is raised where there are no credentials, or they cannot be had."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """UpstreamError: 504 if the service did not answer in time, 502 if it could not be reached."""
        call = read_call(request)
        try:
            return await self.answer(call)
        except Refused as refused:
            return error_answer(call.dialect, refused.status, str(refused))
        except self.sdk.APIStatusError as error:
            response = error.response
            return error_of_cloud(call.dialect, response.status_code, response.headers.multi_items(), response.content)
        except self.sdk.APIConnectionError as error:
            raise self._unreachable(error) from error
        except self.transport_error as error:
            raise self.broken_off(error) from error
        except self.credential_errors as error:
            return error_answer(call.dialect, 401, f"{self.name}: the proxy has no valid credentials ({error})")
        except (ValueError, self._sdk_error) as error:
            return error_answer(call.dialect, 400, f"{self.name}: {error}")

    async def answer(self, call: Call) -> UpstreamResponse:
        """The service's answer. Raises Refused, and what the official client raises."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close every connection."""
        raise NotImplementedError

    def passed_on(self, response: OfficialResponse) -> UpstreamResponse:
        """A response, body and all, as it arrives."""
        return UpstreamResponse(response.status_code, _decoded_headers(response), self._chunks(response), response.aclose)

    async def _chunks(self, response: OfficialResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except Exception as error:  # of whichever HTTP library the client uses: they share no base
            raise self.broken_off(error) from error
        finally:
            await response.aclose()

    def broken_off(self, error: Exception) -> UpstreamError:
        """What a stream that ends early is to the proxy."""
        status = 504 if "Timeout" in type(error).__name__ else 502
        return UpstreamError(status, f"{self.name} broke off its answer ({type(error).__name__}: {error})")

    def _unreachable(self, error: Exception) -> UpstreamError:
        cause = error.__cause__ or error
        if isinstance(error, self.sdk.APITimeoutError):
            return UpstreamError(504, f"{self.name} did not answer in time ({type(cause).__name__})")
        return UpstreamError(502, f"{self.name} could not be reached ({type(cause).__name__}: {cause})")

    @property
    def _sdk_error(self) -> type[Exception]:
        """The root of the client's errors: what it refuses to send."""
        root: type[Exception] = self.sdk.APIError.__base__
        return root


def seconds(sdk: ModuleType, time_outs: TimeOuts) -> Any:
    """Time-outs as `sdk` writes them."""
    return sdk.Timeout(connect=time_outs.connect, read=time_outs.read, write=time_outs.write, pool=None)


def _decoded_headers(response: OfficialResponse) -> Headers:
    """Headers of a body that the client has decoded."""
    headers = forwarded_headers(response.headers.multi_items())
    if "content-encoding" not in response.headers:
        return headers
    return [(name, value) for name, value in headers if name.lower() not in ("content-encoding", "content-length")]
