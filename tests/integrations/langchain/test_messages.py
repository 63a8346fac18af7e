"""LangChain's messages are read as plain dicts, and only their texts are ever replaced, in copies."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from headroom import CompressContext, CompressionHooks, HeadroomError, MemoryStore, compress
from headroom.core.types import Message
from headroom.integrations.langchain.messages import as_dicts, with_texts
from tests import shop

ORDERS = json.dumps(shop.orders(300))
CALL = {"name": "list_orders", "args": {"day": "today"}, "id": "call_1"}


def shortened(messages: list[BaseMessage], **options: Any) -> list[BaseMessage]:
    return with_texts(messages, compress(as_dicts(messages), store=MemoryStore(), **options))


def test_every_kind_of_message_has_its_role() -> None:
    messages = [
        SystemMessage("policy"),
        HumanMessage("hello"),
        AIMessage("yes", tool_calls=[CALL]),
        ToolMessage("[]", tool_call_id="call_1", name="list_orders"),
        FunctionMessage("{}", name="legacy"),
        ChatMessage("word", role="developer"),
        RemoveMessage(id="m1"),
    ]
    call = {"id": "call_1", "type": "function", "function": {"name": "list_orders", "arguments": '{"day": "today"}'}}
    assert as_dicts(messages) == [
        {"role": "system", "content": "policy"},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "yes", "tool_calls": [call]},
        {"role": "tool", "content": "[]", "tool_call_id": "call_1", "name": "list_orders"},
        {"role": "function", "content": "{}", "name": "legacy"},
        {"role": "developer", "content": "word"},
        {"role": "other", "content": ""},
    ]
    assert all(new is old for new, old in zip(shortened(messages), messages, strict=True))


def test_blocks_without_text_keep_their_places_and_a_cache_mark_changes_nothing() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    marked = HumanMessage([image, {"type": "text", "text": "what is it?", "cache_control": {"type": "ephemeral"}}, "now"])
    plain = HumanMessage([image, {"type": "text", "text": "what is it?"}, "now"])
    texts = [{"type": "text", "text": "what is it?"}, {"type": "text", "text": "now"}]
    assert as_dicts([marked])[0]["content"] == [{"type": "other"}, *texts]
    assert as_dicts([marked]) == as_dicts([plain])


def test_calls_are_found_wherever_a_message_holds_them() -> None:
    by_hand = AIMessage([{"type": "text", "text": "look"}, {"type": "tool_use", "id": "call_1", "name": "read", "input": {"path": "a.py"}}])
    broken = AIMessage("", invalid_tool_calls=[{"name": "read", "args": '{"path', "id": "call_2", "error": "cut"}])
    found = [as_dicts([message])[0]["tool_calls"][0] for message in (by_hand, broken)]
    assert [(call["id"], call["function"]["arguments"]) for call in found] == [("call_1", '{"path": "a.py"}'), ("call_2", '{"path')]


def test_only_the_text_of_an_output_changes() -> None:
    output = ToolMessage(
        ORDERS, tool_call_id="call_1", name="list_orders", id="m3", status="error", artifact={"rows": 300}, additional_kwargs={"k": 1}
    )
    messages = [HumanMessage("which failed?"), AIMessage("", tool_calls=[CALL]), output]
    before = copy.deepcopy(messages)
    after = shortened(messages)
    assert messages == before
    assert after[0] is messages[0]
    assert after[1] is messages[1]
    assert len(after[2].content) < len(ORDERS) / 2
    assert after[2].model_dump(exclude={"content"}) == output.model_dump(exclude={"content"})
    assert type(after[2]) is ToolMessage


def test_a_text_among_blocks_is_replaced_where_it_stands() -> None:
    image = {"type": "image", "base64": "AA", "mime_type": "image/png"}
    text = {"type": "text", "text": ORDERS, "cache_control": {"type": "ephemeral"}}
    output = ToolMessage([image, text, ORDERS], tool_call_id="call_1")
    content = shortened([HumanMessage("which failed?"), AIMessage("", tool_calls=[CALL]), output])[2].content
    assert content[0] is output.content[0]
    assert {**content[1], "text": ""} == {**text, "text": ""}  # type: ignore[dict-item]
    assert len(content[1]["text"]) < len(ORDERS)  # type: ignore[index, call-overload]
    assert isinstance(content[2], str)
    assert len(content[2]) < len(ORDERS)


@pytest.mark.parametrize("inner", [ORDERS, [{"type": "text", "text": ORDERS}]], ids=["string", "blocks"])
@pytest.mark.parametrize("kind", ["human", "tool"])
def test_anthropic_results_within_a_message_are_read(inner: Any, kind: str) -> None:
    block = {"type": "tool_result", "tool_use_id": "call_1", "content": inner, "cache_control": {"type": "ephemeral"}}
    said: list[str | dict[str, Any]] = [block, {"type": "text", "text": "go on"}]
    output = HumanMessage(said) if kind == "human" else ToolMessage(said, tool_call_id="call_1")
    content = shortened([HumanMessage("which failed?"), AIMessage("", tool_calls=[CALL]), output])[2].content
    assert content[1] is output.content[1]
    assert len(json.dumps(content[0])) < len(ORDERS) / 2
    assert {**content[0], "content": 0} == {**block, "content": 0}  # type: ignore[dict-item]


def test_what_a_hook_writes_is_sent_and_a_hook_may_not_drop_messages() -> None:
    class Redacts(CompressionHooks):
        def pre_compress(self, messages: list[Message], ctx: CompressContext) -> list[Message]:
            return [{**message, "content": message["content"].replace("secret", "***")} for message in messages]

    class Drops(CompressionHooks):
        def pre_compress(self, messages: list[Message], ctx: CompressContext) -> list[Message]:
            return messages[1:]

    messages: list[BaseMessage] = [HumanMessage("the secret"), HumanMessage("nothing")]
    after = shortened(messages, hooks=Redacts())
    assert after[0].content == "the ***"
    assert after[1] is messages[1]
    with pytest.raises(HeadroomError, match="2 messages became 1"):
        shortened(messages, hooks=Drops())
