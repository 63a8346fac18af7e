"""Shortened at birth: in whatever a tool gives, with the original beside the shorter text."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.types import Command

from headroom import CompressionService, MemoryStore
from headroom.integrations.langchain.birth import ashorten_output, call_of, context_of, original_content, shorten_output
from headroom.integrations.langchain.shortening import Shortener
from tests.integrations.langchain.agents import LOG, ORDERS

CALL = call_of("list_orders", {"day": 1}, "1")


def message(content: Any = ORDERS, **options: Any) -> ToolMessage:
    return ToolMessage(content, tool_call_id="1", name="list_orders", **options)


def shorter(output: Any) -> Any:
    return shorten_output(output, [CALL], Shortener(CompressionService(store=MemoryStore())))


async def test_all_forms_of_output() -> None:
    other = HumanMessage("by the way")
    command: Command[Any] = Command(update={"messages": [other, message()], "count": 1}, goto="next")
    outputs = [message(), [message(), command]]
    shortener = Shortener(CompressionService(store=MemoryStore()))
    for found in (shorter(outputs), await ashorten_output(outputs, [CALL], shortener)):
        alone, (first, second) = found
        assert len(alone.content) < len(ORDERS) / 5 and first.content == alone.content
        assert second.update["messages"][0] is other and second.update["messages"][1].content == alone.content
        assert (second.update["count"], second.goto) == (1, "next")
    assert command.update["messages"][1].content == ORDERS, "what a tool gave is never changed"  # type: ignore[index]


@pytest.mark.parametrize("output", [None, "text", 7, [], Command(goto="x"), Command(update=[("messages", [])]), {"messages": []}])
def test_anything_else_is_as_it_was(output: Any) -> None:
    assert shorter(output) == output


def test_where_the_original_is() -> None:
    assert original_content(message("short")) == "short"
    assert original_content(message(artifact=ORDERS)) == ORDERS
    plain = shorter(message())
    assert plain.artifact == original_content(plain) == ORDERS
    own = shorter(message(artifact={"rows": 3}, response_metadata={"took": 4}))
    assert own.artifact == {"rows": 3} and own.response_metadata["took"] == 4
    assert original_content(own) == ORDERS
    blocks = [{"type": "text", "text": ORDERS}, {"type": "image", "url": "x"}]
    assert original_content(shorter(message(blocks))) == blocks
    assert original_content(message("x", response_metadata={"headroom": "somebody else's"})) == "x"


def test_a_message_survives_the_checkpoint() -> None:
    own = shorter(message(artifact=("a", 1)))
    again = ToolMessage.model_validate(own.model_dump())
    assert original_content(again) == ORDERS


def test_shortened_again_it_stays_and_so_does_its_original() -> None:
    once = shorter(message())
    assert shorter(once) is once


def test_the_context_of_an_output() -> None:
    talk = [HumanMessage("a"), CALL, message(), HumanMessage("b"), AIMessage("no call"), call_of("read_log", {}, "2"), message(LOG)]
    assert [known.text for known in context_of(talk)] == ["b", ""]
    assert context_of(talk)[1] is talk[5] and context_of([]) == []
