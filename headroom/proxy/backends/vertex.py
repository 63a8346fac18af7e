"""Anthropic Messages requests to Vertex AI, with tokens that the official client gets from Google's credentials.

The credentials are what every Google program uses: GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default
login`, or the machine's service account. The project is ANTHROPIC_VERTEX_PROJECT_ID, or the credentials' own.
"""

from __future__ import annotations

import re

from headroom import ConfigError, MissingDependencyError
from headroom.proxy.backends.base import UNREAD, BackendOptions, Call, CloudUpstream, Refused, seconds
from headroom.proxy.backends.claude_requests import VERTEX, beta_header, with_version
from headroom.proxy.backends.model_names import vertex_model
from headroom.proxy.upstream import UpstreamResponse

try:
    import anthropic
    import httpx2
except ImportError as missing:
    raise MissingDependencyError("anthropic", extra="cloud") from missing
try:
    import google.auth
    import google.auth.transport.requests  # which the client imports at its first request
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
except ImportError as missing:
    raise MissingDependencyError("google-auth[requests]", extra="cloud") from missing

_PATHS = ("/messages", "/messages/count_tokens")
_MODEL = re.compile(r"\w[\w.@-]*", re.ASCII)
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class VertexUpstream(CloudUpstream):
    """`/v1/messages`, whole and streamed, and `/v1/messages/count_tokens`."""

    name = "vertex_ai"
    sdk = anthropic
    transport_error = httpx2.HTTPError
    credential_errors = (RuntimeError, GoogleAuthError)

    def __init__(self, options: BackendOptions) -> None:
        """ConfigError without a region, and where neither the environment nor the credentials name a project."""
        try:
            self._client = anthropic.AsyncAnthropicVertex(
                region=options.region or anthropic.NOT_GIVEN,
                base_url=options.url or None,
                timeout=seconds(anthropic, options.time_outs),
                max_retries=0,  # the caller retries, and knows when
            )
        except ValueError as error:
            raise ConfigError(f"vertex_ai: {error} (--region names one)") from error
        if not self._client.project_id:
            self._client.credentials, self._client.project_id = _credentials_and_project()
        self._model_map = options.model_map

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def answer(self, call: Call) -> UpstreamResponse:
        """Refused: what is no Messages request."""
        if call.method != "POST" or call.path not in _PATHS:
            raise Refused(
                f"the vertex_ai backend speaks Anthropic Messages (POST /v1/messages and /v1/messages/count_tokens), not {call.method} "
                f"{call.path}; the azure and openrouter backends speak OpenAI's dialects"
            )
        body = await call.json()
        model = vertex_model(body["model"], self._model_map)
        if not _MODEL.fullmatch(model):  # it becomes part of the path
            raise Refused(f"model: {model!r} cannot be the name of a model on Vertex AI")
        response = await self._client.post(
            f"/v1{call.path}",
            body=with_version({**body, "model": model}, call.headers, VERTEX, model),
            cast_to=anthropic.AsyncAPIResponse[bytes],
            options={"headers": {**UNREAD, **beta_header(call.headers, VERTEX)}},
        )
        return self.passed_on(response.http_response)


def _credentials_and_project() -> tuple[google.auth.credentials.Credentials, str]:
    """The client looks for these only after it has asked for the project."""
    try:
        credentials, project = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as error:
        raise ConfigError(f"vertex_ai: {error}") from error
    if not project:
        raise ConfigError("vertex_ai: set ANTHROPIC_VERTEX_PROJECT_ID, since the credentials name no project")
    return credentials, project
