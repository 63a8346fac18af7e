"""OpenClaw's messages, read: texts of tool results, everything else untouched."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import FormatError
from headroom.core.messages import split


def result(content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "toolResult", "toolCallId": "c1", "toolName": "exec", "content": content, "isError": False, **fields}


def test_texts_are_the_tools_and_images_are_not() -> None:
    content = [{"type": "image", "data": "x", "mimeType": "image/png"}, {"type": "text", "text": "out"}]
    parts = split(2, result(content, isError=True))
    (block,) = parts.blocks
    assert (block.path, block.role, block.call_id, block.tool_name, block.is_error) == (
        (2, "content", 1, "text"),
        "tool",
        "c1",
        "exec",
        True,
    )
    assert (parts.role, parts.dialect) == ("tool", "openclaw")


def test_the_assistant_hands_out_nothing_but_its_calls() -> None:
    call = {"type": "toolCall", "id": "c1", "name": "exec", "arguments": {"command": "ls"}}
    thinking = {"type": "thinking", "thinking": "hm"}
    parts = split(0, {"role": "assistant", "content": [thinking, {"type": "text", "text": "I look."}, call], "stopReason": "toolUse"})
    assert parts.blocks == []
    assert [(c.id, c.name, c.arguments, c.words) for c in parts.calls] == [("c1", "exec", '{"command": "ls"}', "I look.")]


def test_a_users_words_are_a_users() -> None:
    parts = split(0, {"role": "user", "content": [{"type": "text", "text": "hello"}], "timestamp": 1})
    assert (parts.role, parts.words) == ("user", ["hello"])


@pytest.mark.parametrize("broken", [{"role": "toolResult", "toolCallId": "c1"}, result(3), result([{"type": "text", "text": 3}])])
def test_what_is_malformed_names_its_place(broken: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"messages\[7\]\.content"):
        split(7, broken)
