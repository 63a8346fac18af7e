"""POST /v1/openclaw/assemble: what the plugin asks the proxy for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integrations.openclaw.history import history, turn
from tests.proxy.running import Proxy


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


def ask(proxy: Proxy, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = proxy.http.post("/v1/openclaw/assemble", json=body)
    return answer.status_code, answer.json()


def test_a_history_comes_back_shorter_and_its_originals_are_kept(proxy: Proxy) -> None:
    messages = turn(1)
    status, answer = ask(proxy, messages=messages, model="gpt-4o")
    assert (status, answer["left_out"], answer["notice"]) == (200, [0, 0], "")
    assert answer["messages"][:2] == messages[:2]
    assert 0 < answer["tokens_after"] < answer["tokens_before"]
    (reference,) = answer["references"]
    got = proxy.http.post("/v1/retrieve", json={"ref": reference}).json()
    assert got["text"] == messages[2]["content"][0]["text"]


def test_a_budget_leaves_turns_out(proxy: Proxy) -> None:
    messages = history(40)
    status, answer = ask(proxy, messages=messages, token_budget=4_000)
    start, end = answer["left_out"]
    assert status == 200
    assert answer["messages"] == [*messages[:start], *messages[end:]]
    assert answer["notice"]
    assert answer["estimated_tokens"] <= 4_000


def test_lossless_leaves_nothing_out(proxy: Proxy) -> None:
    _, answer = ask(proxy, messages=turn(1), options={"lossless": True})
    assert all(f"ord_{7000 + row}" in answer["messages"][2]["content"][0]["text"] for row in range(120))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "messages must be a list"),
        ({"messages": "hi"}, "messages must be a list"),
        ({"messages": [], "token_budget": "9"}, "token_budget must be a whole number"),
        ({"messages": [], "budget": 9}, "unknown field 'budget'"),
        ({"messages": [], "options": {"x": 1}}, "unknown option 'x'"),
        ({"messages": ["hi"]}, "messages[0]"),
    ],
)
def test_what_cannot_be_is_refused_in_words(proxy: Proxy, body: dict[str, Any], words: str) -> None:
    status, answer = ask(proxy, **body)
    assert (status, answer["error"]["type"]) == (400, "bad_request")
    assert words in answer["error"]["message"]
