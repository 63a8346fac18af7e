"""Two proxies on one Redis: what one of them left out, the other gives back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.running import KEYS, ORDERS, Proxy, question
from tests.redis_server import RedisServer
from tests.scripted_model import Call, Reply, Request, ScriptedModel


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.stop()


def test_what_one_compressed_the_other_retrieves(redis_url: str) -> None:
    asked = {"model": "gpt-4o", "messages": question("openai")["messages"]}
    with Proxy(store=redis_url) as one, Proxy(store=redis_url) as other:
        (reference,) = one.http.post("/v1/compress", json=asked, headers=KEYS["openai"]).json()["references"]
        found = other.http.post("/v1/retrieve", json={"ref": reference}, headers=KEYS["openai"])
        assert found.json()["text"] == ORDERS
        stranger = other.http.post("/v1/retrieve", json={"ref": reference}, headers={"authorization": "Bearer sk-another"})
        assert stranger.status_code == 404


def test_a_conversation_may_go_on_at_the_other(redis_url: str) -> None:
    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) > 1:
            return "found" if "ord_7123" in request.tool_outputs[-1] else "lost"
        return Reply(calls=(Call("headroom_retrieve", {"ref": request.references[0], "query": "ord_7123"}),))

    with ScriptedModel(["seen"]) as model, Proxy(model, store=redis_url) as one:
        assert one.post("openai", question("openai")).status_code == 200
        first = model.requests[0].messages
    with ScriptedModel(script) as model, Proxy(model, store=redis_url) as other:
        answer = other.post("openai", question("openai"))
        assert answer.json()["choices"][0]["message"]["content"] == "found"
        assert model.requests[0].messages == first, "the other proxy sends the same bytes: the provider's cache holds"
