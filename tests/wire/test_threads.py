"""Conversations that Anthropic keeps for its client: only what is new is sent, and ours is sent with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headroom.wire.rounds import Rounds
from tests.scripted_model import Call, Reply, Request
from tests.wire.talks import Json, body_of, looks_once, messages, new_service, own_tool, retrieval, talk, whole_of, words_of
from tests.wire.threads import Threads

CREATE: Json = {"thread": {"type": "create"}, "system": "be brief", "tools": [own_tool("anthropic", "get_order")]}
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def going_on(message_id: str) -> Json:
    return {"thread": {"type": "continue", "previous_message_id": message_id}}


@both
def test_rounds_go_on_from_the_response_before(stream: bool) -> None:
    service, threads = new_service(), Threads(looks_once)
    done = talk("anthropic", body_of("anthropic", messages("anthropic"), stream=stream, **CREATE), threads, service=service)
    response = whole_of("anthropic", done.raw) if stream else done.response
    assert words_of("anthropic", response) == "Let me look.|It is ord_7301."
    second = done.bodies[1]
    assert second["thread"] == {"type": "continue", "previous_message_id": "msg_0"}
    assert [block["type"] for block in second["messages"][0]["content"]] == ["tool_result"]

    following = body_of("anthropic", [{"role": "user", "content": "thanks"}], **going_on(response["id"]))
    later = Rounds("anthropic", following, service)
    assert later.body["thread"]["previous_message_id"] == "msg_1", "the last round, also where the stream began with the first"
    assert "tools" not in later.body
    assert later.retrieves


def _beside(request: Request) -> Reply | str:
    outputs = request.tool_outputs
    if len(outputs) == 1:
        return Reply(calls=(Call("get_order", {}, "own-1"), retrieval(request, id="ours-1")))
    return f"seen {'ord_7301' in ''.join(outputs[1:])} of {len(outputs)}"


@both
def test_a_call_beside_the_clients_is_answered_when_the_thread_goes_on(stream: bool) -> None:
    service, threads = new_service(), Threads(_beside)
    body = body_of("anthropic", messages("anthropic"), stream=stream, **CREATE)
    first = talk("anthropic", body, threads, service=service)
    response = whole_of("anthropic", first.raw) if stream else first.response
    assert [block["id"] for block in response["content"] if block["type"] == "tool_use"] == ["own-1"]
    answer: Json = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "own-1", "content": "the order"}]}
    sent = Rounds("anthropic", body_of("anthropic", [answer], **going_on(response["id"])), service).body
    assert [block["tool_use_id"] for block in sent["messages"][0]["content"]] == ["ours-1", "own-1"]
    assert "ord_7301" in sent["messages"][0]["content"][0]["content"]


def test_after_a_restart_the_provider_says_which_results_it_misses() -> None:
    answer: Json = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "own-1", "content": "the order"}]}
    rounds = Rounds("anthropic", body_of("anthropic", [answer], **going_on("msg_0")), new_service())
    words = "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: ours-1, ours-2. Each must have one."
    again = rounds.refused(400, {"error": {"message": words}})
    assert again is not None
    assert [block["tool_use_id"] for block in again["messages"][0]["content"]] == ["ours-1", "ours-2", "own-1"]
    assert rounds.refused(400, {"error": {"message": words}}) is None, "once"
    forgetful = Rounds("anthropic", body_of("anthropic", [{"role": "user", "content": "hm"}], **going_on("msg_0")), new_service())
    assert forgetful.refused(400, {"error": {"message": words}}) is None, "a client that answers nothing is told so"


def test_only_a_thread_that_began_with_our_tool_is_digested() -> None:
    service, threads = new_service(), Threads(lambda request: "ok")
    done = talk("anthropic", body_of("anthropic", [{"role": "user", "content": "hi"}], **CREATE), threads, service=service)
    output = messages("anthropic")[1:]
    known = Rounds("anthropic", body_of("anthropic", output, **going_on(done.response["id"])), service)
    unknown = Rounds("anthropic", body_of("anthropic", output, **going_on("msg_elsewhere")), service)
    assert "headroom_retrieve ref=" in json.dumps(known.body)
    assert "headroom_retrieve ref=" not in json.dumps(unknown.body)
    assert unknown.changed and "tools" not in unknown.body

    off = Rounds("anthropic", body_of("anthropic", output, **going_on("msg_elsewhere")), service, retrieval=False)
    assert not off.retrieves


def test_a_client_that_sends_its_whole_conversation_again_gets_its_hidden_rounds_back() -> None:
    """As it must when the provider has lost the thread."""
    service, threads = new_service(), Threads(looks_once)
    done = talk("anthropic", body_of("anthropic", messages("anthropic"), **CREATE), threads, service=service)
    conversation: list[Any] = [
        *messages("anthropic"),
        {"role": "assistant", "content": done.response["content"]},
        {"role": "user", "content": "thanks"},
    ]
    again = Rounds("anthropic", body_of("anthropic", conversation, **CREATE), service)
    assert len(again.body["messages"]) == len(conversation) + 2
