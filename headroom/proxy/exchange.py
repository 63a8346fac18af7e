"""A conversation on its way: read, shortened, sent on; and what comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from headroom import CompressResult
from headroom.proxy.calls import Call, Reply, relay
from headroom.proxy.credentials import namespace_for
from headroom.proxy.encodings import decoded
from headroom.proxy.history import History
from headroom.proxy.metrics import Metrics
from headroom.proxy.services import Services
from headroom.proxy.settings import ProxySettings
from headroom.proxy.upstream import Headers, Upstream
from headroom.wire.bodies import compress_body

Made = TypeVar("Made")


@dataclass(slots=True)
class Prepared:
    """What to send in place of a body that was read."""

    body: bytes
    """As it came, if nothing in it changed or it could not be read."""
    changed: bool = False
    result: CompressResult | None = None


class Exchange:
    """Runs conversations; the work on texts is done in threads of its own, so that no stream waits for it."""

    def __init__(self, services: Services, settings: ProxySettings, metrics: Metrics, history: History) -> None:
        self._services = services
        self._settings = settings
        self._metrics = metrics
        self._history = history
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="headroom")

    async def in_thread(self, work: Callable[..., Made], *arguments: Any) -> Made:
        """Do `work` in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, call: Call, body: bytes, upstream: Upstream, reply: Reply) -> None:
        """From a body to an answered client."""
        entry = self._history.begin(call.path)
        began = time.perf_counter()
        prepared = await self.in_thread(self._prepare, call, body)
        entry.own_seconds = time.perf_counter() - began
        self._metrics.prepared(entry.own_seconds)
        request = call.to_send(prepared.body)
        await relay(await upstream.send(request), reply, _figures(prepared))
        entry.seconds = time.perf_counter() - began
        entry.status = reply.status
        await self.in_thread(self._history.add, entry, prepared.result)

    def _prepare(self, call: Call, body: bytes) -> Prepared:
        plain = decoded(body, call.by_name.get("content-encoding", ""), self._settings.max_body_bytes)
        if plain is None:
            return Prepared(body)
        try:
            request = msgspec.json.decode(plain)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Prepared(body)
        if not isinstance(request, dict):
            return Prepared(body)
        service = self._services.of(namespace_for(self._settings.config.namespace, call.by_name))
        done = compress_body(request, call.target.dialect, service)
        if not done.changed:
            return Prepared(body, result=done.result)
        return Prepared(msgspec.json.encode(done.body), True, done.result)


def _figures(prepared: Prepared) -> Headers:
    if not prepared.changed or prepared.result is None:
        return []
    return [("x-headroom-compressed", "true"), ("x-headroom-tokens-saved", str(prepared.result.tokens_saved))]
