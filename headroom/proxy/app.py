"""The proxy as an ASGI application: its own endpoints, and everything else on its way upstream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from headroom import CompressionStore
from headroom.proxy.backends.base import BackendOptions
from headroom.proxy.backends.model_names import parse_model_map
from headroom.proxy.backends.table import open_backend
from headroom.proxy.direct import upstream_for
from headroom.proxy.endpoints import Endpoints
from headroom.proxy.exchange import Exchange
from headroom.proxy.forward import Forwarder
from headroom.proxy.history import History
from headroom.proxy.limits import Receive, Room, Scope, Send
from headroom.proxy.metrics import Metrics
from headroom.proxy.services import Services
from headroom.proxy.settings import ProxySettings
from headroom.proxy.state import State
from headroom.proxy.upstream import Upstream
from headroom.proxy.warm import warm_up
from headroom.stores import open_store


class ProxyApp:
    """An ASGI application; `state` is what it holds. Any ASGI server can run it, `headroom proxy` runs it under uvicorn."""

    def __init__(
        self, settings: ProxySettings, upstreams: Mapping[str, Upstream] | None = None, store: CompressionStore | None = None
    ) -> None:
        self.state = _state(settings, upstreams, store)
        self._endpoints = Endpoints(self.state)
        self._forwarder = Forwarder(self.state)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await (self._endpoints if self._endpoints.owns(scope) else self._forwarder)(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003, "reason": "headroom proxy forwards HTTP only"})

    async def _live(self, receive: Receive, send: Send) -> None:
        warming: asyncio.Future[None] | None = None
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                warming = asyncio.ensure_future(self.warm_up())
                await send({"type": "lifespan.startup.complete"})
            else:
                if warming is not None:
                    warming.cancel()
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def warm_up(self) -> None:
        """Load what the first requests would otherwise wait for."""
        try:
            await self.state.exchange.in_thread(warm_up, self.state.store)
        finally:
            self.state.warm.set()

    async def aclose(self) -> None:
        """Close connections and threads. Requests under way are the server's to finish first."""
        for upstream in {id(upstream): upstream for upstream in self.state.upstreams.values()}.values():
            with contextlib.suppress(Exception):  # on the way out, nobody is left to tell
                await upstream.aclose()
        self.state.exchange.close()


def _state(settings: ProxySettings, upstreams: Mapping[str, Upstream] | None, store: CompressionStore | None) -> State:
    if store is None and settings.store is not None:
        store = open_store(settings.store)
    services = Services(settings.config, store, lossless=not settings.retrieve)
    metrics, history = Metrics(), History(settings.show_texts)
    return State(
        settings=settings,
        upstreams=upstreams or open_upstreams(settings),
        store=store,
        services=services,
        metrics=metrics,
        history=history,
        room=Room(settings.max_requests),
        exchange=Exchange(services, settings, metrics, history),
        names=_names(settings),
    )


def open_upstreams(settings: ProxySettings) -> dict[str, Upstream]:
    """Provider -> where its requests go. With a backend, all of them go there."""
    if settings.backend:
        model_map = parse_model_map(settings.model_map)
        options = BackendOptions(settings.region, settings.backend_url, model_map, settings.time_outs)
        backend = open_backend(settings.backend, options)
        return {"openai": backend, "anthropic": backend}
    return {
        "openai": upstream_for(settings.openai_url, settings.time_outs, known_as="/v1"),
        "anthropic": upstream_for(settings.anthropic_url, settings.time_outs),
    }


def _names(settings: ProxySettings) -> dict[str, str]:
    if settings.backend:
        return dict.fromkeys(("openai", "anthropic"), settings.backend)
    return {"openai": settings.openai_url, "anthropic": settings.anthropic_url}
