"""The proxy's own endpoints: how it is doing, and who may know."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from headroom import __version__
from tests.proxy.running import KEYS, ORDERS, Proxy, question
from tests.scripted_model import ScriptedModel

GUARDED = [
    ("GET", "/"),
    ("GET", "/stats"),
    ("GET", "/stats/texts"),
    ("GET", "/metrics"),
    ("POST", "/v1/compress"),
    ("POST", "/v1/retrieve"),
]


@pytest.fixture(scope="module")
def closed() -> Iterator[Proxy]:
    """A proxy that other machines can reach."""
    with ScriptedModel() as model, Proxy(model, host="0.0.0.0", token="secret") as proxy:
        yield proxy


def test_health_and_readiness(proxy: Proxy) -> None:
    health = proxy.http.get("/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "version": __version__})
    assert proxy.state.warm.wait(20)
    assert (proxy.http.get("/ready").status_code, proxy.http.get("/ready").json()) == (200, {"status": "ready"})


def test_it_is_not_ready_while_it_warms_up(proxy: Proxy) -> None:
    proxy.state.warm.wait(20)
    proxy.state.warm.clear()
    response = proxy.http.get("/ready")
    proxy.state.warm.set()
    assert (response.status_code, response.json()) == (503, {"status": "starting"})


def test_stats_tell_what_was_saved_and_no_text(model: ScriptedModel, proxy: Proxy) -> None:
    before = proxy.http.get("/stats").json()
    response = proxy.post("anthropic", question("anthropic"))
    stats = proxy.http.get("/stats").json()
    saved = int(response.headers["x-headroom-tokens-saved"])
    assert stats["tokens_saved"] - before["tokens_saved"] == saved
    assert stats["over_time"][-1]["tokens_saved"] >= saved
    assert stats["kinds"][0]["kind"] == "json_records"
    newest = stats["latest"][0]
    assert (newest["path"], newest["model"], newest["status"], newest["tokens_saved"]) == ("/v1/messages", "gpt-4o", 200, saved)
    assert newest["own_seconds"] <= newest["seconds"]
    assert "ord_7301" not in str(stats)
    assert "sk-ant-one" not in str(stats)
    assert {"provider": "anthropic", "dialect": "anthropic", "status": 200, "requests": 1} in stats["answered"]


def test_metrics_are_served_as_text(proxy: Proxy) -> None:
    response = proxy.http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "headroom_tokens_saved_total" in response.text


def test_texts_are_not_kept_unless_asked_for(proxy: Proxy) -> None:
    response = proxy.http.get("/stats/texts?request=1")
    assert (response.status_code, response.json()["error"]["type"]) == (404, "not_kept")
    assert "--show-texts" in response.json()["error"]["message"]


def test_texts_before_and_after_when_asked_for() -> None:
    with ScriptedModel() as model, Proxy(model, show_texts=True) as proxy:
        proxy.post("openai", question("openai"))
        number = proxy.http.get("/stats").json()["latest"][0]["number"]
        (text,) = proxy.http.get(f"/stats/texts?request={number}").json()["texts"]
        missing = [proxy.http.get(f"/stats/texts?request={wrong}").status_code for wrong in ("77", "-1", "x", "", "9" * 400)]
    assert ORDERS.startswith(text["before"])
    assert "rows left out" in text["after"]
    assert missing == [404] * 5


def test_the_page_may_run_only_its_own_script(proxy: Proxy) -> None:
    response = proxy.http.get("/")
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert "://" not in response.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_the_token_others_learn_nothing(closed: Proxy, method: str, path: str) -> None:
    response = closed.http.request(method, path)
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "unauthorized"
    assert response.headers["www-authenticate"].startswith("Basic")
    assert closed.http.request(method, path, headers={"x-headroom-token": "wrong"}).status_code == 401


def test_with_the_token_they_do(closed: Proxy) -> None:
    for shown in ({"x-headroom-token": "secret"}, {"authorization": "Bearer secret"}):
        assert closed.http.get("/stats", headers=shown).status_code == 200
    assert closed.http.get("/", auth=("", "secret")).status_code == 200


def test_health_needs_no_token_and_forwarding_needs_the_callers_own_key_alone(closed: Proxy) -> None:
    assert closed.http.get("/health").status_code == 200
    assert closed.http.get("/v1/models", headers=KEYS["openai"]).status_code == 200


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_a_page_from_elsewhere_cannot_ask_through_a_browser_here(proxy: Proxy, headers: dict[str, str]) -> None:
    for method, path in GUARDED:
        response = proxy.http.request(method, path, headers=headers)
        assert (response.status_code, response.json()["error"]["type"]) == (403, "forbidden")


def test_methods_that_an_endpoint_does_not_take(proxy: Proxy) -> None:
    response = proxy.http.get("/v1/compress")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert proxy.http.head("/").status_code == 200
    assert proxy.http.head("/").content == b""


def test_one_callers_texts_are_not_anothers(proxy: Proxy) -> None:
    asked = {"messages": question("openai")["messages"]}
    (reference,) = proxy.http.post("/v1/compress", json=asked, headers=KEYS["openai"]).json()["references"]
    own = proxy.http.post("/v1/retrieve", json={"ref": reference}, headers=KEYS["openai"])
    other = proxy.http.post("/v1/retrieve", json={"ref": reference}, headers={"authorization": "Bearer sk-two"})
    assert own.json() == {"text": ORDERS}
    assert other.status_code == 404


def test_what_an_agent_was_sent_can_be_retrieved_with_its_key(model: ScriptedModel, proxy: Proxy) -> None:
    proxy.post("anthropic", question("anthropic"))
    reference = model.requests[0].references[0]
    found = httpx.post(f"{proxy.url}/v1/retrieve", json={"ref": reference, "query": "ord_7301"}, headers={"x-api-key": "sk-ant-one"})
    assert '"id": "ord_7301"' in found.json()["text"]
