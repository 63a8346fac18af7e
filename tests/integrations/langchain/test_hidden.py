"""Calls that the application never saw come back in their places, around whatever it has changed since."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from headroom.integrations.langchain import hidden

OURS = {"name": "headroom_retrieve", "args": {"ref": "a-b"}, "id": "call_ours", "type": "tool_call"}
OWN = {"name": "list_orders", "args": {"day": 1}, "id": "call_own", "type": "tool_call"}


def block(call: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]}


def raw(call: dict[str, Any]) -> dict[str, Any]:
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": json.dumps(call["args"])}}


@pytest.mark.parametrize("calls", [[OURS, OWN], [OWN, OURS], [OURS, OWN, {**OURS, "id": "call_ours_2"}]])
def test_what_is_taken_out_goes_back_in(calls: list[Any]) -> None:
    content: list[Any] = [{"type": "text", "text": "both"}, *map(block, calls)]
    reply = AIMessage(content, tool_calls=calls, additional_kwargs={"tool_calls": list(map(raw, calls)), "reasoning": "r"}, id="m1")
    visible, places = hidden.without_calls(reply)
    assert visible.tool_calls == [OWN]
    assert visible.content == [content[0], block(OWN)]
    assert visible.additional_kwargs == {"tool_calls": [raw(OWN)], "reasoning": "r"}
    assert visible.id == "m1"
    assert hidden.with_calls(visible, json.loads(json.dumps(places))) == reply


def test_what_the_application_changed_stays_changed() -> None:
    visible, places = hidden.without_calls(AIMessage("both", tool_calls=[OURS, OWN]))
    approved = visible.model_copy(update={"tool_calls": [{**OWN, "args": {"day": 9}}], "content": "redacted"})
    whole = hidden.with_calls(approved, places)
    assert [call["args"] for call in whole.tool_calls] == [{"ref": "a-b"}, {"day": 9}]
    assert whole.content == "redacted"
    dropped = hidden.with_calls(visible.model_copy(update={"tool_calls": []}), places)
    assert [call["id"] for call in dropped.tool_calls] == ["call_ours"]


def test_words_of_earlier_rounds_are_taken_off_unless_the_application_has_changed_them() -> None:
    round_ = hidden.round_of(
        AIMessage("Let me look.", tool_calls=[OURS]), [{"id": "call_ours", "name": "headroom_retrieve", "text": "row"}]
    )
    note = {"rounds": [round_], "earlier": {"text": "Let me look.\n\n"}}

    def content_of(content: Any) -> Any:
        return hidden.put_back([AIMessage(content, response_metadata={"headroom": note})])[-1].content

    text = {"type": "text", "text": "Paid."}
    assert content_of("Let me look.\n\nPaid.") == "Paid."
    assert content_of([{"type": "text", "text": "Let me look.\n\n"}, text]) == [text]
    assert content_of([{"type": "text", "text": "Let me look.\n\nPaid.", "index": 0}]) == [{**text, "index": 0}]
    assert content_of("[redacted]") == "[redacted]"
    assert content_of([{"type": "text", "text": "[redacted]"}]) == [{"type": "text", "text": "[redacted]"}]


@pytest.mark.parametrize("note", [None, "saved", {}, {"texts_shortened": 3}, {"tokens": {"rounds": 1}}])
def test_a_note_that_hides_nothing_changes_nothing(note: Any) -> None:
    messages = [HumanMessage("hello"), AIMessage("hi", response_metadata={"headroom": note})]
    assert all(new is old for new, old in zip(hidden.put_back(messages), messages, strict=True))


def test_a_round_survives_json_as_it_is() -> None:
    reply = AIMessage(
        [{"type": "reasoning", "id": "rs_1", "summary": []}],
        tool_calls=[OURS],
        additional_kwargs={"parsed": object()},
        response_metadata={"id": "resp_1", "logprobs": {"content": []}},
    )
    round_ = hidden.round_of(reply, [{"id": "call_ours", "name": "headroom_retrieve", "text": "row"}])
    assert hidden.messages_of(round_) == hidden.messages_of(json.loads(json.dumps(round_)))
    assert hidden.messages_of(round_)[0].response_metadata == {"id": "resp_1"}
