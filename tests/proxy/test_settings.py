"""Settings of the proxy: what is given, then the environment, then defaults; and what cannot be."""

from __future__ import annotations

import pytest

from headroom import ConfigError
from headroom.proxy.settings import ProxySettings, is_local


def test_what_is_given_goes_before_the_environment_and_that_before_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_OPENAI_URL", "http://localhost:1/v1/")
    monkeypatch.setenv("HEADROOM_ANTHROPIC_URL", "http://localhost:2")
    monkeypatch.setenv("HEADROOM_TOKEN", "t")
    settings = ProxySettings.from_env(anthropic_url="http://localhost:3", openai_url=None)
    assert (settings.openai_url, settings.anthropic_url, settings.token) == ("http://localhost:1/v1", "http://localhost:3", "t")
    monkeypatch.undo()
    assert ProxySettings.from_env().openai_url == "https://api.openai.com/v1"


def test_an_anthropic_url_may_end_in_v1() -> None:
    assert ProxySettings(anthropic_url="http://localhost:2/v1/").anthropic_url == "http://localhost:2"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", "http://host/v1?key=x", ""])
def test_impossible_addresses_are_named(url: str) -> None:
    with pytest.raises(ConfigError, match="openai_url must"):
        ProxySettings(openai_url=url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "proxy.internal", ""])
def test_a_host_that_others_can_reach_needs_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="HEADROOM_TOKEN"):
        ProxySettings(host=host)
    assert not ProxySettings(host=host, token="t").local


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
def test_this_machine_knows_its_names(host: str) -> None:
    assert is_local(host)
    assert ProxySettings(host=host).local


@pytest.mark.parametrize("setting", [{"port": 70_000}, {"max_requests": 0}, {"max_body_bytes": 0}])
def test_impossible_numbers_are_named(setting: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        ProxySettings(**setting)  # type: ignore[arg-type]


def test_a_token_does_not_show_when_settings_are_printed() -> None:
    assert "secret" not in repr(ProxySettings(token="secret"))
