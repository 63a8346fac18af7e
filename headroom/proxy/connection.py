"""One connection to a provider: requests one after the other, each answered as its bytes arrive."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, cast

from headroom import MissingDependencyError
from headroom.proxy.upstream import Headers, UpstreamError

try:
    import httptools
except ImportError as missing:
    raise MissingDependencyError("httptools", extra="proxy") from missing

MOST_WAITING_BYTES = 1 << 18
"""A provider that is faster than the client is told to wait."""


class Connection(asyncio.Protocol):
    """`idle` between answers. Whoever has it out of the pool may send one request, and then reads its answer to the end."""

    def __init__(self, name: str, read_seconds: float) -> None:
        self.name = name
        self.closed = False
        self.closed_unheard = False
        """The other side hung up, and not one byte of an answer came before."""
        self.idle_since = 0.0
        self._read_seconds = read_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._begin(head_only=False)

    def _begin(self, head_only: bool) -> None:
        # mypy knows httptools' types as Any: it has none
        self._parser: Any = httptools.HttpResponseParser(self)
        self._head_only = head_only
        self._status = 0
        self._headers: Headers = []
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._framed = False
        self._keeps_alive = False
        self._complete = False
        self._sent = False
        self._silent = True
        self._trouble: UpstreamError | None = None

    # --- what the pool and its users call -----------------------------------------------------------------------------

    async def ask(self, method: str, head: bytes, body: bytes, stream: AsyncIterator[bytes] | None) -> tuple[int, Headers]:
        """Send a request; status and headers of its answer. UpstreamError if there is none."""
        self._begin(head_only=method == "HEAD")
        assert self._transport is not None
        self._transport.write(head + body)
        self._watch()
        if stream is None:
            self._sent = True
        else:
            await self._send(stream, chunked=b"\r\ntransfer-encoding: chunked\r\n" in head)
        while not self._status:
            await self._news()
        return self._status, self._headers

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body of the answer, as it arrives. UpstreamError if it breaks off."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._size -= len(piece)
                if self._paused and self._size < MOST_WAITING_BYTES // 2:
                    self._pause(False)
                yield piece
            if self._complete:
                return
            await self._news()

    @property
    def reusable(self) -> bool:
        """Whether the answer has been read to its end, and another request may follow."""
        return self._complete and self._sent and self._keeps_alive and not self._pieces and not self.closed

    def release(self) -> None:
        """Nobody waits for anything now."""
        self.idle_since = self._loop.time()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def abort(self) -> None:
        """Hang up."""
        self.release()
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    # --- sending --------------------------------------------------------------------------------------------------------

    async def _send(self, stream: AsyncIterator[bytes], chunked: bool) -> None:
        """Pieces of a body as they come; an answer that comes early ends it."""
        assert self._transport is not None
        async for piece in stream:
            if self._status or self.closed:
                return
            self._transport.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            self._heard = self._loop.time()
            await self._may_write.wait()
        if chunked:
            self._transport.write(b"0\r\n\r\n")
        self._sent = True

    def pause_writing(self) -> None:
        """The provider is slower than the client."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._may_write.set()

    # --- waiting --------------------------------------------------------------------------------------------------------

    async def _news(self) -> None:
        """Something has arrived since, or never will."""
        if self._trouble is not None:
            raise self._trouble
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None
        if self._trouble is not None and not self._pieces:
            raise self._trouble

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _watch(self) -> None:
        """One timer for the whole answer, which looks now and then how long it has been silent."""
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(self._read_seconds, self._look)

    def _look(self) -> None:
        left = self._heard + self._read_seconds - self._loop.time()
        if left > 0 or self._paused:
            self._timer = self._loop.call_later(left if left > 0 else self._read_seconds, self._look)
            return
        self._fail(504, f"{self.name} did not answer in time: silent for {self._read_seconds:g} seconds")
        self.abort()

    def _fail(self, status: int, message: str) -> None:
        if not self._complete and self._trouble is None:
            self._trouble = UpstreamError(status, message)
        self._may_write.set()
        self._wake()

    # --- what asyncio calls ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are transports without saying so

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        self._heard = self._loop.time()
        self._silent = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(502, f"{self.name} answered in no HTTP that can be read ({error})")
            self.abort()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The provider, or we, have hung up."""
        self.closed_unheard = self._silent and not self.closed
        self.closed = True
        if self._status and not self._framed and error is None:
            self._complete = True  # a body that lasts until its connection ends
            self._wake()
            return
        self._fail(502, f"{self.name} hung up before its answer was over" + (f" ({error})" if error else ""))

    # --- what the parser calls ------------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is not passed on."""
        if not self._status:
            self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """All headers are there; those of "100 Continue" and its like are forgotten."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = []
            return
        self._status = status
        self._keeps_alive = self._parser.should_keep_alive()
        self._framed = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in self._headers)
        if self._head_only:
            self._complete, self._keeps_alive = True, False

    def on_body(self, piece: bytes) -> None:
        """A part of the body."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MOST_WAITING_BYTES and not self._paused:
            self._pause(True)

    def on_message_complete(self) -> None:
        """The answer is over."""
        self._complete = bool(self._status)

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        self._heard = self._loop.time()
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if paused else self._transport.resume_reading)()
