"""The AI SDK's prompt, read: texts of tool results, everything else untouched."""

from __future__ import annotations

from typing import Any

import pytest

from headroom import FormatError
from headroom.core.messages import split


def tool(*parts: Any) -> dict[str, Any]:
    return {"role": "tool", "content": [*parts]}


def result(output: Any) -> dict[str, Any]:
    return {"type": "tool-result", "toolCallId": "c1", "toolName": "read", "output": output}


@pytest.mark.parametrize(("kind", "failed"), [("text", False), ("error-text", True)])
def test_a_text_is_a_tools(kind: str, failed: bool) -> None:
    (block,) = split(3, tool(result({"type": kind, "value": "out"}))).blocks
    assert (block.path, block.text, block.role, block.call_id) == ((3, "content", 0, "output", "value"), "out", "tool", "c1")
    assert (block.tool_name, block.is_error) == ("read", failed)


def test_texts_inside_content_are_texts_and_files_are_not() -> None:
    content = [{"type": "file", "mediaType": "image/png", "data": "x"}, {"type": "text", "text": "a"}]
    blocks = split(0, tool({"type": "tool-approval-response", "approvalId": "1"}, result({"type": "content", "value": content}))).blocks
    assert [block.path for block in blocks] == [(0, "content", 1, "output", "value", 1, "text")]


@pytest.mark.parametrize("kind", ["json", "error-json", "execution-denied", "of tomorrow"])
def test_values_that_are_no_text_are_left_alone(kind: str) -> None:
    assert split(0, tool(result({"type": kind, "value": {"a": 1}}))).blocks == []


def test_the_assistant_hands_out_nothing_but_its_calls() -> None:
    call = {"type": "tool-call", "toolCallId": "c1", "toolName": "read", "input": {"path": "a.py"}}
    own_result = result({"type": "text", "value": "a provider's own tool"})
    parts = split(
        0, {"role": "assistant", "content": [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "I read."}, call, own_result]}
    )
    assert parts.blocks == []
    assert [(c.id, c.name, c.arguments, c.words) for c in parts.calls] == [("c1", "read", '{"path": "a.py"}', "I read.")]


@pytest.mark.parametrize("output", [None, "text", {"type": "text", "value": 3}, {"type": "content", "value": 3}])
def test_what_is_malformed_names_its_place(output: Any) -> None:
    with pytest.raises(FormatError, match=r"messages\[7\]\.content\[0\]\.output"):
        split(7, tool(result(output)))
