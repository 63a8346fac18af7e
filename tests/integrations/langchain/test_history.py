"""HeadroomChatMessageHistory: read shorter than it is kept, and rewritten as seldom as asked for."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory

from headroom import ConfigError, MemoryStore
from headroom.integrations.langchain import HeadroomChatMessageHistory, create_retrieve_tool
from tests.integrations.langchain.agents import DIALECTS, ORDERS, assert_prefixes_repeat, model_of
from tests.scripted_model import ScriptedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore:The class `InMemoryChatMessageHistory` was deprecated"),
    pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated"),
]


def turn(number: int) -> list[BaseMessage]:
    return [
        HumanMessage(f"What is wrong with these, number {number}?\n{ORDERS}"),
        AIMessage("", tool_calls=[{"name": "list_orders", "args": {"day": number}, "id": f"c{number}"}]),
        ToolMessage(ORDERS, tool_call_id=f"c{number}", name="list_orders"),
        AIMessage("Nothing."),
    ]


def history(turns: int, **options: Any) -> tuple[HeadroomChatMessageHistory, InMemoryChatMessageHistory]:
    base = InMemoryChatMessageHistory()
    ours = HeadroomChatMessageHistory(base, retrieve_tool=create_retrieve_tool(store=MemoryStore()), **options)
    for number in range(turns):
        ours.add_messages(turn(number))
    return ours, base


def whole(message: BaseMessage) -> bool:
    return ORDERS in message.content


async def test_the_base_keeps_originals_and_readers_get_shorter_ones() -> None:
    ours, base = history(1)
    assert base.messages == turn(0)
    for read in (ours.messages, await ours.aget_messages()):
        assert [message.type for message in read] == ["human", "ai", "tool", "ai"]
        assert read[0].content.startswith("What is wrong with these, number 0?\n") and len(read[0].content) < len(ORDERS) / 3
        assert len(read[2].content) < len(ORDERS) / 5
        assert [read[1], read[3]] == [base.messages[1], base.messages[3]]
    await ours.aadd_messages([HumanMessage("more")])
    ours.add_user_message("and more")
    assert len(base.messages) == 6
    ours.clear()
    assert base.messages == [] == ours.messages
    await ours.aclear()
    assert ours.savings.tokens_saved > 0


def test_by_default_what_was_read_once_is_read_the_same_for_ever() -> None:
    ours, _ = history(0)
    before: list[BaseMessage] = []
    for number in range(4):
        ours.add_messages(turn(number))
        now = ours.messages
        assert now[: len(before)] == before
        before = now


def test_below_the_threshold_everything_is_whole() -> None:
    ours, base = history(1, compress_threshold_tokens=100_000)
    assert ours.messages == base.messages
    assert ours.messages is not base.messages, "a list of its own"
    ours.add_messages([message for number in range(1, 8) for message in turn(number)])
    assert not any(whole(message) for message in ours.messages)


@pytest.mark.parametrize("keep", [1, 3, 6])
def test_recent_turns_stay_whole_and_leave_several_at_a_time(keep: int) -> None:
    ours, _ = history(0, keep_recent_turns=keep)
    before: list[BaseMessage] = []
    rewrites = 0
    step = max(keep, 4)
    for number in range(16):
        ours.add_messages(turn(number))
        now = ours.messages
        whole_turns = sum(whole(message) for message in now if message.type == "human")
        assert min(keep, number + 1) <= whole_turns < keep + step
        rewrites += now[: len(before)] != before
        before = now
    assert rewrites == (16 - keep) // step


def test_without_the_tool_it_folds_only() -> None:
    ours = HeadroomChatMessageHistory(InMemoryChatMessageHistory(messages=turn(0)))
    text = ours.messages[0].content
    assert len(text) < len(ORDERS) and all(f"ord_{7000 + row}" in text for row in range(300))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_in_a_chain_with_memory(dialect: str) -> None:
    base = InMemoryChatMessageHistory()
    tool = create_retrieve_tool(store=MemoryStore())
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    with ScriptedModel(["fine"]) as server:
        chain = RunnableWithMessageHistory(
            prompt | model_of(dialect, server).bind_tools([tool]),
            lambda session_id: HeadroomChatMessageHistory(base, retrieve_tool=tool),
            input_messages_key="question",
            history_messages_key="history",
        )
        session: Any = {"configurable": {"session_id": "s"}}
        for question in (f"Look:\n{ORDERS}", "And now?", "Really?"):
            assert chain.invoke({"question": question}, session).text == "fine"
        assert [message.text for message in base.messages] == [f"Look:\n{ORDERS}", "fine", "And now?", "fine", "Really?", "fine"]
        assert len(server.requests[0].raw) > len(ORDERS), "the newest words are not the history's yet"
        assert len(server.requests[2].raw) < len(ORDERS) / 3
        server.requests.pop(0)
        assert_prefixes_repeat(server)


def test_impossible_numbers_are_errors() -> None:
    for options in ({"keep_recent_turns": -1}, {"compress_threshold_tokens": 1.5}, {"keep_recent_turns": True}):
        with pytest.raises(ConfigError, match="whole number"):
            HeadroomChatMessageHistory(InMemoryChatMessageHistory(), **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="keep_recent"):
        HeadroomChatMessageHistory(InMemoryChatMessageHistory(), keep_recent_turn=1)
