"""Messages requests reach Bedrock signed, and come back as if Anthropic had answered."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from botocore.credentials import Credentials

from headroom import ConfigError
from headroom.proxy.upstream import Upstream, UpstreamError
from tests.proxy.backends.amazon import exception_frame
from tests.proxy.backends.cloud_server import Answer
from tests.proxy.backends.conftest import AMAZON, Opened, ask, request
from tests.proxy.backends.servers import BedrockServer
from tests.scripted_model import Call

MODEL = "claude-sonnet-4-5-20250929"
BODY: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "Where is order 4711?"}]}
STREAMED = {**BODY, "stream": True}


async def test_a_message_is_signed_and_answered(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    got = await ask(bedrock, "/v1/messages?beta=true", BODY)

    assert got.status == 200
    assert got.json["content"] == [{"type": "text", "text": "The order is late."}]
    assert bedrock_server.model(bedrock_server.request) == "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert bedrock_server.request.path.endswith("/invoke")
    assert bedrock_server.request.body == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": BODY["messages"],
    }


async def test_the_callers_key_stays_here(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    await ask(bedrock, "/v1/messages", BODY, {"authorization": "Bearer the caller's", "cookie": "the caller's"})
    assert "the caller's" not in str(bedrock_server.request.headers)


async def test_a_stream_comes_back_as_server_sent_events(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    bedrock_server.answer = Answer("Äpfel 🍎", (Call("get_order", {"id": 4711}),))
    got = await ask(bedrock, "/v1/messages", STREAMED)

    assert got.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in got.headers
    written = bedrock_server.written(bedrock_server.request).events()
    assert got.events == [data for name, data in written if name != "ping"]  # which the client keeps for itself
    assert bedrock_server.request.path.endswith("/invoke-with-response-stream")


async def test_an_event_is_passed_on_before_the_next_is_there(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    goes_on = threading.Event()
    bedrock_server.answer = Answer(goes_on=goes_on)
    response = await bedrock.send(request("/v1/messages", STREAMED))
    first = await anext(response.chunks)
    assert first.startswith(b"event: message_start\n")
    goes_on.set()
    rest = b"".join([chunk async for chunk in response.chunks])
    assert rest.endswith(b'data: {"type":"message_stop"}\n\n')


async def test_one_request_after_another_repeats_its_prefix(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    await ask(bedrock, "/v1/messages", BODY)
    await ask(bedrock, "/v1/messages", {**BODY, "messages": [*BODY["messages"], {"role": "assistant", "content": "Late."}]})
    first, second = (taken.raw for taken in bedrock_server.requests)
    assert second.startswith(first.removesuffix(b"]}"))


async def test_tokens_are_counted_by_the_model_behind_the_profile(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    asked = {"model": MODEL, "messages": BODY["messages"], "thinking": {"type": "enabled", "budget_tokens": 2048}}
    got = await ask(bedrock, "/v1/messages/count_tokens?beta=true", asked)

    assert got.json == {"input_tokens": 1234}
    assert bedrock_server.request.path == "/model/anthropic.claude-sonnet-4-5-20250929-v1:0/count-tokens"
    invocation = bedrock_server.invocation(bedrock_server.request)
    assert invocation["messages"] == BODY["messages"]
    assert invocation["max_tokens"] == 2049  # more than the thinking may take, or it is no valid invocation


@pytest.mark.parametrize(
    ("model", "version", "sent"),
    [
        (MODEL, "2023-06-01", "bedrock-2023-05-31"),
        (MODEL, "2026-10-21", "bedrock-2023-05-31"),  # which this model does not know
        ("claude-sonnet-4-6", "2026-10-21", "bedrock-2023-05-31"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", "2026-10-21", "bedrock-2023-05-31"),
        ("claude-opus-4-7", "2023-06-01", "bedrock-2023-05-31"),
        ("claude-sonnet-5", "2026-10-21", "2026-10-21"),
        ("claude-opus-4-7", "2026-10-21", "2026-10-21"),
    ],
)
async def test_the_version_is_one_that_the_model_knows(
    bedrock: Upstream, bedrock_server: BedrockServer, model: str, version: str, sent: str
) -> None:
    await ask(bedrock, "/v1/messages", {**BODY, "model": model}, {"anthropic-version": version})
    assert bedrock_server.request.body["anthropic_version"] == sent


async def test_beta_features_move_into_the_body_unless_bedrock_refuses_them(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    asked = "claude-code-20250219,oauth-2025-04-20, context-1m-2025-08-07,advanced-tool-use-2025-11-20,fast-mode-2026-02-01"
    await ask(bedrock, "/v1/messages", BODY, {"anthropic-beta": asked})
    assert bedrock_server.request.body["anthropic_beta"] == ["context-1m-2025-08-07", "tool-search-tool-2025-10-19"]

    await ask(bedrock, "/v1/messages", BODY, {"anthropic-beta": "oauth-2025-04-20"})
    assert "anthropic_beta" not in bedrock_server.request.body
    assert "anthropic-beta" not in bedrock_server.request.headers


@pytest.mark.parametrize(
    "model",
    [
        "eu.anthropic.claude-opus-4-6-v1",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
    ],
)
async def test_ids_of_bedrock_pass_as_they_are(bedrock: Upstream, bedrock_server: BedrockServer, model: str) -> None:
    assert (await ask(bedrock, "/v1/messages", {**BODY, "model": model})).status == 200
    assert bedrock_server.model(bedrock_server.request) == model


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "rate_limit_error"), (400, "invalid_request_error"), (500, "api_error"), (403, "permission_error"), (503, "overloaded_error")],
)
@pytest.mark.parametrize("body", [BODY, STREAMED], ids=["whole", "streamed"])
async def test_errors_keep_their_status_and_headers(
    bedrock: Upstream, bedrock_server: BedrockServer, status: int, kind: str, body: dict[str, Any]
) -> None:
    bedrock_server.answer = Answer(status=status, body={"message": "Too many tokens"}, headers={"retry-after": "7"})
    got = await ask(bedrock, "/v1/messages", body)

    assert (got.status, got.headers["retry-after"]) == (status, "7")
    assert got.headers["x-amzn-requestid"] == "request-7"
    assert got.json == {"type": "error", "error": {"type": kind, "message": "Too many tokens"}}
    assert len(bedrock_server.requests) == 1  # the caller retries, not we


async def test_an_error_in_anthropics_words_stays_as_it_is(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "invalid beta flag"}, "request_id": None}
    bedrock_server.answer = Answer(status=400, body=error)
    assert (await ask(bedrock, "/v1/messages", BODY)).json == error


async def test_an_exception_in_a_stream_is_an_event(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    bedrock_server.answer = Answer(ends_with=exception_frame("throttlingException", "Too many tokens"))
    got = await ask(bedrock, "/v1/messages", STREAMED)
    assert got.events[0]["type"] == "message_start"
    assert got.events[-1] == {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many tokens"}}


@pytest.mark.parametrize(
    "answer", [Answer(stops_after=3), Answer(ends_with=b"\0\0\0\x10\0\0\0\0damaged frame")], ids=["hung up", "damaged"]
)
async def test_a_stream_that_breaks_breaks_here_too(bedrock: Upstream, bedrock_server: BedrockServer, answer: Answer) -> None:
    bedrock_server.answer = answer
    response = await bedrock.send(request("/v1/messages", STREAMED))
    with pytest.raises(UpstreamError, match="bedrock broke off its answer") as broken:
        [chunk async for chunk in response.chunks]
    assert broken.value.status == 502


async def test_a_server_that_is_not_there(amazon_environment: None, opened: Opened) -> None:
    with pytest.raises(UpstreamError, match="bedrock could not be reached") as unreachable:
        await opened("bedrock", region="us-east-1", url="http://127.0.0.1:1").send(request("/v1/messages", BODY))
    assert unreachable.value.status == 502


async def test_no_credentials(bedrock_server: BedrockServer, opened: Opened) -> None:
    got = await ask(opened("bedrock", region="sa-east-1", url=bedrock_server.url), "/v1/messages", BODY)
    assert (got.status, got.error["type"]) == (401, "authentication_error")
    assert "no valid credentials" in got.error["message"]
    assert bedrock_server.requests == []


# --- clients that leave -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["aclose", "cancelled"])
async def test_a_client_that_leaves_a_stream_ends_it_at_bedrock(bedrock: Upstream, bedrock_server: BedrockServer, how: str) -> None:
    bedrock_server.answer = Answer(never_ends=True)
    response = await bedrock.send(request("/v1/messages", STREAMED))
    await anext(response.chunks)
    if how == "aclose":
        await response.aclose()
    else:
        reading = asyncio.ensure_future(_read(response.chunks))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert await asyncio.to_thread(bedrock_server.left.wait, 10)


async def test_a_client_that_leaves_before_the_answer_ends_the_request(bedrock: Upstream, bedrock_server: BedrockServer) -> None:
    bedrock_server.answer = Answer(never_ends=True)
    waiting = asyncio.ensure_future(bedrock.send(request("/v1/messages", BODY)))
    assert await asyncio.to_thread(bedrock_server.asked.wait, 10)
    waiting.cancel()
    assert await asyncio.to_thread(bedrock_server.left.wait, 10)


async def _read(chunks: Any) -> None:
    async for _ in chunks:
        pass


# --- what the environment says ----------------------------------------------------------------------------------------


async def test_an_api_key_of_bedrock_takes_the_place_of_signatures(
    bedrock_server: BedrockServer, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    bedrock_server.bearer = "bedrock-api-key"
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", bedrock_server.url)
    assert (await ask(opened("bedrock"), "/v1/messages", BODY)).status == 200
    assert bedrock_server.model(bedrock_server.request).startswith("eu.anthropic.")


def test_no_region(opened: Opened) -> None:
    with pytest.raises(ConfigError, match="--region"):
        opened("bedrock")


async def test_the_server_of_these_tests_refuses_a_wrong_signature(
    bedrock: Upstream, bedrock_server: BedrockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bedrock_server.credentials = Credentials(AMAZON.access_key, "another secret", AMAZON.token)
    got = await ask(bedrock, "/v1/messages", BODY)
    assert (got.status, got.error["message"]) == (403, "the signature does not match")
    bedrock_server.refused.clear()
