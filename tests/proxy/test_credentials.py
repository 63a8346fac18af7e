"""Who a caller is, and who may ask the proxy about itself."""

from __future__ import annotations

import base64

import pytest

from headroom.proxy.credentials import comes_from_here, credential_in, holds_token, namespace_for


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ({"authorization": "Bearer sk-1"}, "sk-1"),
        ({"authorization": "bearer  sk-1 "}, "sk-1"),
        ({"x-api-key": "sk-1"}, "sk-1"),
        ({"api-key": "sk-1"}, "sk-1"),
        ({"authorization": "", "x-api-key": "sk-1"}, "sk-1"),
        ({"authorization": "Basic dTpw"}, "Basic dTpw"),
        ({}, ""),
    ],
)
def test_a_credential_is_the_key_however_it_is_sent(headers: dict[str, str], credential: str) -> None:
    assert credential_in(headers) == credential


def test_one_namespace_for_each_credential_the_same_in_every_process() -> None:
    one, two, none = (namespace_for("team", headers) for headers in ({"x-api-key": "one"}, {"x-api-key": "two"}, {}))
    assert one == namespace_for("team", {"authorization": "Bearer one"}) == "team-77ac55d7b8a70a8db40f"
    assert len({one, two, none, namespace_for("other", {"x-api-key": "one"})}) == 4
    assert "one" not in one


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


@pytest.mark.parametrize("name", ["x-headroom-token", "authorization", "x-api-key"])
def test_a_token_may_be_shown_in_several_ways(name: str) -> None:
    shown = "Bearer secret" if name == "authorization" else "secret"
    assert holds_token({name: shown}, "secret")
    assert not holds_token({name: shown + "s"}, "secret")


def test_a_browser_shows_the_token_as_a_password() -> None:
    assert holds_token({"authorization": _basic("secret")}, "secret")
    assert not holds_token({"authorization": _basic("")}, "secret")
    assert not holds_token({"authorization": "Basic ***"}, "secret")
    assert not holds_token({}, "secret")
    assert not holds_token({"x-headroom-token": "gehéim"}, "secret")


@pytest.mark.parametrize(
    ("headers", "here"),
    [
        ({"host": "127.0.0.1:8787"}, True),
        ({"host": "localhost"}, True),
        ({"host": "[::1]:8787"}, True),
        ({"host": "localhost:8787", "origin": "http://localhost:3000"}, True),
        ({"host": "evil.example:8787"}, False),
        ({"host": "127.0.0.1.evil.example"}, False),
        ({"host": "localhost:8787", "origin": "https://evil.example"}, False),
        ({"host": "localhost:8787", "origin": "null"}, False),
    ],
)
def test_pages_from_elsewhere_are_told_apart(headers: dict[str, str], here: bool) -> None:
    assert comes_from_here(headers) is here
