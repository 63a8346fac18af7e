"""When a provider refuses what we made of a request, it is offered something that it may take: once, and never for its own errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headroom.wire.rounds import Rounds
from tests.scripted_model import Call, Reply, Request
from tests.wire.talks import DIALECTS, Json, body_of, looks_once, messages, new_service, own_tool, retrieval, talk, whole_of, words_of

every = pytest.mark.parametrize("dialect", DIALECTS)


@every
def test_a_model_without_tools_gets_a_folded_request_without_ours(dialect: str) -> None:
    def script(request: Request) -> Reply | str:
        return Reply(status=400, error="this model does not support tools") if request.tools else "plain"

    service = new_service()
    done = talk(dialect, body_of(dialect, messages(dialect)), script, service=service)
    assert words_of(dialect, done.response) == "plain"
    assert [len(request.tools) for request in done.model.requests] == [1, 0]
    assert "headroom_retrieve" not in json.dumps(done.bodies[1])
    later = talk(dialect, body_of(dialect, messages(dialect)), script, service=service)
    assert len(later.bodies) == 1, "it is remembered"


@pytest.mark.parametrize(
    "words",
    [
        "registry.ollama.ai/library/gemma does not support tools",
        "No endpoints found that support tool use.",
        "Unrecognized request argument supplied: tools",
        "tools: Extra inputs are not permitted",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "Function calling is not enabled for this model",
    ],
)
def test_many_servers_say_it_in_many_words(words: str) -> None:
    rounds = Rounds("openai", body_of("openai", messages("openai")), new_service())
    again = rounds.refused(404, {"error": {"message": words}})
    assert again is not None and "tools" not in again
    assert rounds.refused(404, {"error": {"message": words}}) is None


@pytest.mark.parametrize("words", ["messages.1: `tool_use` ids were found without `tool_result` blocks", "prompt is too long", ""])
def test_other_errors_say_nothing_about_the_model(words: str) -> None:
    rounds = Rounds("openai", body_of("openai", messages("openai")), new_service())
    assert rounds.refused(400, words.encode()) is None


@every
def test_an_error_of_the_clients_own_is_the_clients(dialect: str) -> None:
    rounds = Rounds(dialect, body_of(dialect, messages(dialect), tools=[own_tool(dialect)]), new_service())
    for status, words in ((400, "tools.0: invalid schema"), (401, "no tool for you"), (429, "tools"), (500, "tools"), (413, "too large")):
        assert rounds.refused(status, {"error": {"message": words}}) is None


@every
def test_an_answer_that_does_not_fit_is_taken_back(dialect: str) -> None:
    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) == 1:
            return Reply("Look:", calls=(retrieval(request, "paid"),))
        if "did not fit" not in request.tool_outputs[-1]:
            return Reply(status=400, error="prompt is too long")
        return "without it, then"

    for stream in (False, True):
        done = talk(dialect, body_of(dialect, messages(dialect), stream=stream), script)
        response = whole_of(dialect, done.raw) if stream else done.response
        assert words_of(dialect, response).endswith("without it, then")
        assert len(done.bodies) == 3


@every
def test_a_refusal_that_stays_is_the_clients(dialect: str) -> None:
    def script(request: Request) -> Reply | str:
        return Reply(status=400, error="no more") if len(request.tool_outputs) > 1 else Reply(calls=(retrieval(request),))

    done = talk(dialect, body_of(dialect, messages(dialect)), script)
    assert done.response["error"]["message"] == "no more"
    assert len(done.bodies) == 3


# --- Responses: state that lies with the provider -------------------------------------------------------------------------


def _beside(request: Request) -> Reply | str:
    if not any("get_order" in json.dumps(item) for item in request.messages) and not request.body.get("previous_response_id"):
        return Reply(calls=(retrieval(request, id="ours-1"), Call("get_order", {}, "own-1")))
    return "done"


@pytest.mark.parametrize("state", [{"previous_response_id": "resp_0"}, {"conversation": "conv_1"}], ids=["response", "conversation"])
def test_a_call_beside_the_clients_is_answered_though_only_the_provider_has_it(state: Json) -> None:
    service = new_service()
    more = {"conversation": "conv_1"} if "conversation" in state else {}
    talk("responses", body_of("responses", messages("responses"), **more), _beside, service=service)
    outputs = [{"type": "function_call_output", "call_id": "own-1", "output": "the order"}]
    second = Rounds("responses", body_of("responses", outputs, **state), service)
    sent = second.body["input"]
    assert [item["call_id"] for item in sent] == ["ours-1", "own-1"]
    assert "ord_7301" in sent[0]["output"]


def test_after_a_restart_the_provider_says_which_answer_it_misses() -> None:
    outputs = [{"type": "function_call_output", "call_id": "own-1", "output": "the order"}]
    rounds = Rounds("responses", body_of("responses", outputs, previous_response_id="resp_0"), new_service())
    error = {"error": {"message": "No tool output found for function call ours-1.", "type": "invalid_request_error"}}
    again = rounds.refused(400, error)
    assert again is not None
    assert [item["call_id"] for item in again["input"]] == ["ours-1", "own-1"]
    assert rounds.refused(400, error) is None, "once"


def test_after_a_restart_thoughts_without_their_call_are_left_out() -> None:
    items = [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "so?"}]
    rounds = Rounds("responses", body_of("responses", items), new_service())
    again = rounds.refused(400, b"Item 'rs_1' of type 'reasoning' was provided without its required following item.")
    assert again is not None
    assert again["input"] == items[1:]


def test_in_a_conversation_of_the_providers_only_answers_follow() -> None:
    done = talk("responses", body_of("responses", messages("responses"), conversation="conv_1"), [
        Reply(calls=(Call("headroom_retrieve", {"ref": "x"}, "ours-1"),)), "done",
    ])  # fmt: skip
    assert [item["type"] for item in done.bodies[1]["input"]] == ["function_call_output"]
    assert done.bodies[1]["conversation"] == "conv_1"


def test_thoughts_that_nobody_keeps_are_not_sent_back() -> None:
    """With store=False an unsealed reasoning item cannot be found again by the provider."""
    for store, kinds in ((False, ["message", "function_call"]), (True, ["reasoning", "message", "function_call"])):
        service = new_service()
        done = talk("responses", body_of("responses", messages("responses"), store=store), looks_once, service=service)
        before = len(done.bodies[0]["input"])
        assert [item["type"] for item in done.bodies[1]["input"][before:]] == [*kinds, "function_call_output"]
        conversation = [*messages("responses"), *done.response["output"], {"role": "user", "content": "and?"}]
        later = talk("responses", body_of("responses", conversation, store=store), ["ok"], service=service)
        assert later.bodies[0]["input"][: len(done.bodies[1]["input"])] == done.bodies[1]["input"]


def test_a_streamed_response_has_one_id_and_can_be_gone_on_from() -> None:
    service = new_service()
    done = talk("responses", body_of("responses", messages("responses"), stream=True), looks_once, service=service)
    assert whole_of("responses", done.raw)["id"] == "resp_0"
    later = Rounds("responses", body_of("responses", [{"role": "user", "content": "and?"}], previous_response_id="resp_0"), service)
    assert later.body["previous_response_id"] == "resp_1"


def test_an_input_that_is_one_string_stays_one_until_it_must_not() -> None:
    body: Json = {"model": "m", "input": "hello"}
    rounds = Rounds("responses", body, new_service())
    assert rounds.body["input"] == "hello"
    call: Any = {"type": "function_call", "call_id": "c", "name": "headroom_retrieve", "arguments": '{"ref": "x"}'}
    following = rounds.take({"status": "completed", "output": [call]})
    assert following is not None
    assert [item.get("type", item.get("role")) for item in following["input"]] == ["user", "function_call", "function_call_output"]
