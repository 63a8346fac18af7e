"""Conversations on their way: read and shortened in threads of their own, so that no stream waits for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from headroom.proxy.calls import Call, Reply, relay
from headroom.proxy.credentials import namespace_for
from headroom.proxy.history import Entry, History
from headroom.proxy.metrics import Metrics
from headroom.proxy.roundtrips import RoundTrips
from headroom.proxy.services import Services
from headroom.proxy.settings import ProxySettings
from headroom.proxy.upstream import Headers, Upstream
from headroom.wire.encodings import decoded
from headroom.wire.hidden import hidden_turns_of
from headroom.wire.json_text import read_object, rewritten
from headroom.wire.rounds import Rounds

logger = logging.getLogger("headroom.proxy")

THREADS = 2
"""More would only take turns, and the one that passes streams on would wait for each of them."""

Made = TypeVar("Made")


@dataclass(slots=True)
class Prepared:
    """What to send in place of a body. Without `rounds` it could not be read, and goes on as it came."""

    body: bytes
    plain: bool = False
    """Without the content-encoding that it came in."""
    rounds: Rounds | None = None
    tokens_saved: int = 0


class Exchange:
    """Runs conversations. One for the whole proxy."""

    def __init__(self, services: Services, settings: ProxySettings, metrics: Metrics, history: History) -> None:
        self._services = services
        self._settings = settings
        self._metrics = metrics
        self._history = history
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="headroom")
        self._counting: set[asyncio.Future[None]] = set()

    async def in_thread(self, work: Callable[..., Made], *arguments: Any) -> Made:
        """Do `work` in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def settled(self) -> None:
        """Returns when every conversation that is over has been counted."""
        if self._counting:
            await asyncio.wait(tuple(self._counting))

    def close(self) -> None:
        """Let the threads end, once they have done what they were given."""
        self._threads.shutdown(wait=False)

    async def run(self, call: Call, body: bytes, upstream: Upstream, reply: Reply) -> None:
        """From a body to an answered client."""
        entry = self._history.begin(call.path[:200])
        entry.namespace = namespace_for(self._settings.config.namespace, call.by_name)
        began = time.perf_counter()
        prepared = await self.in_thread(self._prepare, call, body)
        entry.own_seconds = time.perf_counter() - began
        self._metrics.prepared(entry.own_seconds)
        request = call.to_send(prepared.body)
        if prepared.plain:
            request.headers = [(name, value) for name, value in request.headers if name.lower() != "content-encoding"]
        try:
            if prepared.rounds is not None and prepared.rounds.retrieves and not call.target.counts:
                await RoundTrips(prepared.rounds, request, upstream, reply, _figures(prepared), self.in_thread).run()
            else:
                await relay(await upstream.send(request), reply, _figures(prepared))
        finally:
            entry.seconds = time.perf_counter() - began
            entry.status = reply.status
            if not call.target.counts:
                self._settle(entry, prepared.rounds)

    def _prepare(self, call: Call, body: bytes) -> Prepared:
        encoding = call.by_name.get("content-encoding", "")
        plain = decoded(body, encoding, self._settings.max_body_bytes)
        request = None if plain is None else read_object(plain)
        if plain is None or request is None:
            return Prepared(body)
        namespace = namespace_for(self._settings.config.namespace, call.by_name)
        service = self._services.of(namespace)
        turns = hidden_turns_of(service)
        if call.target.counts:
            service = self._services.unaccounted(namespace)
        try:
            rounds = Rounds(call.target.dialect, request, service, retrieval=self._settings.retrieve, turns=turns)
            saved = rounds.result.tokens_saved if rounds.result is not None and rounds.changed else 0
            if rounds.body is request:
                return Prepared(body, rounds=rounds)
            return Prepared(rewritten(plain, request, dict(rounds.body)), bool(encoding), rounds, saved)
        except Exception as error:  # whatever goes wrong here, the client's request goes on as it came
            service.failed(error, str(request.get("model") or ""))
            return Prepared(body)

    def _settle(self, entry: Entry, rounds: Rounds | None) -> None:
        """Count tokens when the client has its answer: it need not wait for that."""
        if rounds is None:
            entry.failure = "not read"
        result = None if rounds is None else rounds.result
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._history.add, entry, result)
        self._counting.add(future)
        future.add_done_callback(self._counted)

    def _counted(self, future: asyncio.Future[None]) -> None:
        self._counting.discard(future)
        if not future.cancelled() and future.exception() is not None:
            logger.warning("a conversation could not be counted", exc_info=future.exception())


def _figures(prepared: Prepared) -> Headers:
    if prepared.rounds is None or not prepared.rounds.changed:
        return []
    return [("x-headroom-compressed", "true"), ("x-headroom-tokens-saved", str(prepared.tokens_saved))]
