"""Bedrock, Vertex AI, Azure OpenAI and OpenRouter on 127.0.0.1.

with OpenRouterServer() as openrouter:
    openrouter.answer = Answer("hello")
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote

import google.auth.jwt
from botocore.credentials import Credentials

from tests.proxy.backends.amazon import chunk_frame, signature_problem
from tests.proxy.backends.cloud_server import CloudServer, Json
from tests.scripted_model import Request

GOOGLE = "https://oauth2.googleapis.com/token"
"""For whom an assertion is written, wherever it is sent."""


class BedrockServer(CloudServer):
    """InvokeModel, InvokeModelWithResponseStream and CountTokens of bedrock-runtime."""

    stream_type = "application/vnd.amazon.eventstream"
    region = "us-east-1"
    bearer = ""
    """An API key of Bedrock, in place of signatures."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self.credentials = credentials

    def problem(self, request: Request) -> str:
        if self.bearer:
            return "" if request.headers.get("authorization") == f"Bearer {self.bearer}" else "not the key"
        return signature_problem(request, self.credentials, self.region) or self._problem_of_body(request)

    def _problem_of_body(self, request: Request) -> str:
        if not re.fullmatch(r"/model/[^/]+/(invoke|invoke-with-response-stream|count-tokens)", request.path):
            return f"no such path: {request.path}"
        body = self.invocation(request)
        extra = {"model", "stream"} & set(body)
        if extra or "max_tokens" not in body or "messages" not in body:
            return f"Extra inputs are not permitted, or some are missing: {sorted(body)}"
        known = body.get("anthropic_version") in ("bedrock-2023-05-31", "2026-10-21")
        return "" if known else f"anthropic_version: {body.get('anthropic_version')}"

    @staticmethod
    def model(request: Request) -> str:
        """The model in the path."""
        return unquote(request.path.split("/")[2])

    @staticmethod
    def invocation(request: Request) -> Json:
        """The body for the model: what CountTokens gets is one inside."""
        if not request.path.endswith("/count-tokens"):
            return request.body
        assert set(request.body) == {"input"}
        inside: Json = json.loads(base64.b64decode(request.body["input"]["invokeModel"]["body"]))
        return inside

    def other(self, request: Request) -> Json | None:
        if not request.path.endswith("/count-tokens"):
            return None
        self.requests.append(request)
        return {"inputTokens": 1234}

    def dialect(self, request: Request) -> str:
        return "anthropic"

    def streams(self, request: Request) -> bool:
        return request.path.endswith("/invoke-with-response-stream")

    def pieces(self, request: Request) -> Iterator[bytes]:
        for _, data in self.written(request).events():
            yield chunk_frame(data)


class VertexServer(CloudServer):
    """rawPredict and streamRawPredict of one project in one region, and Google's token endpoint."""

    def __init__(self, public_key: str, project: str = "shop-project", region: str = "us-central1") -> None:
        super().__init__()
        self.public_key = public_key
        self.models = f"/v1/projects/{project}/locations/{region}/publishers/anthropic/models/"
        self.tokens: list[str] = []

    def problem(self, request: Request) -> str:
        if request.path == "/token":
            return self._problem_of_assertion(request)
        if request.headers.get("authorization") not in [f"Bearer {token}" for token in self.tokens]:
            return "Request had invalid authentication credentials."
        if not request.path.startswith(self.models):
            return f"no such path: {request.path}"
        counts = request.path == f"{self.models}count-tokens:rawPredict"
        if ("model" in request.body) != counts or "messages" not in request.body:
            return f"model: {request.body.get('model')}"
        known = request.body.get("anthropic_version") in ("vertex-2023-10-16", "2026-10-21")
        return "" if known else f"anthropic_version: {request.body.get('anthropic_version')}"

    def _problem_of_assertion(self, request: Request) -> str:
        form = parse_qs(request.raw.decode())
        try:
            claims = google.auth.jwt.decode(form["assertion"][0], certs=self.public_key, audience=GOOGLE)
        except (KeyError, ValueError) as error:
            return f"invalid_grant: {error}"
        return "" if "https://www.googleapis.com/auth/cloud-platform" in claims["scope"] else "invalid_scope"

    def model(self, request: Request) -> str:
        """The model in the path, and what is asked of it."""
        return request.path.removeprefix(self.models)

    def other(self, request: Request) -> Json | None:
        if request.path == "/token":
            self.tokens.append(f"ya29.token-{len(self.tokens)}")
            return {"access_token": self.tokens[-1], "expires_in": 3600, "token_type": "Bearer"}
        if not self.model(request).startswith("count-tokens"):
            return None
        self.requests.append(request)
        return {"input_tokens": 1234}

    def dialect(self, request: Request) -> str:
        return "anthropic"

    def streams(self, request: Request) -> bool:
        return request.path.endswith(":streamRawPredict")


class AzureServer(CloudServer):
    """One resource of Azure OpenAI."""

    key = "azure-key"
    directory_token = ""
    """A token of Microsoft Entra, in place of the key."""
    version = "2025-04-01-preview"

    def problem(self, request: Request) -> str:
        path, _, query = request.path.partition("?")
        if self.directory_token:
            shown = request.headers.get("authorization") == f"Bearer {self.directory_token}" and "api-key" not in request.headers
        else:
            shown = request.headers.get("api-key") == self.key
        if not shown:
            return "Access denied due to invalid subscription key or wrong API endpoint."
        if parse_qs(query).get("api-version") != [self.version]:
            return f"Resource not found: {query}"
        deployed = re.fullmatch(r"/openai/deployments/([^/]+)/(chat/completions|embeddings)", path)
        if deployed:
            return "" if deployed[1] == request.body.get("model") else f"another deployment: {deployed[1]}"
        return "" if re.fullmatch(r"/openai/(responses(/\w+)?|models)", path) else f"Resource not found: {path}"

    def other(self, request: Request) -> Json | None:
        if request.method == "POST" and not request.path.partition("?")[0].endswith("/embeddings"):
            return None
        self.requests.append(request)
        return {"object": "list", "data": []}

    def dialect(self, request: Request) -> str:
        return "responses" if "/responses" in request.path else "openai"


class OpenRouterServer(CloudServer):
    """OpenRouter's API below /api/v1."""

    key = "sk-or-v1-key"

    def problem(self, request: Request) -> str:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return "No auth credentials found"
        foreign = {"openai-organization", "openai-project", "x-api-key", "api-key"} & set(request.headers)
        return f"a stranger's: {foreign}" if foreign else "" if request.path.startswith("/api/v1/") else f"no such path: {request.path}"

    def other(self, request: Request) -> Json | None:
        if request.method == "POST":
            return None
        self.requests.append(request)
        return {"data": [{"id": "openai/gpt-4o"}]}

    def dialect(self, request: Request) -> str:
        return "anthropic" if request.path.endswith("/messages") else "responses" if request.path.endswith("/responses") else "openai"
