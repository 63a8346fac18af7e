"""Agno's messages are read as plain dicts, and written back as copies that differ in a text alone."""

from __future__ import annotations

from typing import Any

import pytest
from agno.media import Image
from agno.models.message import Message

from headroom.integrations.agno.messages import read, write
from headroom.integrations.agno.service import AgnoService
from tests.integrations.agno.playing import LOG, ORDERS


def call(id: str, name: str = "get_orders", **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": '{"day": 1}'}, **more}


def output(content: Any = ORDERS, id: str = "c1", **more: Any) -> Message:
    return Message(role="tool", tool_call_id=id, tool_name=more.pop("tool_name", "get_orders"), content=content, **more)


def shorten(*messages: Message, **reading: bool) -> list[Message]:
    return AgnoService().shorten(messages, "gpt-4o", lossless=False, **reading)


def turn(*outputs: Message) -> list[Message]:
    return [Message(role="user", content="Which?"), Message(role="assistant", tool_calls=[call("c1")]), *outputs]


def test_one_dict_for_each_message() -> None:
    system = Message(role="system", content="Be kind.")
    read_back = read([system, *turn(output())])
    assert read_back == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Which?"},
        {"role": "assistant", "content": "", "tool_calls": [call("c1")]},
        {"role": "tool", "tool_call_id": "c1", "name": "get_orders", "content": ORDERS},
    ]


def test_a_copy_differs_in_its_text_alone() -> None:
    original = output(images=[Image(url="http://127.0.0.1/a.png", id="a")], tool_args={"day": 1}, provider_data={"x": 1}, name="n")
    before = original.model_dump()
    short = shorten(*turn(original))[-1]
    assert original.model_dump() == before
    assert short is not original
    assert len(str(short.content)) < 0.3 * len(ORDERS)
    assert short.model_copy(update={"content": ORDERS}) == original


def test_what_did_not_change_is_the_same_object() -> None:
    messages = turn(output("short"), Message(role="user", content="Thanks."))
    assert all(short is message for short, message in zip(shorten(*messages), messages, strict=True))


def test_either_id_of_a_responses_call_names_it() -> None:
    calls = Message(role="assistant", tool_calls=[call("fc_1", call_id="call_1"), call("fc_2", call_id="call_2")])
    read_back = read([calls, output(id="call_1"), output(id="fc_2")])
    assert [message["tool_call_id"] for message in read_back[1:]] == ["fc_1", "fc_2"]


def test_a_list_of_parts() -> None:
    parts: list[Any] = [{"type": "text", "text": ORDERS, "cache": "kept"}, {"type": "image", "data": "x"}, "plain", 7]
    short = shorten(*turn(output(parts)))[-1]
    assert isinstance(short.content, list)
    assert len(short.content[0]["text"]) < 0.3 * len(ORDERS)
    assert short.content[0]["cache"] == "kept"
    assert short.content[1:] == parts[1:]
    assert parts[0]["text"] == ORDERS


@pytest.mark.parametrize("content", [None, [], [None], [{"type": "text"}], [{"type": "text", "text": 3}], [["x"]], ""])
def test_content_that_is_no_text_passes(content: Any) -> None:
    message = output(content)
    assert shorten(*turn(message))[-1] is message


@pytest.mark.parametrize("calls", [[], [{}], [{"id": None, "function": None}], [{"function": {"name": None, "arguments": None}}]])
def test_calls_that_are_none_pass(calls: Any) -> None:
    messages = [Message(role="assistant", tool_calls=calls), output(id="x")]
    assert len(str(shorten(*messages)[-1].content)) < 0.3 * len(ORDERS)


def test_several_results_in_one_message_are_left_alone() -> None:
    """As sessions that Gemini filled long ago hold them."""
    message = output([ORDERS, LOG], tool_calls=[{"tool_call_id": "c1", "tool_name": "get_orders", "content": ORDERS}])
    assert shorten(*turn(message))[-1] is message


def test_what_another_manager_compressed_is_left_alone() -> None:
    message = output(compressed_content="In short: " + LOG)
    assert shorten(*turn(message), compressed=True)[-1] is message


def test_unless_it_is_not_sent() -> None:
    message = output(compressed_content="In short: 300 orders.")
    assert len(str(shorten(*turn(message))[-1].content)) < 0.3 * len(ORDERS)


ENVELOPE = f'<result id="res_0123456789" tool="get_log" lines="1500" size="90KB">\n{LOG[:9000]}\n</result>\n'


@pytest.mark.parametrize(
    "ending", ['Full result stored; read with read_result("res_0123456789") or search_result("res_0123456789", pattern).',
               "Full result was NOT stored. Re-run the tool with a narrower query if you need the rest."], ids=["stored", "refused"],
)  # fmt: skip
def test_what_agno_offloaded_is_left_alone(ending: str) -> None:
    message = output(ENVELOPE + ending)
    assert shorten(*turn(message))[-1] is message


@pytest.mark.parametrize("offloads", [True, False])
def test_what_agno_reads_back_is_left_alone_where_it_is_agno(offloads: bool) -> None:
    message = output(LOG, tool_name="search_result")
    messages = [Message(role="assistant", tool_calls=[call("c1", "search_result")]), message]
    assert (shorten(*messages, agno_offloads=offloads)[-1] is message) == offloads


def test_hooks_that_drop_messages_are_not_followed() -> None:
    messages = turn(output())
    with pytest.raises(ValueError, match="must keep their number"):
        write(messages, read(messages), read(messages)[1:])
