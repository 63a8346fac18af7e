"""The four services, and a backend for each, in an environment that holds what its users set and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from headroom.proxy.backends.base import BackendOptions
from headroom.proxy.backends.table import open_backend
from headroom.proxy.upstream import Upstream, UpstreamRequest, UpstreamResponse
from tests.proxy.backends.servers import AzureServer, BedrockServer, OpenRouterServer, VertexServer

_OTHERS = ("AWS_", "AZURE_", "ANTHROPIC_", "GOOGLE_", "CLOUD_", "OPENAI_", "OPENROUTER_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
Opened: TypeAlias = Callable[..., Upstream]
Asked: TypeAlias = Callable[..., Awaitable["Got"]]


class Got:
    """A response that was read to its end."""

    def __init__(self, response: UpstreamResponse, raw: bytes) -> None:
        self.status, self.raw = response.status, raw
        self.headers = {name.lower(): value for name, value in response.headers}

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The data of server-sent events, checked against their names."""
        found = []
        for event in self.raw.decode().strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.split("\n"))
            if fields["data"] != "[DONE]":
                found.append(json.loads(fields["data"]))
                assert fields.get("event", found[-1].get("type")) == found[-1].get("type")
        return found

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        return error


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith(_OTHERS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))  # where credentials of whoever runs the tests would be
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """open_backend(), closed after the test."""
    every: list[Upstream] = []

    def open_one(name: str, **options: Any) -> Upstream:
        every.append(open_backend(name, BackendOptions(**options)))
        return every[-1]

    yield open_one
    for upstream in every:
        await upstream.aclose()


async def ask(upstream: Upstream, path: str, body: Any = None, headers: dict[str, str] | None = None, method: str = "POST") -> Got:
    """Send, and read to the end."""
    response = await upstream.send(request(path, body, headers, method))
    return Got(response, b"".join([chunk async for chunk in response.chunks]))


def request(path: str, body: Any = None, headers: dict[str, str] | None = None, method: str = "POST") -> UpstreamRequest:
    """A request as a client sends it to the proxy."""
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"host": "localhost:8787", "content-type": "application/json", "x-api-key": "the caller's", **(headers or {})}
    return UpstreamRequest(method, path, list(sent.items()), raw)


# --- Bedrock ----------------------------------------------------------------------------------------------------------

AMAZON = Credentials("AKIDSHOP", "wJalrXUtnFEMI", "session-token")


@pytest.fixture
def amazon_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", AMAZON.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AMAZON.secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", AMAZON.token)


@pytest.fixture
def bedrock_server() -> Iterator[BedrockServer]:
    with BedrockServer(AMAZON) as server:
        yield server
        assert server.refused == []


@pytest.fixture
def bedrock(bedrock_server: BedrockServer, amazon_environment: None, opened: Opened) -> Upstream:
    return opened("bedrock", region="us-east-1", url=bedrock_server.url)


# --- Vertex AI --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def google_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def vertex_server(google_key: rsa.RSAPrivateKey) -> Iterator[VertexServer]:
    public = google_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with VertexServer(public) as server:
        yield server
        assert server.refused == []


@pytest.fixture
def google_environment(vertex_server: VertexServer, google_key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account's key file, with the token endpoint on this machine."""
    account = {
        "type": "service_account",
        "project_id": "shop-project",
        "private_key_id": "key-1",
        "private_key": google_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": "shop@shop-project.iam.gserviceaccount.com",
        "token_uri": f"{vertex_server.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    return file


@pytest.fixture
def vertex(vertex_server: VertexServer, google_environment: Path, monkeypatch: pytest.MonkeyPatch, opened: Opened) -> Upstream:
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "shop-project")
    return opened("vertex_ai", region="us-central1", url=f"{vertex_server.url}/v1")


# --- OpenAI's dialects ------------------------------------------------------------------------------------------------


@pytest.fixture
def azure_server() -> Iterator[AzureServer]:
    with AzureServer() as server:
        yield server
        assert server.refused == []


@pytest.fixture
def azure(azure_server: AzureServer, monkeypatch: pytest.MonkeyPatch, opened: Opened) -> Upstream:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", azure_server.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", azure_server.key)
    monkeypatch.setenv("OPENAI_API_VERSION", azure_server.version)
    return opened("azure")


@pytest.fixture
def openrouter_server() -> Iterator[OpenRouterServer]:
    with OpenRouterServer() as server:
        yield server
        assert server.refused == []


@pytest.fixture
def openrouter(openrouter_server: OpenRouterServer, monkeypatch: pytest.MonkeyPatch, opened: Opened) -> Upstream:
    monkeypatch.setenv("OPENROUTER_API_KEY", openrouter_server.key)
    return opened("openrouter", url=f"{openrouter_server.url}/api/v1")
