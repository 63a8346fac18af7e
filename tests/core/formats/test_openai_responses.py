"""OpenAI Responses items, read: outputs by call_id, messages by role, every other item passed over."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import FormatError
from headroom.core.messages import split


@pytest.mark.parametrize("kind", ["function_call_output", "custom_tool_call_output"])
def test_an_output_is_a_tools_text(kind: str) -> None:
    (block,) = split(3, {"type": kind, "call_id": "c1", "output": "out"}).blocks
    assert (block.path, block.role, block.call_id) == ((3, "output"), "tool", "c1")
    parts = [{"type": "input_image", "image_url": "u"}, {"type": "input_text", "text": "a"}]
    assert [b.path for b in split(3, {"type": kind, "call_id": "c1", "output": parts}).blocks] == [(3, "output", 1, "text")]


@pytest.mark.parametrize(("kind", "field"), [("function_call", "arguments"), ("custom_tool_call", "input")])
def test_a_call_is_the_assistants(kind: str, field: str) -> None:
    parts = split(0, {"type": kind, "call_id": "c1", "name": "read", field: "{}"})
    assert parts.role == "assistant" and parts.blocks == []
    assert [(c.id, c.name, c.arguments) for c in parts.calls] == [("c1", "read", "{}")]


def test_messages_may_leave_out_their_type() -> None:
    for message in (
        {"type": "message", "role": "user", "content": "hello"},
        {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": None, "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
    ):
        assert [block.text for block in split(0, message).blocks] == split(0, message).words == ["hello"]


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_other_roles_hand_out_nothing(role: str) -> None:
    assert split(0, {"type": "message", "role": role, "content": [{"type": "output_text", "text": "x"}]}).blocks == []


@pytest.mark.parametrize("kind", ["reasoning", "web_search_call", "item_reference", "computer_call_output", "something_new"])
def test_other_items_are_passed_over_whatever_they_hold(kind: str) -> None:
    parts = split(0, {"type": kind, "output": {"type": "screenshot"}, "content": 5, "summary": [3]})
    assert parts.blocks == [] and parts.calls == [] and parts.words == []


REFUSED: list[tuple[Any, str]] = [
    ({"type": "function_call_output", "call_id": "c"}, "output"),
    ({"type": "function_call_output", "call_id": 1, "output": "x"}, "call_id"),
    ({"type": "function_call_output", "call_id": "c", "output": 5}, "output"),
    ({"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text"}]}, "output[0].text"),
    ({"type": "function_call", "call_id": "c", "name": "x", "arguments": {}}, "arguments"),
    ({"type": "function_call", "call_id": "c", "name": 1, "arguments": ""}, "name"),
    ({"type": "message", "role": "user"}, "content"),
    ({"type": "message", "content": "x"}, "role"),
    ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": 1}]}, "content[0].text"),
    ({"type": [], "content": [{"type": "input_text", "text": "x"}]}, "role"),
]


@pytest.mark.parametrize(("message", "field"), REFUSED, ids=[f"{field}-{i}" for i, (_, field) in enumerate(REFUSED)])
def test_what_is_malformed_is_named(message: Any, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        split(1, message)
    assert (caught.value.index, caught.value.field) == (1, field)
