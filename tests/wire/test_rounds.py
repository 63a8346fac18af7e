"""The model looks things up within one request; the client sees one answer, and the provider one growing conversation."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest

from headroom import CompressionHooks
from headroom.wire.rounds import Rounds
from tests.scripted_model import Call, Reply, Request
from tests.wire.talks import (
    DIALECTS,
    ORDERS,
    Json,
    Talk,
    body_of,
    calls_of,
    looks_once,
    messages,
    new_service,
    output_for,
    own_tool,
    retrieval,
    talk,
    turn_of,
    whole_of,
    words_of,
)

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
every = pytest.mark.parametrize("dialect", DIALECTS)
FINISHED = {"openai": "stop", "anthropic": "end_turn", "responses": "completed"}
CALLED = {"openai": "tool_calls", "anthropic": "tool_use", "responses": "completed"}


def _seen(dialect: str, done: Talk, stream: bool) -> Json:
    return whole_of(dialect, done.raw) if stream else done.response


def _finish(dialect: str, response: Json) -> str:
    if dialect == "openai":
        return str(response["choices"][0]["finish_reason"])
    return str(response["stop_reason"] if dialect == "anthropic" else response["status"])


def _sent(request: Request) -> list[str]:
    """The messages of a request as text, one by one."""
    return [json.dumps(message, sort_keys=True) for message in request.messages]


def _assert_prefix(earlier: Request, later: Request) -> None:
    """What the provider has cached comes again: tools and messages."""
    assert later.body.get("tools") == earlier.body.get("tools")
    assert _sent(later)[: len(_sent(earlier))] == _sent(earlier)


@every
def test_the_body_to_send_is_shorter_and_has_the_tool(dialect: str) -> None:
    body = body_of(dialect, messages(dialect), temperature=0.5)
    before = copy.deepcopy(body)
    rounds = Rounds(dialect, body, new_service())
    assert body == before, "the client's own is never changed"
    assert rounds.changed and rounds.retrieves
    assert rounds.result is not None and rounds.result.compression_ratio > 0.5
    assert len(json.dumps(rounds.body)) < len(json.dumps(body)) / 2
    assert len(rounds.body["tools"]) == 1
    assert rounds.body["temperature"] == 0.5


@every
@both
def test_a_retrieval_is_answered_within_the_round_trip(dialect: str, stream: bool) -> None:
    service = new_service()
    done = talk(dialect, body_of(dialect, messages(dialect), stream=stream), looks_once, service=service)
    response = _seen(dialect, done, stream)
    first, second = done.model.requests
    assert "ord_7301" in second.tool_outputs[-1]
    assert "failed" in second.tool_outputs[-1]
    _assert_prefix(first, second)
    assert calls_of(dialect, response) == []
    assert "headroom_retrieve" not in json.dumps(response)
    parts = words_of(dialect, response).replace("\n\n", "|").split("|")
    assert parts == ["Let me look.", "It is ord_7301."]
    assert _finish(dialect, response) == FINISHED[dialect]
    assert service.savings.retrievals == 1


@every
@both
def test_usage_is_that_of_all_rounds(dialect: str, stream: bool) -> None:
    more = {"stream_options": {"include_usage": True}} if dialect == "openai" else {}
    done = talk(dialect, body_of(dialect, messages(dialect), stream=stream, **more), looks_once)
    usage = _seen(dialect, done, stream)["usage"]
    assert usage.get("prompt_tokens", usage.get("input_tokens")) == 400
    assert usage.get("completion_tokens", usage.get("output_tokens")) == 12
    assert usage.get("total_tokens", 412) == 412


def looks_beside_its_work(request: Request) -> Reply | str:
    """A model that looks something up and calls the client's tool in one breath."""
    outputs = request.tool_outputs
    if len(outputs) == 1:
        ours = retrieval(request, id="hidden-1")
        return Reply("Both at once.", calls=(ours, Call("get_order", {"id": 1}, "own-1")), thinking="hm")
    if not any("failed" in output and len(output) < 9_000 for output in outputs[1:]):
        return "I never got my answer."
    return "All there."


