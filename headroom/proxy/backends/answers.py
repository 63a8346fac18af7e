"""Answers of ours, and of clouds in words of their own, as a client of each dialect reads them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from headroom.proxy.upstream import Headers, UpstreamResponse, forwarded_headers

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_EXCEPTIONS = {
    "throttlingException": "rate_limit_error",
    "serviceUnavailableException": "overloaded_error",
    "validationException": "invalid_request_error",
    "modelTimeoutException": "timeout_error",
}
"""What ends a stream of Bedrock early, in Anthropic's words; everything else is an api_error."""
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_OF_ONE_BODY = frozenset(("content-encoding", "content-length", "content-type"))


def whole(status: int, body: Mapping[str, Any], headers: Iterable[tuple[str, str]] = ()) -> UpstreamResponse:
    """`body` as JSON, with those of `headers` that are not about another body."""
    raw = json.dumps(body).encode()
    kept = [(name, value) for name, value in forwarded_headers(headers) if name.lower() not in _OF_ONE_BODY]
    described: Headers = [("content-type", "application/json"), ("content-length", str(len(raw)))]
    return UpstreamResponse(status, [*kept, *described], _once(raw), _nothing)


def error_body(dialect: str, status: int, message: str) -> dict[str, Any]:
    """An error as `dialect` ("anthropic", "openai" or "responses") writes it."""
    if dialect == "anthropic":
        kind = _ANTHROPIC_TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def error_answer(dialect: str, status: int, message: str) -> UpstreamResponse:
    """An error of ours."""
    return whole(status, error_body(dialect, status, message))


def error_of_cloud(dialect: str, status: int, headers: Headers, raw: bytes) -> UpstreamResponse:
    """A cloud's error: as it came if the dialect's clients can read it, else its message in the dialect's form."""
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if isinstance(body, dict) and _is_error_of(dialect, body):
        return whole(status, body, headers)
    message = _message_in(body) or raw.decode("utf-8", "replace").strip() or f"status {status} and no message"
    return whole(status, error_body(dialect, status, message), headers)


def error_event(body: object) -> dict[str, Any]:
    """The event that ends a stream of Anthropic's dialect early; `body` is what the client made of the cloud's."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return error_body("anthropic", 500, str(body))
    name = str(error.get("type", ""))
    kind = name if name.endswith("_error") else _EXCEPTIONS.get(name, "api_error")
    return {"type": "error", "error": {**error, "type": kind}}


def server_sent(event: object) -> bytes:
    """One event of Anthropic's dialect. Escaped, so that half a character, which a model may stream, passes too."""
    name = event.get("type") if isinstance(event, dict) else None
    data = json.dumps(event, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\n\n".encode() if isinstance(name, str) else f"data: {data}\n\n".encode()


def _is_error_of(dialect: str, body: dict[str, Any]) -> bool:
    error = body.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return False
    return dialect != "anthropic" or (body.get("type") == "error" and isinstance(error.get("type"), str))


def _message_in(body: Any) -> str:
    """Clouds write {"message"}, {"Message"}, {"error": {"message"}}, {"error": "..."}, or a list of one such."""
    if isinstance(body, list) and body:
        return _message_in(body[0])
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    return next((found for key in ("error", "message", "Message") if (found := _message_in(body.get(key)))), "")


async def _once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def _nothing() -> None:
    pass
