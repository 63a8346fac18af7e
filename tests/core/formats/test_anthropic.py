"""Anthropic messages, read: tool results inside user messages, everything else untouched."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import FormatError
from headroom.core.messages import split


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*blocks]}


def result(**fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "c1", **fields}


def test_a_tool_result_is_a_tools_text_and_the_words_beside_it_are_the_users() -> None:
    parts = split(4, user(result(content="out", is_error=True), {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral"}}))
    first, second = parts.blocks
    assert (first.path, first.role, first.call_id, first.is_error) == ((4, "content", 0, "content"), "tool", "c1", True)
    assert (second.path, second.role, second.is_error) == ((4, "content", 1, "text"), "user", False)
    assert parts.words == ["go on"] and parts.dialect == "anthropic"


def test_text_blocks_inside_a_result_are_texts_and_images_are_not() -> None:
    content = [{"type": "image", "source": {}}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    paths = [block.path for block in split(0, user(result(content=content))).blocks]
    assert paths == [(0, "content", 0, "content", 1, "text"), (0, "content", 0, "content", 2, "text")]


def test_a_result_without_content_is_empty() -> None:
    assert split(0, user(result())).blocks == split(0, user(result(content=None))).blocks == []


def test_the_assistant_hands_out_nothing_but_its_calls() -> None:
    call = {"type": "tool_use", "id": "c1", "name": "read", "input": {"path": "ä.py", "n": 3}}
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    parts = split(0, {"role": "assistant", "content": [thinking, {"type": "text", "text": "I read."}, call]})
    assert parts.blocks == []
    assert [(c.id, c.name, c.arguments, c.words) for c in parts.calls] == [("c1", "read", '{"n": 3, "path": "ä.py"}', "I read.")]


def test_equal_inputs_are_equal_calls_whatever_the_order_of_their_keys() -> None:
    calls = [
        split(0, {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "x", "input": given}]}).calls
        for given in ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    ]
    assert calls[0] == calls[1]


@pytest.mark.parametrize("given", [None, {}, "", {1: 2, "a": 3}, {"a": object}])
def test_odd_inputs_of_calls_are_read(given: Any) -> None:
    (call,) = split(0, {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "x", "input": given}]}).calls
    assert isinstance(call.arguments, str)


@pytest.mark.parametrize("odd", [{"type": []}, {"type": {}}, {"type": None}, {"type": "document", "source": {}}, {}])
def test_blocks_of_other_types_are_passed_over(odd: Any) -> None:
    assert [block.text for block in split(0, user(odd, result(content="out"))).blocks] == ["out"]


REFUSED: list[tuple[Any, str]] = [
    ({"content": [result()]}, "role"),
    (user(result(tool_use_id=5)), "content[0].tool_use_id"),
    (user(result(content="x", is_error="no")), "content[0].is_error"),
    (user(result(), {"type": "text"}), "content[1].text"),
    (user(result(content=7)), "content[0].content"),
    (user(result(content=[{"type": "text"}])), "content[0].content[0].text"),
    (user(result(content=["x", 5])), "content[0].content[1]"),
    (user(result(), 5), "content[1]"),
]


@pytest.mark.parametrize(("message", "field"), REFUSED, ids=[field for _, field in REFUSED])
def test_what_is_malformed_is_named(message: Any, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        split(2, message)
    assert (caught.value.index, caught.value.field) == (2, field)
