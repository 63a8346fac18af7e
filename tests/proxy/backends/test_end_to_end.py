"""Official clients, a running proxy with `--backend`, and the cloud behind it: shortened, looked up, answered."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.proxy.backends.cloud_server import Answer, CloudServer
from tests.proxy.backends.conftest import AMAZON
from tests.proxy.backends.servers import AzureServer, BedrockServer, OpenRouterServer, VertexServer
from tests.proxy.running import ORDERS, Proxy, question
from tests.scripted_model import Call, Request

Started = Callable[..., Proxy]
CLAUDE = "claude-sonnet-4-5-20250929"
pytestmark = pytest.mark.filterwarnings("ignore:The model 'claude-sonnet-4-5-20250929' is deprecated:DeprecationWarning")


@pytest.fixture
def started() -> Iterator[Started]:
    """A running proxy with a backend."""
    running: list[Proxy] = []

    def start(**settings: Any) -> Proxy:
        running.append(Proxy(**settings))
        return running[-1].__enter__()

    yield start
    for proxy in running:
        proxy.__exit__(None, None, None)


@pytest.fixture
def before_bedrock(bedrock_server: BedrockServer, amazon_environment: None, started: Started) -> Proxy:
    return started(backend="bedrock", region="us-east-1", backend_url=bedrock_server.url)


@pytest.fixture
def before_vertex(vertex_server: VertexServer, google_environment: Any, started: Started) -> Proxy:
    return started(backend="vertex_ai", region="us-central1", backend_url=f"{vertex_server.url}/v1")


@pytest.fixture
def before_azure(azure_server: AzureServer, azure: Any, started: Started) -> Proxy:
    return started(backend="azure", model_map=["gpt-4o=shop-4o"])


@pytest.fixture
def before_openrouter(openrouter_server: OpenRouterServer, openrouter: Any, started: Started) -> Proxy:
    return started(backend="openrouter", backend_url=f"{openrouter_server.url}/api/v1")


@pytest.fixture(params=["bedrock", "vertex", "openrouter"])
def for_claude(request: pytest.FixtureRequest) -> tuple[Proxy, CloudServer]:
    """Proxies that take Messages, and what is behind them."""
    return request.getfixturevalue(f"before_{request.param}"), request.getfixturevalue(f"{request.param}_server")


@pytest.fixture(params=["azure", "openrouter"])
def for_openai(request: pytest.FixtureRequest) -> tuple[Proxy, CloudServer]:
    """Proxies that take OpenAI's dialects, and what is behind them."""
    return request.getfixturevalue(f"before_{request.param}"), request.getfixturevalue(f"{request.param}_server")


def looks_up(request: Request) -> Answer:
    """A model that asks for an order by the reference it sees, and then says what it was told."""
    answers = [text for text in request.tool_outputs if "row 302" in text]
    if answers:
        return Answer(f"found: {answers[0]}")
    return Answer("", (Call("headroom_retrieve", {"ref": request.references[0], "query": "ord_7301"}),))


def _is_shorter(request: Request) -> bool:
    return len(request.tool_outputs[0]) < len(ORDERS) / 3 and "headroom_retrieve" in request.tools


def test_anthropics_client(for_claude: tuple[Proxy, CloudServer]) -> None:
    proxy, cloud = for_claude
    with anthropic.Anthropic(base_url=proxy.url, api_key="dummy", max_retries=0) as client:
        reply = client.messages.with_raw_response.create(**question("anthropic", model=CLAUDE))
    assert reply.parse().content[0].text == "The order is late."  # type: ignore[union-attr]
    assert int(reply.headers["x-headroom-tokens-saved"]) > 1_000
    assert _is_shorter(cloud.request)
    assert "dummy" not in str(cloud.request.headers)


def test_anthropics_client_streaming_while_the_model_looks_up(for_claude: tuple[Proxy, CloudServer]) -> None:
    proxy, cloud = for_claude
    cloud.answer = looks_up
    with (
        anthropic.Anthropic(base_url=proxy.url, api_key="dummy", max_retries=0) as client,
        client.messages.stream(**question("anthropic", model=CLAUDE)) as stream,
    ):
        text = stream.get_final_text()
    assert '"id": "ord_7301"' in text
    assert len(cloud.requests) == 2
    assert [block["type"] for block in cloud.requests[1].messages[-2]["content"]] == ["tool_use"]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_openais_client_chat(for_openai: tuple[Proxy, CloudServer], streamed: bool) -> None:
    proxy, cloud = for_openai
    cloud.answer = looks_up
    with openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="dummy", max_retries=0) as client:
        reply: Any = client.chat.completions.create(**question("openai", stream=streamed))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in reply) if streamed else reply.choices[0].message.content
    assert '"id": "ord_7301"' in text
    assert len(cloud.requests) == 2
    assert _is_shorter(cloud.requests[0])


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_openais_client_responses(for_openai: tuple[Proxy, CloudServer], streamed: bool) -> None:
    proxy, cloud = for_openai
    cloud.answer = looks_up
    with openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="dummy", max_retries=0) as client:
        reply: Any = client.responses.create(**question("responses", stream=streamed))
        text = list(reply)[-1].response.output_text if streamed else reply.output_text
    assert '"id": "ord_7301"' in text
    assert len(cloud.requests) == 2
    assert _is_shorter(cloud.requests[0])


