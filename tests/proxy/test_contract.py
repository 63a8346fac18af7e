"""What POST /v1/compress and POST /v1/retrieve promise to clients in other languages: every case of tests/contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headroom import UnknownReferenceError, retrieve
from tests.proxy.contract_cases import FOLDER, KEY, ROWS, ask, compress_requests, conversation, post, retrieve_requests
from tests.proxy.running import Proxy

CASES = [case for name in ("compress", "retrieve") for case in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_request_has_the_answer_that_was_written_down(proxy: Proxy, case: dict[str, Any]) -> None:
    for name in case.get("before", []):
        (earlier,) = (known for known in CASES if known["name"] == name)
        assert ask(proxy.http, earlier["request"]).status_code == 200
    answer = ask(proxy.http, case["request"])
    assert (answer.status_code, answer.json()) == (case["status"], case["response"])


def test_every_case_is_written_down() -> None:
    """Else: python -m tests.proxy.contract_cases"""
    names = [case["name"] for case in CASES]
    assert names == [*compress_requests(), *retrieve_requests("x"), "another caller's reference"]


def test_answers_are_what_the_library_gives(proxy: Proxy) -> None:
    body = {"model": "gpt-4o", "messages": conversation("openai", ROWS)}
    answer = ask(proxy.http, post("/v1/compress", body)).json()
    assert answer["tokens_saved"] == answer["tokens_before"] - answer["tokens_after"] > 0
    assert answer["compression_ratio"] == answer["tokens_saved"] / answer["tokens_before"]
    assert len(answer["messages"]) == len(body["messages"])
    assert answer["messages"][:2] == body["messages"][:2]
    (reference,) = answer["references"]
    assert f"ref={reference}" in answer["messages"][2]["content"]
    with pytest.raises(UnknownReferenceError):
        retrieve(reference)  # the library's own namespace is nobody's key


def test_a_lone_surrogate_survives(proxy: Proxy) -> None:
    body = '{"messages": [{"role": "user", "content": "\\ud800"}]}'
    answer = ask(proxy.http, post("/v1/compress", body))
    assert answer.json()["messages"][0]["content"] == "\ud800"


def test_a_body_over_the_limit_is_refused() -> None:
    with Proxy(max_body_bytes=1_000) as proxy:
        answer = ask(proxy.http, post("/v1/compress", {"messages": conversation("openai", ROWS)}))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "too_large")
    assert "1000 bytes" in answer.json()["error"]["message"]


def test_without_the_token_there_is_no_answer() -> None:
    with Proxy(token="secret") as proxy:
        request = post("/v1/compress", {"messages": []}, KEY)
        refused = ask(proxy.http, request)
        request["headers"]["x-headroom-token"] = "secret"
        answered = ask(proxy.http, request)
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "unauthorized")
    assert answered.status_code == 200
