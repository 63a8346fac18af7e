"""The page of a request that a proxy has seen."""

from __future__ import annotations

import pytest

from headroom import ConfigError, HeadroomError
from headroom.inspect import live_page
from headroom.proxy import history
from tests.proxy.running import Proxy, question
from tests.redis_server import free_port
from tests.scripted_model import ScriptedModel


def test_the_newest_request_or_one_by_its_number() -> None:
    with ScriptedModel() as model, Proxy(model, show_texts=True) as proxy:
        proxy.post("anthropic", question("anthropic"))
        proxy.post("openai", question("openai"))
        assert "request 2, /v1/chat/completions" in live_page(proxy.url)
        first = live_page(proxy.url, 1)
        assert "request 1, /v1/messages" in first
        assert "gives back the original, byte for byte" in first
        with pytest.raises(HeadroomError, match="404: no such request"):
            live_page(proxy.url, 7)


def test_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_KEPT_CHARACTERS", 100_000)
    with ScriptedModel() as model, Proxy(model, show_texts=True) as proxy:
        for _ in range(3):
            proxy.post("openai", question("openai"))
        assert "request 3" in live_page(proxy.url, 3)
        with pytest.raises(HeadroomError, match="404"):
            live_page(proxy.url, 1)


def test_a_proxy_that_keeps_no_texts_says_so() -> None:
    with ScriptedModel() as model, Proxy(model) as proxy:
        proxy.post("openai", question("openai"))
        with pytest.raises(HeadroomError, match="--show-texts"):
            live_page(proxy.url)
        assert proxy.state.history.entry() is None


def test_the_token_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedModel() as model, Proxy(model, show_texts=True, token="secret") as proxy:
        proxy.post("openai", question("openai"))
        with pytest.raises(HeadroomError, match="401"):
            live_page(proxy.url)
        assert "request 1" in live_page(proxy.url, token="secret")
        monkeypatch.setenv("HEADROOM_TOKEN", "secret")
        assert "request 1" in live_page(proxy.url)


def test_addresses_that_lead_nowhere() -> None:
    with pytest.raises(ConfigError, match="must be like http://"):
        live_page("localhost:8787")
    with pytest.raises(HeadroomError, match="no proxy answers"):
        live_page(f"http://127.0.0.1:{free_port()}")