def test_tokens_are_counted_of_what_would_be_sent(before_bedrock: Proxy, bedrock_server: BedrockServer) -> None:
    asked = question("anthropic", model=CLAUDE)
    del asked["max_tokens"]
    with anthropic.Anthropic(base_url=before_bedrock.url, api_key="dummy", max_retries=0) as client:
        assert client.messages.count_tokens(**asked).input_tokens == 1234
    assert len(str(bedrock_server.invocation(bedrock_server.request))) < len(ORDERS) / 3


def test_a_limit_reaches_the_client_as_the_clouds(before_bedrock: Proxy, bedrock_server: BedrockServer) -> None:
    bedrock_server.answer = Answer(status=429, body={"message": "Too many tokens"}, headers={"retry-after": "7"})
    with (
        anthropic.Anthropic(base_url=before_bedrock.url, api_key="dummy", max_retries=0) as client,
        pytest.raises(anthropic.RateLimitError, match="Too many tokens") as limit,
    ):
        client.messages.create(**question("anthropic", model=CLAUDE))
    assert limit.value.response.headers["retry-after"] == "7"


def test_another_dialect_is_refused_in_its_own_words(before_bedrock: Proxy) -> None:
    with (
        openai.OpenAI(base_url=f"{before_bedrock.url}/v1", api_key="dummy", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="the bedrock backend speaks Anthropic Messages"),
    ):
        client.chat.completions.create(**question("openai"))


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_a_client_that_leaves_is_gone_for_the_cloud_too(dialect: str, request: pytest.FixtureRequest) -> None:
    name = "bedrock" if dialect == "anthropic" else "azure"
    proxy, cloud = request.getfixturevalue(f"before_{name}"), request.getfixturevalue(f"{name}_server")
    cloud.answer = Answer(never_ends=True)
    path = "/v1/messages" if dialect == "anthropic" else "/v1/chat/completions"
    with proxy.http.stream("POST", path, json=question(dialect, model=CLAUDE, stream=True)) as response:
        next(response.iter_bytes())
    assert cloud.left.wait(10)


def test_a_stream_that_breaks_is_no_end(before_bedrock: Proxy, bedrock_server: BedrockServer) -> None:
    bedrock_server.answer = Answer("word " * 50, stops_after=20)
    with pytest.raises(httpx.RemoteProtocolError):
        before_bedrock.http.post("/v1/messages", json=question("anthropic", model=CLAUDE, stream=True))


def test_only_holders_of_the_token_spend_the_proxys_money(
    bedrock_server: BedrockServer, amazon_environment: None, started: Started
) -> None:
    proxy = started(backend="bedrock", region="us-east-1", backend_url=bedrock_server.url, token="secret")
    asked = question("anthropic", model=CLAUDE)
    with anthropic.Anthropic(base_url=proxy.url, api_key="dummy", max_retries=0) as stranger, pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(**asked)
    assert bedrock_server.requests == []
    with anthropic.Anthropic(base_url=proxy.url, api_key="secret", max_retries=0) as holder:
        holder.messages.create(**asked)
    assert "secret" not in str(bedrock_server.request.headers)


def test_a_page_from_elsewhere_does_not(before_bedrock: Proxy, bedrock_server: BedrockServer) -> None:
    response = before_bedrock.http.post("/v1/messages", json=question("anthropic"), headers={"origin": "https://elsewhere.example"})
    assert response.status_code == 403
    assert bedrock_server.requests == []


def test_the_command(bedrock_server: BedrockServer) -> None:
    """As a user starts it, in an environment with nothing but what AWS needs."""
    options = ["--backend", "bedrock", "--region", "us-east-1", "--backend-url", bedrock_server.url]
    amazon = {
        "AWS_ACCESS_KEY_ID": AMAZON.access_key,
        "AWS_SECRET_ACCESS_KEY": AMAZON.secret_key,
        "AWS_SESSION_TOKEN": str(AMAZON.token),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HEADROOM_HOME": os.environ["HEADROOM_HOME"],
        "HOME": os.environ["HOME"],
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-m", "headroom.cli", "proxy", "--port", "0", *options, "--model-map", "opus=anthropic.claude-opus-4-6-v1"]
    with subprocess.Popen(command, env=amazon, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        listening = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert listening, process.stderr.read()
        with anthropic.Anthropic(base_url=listening[0], api_key="dummy", max_retries=0) as client:
            client.messages.create(**question("anthropic", model="opus"))
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert bedrock_server.model(bedrock_server.request) == "anthropic.claude-opus-4-6-v1"
    assert _is_shorter(bedrock_server.request)


def test_the_command_says_what_is_missing() -> None:
    command = [sys.executable, "-m", "headroom.cli", "proxy", "--port", "0", "--backend", "openrouter"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "OPENROUTER_API_KEY" in done.stderr