@every
@both
def test_beside_the_clients_own_calls_ours_waits_for_the_conversation_to_come_back(dialect: str, stream: bool) -> None:
    service = new_service()
    body = body_of(dialect, messages(dialect), stream=stream, tools=[own_tool(dialect), own_tool(dialect, "get_order")])
    first = talk(dialect, body, looks_beside_its_work, service=service)
    response = _seen(dialect, first, stream)
    assert len(first.bodies) == 1, "the client gets its call at once"
    assert calls_of(dialect, response) == ["get_order"]
    assert _finish(dialect, response) == CALLED[dialect]
    assert "headroom" not in json.dumps(response)

    conversation = [*messages(dialect), *turn_of(dialect, response), *output_for(dialect, response, "the order")]
    second = talk(dialect, {**body_of(dialect, conversation), "tools": body["tools"]}, looks_beside_its_work, service=service)
    assert words_of(dialect, second.response) == "All there."
    _assert_prefix(first.model.requests[0], second.model.requests[0])
    assert second.model.requests[0].tool_outputs[-1] == "the order"
    hidden = json.dumps(second.bodies[0])
    assert hidden.count('"hidden-1"') == 2, "the call and its answer"

    again = talk(dialect, {**body_of(dialect, conversation), "tools": body["tools"]}, looks_beside_its_work, service=service)
    assert again.bodies[0] == second.bodies[0], "the same every time"
    assert service.savings.retrievals == 1, "answered once"


@every
@both
def test_every_prompt_begins_with_the_one_before(dialect: str, stream: bool) -> None:
    """Through hidden rounds, mixed turns and plain ones: the provider's cache never misses because of us."""

    def script(request: Request) -> Reply | str:
        turn = sum(message.get("role") == "user" and isinstance(message.get("content"), str) for message in request.messages)
        lookups = sum("7301" in output and len(output) < 9_000 for output in request.tool_outputs[1:])
        if turn == 1 and lookups == 0:
            return Reply("", calls=(retrieval(request, id=f"r{len(request.messages)}"),), thinking="first")
        if turn == 2 and lookups == 1:
            return Reply("And", calls=(retrieval(request, id="r-two"), Call("get_order", {}, "own-two")))
        if turn == 2 and lookups == 2:
            return Reply("more", calls=(retrieval(request, id="r-three"),), thinking="third")
        return Reply(f"Answer {turn}.", thinking="last")

    service = new_service()
    conversation, requests = messages(dialect), []
    for turn in (1, 2, 3):
        while True:
            done = talk(dialect, body_of(dialect, conversation, stream=stream), script, service=service)
            requests += done.model.requests
            response = _seen(dialect, done, stream)
            conversation = [*conversation, *turn_of(dialect, response)]
            if not calls_of(dialect, response):
                break
            conversation += output_for(dialect, response, "an order")
        conversation.append({"role": "user", "content": f"and then? {turn}"})
    assert len(requests) == 6
    for earlier, later in itertools.pairwise(requests):
        _assert_prefix(earlier, later)
    assert service.savings.retrievals == 3
    assert service.savings.failures == 0


@every
def test_after_a_restart_everything_works_without_the_memory(dialect: str) -> None:
    first = talk(dialect, body_of(dialect, messages(dialect)), looks_beside_its_work)
    conversation = [*messages(dialect), *turn_of(dialect, first.response), *output_for(dialect, first.response, "the order")]
    second = talk(dialect, body_of(dialect, conversation), looks_beside_its_work)
    assert words_of(dialect, second.response) == "I never got my answer."
    assert "hidden-1" not in json.dumps(second.bodies)


@every
def test_what_was_hidden_in_one_conversation_is_not_put_into_another(dialect: str) -> None:
    service = new_service()
    first = talk(dialect, body_of(dialect, messages(dialect)), looks_once, service=service)
    other = [{"role": "user", "content": "something else"}, *turn_of(dialect, first.response), {"role": "user", "content": "so?"}]
    second = talk(dialect, body_of(dialect, other), ["ok"], service=service)
    assert "headroom_retrieve" not in json.dumps(second.model.requests[0].messages)
    same = [*messages(dialect), *turn_of(dialect, first.response), {"role": "user", "content": "so?"}]
    third = talk(dialect, body_of(dialect, same), ["ok"], service=service)
    assert "headroom_retrieve" in json.dumps(third.model.requests[0].messages)


@every
@both
def test_a_model_that_never_stops_looking_is_stopped(dialect: str, stream: bool) -> None:
    def never(request: Request) -> Reply:
        return Reply("again ", calls=(retrieval(request),))

    done = talk(dialect, body_of(dialect, messages(dialect), stream=stream), never, most_rounds=2)
    response = _seen(dialect, done, stream)
    assert len(done.bodies) == 3
    assert "No more retrievals" not in done.model.requests[1].tool_outputs[-1]
    assert "No more retrievals" in done.model.requests[2].tool_outputs[-1]
    assert calls_of(dialect, response) == []
    assert _finish(dialect, response) == FINISHED[dialect]
    assert words_of(dialect, response).count("again") == 3


