"""Services that speak OpenAI's dialects: requests go to the same paths there, through OpenAI's official client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from headroom import MissingDependencyError
from headroom.proxy.backends.base import UNREAD, Call, CloudUpstream, Refused, leaves_its_path
from headroom.proxy.upstream import UpstreamResponse

try:
    import httpx
    import openai
except ImportError as missing:
    raise MissingDependencyError("openai", extra="cloud") from missing

_MODEL_PATHS = (
    *("/chat/completions", "/completions", "/responses", "/embeddings", "/models"),
    *("/images", "/audio", "/moderations", "/messages", "/rerank"),
)
"""What a model is for. The rest of a service (keys, files, bills) is not for whoever reaches the proxy."""
_METHODS = ("GET", "POST", "DELETE")
_PASSED_HEADERS = (
    "openai-beta",
    "http-referer",
    "x-title",
    "x-openrouter-title",
    "x-client-request-id",
    "anthropic-version",
    "anthropic-beta",
)
"""Callers' headers that a service may read. Their credentials stay here: the proxy has its own."""


class OpenAIUpstream(CloudUpstream):
    """Everything below /v1 that is about models, whole and streamed."""

    sdk = openai
    transport_error = httpx.HTTPError
    _client: openai.AsyncOpenAI
    _model_map: Mapping[str, str]

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def answer(self, call: Call) -> UpstreamResponse:
        """Refused: paths that are not about models, bodies that are not JSON."""
        if call.method not in _METHODS or not _is_about_models(call.path):
            raise Refused(f"the {self.name} backend forwards requests to models, not {call.method} {call.path}")
        options: Any = {"headers": {**UNREAD, **self._passed(call)}, "params": _parameters(call.query)}
        how: dict[str, Any] = {"cast_to": openai.AsyncAPIResponse[bytes], "options": options}
        if call.method == "POST":
            response = await self._client.post(call.path, body=await self._body(call), **how)
        else:
            response = await (self._client.get if call.method == "GET" else self._client.delete)(call.path, **how)
        return self.passed_on(response.http_response)

    async def _body(self, call: Call) -> dict[str, Any]:
        if call.path.startswith("/responses/"):  # about a response that exists: no model is named
            return await call.json(with_model=False)
        body = await call.json()
        return {**body, "model": self._model_map.get(body["model"], body["model"])}

    def _passed(self, call: Call) -> dict[str, str]:
        return {name: call.headers[name] for name in _PASSED_HEADERS if name in call.headers}


def _is_about_models(path: str) -> bool:
    return not leaves_its_path(path) and any(path == known or path.startswith(f"{known}/") for known in _MODEL_PATHS)


def _parameters(query: str) -> dict[str, object]:
    """The client writes lists as name[]=...: a name that comes with its brackets loses them here."""
    found = parse_qs(query, keep_blank_values=True)
    return {name.removesuffix("[]"): values if name.endswith("[]") or len(values) > 1 else values[0] for name, values in found.items()}
