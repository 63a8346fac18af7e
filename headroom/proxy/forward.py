"""One request on its way: whether there is room, where it goes, and what becomes of it when something fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from headroom.proxy.calls import Call, Reply, relay
from headroom.proxy.credentials import comes_from_here, credential_in, holds_token
from headroom.proxy.limits import ClientGone, Incoming, Receive, Scope, Send, TooLarge, TooMany
from headroom.proxy.problems import Problem, body_for
from headroom.proxy.state import State
from headroom.proxy.upstream import UpstreamError

logger = logging.getLogger("headroom.proxy")


class Forwarder:
    """An ASGI application that passes every request on: conversations shortened, everything else as it comes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._settings = state.settings
        self._metrics = state.metrics
        self._room = state.room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call.of(scope)
        reply = Reply(send)
        try:
            with self._room.place():
                incoming = Incoming(receive, self._settings.max_body_bytes)
                await _while_there(incoming, self._answer(call, incoming, reply))
        except ClientGone:
            self._metrics.rejected("client_gone")
        except (TooMany, TooLarge, UpstreamError, Problem) as trouble:
            await self._tell(call, reply, self._problem(trouble))
        self._metrics.answered(call.target.provider, call.target.dialect, reply.status)

    async def _answer(self, call: Call, incoming: Incoming, reply: Reply) -> None:
        self._admit(call)
        upstream = self._state.upstreams[call.target.provider]
        if call.target.dialect:
            await self._state.exchange.run(call, await incoming.whole(), upstream, reply)
            return
        has_body = "content-length" in call.by_name or "transfer-encoding" in call.by_name
        request = call.to_send(stream=incoming.pieces()) if has_body else call.to_send()
        if not has_body:
            await incoming.whole()
        await relay(await upstream.send(request), reply)

    def _admit(self, call: Call) -> None:
        """Where requests are paid for with the proxy's own credentials, only those who hold the token may make them."""
        if not self._settings.backend:
            self._admit_without_key(call)
            return
        if self._settings.token and not holds_token(call.by_name, self._settings.token):
            raise Problem(401, "this proxy pays for requests itself: send its token as your API key, or as x-headroom-token")
        if not self._settings.token and not comes_from_here(call.by_name):
            raise Problem(403, "this proxy pays for requests itself, and answers only programs of this machine, by its own name")

    def _admit_without_key(self, call: Call) -> None:
        """A page in a browser here has no key: not for it are upstreams that ask for none, nor what keyless callers stored."""
        if self._settings.local and not credential_in(call.by_name) and not comes_from_here(call.by_name):
            raise Problem(403, "without an API key, only programs of this machine are answered, by its own name: send any key")

    def _problem(self, trouble: Exception) -> Problem:
        if isinstance(trouble, TooMany):
            self._metrics.rejected("too_many")
            message = f"headroom proxy: {self._room.most} requests are under way, which is the most it takes; try again in a second"
            return Problem(503, message, headers=[("retry-after", "1")])
        if isinstance(trouble, TooLarge):
            self._metrics.rejected("too_large")
            message = f"headroom proxy: the body is larger than {self._settings.max_body_bytes} bytes (--max-body-bytes)"
            return Problem(413, message, headers=[("connection", "close")])
        if isinstance(trouble, UpstreamError):
            self._metrics.rejected("upstream_time_out" if trouble.status == 504 else "upstream_unreachable")
            return Problem(trouble.status, f"headroom proxy: {trouble}")
        assert isinstance(trouble, Problem)
        self._metrics.rejected("not_admitted")
        return trouble

    async def _tell(self, call: Call, reply: Reply, problem: Problem) -> None:
        logger.warning("%s %s: %d %s", call.method, call.path, problem.status, problem)
        if reply.started:
            raise BrokenStream(str(problem))  # the server hangs up, so the client knows that the answer is not whole
        headers = [("content-type", "application/json"), ("x-headroom-error", str(problem.status)), *problem.headers]
        await reply.whole(problem.status, headers, body_for(call.target.provider, problem))


class BrokenStream(Exception):
    """A response that broke off upstream, when half of it was passed on."""


async def _while_there(incoming: Incoming, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` until it is done, or the client has left: then it is cancelled, and what it holds upstream is let go."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(incoming.departure())
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
            if task.cancelled():
                raise ClientGone
        task.result()
    finally:
        watch.cancel()
        task.cancel()
