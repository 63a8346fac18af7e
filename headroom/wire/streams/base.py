"""What the streams of all dialects share: bytes in, bytes for the client out, and at the end perhaps another request."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headroom.wire.hidden import Json, Round
from headroom.wire.sse import Event, EventReader
from headroom.wire.usage import added

if TYPE_CHECKING:
    from headroom.wire.rounds import Rounds


class RoundStream(ABC):
    """The streams of one request's round trips, one after the other, as the one stream that the client sees.

        stream = rounds.stream()
        following = rounds.body
        while following is not None:
            for chunk in send(following):
                yield stream.feed(chunk)
            last, following = stream.end()
            yield last

    Words and thoughts go on at once; what belongs to a call of our tool is withheld, and what comes after it numbered anew.
    """

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._reader = EventReader()
        self._broken = False
        self._first = True
        """Whether this is the first round: what opens a message is sent on only there."""
        self._spent: Json = {}
        """The usage of the rounds before this one."""
        self._going_on: Round | None = None
        """This round, once it is clear that another follows."""

    def feed(self, chunk: bytes) -> bytes:
        """Bytes from the provider, cut anywhere; what the client gets of them now."""
        if not self._rounds.retrieves or self._broken:
            return chunk
        return b"".join([self._passed(event) for event in self._reader.feed(chunk)])

    def end(self) -> tuple[bytes, Mapping[str, Any] | None]:
        """The provider's stream is over: the last bytes for the client, and the next body to send, or None."""
        rest = b"".join([self._passed(event) for event in self._reader.rest()])
        said = self._going_on
        if said is None:
            return rest, None
        said.usage = self.usage()
        self._spent = added(self._spent, said.usage)
        self._going_on, self._first = None, False
        self.next_round()
        return rest, self._rounds.following(said)

    async def aend(self) -> tuple[bytes, Mapping[str, Any] | None]:
        """The same for asynchronous callers: the store is asked off the event loop."""
        return self.end() if self._going_on is None else await asyncio.to_thread(self.end)

    @abstractmethod
    def failed(self, status: int, answer: bytes) -> bytes:
        """How a stream that has begun tells of a later round that was refused with this response."""

    @abstractmethod
    def on(self, event: Event) -> bytes:
        """What the client gets of one event."""

    @abstractmethod
    def usage(self) -> Json:
        """What this round has cost."""

    @abstractmethod
    def next_round(self) -> None:
        """Forget what concerns this round alone."""

    def closed(self, said: Round) -> bool:
        """A round has said all it has to say: whether another follows. If not, what the client does not see is remembered."""
        if self._rounds.goes_on(said):
            self._going_on = said
            return True
        self._rounds.finish(said)
        return False

    def give_up_if_failed(self, data: Json | None) -> None:
        """After an error no round follows, whatever was said before it."""
        if data is not None and (data.get("error") or data.get("type") == "error"):
            self._going_on = None

    def _passed(self, event: Event) -> bytes:
        if self._broken:
            return event.raw
        try:
            return self.on(event)
        except Exception as error:  # a stream that is none: the client knows best what to make of it
            self._broken = True
            self._rounds.unreadable(error)
            return event.raw
