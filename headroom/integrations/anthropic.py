"""Anthropic's own clients, with shorter tool outputs and a model that can get back what was left out.

from headroom.integrations.anthropic import with_headroom
client = with_headroom(anthropic.Anthropic())
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

from headroom import CompressionService, MissingDependencyError, Savings
from headroom.wire.exchanges import Attempts, aanswered, answered
from headroom.wire.rounds import Rounds

try:
    from anthropic import Middleware
except ImportError as missing:
    raise MissingDependencyError("anthropic (a version with middleware)", extra="anthropic") from missing

Client = TypeVar("Client")
_MESSAGES = "/v1/messages"
_COUNT_TOKENS = "/v1/messages/count_tokens"


def with_headroom(client: Client, *, retrieve: bool = True, service: CompressionService | None = None, **options: Any) -> Client:
    """A client like this one whose requests are compressed; `client` itself stays as it is. They share connections.

    Works for Anthropic, AsyncAnthropic and the clients for Vertex, Foundry and Bedrock. `retrieve` off: no tool is
    offered and texts are only folded. `service`: where options and savings live, made from `options` (those of
    `compress()`) if not given. ConfigError for an option that does not exist.
    """
    retrieves = retrieve and not _speaks_in_frames(client)
    middleware = HeadroomMiddleware(CompressionService(**options) if service is None else service, retrieve=retrieves)
    given: Any = client
    others = [entry for entry in given.middleware if not isinstance(entry, HeadroomMiddleware)]
    # the http client is named because Bedrock's client forgets its own where nobody does
    made: Client = given.with_options(middleware=[*others, middleware], http_client=given._client)
    return made


def savings_of(client: Any) -> Savings:
    """What a client from `with_headroom`, and all copies of it, have saved. ValueError for any other client."""
    for entry in client.middleware:
        if isinstance(entry, HeadroomMiddleware):
            return entry.service.savings
    raise ValueError(f"this {type(client).__name__} does not come from with_headroom()")


class HeadroomMiddleware(Middleware):
    """What `with_headroom` adds to a client: for those who put their middleware together by themselves."""

    def __init__(self, service: CompressionService, *, retrieve: bool = True) -> None:
        self.service = service
        self._retrieve = retrieve
        self._attempts = Attempts()

    def handle(self, request: Any, call_next: Any) -> Any:
        rounds = self._rounds_of(request)
        if rounds is None:
            return call_next(request)
        response = call_next(request.copy(body=rounds.body))

        def ask(body: Mapping[str, Any]) -> Any:
            return call_next(request.copy(body=body)).http_response

        http = response.http_response
        return self._settled(request, response, answered(rounds, http, ask) if _is_conversation(request) else http)

    async def handle_async(self, request: Any, call_next: Any) -> Any:
        rounds = await asyncio.to_thread(self._rounds_of, request)
        if rounds is None:
            return await call_next(request)
        response = await call_next(request.copy(body=rounds.body))

        async def ask(body: Mapping[str, Any]) -> Any:
            return (await call_next(request.copy(body=body))).http_response

        http = response.http_response
        return self._settled(request, response, await aanswered(rounds, http, ask) if _is_conversation(request) else http)

    def _rounds_of(self, request: Any) -> Rounds | None:
        """The rounds of a request, None if it is to pass as it is."""
        path, body = _path_of(request), request.json
        if request.method.lower() != "post" or path not in (_MESSAGES, _COUNT_TOKENS) or not isinstance(body, Mapping):
            return None
        try:
            if path == _COUNT_TOKENS:
                return Rounds.counting("anthropic", body, self.service, retrieval=self._retrieve)
            key = request.options.idempotency_key  # one for all attempts
            known = self._attempts.again(key) if request.retries_taken and key else None
            rounds = known or Rounds("anthropic", body, self.service, retrieval=self._retrieve)
            self._attempts.began(key, rounds)
            return rounds
        except Exception as error:  # the user's request goes on, whatever becomes of ours
            self.service.failed(error)
            return None

    def _settled(self, request: Any, response: Any, http: Any) -> Any:
        if http.status_code < 400:
            self._attempts.succeeded(request.options.idempotency_key)
        if http is not response.http_response:
            response.http_response = http
            getattr(response, "_parsed_by_type", {}).clear()  # middleware within this one may have looked
        return response


def _path_of(request: Any) -> str:
    return str(request.url).partition("?")[0]


def _is_conversation(request: Any) -> bool:
    return _path_of(request) == _MESSAGES


def _speaks_in_frames(client: object) -> bool:
    """Bedrock streams in frames of its own, which only its client can read: no calls are answered there."""
    return any(base.__name__ == "BaseBedrockClient" for base in type(client).__mro__)