@every
@both
def test_several_retrievals_at_once(dialect: str, stream: bool) -> None:
    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) == 1:
            return Reply(calls=(retrieval(request, "ord_7001", "a"), retrieval(request, "ord_7002", "b")))
        return "done"

    done = talk(dialect, body_of(dialect, messages(dialect), stream=stream), script)
    outputs = done.model.requests[1].tool_outputs[1:]
    assert ["ord_7001" in outputs[0], "ord_7002" in outputs[1], len(outputs)] == [True, True, 2]
    assert words_of(dialect, _seen(dialect, done, stream)) == "done"


@every
@both
def test_with_retrieval_off_texts_are_folded_and_nothing_else_happens(dialect: str, stream: bool) -> None:
    body = body_of(dialect, messages(dialect), stream=stream)
    done = talk(dialect, body, ["plain words"], retrieval=False)
    sent = done.bodies[0]
    assert "tools" not in sent
    assert "headroom_retrieve" not in json.dumps(sent)
    assert len(json.dumps(sent)) < len(json.dumps(body))
    assert done.rounds.changed
    assert words_of(dialect, _seen(dialect, done, stream)) == "plain words"


@every
@both
def test_a_clients_own_retrieve_tool_is_the_clients(dialect: str, stream: bool) -> None:
    def script(request: Request) -> Reply:
        return Reply(calls=(retrieval(request),))

    body = body_of(dialect, messages(dialect), stream=stream, tools=[own_tool(dialect, "headroom_retrieve")])
    done = talk(dialect, body, script)
    assert done.model.requests[0].references, "it is there, so digests are allowed"
    assert calls_of(dialect, _seen(dialect, done, stream)) == ["headroom_retrieve"]
    assert len(done.bodies) == 1


@every
def test_a_response_without_our_calls_is_the_very_object(dialect: str) -> None:
    response: Json = {
        "openai": {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]},
        "anthropic": {"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"},
        "responses": {"output": [], "status": "completed"},
    }[dialect]
    rounds = Rounds(dialect, body_of(dialect, messages(dialect)), new_service())
    assert rounds.take(response) is None
    assert rounds.response == response
    assert rounds.response is response or dialect == "responses"


@every
@pytest.mark.parametrize("nonsense", [None, [], "text", {}, {"choices": []}, {"content": None}, {"output": 7}, {"content": [1]}])
@pytest.mark.filterwarnings("ignore:Headroom")
def test_what_is_no_response_passes_as_it_came(dialect: str, nonsense: Any) -> None:
    rounds = Rounds(dialect, body_of(dialect, messages(dialect)), new_service())
    assert rounds.take(nonsense) is None
    assert rounds.response is nonsense


@every
@pytest.mark.parametrize("nonsense", [{}, {"messages": 7, "input": 7}, {"messages": None, "input": None}])
def test_what_is_no_request_passes_as_it_came(dialect: str, nonsense: Json) -> None:
    rounds = Rounds(dialect, nonsense, new_service())
    assert rounds.body is nonsense
    assert not rounds.retrieves
    assert rounds.take({"any": "thing"}) is None
    assert rounds.response == {"any": "thing"}
    assert rounds.stream().feed(b"raw") == b"raw"
    assert rounds.refused(400, b"no") is None


@every
@pytest.mark.filterwarnings("ignore:Headroom")
def test_trouble_of_ours_costs_a_saving_only(dialect: str) -> None:
    service = new_service()
    body = body_of(dialect, [*messages(dialect), 7])
    rounds = Rounds(dialect, body, service)
    assert service.savings.failures == 1
    assert rounds.body["input" if dialect == "responses" else "messages"] == [*messages(dialect), 7]


@every
async def test_asynchronous_callers_get_the_same(dialect: str) -> None:
    body = body_of(dialect, messages(dialect))
    first = await Rounds.acreate(dialect, body, new_service())
    assert first.body == Rounds(dialect, body, new_service()).body
    done = talk(dialect, body, looks_once)
    asked = Reply("Let me look.", calls=(Call("headroom_retrieve", {"ref": done.model.requests[0].references[0], "query": "ord_7301"}),))
    again = talk(dialect, body, [asked, "done"], service=first.service)
    assert words_of(dialect, again.response).endswith("done")


@every
def test_a_request_that_is_tried_again_is_compressed_once(dialect: str) -> None:
    service = new_service()
    rounds = Rounds(dialect, body_of(dialect, messages(dialect)), service)
    first = rounds.body
    done = talk(dialect, body_of(dialect, messages(dialect)), looks_once, service=service)
    again = done.rounds.anew()
    assert again.body == first
    assert again.done == [] and len(done.rounds.done) == 2
    assert service.savings.requests == 2


