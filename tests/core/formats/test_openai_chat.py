"""OpenAI chat messages, read: what may be compressed, what is known of its call, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import FormatError
from headroom.core.messages import split

TOOL = {"role": "tool", "tool_call_id": "c1", "content": "out"}


def test_a_tool_message_is_one_text_that_answers_its_call() -> None:
    (block,) = split(2, TOOL).blocks
    assert (block.path, block.text, block.role, block.call_id) == ((2, "content"), "out", "tool", "c1")


def test_text_parts_are_texts_of_their_own_and_other_parts_are_passed_over() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}, "bare", {"type": "text", "text": "b"}]
    for role in ("tool", "user"):
        blocks = split(0, {"role": role, "tool_call_id": "c", "content": parts}).blocks
        assert [(block.path, block.text) for block in blocks] == [((0, "content", 0, "text"), "a"), ((0, "content", 3, "text"), "b")]


@pytest.mark.parametrize("role", ["system", "developer", "assistant", "critic"])
def test_instructions_the_assistant_and_unknown_roles_hand_out_nothing(role: str) -> None:
    assert split(0, {"role": role, "content": "words"}).blocks == []


def test_calls_carry_name_arguments_and_the_words_beside_them() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"a": 1}'}}
    custom = {"id": "c2", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    parsed = {"id": "c3", "function": {"name": "local", "arguments": {"a": 1}}}
    calls = split(0, {"role": "assistant", "content": "Let me see.", "tool_calls": [call, custom, parsed]}).calls
    assert [(c.id, c.name, c.words) for c in calls] == [
        (i, n, "Let me see.") for i, n in (("c1", "read"), ("c2", "shell"), ("c3", "local"))
    ]
    assert calls[0].arguments == '{"a": 1}' and calls[1].arguments == "ls" and "a" in calls[2].arguments


def test_the_legacy_function_call_is_answered_by_name() -> None:
    (call,) = split(0, {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}).calls
    (block,) = split(1, {"role": "function", "name": "f", "content": "out"}).blocks
    assert call.id == block.call_id == "f" and block.tool_name == "f"


REFUSED: list[tuple[Any, str | None]] = [
    ("text", None),
    (None, None),
    (["role"], None),
    ({}, "role"),
    ({"role": 3, "content": "x"}, "role"),
    ({"role": "user"}, "content"),
    ({"role": "tool", "tool_call_id": "c"}, "content"),
    ({"role": "system"}, "content"),
    ({"role": "user", "content": 5}, "content"),
    ({"role": "user", "content": {"text": "x"}}, "content"),
    ({"role": "user", "content": [3]}, "content[0]"),
    ({"role": "user", "content": ["a", {"type": "text"}]}, "content[1].text"),
    ({"role": "tool", "tool_call_id": 7, "content": "x"}, "tool_call_id"),
    ({"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": None}]}, "content[0].text"),
    ({"role": "system", "content": [{"type": "text", "text": b"x"}]}, "content[0].text"),
    ({"role": "assistant", "content": 1.5}, "content"),
    ({"role": "assistant", "tool_calls": {"id": 1}}, "tool_calls"),
    ({"role": "assistant", "tool_calls": ["x"]}, "tool_calls[0]"),
    ({"role": "assistant", "tool_calls": [{"id": "1", "function": "read"}]}, "tool_calls[0].function"),
]


@pytest.mark.parametrize(("message", "field"), REFUSED, ids=[str(field) + "-" + str(i) for i, (_, field) in enumerate(REFUSED)])
def test_what_is_malformed_is_named(message: Any, field: str | None) -> None:
    with pytest.raises(FormatError) as caught:
        split(6, message)
    assert (caught.value.index, caught.value.field) == (6, field)
    assert str(caught.value).startswith("messages[6]" + (f".{field}: " if field else ": "))


@pytest.mark.parametrize("content", [None, "", []])
def test_empty_contents_are_fine(content: Any) -> None:
    for role in ("user", "tool", "assistant", "system"):
        assert all(not block.text for block in split(0, {"role": role, "content": content}).blocks)
