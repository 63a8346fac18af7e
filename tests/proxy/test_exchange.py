"""Conversations through a running proxy: shortened on their way, answered in the client's words, retrieved from within."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
import zstandard

from headroom import MemoryStore, compress
from headroom.proxy.app import ProxyApp
from headroom.proxy.settings import ProxySettings
from headroom.proxy.upstream import UpstreamRequest, UpstreamResponse
from tests.proxy.running import KEYS, ORDERS, PATHS, Proxy, question, said, streamed_words
from tests.scripted_model import Reply, Request, ScriptedModel, calls

DIALECTS = ["anthropic", "openai", "responses"]


def looks_up(request: Request) -> Reply | str:
    """A model that asks for order 301 by the reference it sees, and then says what it was told."""
    answers = [text for text in request.tool_outputs if "row 302" in text]
    return f"found: {answers[0]}" if answers else calls("headroom_retrieve", ref=request.references[0], query="ord_7301")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_conversation_arrives_shorter_and_its_answer_comes_back(dialect: str, model: ScriptedModel, proxy: Proxy) -> None:
    response = proxy.post(dialect, question(dialect))
    assert said(response, dialect) == "done"
    (request,) = model.requests
    assert request.path == PATHS[dialect]
    assert len(request.tool_outputs[0]) < len(ORDERS) / 3
    assert request.tools == ["headroom_retrieve"]
    assert response.headers["x-headroom-compressed"] == "true"
    assert int(response.headers["x-headroom-tokens-saved"]) > 1_000
    assert response.headers["x-scripted"] == "yes"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_the_model_looks_up_is_answered_on_the_way(dialect: str, model: ScriptedModel, proxy: Proxy) -> None:
    model.script = looks_up
    response = proxy.post(dialect, question(dialect))
    assert '"id": "ord_7301"' in said(response, dialect)
    assert len(model.requests) == 2
    assert "headroom_retrieve" not in response.text.replace(said(response, dialect), "")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_in_a_stream(dialect: str, model: ScriptedModel, proxy: Proxy) -> None:
    model.script = looks_up
    response = proxy.post(dialect, question(dialect, stream=True))
    assert response.headers["content-type"] == "text/event-stream"
    assert '"id": "ord_7301"' in streamed_words(response.text)
    assert "headroom_retrieve" not in response.text
    ends = {"anthropic": "event: message_stop", "openai": "data: [DONE]", "responses": "event: response.completed"}
    assert response.text.count(ends[dialect]) == 1
    assert len(model.requests) == 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_without_retrieval_nothing_is_left_out_and_no_tool_is_offered(dialect: str) -> None:
    with ScriptedModel(["done"]) as model, Proxy(model, retrieve=False) as proxy:
        response = proxy.post(dialect, question(dialect))
    (request,) = model.requests
    assert request.tools == []
    sent = compress([{"role": "tool", "content": ORDERS, "tool_call_id": "x"}], lossless=True, store=MemoryStore())
    assert len(request.tool_outputs[0]) < len(ORDERS)
    assert len(request.tool_outputs[0]) == pytest.approx(len(sent.messages[0]["content"]), rel=0.05)
    assert request.references == []
    assert response.headers["x-headroom-compressed"] == "true"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_request_repeats_the_one_before_byte_for_byte(dialect: str, model: ScriptedModel, proxy: Proxy) -> None:
    key = "input" if dialect == "responses" else "messages"
    body = question(dialect)
    proxy.post(dialect, body)
    longer = {**body, key: [*body[key], {"role": "assistant", "content": "Order 7301."}, {"role": "user", "content": "Why?"}]}
    proxy.post(dialect, longer)
    first, second = (json.dumps(request.body[key]) for request in model.requests)
    assert second.startswith(first[:-1])
    assert model.requests[0].body["tools"] == model.requests[1].body["tools"]


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.ZstdCompressor().compress), ("identity", bytes)],
)
def test_bodies_in_a_content_encoding_are_read_and_sent_on_plain(encoding: str, encode: object, model: ScriptedModel, proxy: Proxy) -> None:
    assert callable(encode)
    proxy.post("openai", encode(json.dumps(question("openai")).encode()), **{"content-encoding": encoding})
    (request,) = model.requests
    assert len(request.tool_outputs[0]) < len(ORDERS) / 3
    assert request.headers.get("content-encoding", "identity") == "identity"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"{not json", ""),
        (b'["a list"]', ""),
        (b'{"model": "x", "messages": "no list"}', ""),
        (b"", ""),
        (b"\xff\xfe\x00", ""),
        (b"no gzip", "gzip"),
        (gzip.compress(b'{"messages": []}', mtime=0)[:-4], "gzip"),
        (b"whatever", "secret-encoding"),
        (b"[" * 900, ""),
    ],
)
def test_what_cannot_be_read_goes_on_byte_for_byte(raw: bytes, encoding: str, model: ScriptedModel, proxy: Proxy) -> None:
    headers = {"content-encoding": encoding} if encoding else {}
    proxy.post("openai", raw, **headers)
    (request,) = model.requests
    assert request.raw == raw
    assert request.headers.get("content-encoding", "") == encoding


class Zipping:
    """An upstream that compresses its answers though it is asked not to, and sends them in small pieces."""

    asked = ""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.asked = dict(request.headers)["accept-encoding"]
        if json.loads(request.body).get("stream"):
            kind, raw = "text/event-stream", b'data: {"choices": [{"index": 0, "delta": {"content": "zipped"}}]}\n\ndata: [DONE]\n\n'
        else:
            kind, raw = "application/json", b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "zipped"}}]}'
        headers = [("Content-Type", kind), ("Content-Encoding", "gzip")]
        return UpstreamResponse(200, headers, self._pieces(gzip.compress(raw)), self.aclose)

    async def _pieces(self, raw: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 10):
            yield raw[start : start + 10]

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_compresses_its_answers_all_the_same_is_understood(stream: bool) -> None:
    upstream = Zipping()
    app = ProxyApp(ProxySettings(), {"openai": upstream})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        response = await client.post("/v1/chat/completions", json=question("openai", stream=stream))
    assert (streamed_words(response.text) if stream else said(response, "openai")) == "zipped"
    assert upstream.asked == "identity"
    await app.aclose()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 529])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_errors_and_rate_limits_reach_the_client_as_they_are(dialect: str, status: int, model: ScriptedModel, proxy: Proxy) -> None:
    limits = {"retry-after": "7", "anthropic-ratelimit-requests-remaining": "0", "x-ratelimit-remaining-tokens": "0"}
    model.script = [Reply(status=status, error="no luck", headers=limits)]
    response = proxy.post(dialect, question(dialect))
    direct = httpx.post(model.url + PATHS[dialect], json=question(dialect), headers=KEYS[dialect])
    assert response.status_code == status
    assert response.content == direct.content
    for name, value in limits.items():
        assert response.headers[name] == value


def test_a_refusal_in_a_later_round_ends_the_stream_with_the_providers_words(model: ScriptedModel, proxy: Proxy) -> None:
    def refuses(request: Request) -> Reply:
        return looks_up(request) if request.number == 0 else Reply(status=429, error="too fast")  # type: ignore[return-value]

    model.script = refuses
    response = proxy.post("anthropic", question("anthropic", stream=True))
    assert response.status_code == 200
    name, data = response.text.strip().split("\n\n")[-1].split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"]["message"] == "too fast"


def test_a_refusal_in_a_later_round_of_a_whole_answer_is_the_answer(model: ScriptedModel, proxy: Proxy) -> None:
    def refuses(request: Request) -> Reply | str:
        return looks_up(request) if request.number == 0 else Reply(status=429, headers={"retry-after": "3"})

    model.script = refuses
    response = proxy.post("openai", question("openai"))
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")


def test_callers_with_another_key_cannot_have_a_text(model: ScriptedModel, proxy: Proxy) -> None:
    model.script = looks_up
    proxy.post("openai", question("openai"))
    (reference,) = {reference for request in model.requests for reference in request.references}
    stolen = {**question("openai", "short"), "messages": [{"role": "user", "content": f"ref={reference}"}]}
    model.script = lambda request: (
        request.tool_outputs[-1] if request.tool_outputs else calls("headroom_retrieve", ref=reference, query="ord_7301")
    )
    response = proxy.post("openai", stolen, authorization="Bearer sk-two")
    own = proxy.post("openai", stolen)
    assert "No original is stored" in said(response, "openai")
    assert "ord_7301" in said(own, "openai")


def test_nothing_of_a_request_is_logged(caplog: pytest.LogCaptureFixture, model: ScriptedModel, proxy: Proxy) -> None:
    caplog.set_level("DEBUG", logger="headroom")
    model.script = [Reply(status=500)]
    proxy.post("openai", question("openai"))
    proxy.http.get("/v1/secret?key=sk-one")
    assert "sk-one" not in caplog.text
    assert "ord_7301" not in caplog.text


def test_count_tokens_counts_what_would_be_sent_and_is_no_saving(model: ScriptedModel, proxy: Proxy) -> None:
    body = question("anthropic")
    before = proxy.http.get("/stats").json()["requests"]
    counted = proxy.http.post("/v1/messages/count_tokens", json=body, headers=KEYS["anthropic"])
    proxy.post("anthropic", body)
    stats = proxy.http.get("/stats").json()
    asked, sent = model.requests
    assert asked.body == sent.body
    assert counted.json()["input_tokens"] == len(asked.raw) // 4
    assert stats["requests"] == before + 1


def test_trouble_with_counting_costs_the_client_nothing(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no counting today")

    monkeypatch.setattr(proxy.state.history, "add", broken)
    assert proxy.post("openai", question("openai")).status_code == 200
    assert proxy.http.get("/stats").status_code == 200
    assert "could not be counted" in caplog.text


def test_trouble_of_ours_costs_a_saving_and_is_counted(
    model: ScriptedModel, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no compression today")

    before = proxy.http.get("/stats").json()["failures"]
    monkeypatch.setattr("headroom.proxy.exchange.Rounds", broken)
    body = json.dumps(question("openai")).encode()
    response = proxy.post("openai", body)
    assert (response.status_code, model.requests[0].raw) == (200, body)
    stats = proxy.http.get("/stats").json()
    assert stats["failures"] == before + 1
    assert "no compression today" in stats["last_failure"]
