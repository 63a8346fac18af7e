"""Where the messages of a request body are, in every dialect."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from headroom.wire.bodies import DIALECTS, acompress_body, compress_body, messages_of, with_messages
from tests.wire.talks import DIALECTS as NAMES
from tests.wire.talks import body_of, messages, new_service


def test_paths_name_dialects() -> None:
    assert set(DIALECTS.values()) == set(NAMES)


@pytest.mark.parametrize("dialect", NAMES)
async def test_messages_are_compressed_and_the_rest_is_the_callers_own(dialect: str) -> None:
    body = body_of(dialect, messages(dialect), metadata={"a": 1})
    before = copy.deepcopy(body)
    compressed = compress_body(body, dialect, new_service())
    assert compressed.changed and body == before
    assert compressed.body["metadata"] is body["metadata"]
    assert (await acompress_body(body, dialect, new_service())).body == compressed.body


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize("body", [None, 7, [], {}, {"messages": "x"}, {"messages": {}, "input": {}}])
async def test_what_is_no_request_is_left_alone(dialect: str, body: Any) -> None:
    if dialect == "responses" and isinstance(body, dict) and "input" in body:
        assert messages_of(body, dialect) is None
    assert compress_body(body, dialect, new_service()).body is body
    assert (await acompress_body(body, dialect, new_service())).body is body


def test_an_input_of_one_string_stays_one() -> None:
    body = {"input": "hello"}
    found = messages_of(body, "responses")
    assert found == [{"role": "user", "content": "hello"}]
    assert with_messages(body, "responses", found) == body
    assert with_messages(body, "responses", [*found, *found])["input"] == [*found, *found]
