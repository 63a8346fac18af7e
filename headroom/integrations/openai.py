"""OpenAI's own clients, with shorter tool outputs and a model that can get back what was left out.

from headroom.integrations.openai import with_headroom
client = with_headroom(openai.OpenAI())
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from headroom import CompressionService, MissingDependencyError, Savings
from headroom.wire.exchanges import Attempts, aanswered, answered
from headroom.wire.json_text import read_object, rewritten, write
from headroom.wire.rounds import Rounds

try:
    import openai as _openai  # noqa: F401  (its clients are what is wrapped)
except ImportError as missing:
    raise MissingDependencyError("openai", extra="openai") from missing

Client = TypeVar("Client")
_DIALECTS = {"/chat/completions": "openai", "/responses": "responses", "/responses/input_tokens": "responses"}
_COUNTS = "/responses/input_tokens"


def with_headroom(client: Client, *, retrieve: bool = True, service: CompressionService | None = None, **options: Any) -> Client:
    """A client like this one whose requests are compressed; `client` itself stays as it is. They share connections.

    Works for OpenAI, AsyncOpenAI and the Azure clients, with httpx and httpx2. `retrieve` off: no tool is offered and
    texts are only folded. `service`: where options and savings live, made from `options` (those of `compress()`) if not
    given. ConfigError for an option that does not exist.
    """
    inner = _http_client_of(client)
    inner = inner.inner if _is_ours(inner) else inner
    door = _Door(CompressionService(**options) if service is None else service, retrieve)
    given: Any = client
    made: Client = given.copy(http_client=_door_class(_library_of(inner), _is_async(inner))(inner, door))
    return made


def savings_of(client: Any) -> Savings:
    """What a client from `with_headroom`, and all copies of it, have saved. ValueError for any other client."""
    http_client = _http_client_of(client)
    if not _is_ours(http_client):
        raise ValueError(f"this {type(client).__name__} does not come from with_headroom()")
    savings: Savings = http_client.door.service.savings
    return savings


class _Door:
    """What happens to a request on its way out; the same for all clients."""

    def __init__(self, service: CompressionService, retrieve: bool) -> None:
        self.service = service
        self._retrieve = retrieve
        self._attempts = Attempts()

    def dialect_of(self, request: Any) -> str:
        """What a request carries, "" if it is not for us: judged without reading its body."""
        if request.method != "POST" or "json" not in request.headers.get("content-type", ""):
            return ""
        return next((dialect for end, dialect in _DIALECTS.items() if str(request.url.path).endswith(end)), "")

    def passed(self, request: Any, dialect: str) -> _Passage | None:
        """What to send in place of a request that has been read; None if it is to pass as it is."""
        try:
            body = read_object(request.content)
            if body is None:
                return None
            if str(request.url.path).endswith(_COUNTS):
                rounds = Rounds.counting(dialect, body, self.service, retrieval=self._retrieve)
                return _Passage(request, rounds, _first(request, body, rounds), counts=True)
            key = hashlib.blake2b(request.content, digest_size=16, person=b"attempt").digest()
            known = self._attempts.again(key) if request.headers.get("x-stainless-retry-count", "0") != "0" else None
            rounds = known or Rounds(dialect, body, self.service, retrieval=self._retrieve)
            self._attempts.began(key, rounds)
            return _Passage(request, rounds, _first(request, body, rounds), key=key)
        except Exception as error:  # the user's request goes on, whatever becomes of ours
            self.service.failed(error)
            return None

    def settled(self, passage: _Passage, response: Any) -> None:
        """A response is there: if it is no error, the request will not be tried again."""
        if response.status_code < 400:
            self._attempts.succeeded(passage.key)


class _Passage:
    """One request on its way: its rounds, and the request of the first of them."""

    def __init__(self, request: Any, rounds: Rounds, first: Any, *, key: bytes = b"", counts: bool = False) -> None:
        self.request, self.rounds, self.first, self.key, self.counts = request, rounds, first, key, counts

    def following(self, body: Mapping[str, Any]) -> Any:
        """The request of a later round."""
        return _with_content(self.request, write(body))


def _first(request: Any, body: dict[str, Any], rounds: Rounds) -> Any:
    return request if rounds.body is body else _with_content(request, rewritten(request.content, body, dict(rounds.body)))


def _with_content(request: Any, raw: bytes) -> Any:
    headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() != "content-length"]
    return type(request)(request.method, request.url, headers=headers, content=raw, extensions=request.extensions)


# --- the http client that the vendor's client holds -----------------------------------------------------------------------


class _Shared:
    """What stands in for an http client: building requests, connections and closing stay with the one that it stands for."""

    inner: Any
    door: _Door

    def build_request(self, *arguments: Any, **named: Any) -> Any:
        return self.inner.build_request(*arguments, **named)

    @property
    def is_closed(self) -> bool:
        return bool(self.inner.is_closed)


class _Sync(_Shared):
    def send(self, request: Any, **options: Any) -> Any:
        dialect = self.door.dialect_of(request)
        passage = None if not dialect or not request.read() else self.door.passed(request, dialect)
        if passage is None:
            return self.inner.send(request, **options)
        response = self.inner.send(passage.first, **options)
        if not passage.counts:
            response = answered(passage.rounds, response, lambda body: self.inner.send(passage.following(body), **options))
        self.door.settled(passage, response)
        return response

    def close(self) -> None:
        self.inner.close()


class _Async(_Shared):
    async def send(self, request: Any, **options: Any) -> Any:
        dialect = self.door.dialect_of(request)
        passage = None if not dialect or not await request.aread() else await asyncio.to_thread(self.door.passed, request, dialect)
        if passage is None:
            return await self.inner.send(request, **options)
        response = await self.inner.send(passage.first, **options)
        if not passage.counts:
            response = await aanswered(passage.rounds, response, lambda body: self.inner.send(passage.following(body), **options))
        self.door.settled(passage, response)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


@cache
def _door_class(library: Any, asynchronous: bool) -> Any:
    """A client class of httpx or of httpx2, whichever the vendor's client holds, that sends through another client."""
    base = library.AsyncClient if asynchronous else library.Client

    def __init__(self: Any, inner: Any, door: _Door) -> None:
        transport = library.AsyncBaseTransport() if asynchronous else library.BaseTransport()
        base.__init__(self, transport=transport, timeout=inner.timeout, trust_env=False)  # never used: `inner` sends
        self.inner, self.door = inner, door

    return type("HeadroomHttpClient", (_Async if asynchronous else _Sync, base), {"__init__": __init__})


def _http_client_of(client: Any) -> Any:
    return client._client


def _is_ours(http_client: Any) -> bool:
    return isinstance(http_client, _Shared)


def _library_of(http_client: Any) -> Any:
    """httpx or httpx2: the module whose client this is, also through subclasses."""
    for base in type(http_client).__mro__:
        name = base.__module__.partition(".")[0]
        if name in ("httpx", "httpx2"):
            return sys.modules[name]
    raise TypeError(f"{type(http_client).__name__} is no client of httpx or httpx2")


def _is_async(http_client: Any) -> bool:
    return hasattr(http_client, "aclose")
