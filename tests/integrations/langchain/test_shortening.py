"""Shortener: trouble of ours leaves messages as they came."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

from headroom import CompressionHooks, CompressionService, MemoryStore
from headroom.integrations.langchain.shortening import Shortener, model_name
from tests.integrations.langchain.agents import ORDERS

MESSAGES: list[BaseMessage] = [
    HumanMessage("orders?"),
    AIMessage("", tool_calls=[{"name": "list_orders", "args": {}, "id": "1"}]),
    ToolMessage(ORDERS, tool_call_id="1", name="list_orders"),
]


class Unreadable(HumanMessage):
    def __getattribute__(self, name: str) -> Any:
        if name == "content":
            raise RuntimeError("what is this?")
        return super().__getattribute__(name)


class Dropping(CompressionHooks):
    def pre_compress(self, messages: Any, ctx: Any) -> Any:
        return messages[:-1]


@pytest.mark.parametrize(
    ("service", "messages", "words"),
    [
        (CompressionService(store=MemoryStore()), [*MESSAGES, Unreadable("x")], "what is this"),
        (CompressionService(store=MemoryStore(), hooks=Dropping()), MESSAGES, "hooks"),
    ],
    ids=["a message that cannot be read", "hooks that drop messages"],
)
async def test_trouble_is_counted_and_warned_of_once(service: CompressionService, messages: list[BaseMessage], words: str) -> None:
    shortener = Shortener(service)
    with pytest.warns(UserWarning, match=words) as warned:
        for found in (shortener.shorten(messages), await shortener.ashorten(messages)):
            assert all(after is before for after, before in zip(found, messages, strict=True)) and found is not messages
    assert len(warned) == 1 and service.savings.failures == 2


async def test_unchanged_messages_are_the_same_objects_and_changed_ones_copies() -> None:
    shortener = Shortener(CompressionService(store=MemoryStore()))
    for found in (shortener.shorten(MESSAGES), await shortener.ashorten(MESSAGES)):
        assert found[0] is MESSAGES[0] and found[1] is MESSAGES[1]
        assert found[2].model_dump(exclude={"content"}) == MESSAGES[2].model_dump(exclude={"content"})
        assert len(found[2].content) < len(ORDERS) / 5
    assert MESSAGES[2].content == ORDERS
    assert shortener.shorten([]) == []


def test_the_name_by_which_tokens_are_counted() -> None:
    assert model_name(ChatOpenAI(model="gpt-4o", api_key="k")) == "gpt-4o"
    assert model_name(FakeListChatModel(responses=[])) == "" == model_name(None)
