"""ASGI's own vocabulary, and a request body read from it that can be given again exactly as it came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]


class Body:
    """A request body, read as far as `most_bytes`: the messages that it came in, and the bytes if they are all there."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._messages: list[Message] = []

    async def read(self) -> bytes | None:
        """The whole body; None if it is too large or the client left before its end."""
        size = 0
        while True:
            message = await self._receive()
            self._messages.append(message)
            if message["type"] != "http.request":
                return None
            size += len(message.get("body", b""))
            if size > self._most_bytes:
                return None
            if not message.get("more_body", False):
                return b"".join(message.get("body", b"") for message in self._messages)

    def again(self) -> Receive:
        """A receive that gives what was read once more, message by message, and then goes on where reading stopped."""
        return replaying(self._messages, self._receive)


def replaying(messages: Iterable[Message], receive: Receive) -> Receive:
    """A receive that gives `messages`, and after them what `receive` gives."""
    waiting = iter(messages)

    async def replay() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return replay


def header_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The value of a header in lower case, several joined; "" if it is absent."""
    return ",".join(value.decode("latin-1").lower() for known, value in headers if known.lower() == name)


def without(headers: Iterable[tuple[bytes, bytes]], *names: bytes) -> Headers:
    """The headers but for those of `names`."""
    return [(name, value) for name, value in headers if name.lower() not in names]
