"""The proxy's own endpoints: compress and retrieve for other languages, and how the proxy is doing."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from headroom import MissingDependencyError, __version__
from headroom.inspect import result_page
from headroom.inspect.page import policy
from headroom.proxy.contract import assemble_answer, compress_answer, retrieve_answer
from headroom.proxy.credentials import comes_from_here, holds_token, namespace_for
from headroom.proxy.dashboard import page
from headroom.proxy.limits import Incoming, Receive, Scope, Send, TooLarge
from headroom.proxy.problems import Problem, body_for
from headroom.proxy.state import State
from headroom.wire.encodings import decoded

try:
    from starlette.requests import Request
    from starlette.responses import Response
except ImportError as missing:
    raise MissingDependencyError("starlette", extra="proxy") from missing

Endpoint = Callable[[Request], Awaitable[Response]]
_OPEN = frozenset(("/health", "/ready"))
"""Say only that the proxy lives: what starts and watches it has no token."""


class Endpoints:
    """An ASGI application for the paths that it `owns`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._routes: dict[str, tuple[str, Endpoint]] = {
            "/": ("GET", self._dashboard),
            "/health": ("GET", self._health),
            "/ready": ("GET", self._ready),
            "/stats": ("GET", self._stats),
            "/stats/texts": ("GET", self._texts),
            "/inspect": ("GET", self._inspect),
            "/metrics": ("GET", self._metrics),
            "/v1/compress": ("POST", self._compress),
            "/v1/retrieve": ("POST", self._retrieve),
            "/v1/openclaw/assemble": ("POST", self._assemble),
        }

    def owns(self, scope: Scope) -> bool:
        """Whether a request is for one of these."""
        return scope["path"] in self._routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except TooLarge:
            limit = self._state.settings.max_body_bytes
            response = _refusal(Problem(413, f"the body is larger than {limit} bytes (--max-body-bytes)", type="too_large"))
        except Problem as problem:
            response = _refusal(problem)
        response.headers["cache-control"] = "no-store"
        response.headers["cross-origin-resource-policy"] = "same-origin"  # no page elsewhere embeds what it may not read
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope["path"]
        method, endpoint = self._routes[path]
        if path not in _OPEN:
            self._admit(request)
        if request.method != method and not (request.method == "HEAD" and method == "GET"):
            raise Problem(405, f"{path} takes {method}", type="method_not_allowed", headers=[("allow", method)])
        return await endpoint(request)

    def _admit(self, request: Request) -> None:
        token = self._state.settings.token
        if token and not holds_token(request.headers, token):
            self._state.metrics.rejected("no_token")
            asked = [("www-authenticate", 'Basic realm="headroom", charset="UTF-8"')]
            raise Problem(
                401, "send the proxy's token as 'Authorization: Bearer TOKEN' or x-headroom-token", type="unauthorized", headers=asked
            )
        if not token and not comes_from_here(request.headers):
            self._state.metrics.rejected("foreign_page")
            raise Problem(403, "without a token, only programs of this machine are answered, by its own name", type="forbidden")

    # --- how the proxy is doing -----------------------------------------------------------------------------------------

    async def _dashboard(self, _: Request) -> Response:
        html, policy = page()
        return Response(html, media_type="text/html", headers={"content-security-policy": policy, "x-content-type-options": "nosniff"})

    async def _health(self, _: Request) -> Response:
        return _json({"status": "ok", "version": __version__})

    async def _ready(self, _: Request) -> Response:
        ready = self._state.warm.is_set()
        return _json({"status": "ready" if ready else "starting"}, 200 if ready else 503)

    async def _stats(self, _: Request) -> Response:
        await self._state.exchange.settled()
        return _json(await self._state.exchange.in_thread(self._figures))

    def _figures(self) -> dict[str, Any]:
        state = self._state
        return {
            "version": __version__,
            "uptime_seconds": round(time.monotonic() - state.started, 1),
            "open_requests": state.room.open,
            "retrieval": state.settings.retrieve,
            "texts_shown": state.settings.show_texts,
            "upstreams": state.names,
            **state.services.savings.summary(),
            **state.history.summary(),
            **state.metrics.summary(),
        }

    async def _texts(self, request: Request) -> Response:
        if not self._state.settings.show_texts:
            raise Problem(404, "texts are not kept: start the proxy with --show-texts", type="not_kept")
        number = request.query_params.get("request", "")
        texts = self._state.history.texts_of(int(number)) if number.isdecimal() and len(number) < 19 else None
        if texts is None:
            raise Problem(404, "no such request among the newest ones", type="not_found")
        return _json({"texts": texts})

    async def _inspect(self, request: Request) -> Response:
        """The page that `headroom inspect` makes, of one of the newest requests."""
        if not self._state.settings.show_texts:
            raise Problem(404, "texts are not kept: start the proxy with --show-texts", type="not_kept")
        await self._state.exchange.settled()
        asked = request.query_params.get("request", "")
        known = not asked or (asked.isdecimal() and len(asked) < 19)
        entry = self._state.history.entry(int(asked) if asked else None) if known else None
        if entry is None or entry.result is None:
            raise Problem(404, "no such request among the newest ones whose texts are kept", type="not_found")
        name = f"request {entry.number}, {entry.path}"
        html = await self._state.exchange.in_thread(result_page, name, entry.result, self._state.store, entry.namespace)
        headers = {"content-security-policy": f"{policy()}; frame-ancestors 'none'", "x-content-type-options": "nosniff"}
        return Response(html.encode("utf-8", "replace"), media_type="text/html", headers=headers)

    async def _metrics(self, _: Request) -> Response:
        state = self._state
        await state.exchange.settled()
        text = await state.exchange.in_thread(state.metrics.text, state.services.savings, state.history, state.room)
        return Response(text, media_type="text/plain; version=0.0.4")

    # --- compress and retrieve ------------------------------------------------------------------------------------------

    async def _compress(self, request: Request) -> Response:
        asked, namespace = await self._read(request), self._namespace(request)
        return _json(await self._state.exchange.in_thread(compress_answer, asked, namespace, self._state))

    async def _retrieve(self, request: Request) -> Response:
        asked, namespace = await self._read(request), self._namespace(request)
        return _json(await self._state.exchange.in_thread(retrieve_answer, asked, namespace, self._state))

    async def _assemble(self, request: Request) -> Response:
        asked, namespace = await self._read(request), self._namespace(request)
        return _json(await self._state.exchange.in_thread(assemble_answer, asked, namespace, self._state))

    def _namespace(self, request: Request) -> str:
        return namespace_for(self._state.settings.config.namespace, request.headers)

    async def _read(self, request: Request) -> dict[str, Any]:
        limit = self._state.settings.max_body_bytes
        body = decoded(await Incoming(request.receive, limit).whole(), request.headers.get("content-encoding", ""), limit)
        if body is None:
            raise Problem(400, "the body's content-encoding cannot be read", type="bad_request")
        try:
            asked = json.loads(body)
        except json.JSONDecodeError as error:
            raise Problem(400, f"the body is not valid JSON (line {error.lineno}, column {error.colno})", type="bad_request") from None
        except (ValueError, RecursionError):
            raise Problem(400, "the body is not JSON in UTF-8, or nested too deeply", type="bad_request") from None
        if not isinstance(asked, dict):
            raise Problem(400, "the body must be a JSON object", type="bad_request")
        return asked


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")


def _refusal(problem: Problem) -> Response:
    return Response(body_for("", problem), problem.status, dict(problem.headers), "application/json")