@every
def test_counting_tokens_counts_what_would_be_sent_and_saves_nothing(dialect: str) -> None:
    service = new_service()
    body = body_of(dialect, messages(dialect))
    counted = Rounds.counting(dialect, body, service)
    assert service.savings.requests == 0
    assert counted.body == Rounds(dialect, body, service).body


def test_a_service_that_only_folds_offers_no_tool() -> None:
    rounds = Rounds("openai", body_of("openai", messages("openai")), new_service(lossless=True))
    assert not rounds.retrieves
    assert "tools" not in rounds.body


@every
def test_a_call_cut_off_by_the_limit_is_not_answered(dialect: str) -> None:
    cut: dict[str, Json] = {
        "openai": {
            "choices": [
                {
                    "message": {"content": "so", "tool_calls": [_chat_call('{"ref": "a')]},
                    "finish_reason": "length",
                }
            ]
        },
        "anthropic": {
            "content": [{"type": "text", "text": "so"}, {"type": "tool_use", "id": "t", "name": "headroom_retrieve", "input": {}}],
            "stop_reason": "max_tokens",
        },
        "responses": {
            "output": [{"type": "function_call", "call_id": "c", "name": "headroom_retrieve", "arguments": '{"ref'}],
            "status": "incomplete",
        },
    }
    rounds = Rounds(dialect, body_of(dialect, messages(dialect)), new_service())
    assert rounds.take(cut[dialect]) is None
    assert "headroom" not in json.dumps(rounds.response)
    assert (
        "length" in json.dumps(rounds.response)
        or "max_tokens" in json.dumps(rounds.response)
        or "incomplete" in json.dumps(rounds.response)
    )


def _chat_call(arguments: str) -> Json:
    return {"id": "c", "type": "function", "function": {"name": "headroom_retrieve", "arguments": arguments}}


def test_structured_output_stays_what_was_asked_for() -> None:
    """A model looks things up without a word and then says its JSON: the client parses exactly that."""

    def script(request: Request) -> Reply | str:
        return '{"id": "ord_7301"}' if len(request.tool_outputs) > 1 else Reply(calls=(retrieval(request),))

    for stream in (False, True):
        body = body_of("openai", messages("openai"), stream=stream, response_format={"type": "json_object"})
        done = talk("openai", body, script)
        assert json.loads(words_of("openai", _seen("openai", done, stream))) == {"id": "ord_7301"}
        assert all(sent["response_format"] == {"type": "json_object"} for sent in done.bodies)


def test_one_call_at_a_time() -> None:
    for dialect in DIALECTS:
        done = talk(dialect, body_of(dialect, messages(dialect), parallel_tool_calls=False), looks_once)
        assert [sent["parallel_tool_calls"] for sent in done.bodies] == [False, False]
        assert "ord_7301" in words_of(dialect, done.response)


def test_several_answers_are_only_folded() -> None:
    done = talk("openai", body_of("openai", messages("openai"), n=2), ["a"])
    assert "tools" not in done.bodies[0]
    assert "headroom_retrieve" not in json.dumps(done.bodies[0])


def test_an_original_is_reachable_through_the_wire() -> None:
    """The whole of what was left out, page by page if need be, is what the tool gave."""
    seen: list[str] = []

    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) == 1:
            return Reply(calls=(Call("headroom_retrieve", {"ref": request.references[0]}),))
        seen.append(request.tool_outputs[1])
        return "done"

    talk("anthropic", body_of("anthropic", messages("anthropic")), script)
    assert seen[0].startswith(ORDERS[:5_000])


class _Forgetful(CompressionHooks):
    def pre_compress(self, messages: Any, context: Any) -> Any:
        return messages[1:]


def test_a_hook_that_changes_more_than_texts_gets_nothing_put_back() -> None:
    service = new_service(hooks=_Forgetful())
    done = talk("openai", body_of("openai", messages("openai")), looks_once, service=service)
    conversation = [*messages("openai"), *turn_of("openai", done.response), {"role": "user", "content": "and?"}]
    again = Rounds("openai", body_of("openai", conversation), service)
    assert len(again.body["messages"]) == len(conversation) - 1
    assert service.savings.failures == 0


def test_parts_of_a_text_stand_as_the_model_wrote_them() -> None:
    rounds = Rounds("openai", body_of("openai", messages("openai")), new_service())
    rounds.take({"choices": [{"message": {"content": "Wait.", "tool_calls": [_chat_call("{}")]}, "finish_reason": "tool_calls"}]})
    parts = [{"type": "text", "text": "Done."}]
    assert rounds.take({"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}) is None
    assert rounds.response["choices"][0]["message"]["content"] == parts
