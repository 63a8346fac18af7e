"""split and join: texts out of a message and back, everything else the same object."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom import FormatError, MemoryStore, compress
from headroom.core.messages import join, split
from tests.conversations import conversations, text_at


@given(conversations())
def test_every_text_lies_where_its_path_says(messages: list[Any]) -> None:
    for index, message in enumerate(messages):
        for block in split(index, message).blocks:
            assert block.path[0] == index and text_at(messages, block.path) == block.text
            assert block.role in ("tool", "user")


@given(conversations(), st.text(max_size=9))
def test_joined_texts_stand_where_they_were_and_nowhere_else(messages: list[Any], new: str) -> None:
    before = copy.deepcopy(messages)
    for index, message in enumerate(messages):
        paths = [block.path for block in split(index, message).blocks]
        joined = join(message, [(path, new) for path in paths])
        assert [block.text for block in split(index, joined).blocks] == [new] * len(paths)
        assert join(joined, [(path, text_at(before, path)) for path in paths]) == before[index]
    assert messages == before


def test_untouched_parts_are_shared_and_touched_ones_are_not() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:..."}}
    message = {"role": "user", "content": [image, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "n"}
    joined = join(message, [((3, "content", 2, "text"), "c")])
    assert joined is not message and joined["content"] is not message["content"]
    assert joined["content"][0] is image and joined["content"][1] is message["content"][1]
    assert message["content"][2]["text"] == "b" and joined["content"][2]["text"] == "c"


def test_two_texts_of_one_result_are_both_replaced() -> None:
    block = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    joined = join({"role": "user", "content": [block]}, [((0, "content", 0, "content", i, "text"), str(i)) for i in (0, 1)])
    assert [part["text"] for part in joined["content"][0]["content"]] == ["0", "1"]


def test_a_message_nested_too_deeply_is_named() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(FormatError, match=r"messages\[4\]: is nested too deeply"):
        split(4, {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "x", "input": deep}]})
    while deep:  # taken apart by hand: Python's own clean-up would recurse as deep
        deep = deep.pop("a")


class SdkObject:
    """As the vendors' SDKs return it: attributes, and `model_dump()`."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def model_dump(self) -> dict[str, Any]:
        return self._fields


def test_what_an_sdk_returned_may_stand_in_the_list_as_it_is() -> None:
    log = "\n".join(f"10:00:{i % 60:02d} INFO handled {i}" for i in range(900))
    answer = SdkObject(role="assistant", content=None, tool_calls=[{"id": "c1", "function": {"name": "logs", "arguments": '{"q": "x"}'}}])
    openai = [{"role": "user", "content": "look"}, answer, {"role": "tool", "tool_call_id": "c1", "content": log}]
    block = SdkObject(type="tool_use", id="c1", name="logs", input={"q": "x"})
    result_block = {"type": "tool_result", "tool_use_id": "c1", "content": log}
    anthropic = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [block]},
        {"role": "user", "content": [result_block]},
    ]
    for messages in (openai, anthropic):
        result = compress(messages, "gpt-4o", store=MemoryStore())
        assert result.messages[1] is messages[1], "sent as it came"
        assert result.blocks[-1].changed and result.tokens_saved > 0
