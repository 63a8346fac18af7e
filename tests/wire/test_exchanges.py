"""Round trips over httpx: what comes in any encoding goes on plain, and what is not ours to read goes on as it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from headroom.wire.exchanges import MOST_REMEMBERED, Attempts, aanswered, answered
from headroom.wire.rounds import Rounds
from tests.wire.talks import Json, body_of, messages, new_service, words_of

CALL = {"id": "c", "type": "function", "function": {"name": "headroom_retrieve", "arguments": "{}"}}
ASKS: Json = {"choices": [{"message": {"content": "Wait.", "tool_calls": [CALL]}, "finish_reason": "tool_calls"}]}
SAYS: Json = {"choices": [{"message": {"content": "Done."}, "finish_reason": "stop"}]}


def _begun() -> Rounds:
    return Rounds("openai", body_of("openai", messages("openai")), new_service())


def _response(body: Any, **more: Any) -> httpx.Response:
    raw = gzip.compress(json.dumps(body).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip", "x-request-id": "r", **more}
    return httpx.Response(200, headers=headers, content=raw, request=httpx.Request("POST", "http://x"))


def _ask(body: Mapping[str, Any]) -> httpx.Response:
    return _response(SAYS, **{"x-request-id": "s"})


async def _ask_later(body: Mapping[str, Any]) -> httpx.Response:
    return _ask(body)


async def test_a_compressed_response_goes_on_plain() -> None:
    for made in (answered(_begun(), _response(ASKS), _ask), await aanswered(_begun(), _response(ASKS), _ask_later)):
        assert words_of("openai", made.json()) == "Wait.\n\nDone."
        assert "content-encoding" not in made.headers
        assert made.headers["content-length"] == str(len(made.content))
        assert made.headers["x-request-id"] == "s", "of the last round: what a provider's support is asked about"


async def test_a_response_in_which_nothing_is_hidden_is_the_very_object() -> None:
    for response in (_response(SAYS), httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>")):
        assert answered(_begun(), response, _ask) is response
        assert await aanswered(_begun(), response, _ask_later) is response


@pytest.mark.filterwarnings("ignore:Headroom")
def test_json_that_is_none_is_the_very_object() -> None:
    response = httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"choices": [')
    assert answered(_begun(), response, _ask) is response


def test_attempts_are_bounded_and_forgotten_when_they_succeed() -> None:
    attempts, rounds = Attempts(), _begun()
    for number in range(MOST_REMEMBERED + 1):
        attempts.began(number, rounds)
    assert attempts.again(0) is None
    again = attempts.again(1)
    assert again is not None and again is not rounds and again.body == rounds.body
    attempts.succeeded(1)
    assert attempts.again(1) is None
