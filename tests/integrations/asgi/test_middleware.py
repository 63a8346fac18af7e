"""The middleware shortens what it knows, says so, and lets everything else pass byte for byte. Driven as a server would."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from headroom import CompressionService, ConfigError, MemoryStore
from headroom.integrations.asgi import PATHS, CompressionMiddleware
from tests.integrations.asgi.servers import Recorder
from tests.wire.talks import DIALECTS, ORDERS, Json, body_of, messages, own_tool
from tests.wire.talks import PATHS as DIALECT_PATHS

every = pytest.mark.parametrize("dialect", DIALECTS)


def made(app: Any, **options: Any) -> CompressionMiddleware:
    return CompressionMiddleware(app, store=MemoryStore(), **options) if "service" not in options else CompressionMiddleware(app, **options)


def scope_of(path: str = "/v1/messages", method: str = "POST", headers: dict[str, str] | None = None, **more: Any) -> Json:
    listed = [(name.lower().encode(), value.encode()) for name, value in (headers or {"content-type": "application/json"}).items()]
    return {"type": "http", "method": method, "path": path, "headers": listed, "query_string": b"", "root_path": "", **more}


async def call(app: Any, scope: Json, *chunks: bytes, ends: bool = True) -> list[Json]:
    """Give an application a request in chunks; what it sends. After the body the client is gone."""
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if waiting and ends:
        waiting[-1]["more_body"] = False
    sent: list[Json] = []

    async def receive() -> Json:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Json) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def headers_of(sent: list[Json]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("path", [*PATHS, "/v1/messages"])
async def test_known_paths_are_shortened(path: str) -> None:
    app = Recorder()
    body = json.dumps(body_of(PATHS[path], messages(PATHS[path]))).encode()
    sent = await call(made(app), scope_of(path, headers={"content-type": "application/json", "content-length": str(len(body))}), body)
    assert len(app.bodies[0]) < len(body)
    assert app.headers[0]["content-length"] == str(len(app.bodies[0]))
    assert "headroom_retrieve" not in app.bodies[0].decode(), "only folded: nobody answers a tool here"
    headers = headers_of(sent)
    assert headers["x-headroom-compressed"] == "true"
    assert int(headers["x-headroom-tokens-saved"]) > 1_000
    assert headers["x-own"] == "1"


@every
async def test_a_request_that_brings_the_tool_is_digested(dialect: str) -> None:
    app = Recorder()
    body = body_of(dialect, messages(dialect), tools=[own_tool(dialect, "headroom_retrieve")])
    await call(made(app), scope_of(DIALECT_PATHS[dialect]), json.dumps(body).encode())
    shown = json.loads(app.bodies[0])
    assert "headroom_retrieve ref=" in json.dumps(shown)
    assert shown["tools"] == body["tools"]


LONG = json.dumps(body_of("openai", messages("openai"))).encode()
UNTOUCHED = {
    "another path": (scope_of("/v1/embeddings"), LONG),
    "a batch": (scope_of("/v1/messages/batches"), json.dumps({"requests": [{"params": json.loads(LONG)}]}).encode()),
    "another method": (scope_of(method="PUT"), LONG),
    "a form": (scope_of(headers={"content-type": "multipart/form-data; boundary=x"}), LONG),
    "no JSON": (scope_of(), b"messages=" + LONG),
    "a list": (scope_of(), b"[" + LONG + b"]"),
    "a string": (scope_of(), b'"text"'),
    "nothing": (scope_of(), b""),
    "a key twice": (scope_of("/v1/chat/completions"), LONG[:-1] + b',"model":"n"}'),
    "NaN": (scope_of("/v1/chat/completions"), LONG[:-1] + b',"temperature":NaN}'),
    "no UTF-8": (scope_of("/v1/chat/completions"), LONG[:-1] + b',"user":"\xff"}'),
    "a malformed message": (scope_of("/v1/chat/completions"), b'{"messages":[7], "x":  1.10}'),
    "no messages": (scope_of("/v1/chat/completions"), b'{"prompt":  "hi"}'),
    "nothing to save": (scope_of("/v1/chat/completions"), b'{"messages": [{"role":"user","content":"hi"}],  "temperature":1.10}\n'),
    "an unknown encoding": (scope_of("/v1/chat/completions", headers={"content-encoding": "compress"}), LONG),
    "a broken encoding": (scope_of("/v1/chat/completions", headers={"content-encoding": "gzip"}), LONG),
}


@pytest.mark.parametrize("case", UNTOUCHED)
@pytest.mark.filterwarnings("ignore:Headroom")
async def test_everything_else_passes_byte_for_byte(case: str) -> None:
    scope, body = UNTOUCHED[case]
    app, plain = Recorder(), Recorder()
    chunks = [body[:7], body[7:]]
    sent = await call(made(app), scope, *chunks)
    assert sent == await call(plain, scope, *chunks)
    assert app.messages == plain.messages, "the same messages, not only the same bytes"
    assert app.scopes[0] is scope


async def test_lifespan_and_websockets_pass() -> None:
    for kind in ("lifespan", "websocket"):
        app = Recorder()
        scope = {"type": kind, "path": "/v1/messages", "headers": []}
        await made(app)(scope, None, None)  # type: ignore[arg-type]  # an application may do with them what it likes
        assert app.scopes == [scope]


async def test_numbers_and_everything_else_stay_as_written() -> None:
    app = Recorder()
    big = json.dumps(ORDERS)
    raw = (
        '{ "temperature":1.10, "seed":123456789012345678901, "z":1, "a":"\\ud83d\\u00e9\\/", "messages":[{"role":"user","content":"q"},'
        '{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],"content":null},'
        '{"role":"tool","tool_call_id":"c","content":' + big + ',"x":1E2}]}'
    ).encode()
    await call(made(app), scope_of("/v1/chat/completions"), raw)
    seen = app.bodies[0].decode()
    assert len(seen) < len(raw)
    assert seen.startswith('{"temperature":1.10,"seed":123456789012345678901,"z":1,"a":"\\ud83d\\u00e9\\/","messages":[{"role":"user"')
    assert seen.endswith(',"x":1E2}]}')


def _twice(raw: bytes) -> bytes:
    return gzip.compress(zlib.compress(raw))


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate, gzip", _twice)])
async def test_an_encoded_body_goes_on_plain(encoding: str, encode: Any) -> None:
    app = Recorder()
    headers = {"content-type": "application/json", "content-encoding": encoding, "transfer-encoding": "chunked", "authorization": "mine"}
    await call(made(app), scope_of("/v1/chat/completions", headers=headers), encode(LONG))
    assert json.loads(app.bodies[0])["model"] == "m"
    assert app.headers[0] == {
        "content-type": "application/json",
        "authorization": "mine",
        "content-length": str(len(app.bodies[0])),
    }
    small = encode(b'{"messages": []}')
    await call(made(app), scope_of("/v1/chat/completions", headers=headers), small)
    assert app.bodies[1] == small, "what is not shortened stays encoded"
    assert app.headers[1]["content-encoding"] == encoding


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_passes_as_it_comes(declared: bool) -> None:
    app = Recorder()
    headers = {"content-type": "application/json", **({"content-length": str(len(LONG))} if declared else {})}
    chunks = [LONG[start : start + 1_000] for start in range(0, len(LONG), 1_000)]
    await call(made(app, max_body_bytes=5_000), scope_of("/v1/chat/completions", headers=headers), *chunks)
    assert app.bodies == [LONG]
    assert [message["body"] for message in app.messages] == chunks


async def test_a_body_that_unpacks_to_too_much_passes_packed() -> None:
    app = Recorder()
    packed = gzip.compress(LONG)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    await call(made(app, max_body_bytes=len(packed) + 10), scope_of("/v1/chat/completions", headers=headers), packed)
    assert app.bodies == [packed]


async def test_a_client_that_leaves_in_the_middle_of_its_body() -> None:
    app = Recorder()
    await call(made(app), scope_of(), LONG[:50], LONG[50:90], ends=False)
    assert [message["type"] for message in app.messages] == ["http.request", "http.request", "http.disconnect"]


async def test_after_the_body_the_application_hears_the_client() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    await call(made(app), scope_of("/v1/chat/completions"), LONG)
    assert heard == ["http.request", "http.disconnect"]


async def test_a_mounted_application_knows_its_own_path() -> None:
    app = Recorder()
    await call(made(app), scope_of("/llm/v1/chat/completions", root_path="/llm"), LONG)
    assert len(app.bodies[0]) < len(LONG)
    await call(made(app), scope_of("/llmish/v1/chat/completions", root_path="/llm"), LONG)
    assert app.bodies[1] == LONG


async def test_paths_of_ones_own() -> None:
    app = Recorder()
    middleware = made(app, paths={"/chat": "openai"})
    await call(middleware, scope_of("/chat"), LONG)
    await call(middleware, scope_of("/v1/chat/completions"), LONG)
    assert len(app.bodies[0]) < len(LONG) and app.bodies[1] == LONG
    await call(made(app, paths=["/v1/chat/completions"]), scope_of("/v1/chat/completions"), LONG)
    assert len(app.bodies[2]) < len(LONG)


def test_options_are_checked_when_the_middleware_is_made() -> None:
    with pytest.raises(ConfigError, match="min_tokens"):
        CompressionMiddleware(Recorder(), min_token=3)
    with pytest.raises(ConfigError, match="dialect"):
        CompressionMiddleware(Recorder(), paths=["/chat"])
    with pytest.raises(ConfigError, match="dialect"):
        CompressionMiddleware(Recorder(), paths={"/chat": "klingon"})


@pytest.mark.filterwarnings("ignore:Headroom")
async def test_trouble_of_ours_never_fails_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError("out of order")

    monkeypatch.setattr("headroom.integrations.asgi.middleware.Rounds", broken)
    app = Recorder()
    middleware = made(app)
    await call(middleware, scope_of("/v1/chat/completions"), LONG)
    assert app.bodies == [LONG]
    assert middleware.savings.failures == 1
    assert "out of order" in middleware.savings.summary()["last_failure"]


async def test_savings_live_in_a_service_that_others_may_share() -> None:
    service = CompressionService(store=MemoryStore())
    middleware = made(Recorder(), service=service)
    await call(middleware, scope_of("/v1/chat/completions"), LONG)
    assert middleware.savings is service.savings
    assert service.savings.requests == 1 and service.savings.tokens_saved > 1_000


async def test_counting_tokens_counts_what_would_be_sent_and_saves_nothing() -> None:
    app = Recorder()
    body = json.dumps(body_of("anthropic", messages("anthropic"))).encode()
    middleware = made(app)
    await call(middleware, scope_of("/v1/messages/count_tokens"), body)
    assert middleware.savings.requests == 0
    await call(middleware, scope_of("/v1/messages"), body)
    assert app.bodies[0] == app.bodies[1] != body
    assert middleware.savings.requests == 1


async def test_an_application_that_raises_raises() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        await call(made(app), scope_of("/v1/chat/completions"), LONG)
