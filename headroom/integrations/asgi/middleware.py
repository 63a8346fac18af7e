"""Requests for a model are shortened before the application sees them; everything else passes untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headroom import CompressionService, ConfigError, Savings
from headroom.integrations.asgi.messages import App, Body, Headers, Message, Receive, Scope, Send, header_of, replaying, without
from headroom.integrations.asgi.round_trips import RoundTrips
from headroom.wire.bodies import DIALECTS
from headroom.wire.encodings import decoded
from headroom.wire.json_text import read_object, rewritten
from headroom.wire.rounds import Rounds

COUNTS_TOKENS = "/count_tokens"
PATHS: Mapping[str, str] = {**DIALECTS, "/v1/messages/count_tokens": "anthropic"}
"""Path -> dialect. Tokens are counted for what would be sent. Batches pass untouched: nobody waits to answer them."""

MOST_BODY_BYTES = 32 * 1024 * 1024
WORTH_A_THREAD = 2_000
"""Bytes: below, nothing will be found that could be shortened, and a thread would take longer than looking."""

_OF_THE_OLD_BODY = (b"content-length", b"content-encoding", b"transfer-encoding", b"content-md5", b"digest", b"content-digest")


class _Request:
    """What is known of a request once its body is read."""

    def __init__(self, raw: bytes, dialect: str, scope: Scope) -> None:
        self.raw = raw
        self.dialect = dialect
        self.encoding = header_of(scope["headers"], b"content-encoding")
        self.counts = str(scope["path"]).endswith(COUNTS_TOKENS)


@dataclass(frozen=True, slots=True)
class _Shortened:
    raw: bytes
    rounds: Rounds
    tokens_saved: int


class CompressionMiddleware:
    """Pure ASGI. `app.add_middleware(CompressionMiddleware)`, or `CompressionMiddleware(app)` around any ASGI application.

    `paths`: path -> dialect ("openai", "anthropic" or "responses"), or an iterable of paths that `PATHS` knows.
    `retrieve`: offer `headroom_retrieve` to the model and answer its calls here, by calling the application again. Off,
    texts are only folded, except in requests that bring the tool themselves.
    `max_body_bytes`: larger requests pass untouched. `service`: where options and savings live, made from `options`
    (those of `compress()`) if not given. ConfigError for an option that does not exist.
    """

    def __init__(
        self,
        app: App,
        *,
        paths: Mapping[str, str] | Iterable[str] = PATHS,
        retrieve: bool = False,
        max_body_bytes: int = MOST_BODY_BYTES,
        service: CompressionService | None = None,
        **options: Any,
    ) -> None:
        self.app = app
        self.retrieve = retrieve
        self.max_body_bytes = max_body_bytes
        self.service = CompressionService(**options) if service is None else service
        self._paths = _checked_paths(paths)

    @property
    def savings(self) -> Savings:
        """What all requests have saved so far."""
        return self.service.savings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        dialect = self._dialect_of(scope)
        if dialect is None:
            await self.app(scope, receive, send)
            return
        body = Body(receive, self.max_body_bytes)
        raw = await body.read()
        request = None if raw is None else _Request(raw, dialect, scope)
        shortened = None if request is None else await self._shortened(request)
        if shortened is None or request is None:
            await self.app(scope, body.again(), send)
            return
        headers = without(scope["headers"], *_OF_THE_OLD_BODY)
        if shortened.tokens_saved:
            send = _telling(send, shortened.tokens_saved)
        if shortened.rounds.retrieves and not request.counts:
            await RoundTrips(self.app, {**scope, "headers": headers}, receive, send, shortened.rounds).run(shortened.raw)
            return
        headers.append((b"content-length", str(len(shortened.raw)).encode()))
        message: Message = {"type": "http.request", "body": shortened.raw, "more_body": False}
        await self.app({**scope, "headers": headers}, replaying([message], receive), send)

    def _dialect_of(self, scope: Scope) -> str | None:
        """What a request carries, None if it is not for us: judged without reading its body."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        dialect = self._paths.get(_path_of(scope))
        kind = header_of(scope["headers"], b"content-type")
        length = header_of(scope["headers"], b"content-length")
        if (kind and "json" not in kind) or (length.isdigit() and int(length) > self.max_body_bytes):
            return None
        return dialect

    async def _shortened(self, request: _Request) -> _Shortened | None:
        if len(request.raw) < WORTH_A_THREAD and not request.encoding:
            return self._shorten(request)
        return await asyncio.to_thread(self._shorten, request)

    def _shorten(self, request: _Request) -> _Shortened | None:
        """What to hand on in place of a request, None if it is to pass as it came."""
        try:
            plain = decoded(request.raw, request.encoding, self.max_body_bytes) if request.encoding else request.raw
            before = None if plain is None else read_object(plain)
            if plain is None or before is None:
                return None
            begin = Rounds.counting if request.counts else Rounds
            rounds = begin(request.dialect, before, self.service, retrieval=self.retrieve)
            if rounds.body is before:
                return None
            saved = rounds.result.tokens_saved if rounds.result is not None and rounds.changed else 0
            return _Shortened(rewritten(plain, before, dict(rounds.body)), rounds, saved)
        except Exception as error:  # the user's request goes on, whatever becomes of ours
            self.service.failed(error)
            return None


def _path_of(scope: Scope) -> str:
    """The path as the application knows it, wherever it is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path") or "")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _checked_paths(paths: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    known = dict(paths) if isinstance(paths, Mapping) else {path: PATHS.get(path, "") for path in paths}
    for path, dialect in known.items():
        if dialect not in DIALECTS.values():
            raise ConfigError(f"paths: {path!r} needs a dialect: 'openai', 'anthropic' or 'responses', as in {{{path!r}: 'openai'}}")
    return known


def _telling(send: Send, tokens_saved: int) -> Send:
    """A send that says in the response's headers what was saved."""
    told: Headers = [(b"x-headroom-compressed", b"true"), (b"x-headroom-tokens-saved", str(tokens_saved).encode())]

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await send(message)

    return telling
