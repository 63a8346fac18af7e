"""Round trips over httpx or httpx2, whichever a vendor's client brings: neither is imported here, both look the same.

`ask` sends a body and gives the response, its own still unread if it is a stream.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import cache
from typing import Any

from headroom.wire.json_text import write
from headroom.wire.rounds import Rounds

Ask = Callable[[Mapping[str, Any]], Any]
AskAsync = Callable[[Mapping[str, Any]], Awaitable[Any]]
_OF_THE_OLD_BODY = ("content-length", "content-encoding", "transfer-encoding")
MOST_REMEMBERED = 64


class Attempts:
    """Requests that failed and may be tried again: compressed once, however often they are sent. Bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rounds: OrderedDict[object, Rounds] = OrderedDict()

    def again(self, key: object) -> Rounds | None:
        """The rounds of a request that is being tried again, from the start; None if it is not known."""
        known = self._rounds.get(key)
        return None if known is None else known.anew()

    def began(self, key: object, rounds: Rounds) -> None:
        """A request goes out."""
        with self._lock:
            self._rounds[key] = rounds
            while len(self._rounds) > MOST_REMEMBERED:
                self._rounds.popitem(last=False)

    def succeeded(self, key: object) -> None:
        """It will not be tried again."""
        with self._lock:
            self._rounds.pop(key, None)


# --- synchronous ----------------------------------------------------------------------------------------------------------


def answered(rounds: Rounds, response: Any, ask: Ask) -> Any:
    """The response for the client, after as many round trips as it takes; streams go on while they are read."""
    while rounds.retrieves:
        kind = _kind_of(response)
        if kind == "stream":
            return _anew(response, stream=_stream_class(response, "SyncByteStream")(_Chunks(rounds, response, ask)))
        if not kind:
            return response
        following = _following(rounds, response, response.read())
        if following is None:
            return _for_the_client(rounds, response)
        response.close()
        response = ask(following)
    return response


class _Chunks:
    """The streams of all rounds as one."""

    def __init__(self, rounds: Rounds, response: Any, ask: Ask) -> None:
        self._rounds, self._response, self._ask = rounds, response, ask

    def __iter__(self) -> Iterator[bytes]:
        stream = self._rounds.stream()
        following: Mapping[str, Any] | None = self._rounds.body
        while following is not None:
            for chunk in self._response.iter_bytes():
                if passed := stream.feed(chunk):
                    yield passed
            last, following = stream.end()
            if last:
                yield last
            if following is not None and (failure := self._go_on(following)) is not None:
                yield stream.failed(self._response.status_code, failure)
                return

    def _go_on(self, body: Mapping[str, Any]) -> bytes | None:
        """Ask for the next stream; what the provider says if it gives none."""
        following: Mapping[str, Any] | None = body
        while following is not None:
            self._response.close()
            self._response = self._ask(following)
            if _kind_of(self._response) == "stream":
                return None
            failure: bytes = self._response.read()
            following = self._rounds.refused(self._response.status_code, failure)
        return failure

    def close(self) -> None:
        self._response.close()


# --- asynchronous ---------------------------------------------------------------------------------------------------------


async def aanswered(rounds: Rounds, response: Any, ask: AskAsync) -> Any:
    """The same for asynchronous clients."""
    while rounds.retrieves:
        kind = _kind_of(response)
        if kind == "stream":
            return _anew(response, stream=_stream_class(response, "AsyncByteStream")(_AsyncChunks(rounds, response, ask)))
        if not kind:
            return response
        following = await asyncio.to_thread(_following, rounds, response, await response.aread())
        if following is None:
            return _for_the_client(rounds, response)
        await response.aclose()
        response = await ask(following)
    return response


class _AsyncChunks:
    """The streams of all rounds as one."""

    def __init__(self, rounds: Rounds, response: Any, ask: AskAsync) -> None:
        self._rounds, self._response, self._ask = rounds, response, ask

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._rounds.stream()
        following: Mapping[str, Any] | None = self._rounds.body
        while following is not None:
            async for chunk in self._response.aiter_bytes():
                if passed := stream.feed(chunk):
                    yield passed
            last, following = await stream.aend()
            if last:
                yield last
            if following is not None and (failure := await self._go_on(following)) is not None:
                yield stream.failed(self._response.status_code, failure)
                return

    async def _go_on(self, body: Mapping[str, Any]) -> bytes | None:
        following: Mapping[str, Any] | None = body
        while following is not None:
            await self._response.aclose()
            self._response = await self._ask(following)
            if _kind_of(self._response) == "stream":
                return None
            failure: bytes = await self._response.aread()
            following = self._rounds.refused(self._response.status_code, failure)
        return failure

    async def aclose(self) -> None:
        await self._response.aclose()


# --- both -----------------------------------------------------------------------------------------------------------------


def _following(rounds: Rounds, response: Any, raw: bytes) -> Mapping[str, Any] | None:
    if response.status_code >= 400:
        return rounds.refused(response.status_code, raw)
    return rounds.take(_read(raw))


def _for_the_client(rounds: Rounds, response: Any) -> Any:
    if response.status_code >= 400 or rounds.response is None or rounds.response == _read(response.content):
        return response
    return _anew(response, content=write(rounds.response))


def _kind_of(response: Any) -> str:
    """ "stream", "whole", or "" for what is not ours to read."""
    kind = str(response.headers.get("content-type") or "").lower()
    if response.status_code >= 400:
        return "whole"
    return "stream" if "event-stream" in kind else "whole" if "json" in kind else ""


def _anew(response: Any, **body: Any) -> Any:
    """A response like this one with another body."""
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _OF_THE_OLD_BODY]
    made = type(response)(response.status_code, headers=headers, request=response.request, extensions=response.extensions, **body)
    made.history, made.default_encoding = response.history, response.default_encoding
    try:
        made.elapsed = response.elapsed
    except RuntimeError:  # not over yet
        pass
    return made


def _stream_class(response: Any, name: str) -> Any:
    return _made_stream_class(sys.modules[type(response).__module__.partition(".")[0]], name)


@cache
def _made_stream_class(module: Any, name: str) -> Any:
    """A byte stream as the library that made the response knows it, around chunks of ours."""

    def __init__(self: Any, chunks: Any) -> None:
        self.chunks = chunks

    methods: dict[str, Any] = {"__init__": __init__}
    for method in ("__iter__", "close") if name == "SyncByteStream" else ("__aiter__", "aclose"):
        methods[method] = lambda self, method=method: getattr(self.chunks, method)()
    return type("Rounds", (getattr(module, name),), methods)


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
