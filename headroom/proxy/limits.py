"""What a client may ask at once: so many requests, bodies so large; and how a client that leaves is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """A body over the limit."""


class TooMany(Exception):
    """As many requests as may be are under way."""


class ClientGone(Exception):
    """Nobody is left to answer."""


class Room:
    """How many requests are under way."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places, for as long as a request takes. TooMany if there is none."""
        if self.open >= self.most:
            raise TooMany
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class Incoming:
    """The body of a request as it arrives, and the news that its client has left."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._most = most_bytes
        self._over = asyncio.Event()

    async def whole(self) -> bytes:
        """All of it. TooLarge once a body over the limit has been read away, ClientGone if it breaks off."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self.pieces():
            size += len(piece)
            if size <= self._most:
                pieces.append(piece)
            elif size > _READ_AWAY * self._most:
                raise TooLarge
            else:
                pieces.clear()
        if size > self._most:
            raise TooLarge
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Piece by piece, with no limit. ClientGone if it breaks off."""
        while not self._over.is_set():
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientGone
            if not event.get("more_body", False):
                self._over.set()
            if event.get("body"):
                yield event["body"]

    async def departure(self) -> None:
        """Returns when the client has left, once its body has been read."""
        await self._over.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


_READ_AWAY = 8
"""A client that is still writing does not read: a body is read to its end, up to so many times the limit, before the refusal."""
