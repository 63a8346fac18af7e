"""What the proxy itself has to say to a client, in the words that the client's SDK expects of its provider."""

from __future__ import annotations

import json
from http import HTTPStatus

from headroom.proxy.upstream import Headers

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    503: "overloaded_error",
    504: "timeout_error",
}
_OPENAI_TYPES = {400: "invalid_request_error", 401: "authentication_error", 413: "invalid_request_error"}


class Problem(Exception):
    """An answer of the proxy's own: its status, and a message for whoever reads the client's log."""

    def __init__(self, status: int, message: str, *, type: str = "", headers: Headers | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.headers = headers or []


def body_for(provider: str, problem: Problem) -> bytes:
    """The body of an answer with this problem, as `provider` would write it: "anthropic", "openai" or "" (our own)."""
    message = str(problem)
    if provider == "anthropic":
        kind = _ANTHROPIC_TYPES.get(problem.status, "api_error")
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    if provider == "openai":
        kind = _OPENAI_TYPES.get(problem.status, "server_error")
        return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": "headroom_proxy"}}).encode()
    kind = problem.type or HTTPStatus(problem.status).name.lower()
    return json.dumps({"error": {"type": kind, "message": message}}).encode()
