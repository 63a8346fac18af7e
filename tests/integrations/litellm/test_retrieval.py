"""`headroom_retrieve` within LiteLLM: offered, answered before the caller sees anything, bounded."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import litellm
import pytest

from headroom import MemoryStore
from headroom.integrations.litellm_callback import HeadroomCallback
from headroom.integrations.litellm_callback.retrieval import GAVE_UP
from headroom.tools import definition
from tests.integrations.litellm.talk import (
    LITELLMS_OWN_WARNINGS,
    ORDERS,
    PROVIDERS,
    TOOLS,
    WANTED,
    Model,
    Provider,
    answered,
    asks_once,
    conversation,
    sent_output,
)
from tests.scripted_model import Call, Reply, Request, calls

pytestmark = LITELLMS_OWN_WARNINGS

DIALECTS = [pytest.param(dialect, marks=answered(dialect)) for dialect in ("openai", "anthropic", "responses")]


async def ask(dialect: str, to: dict[str, Any], tools: list[Any] | None = None, **options: Any) -> Any:
    options = {"tools": TOOLS[dialect] if tools is None else tools, **to, **options}
    if dialect == "openai":
        return await litellm.acompletion(messages=conversation(dialect), **options)
    if dialect == "anthropic":
        return await litellm.anthropic.messages.acreate(messages=conversation(dialect), max_tokens=99, **options)
    return await litellm.aresponses(input=conversation(dialect), **options)


def said(response: Any) -> tuple[str, list[str]]:
    """The words of a response and the names of the tools that it calls."""
    whole = response if isinstance(response, dict) else response.model_dump()
    if "choices" in whole:
        message = whole["choices"][0]["message"]
        return message["content"] or "", [call["function"]["name"] for call in message.get("tool_calls") or []]
    parts = whole.get("content") or whole.get("output") or []
    texts = [text.get("text", "") for part in parts for text in (part.get("content") or [part]) if isinstance(text, dict)]
    return "".join(text or "" for text in texts), [part["name"] for part in parts if part["type"] in ("tool_use", "function_call")]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
async def test_the_model_gets_what_it_asks_for_and_the_caller_the_answer(
    dialect: str, provider: Provider, callback: HeadroomCallback
) -> None:
    with Model(asks_once) as model:
        response = await ask(dialect, provider.at(model))
        first, second = model.requests
    assert said(response) == ("found", [])
    assert first.tools == second.tools == ["list_orders", "headroom_retrieve"]
    assert WANTED not in sent_output(first)
    assert WANTED in second.tool_outputs[1]
    assert second.messages[: len(first.messages)] == first.messages
    assert callback.savings.retrievals == 1
    assert callback.savings.failures == 0
    assert callback.savings.requests == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
async def test_what_the_caller_sends_beside_the_conversation_is_sent_again(
    dialect: str, provider: Provider, callback: HeadroomCallback
) -> None:
    with Model(asks_once) as model:
        await ask(dialect, provider.at(model), extra_headers={"x-mine": "1"}, temperature=0.5)
        first, second = model.requests
    assert second.headers.get("x-mine") == first.headers.get("x-mine") == "1"
    same = {name for name in first.body if name not in ("messages", "input")}
    assert {name: second.body.get(name) for name in same} == {name: first.body[name] for name in same}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_router_answers_too(dialect: str, callback: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        to = PROVIDERS["anthropic"].at(model)
        router = litellm.Router(model_list=[{"model_name": "any", "litellm_params": to}])
        options = {"model": "any", "tools": TOOLS[dialect]}
        if dialect == "openai":
            response = await router.acompletion(messages=conversation(dialect), **options)
        elif dialect == "anthropic":
            response = await router.aanthropic_messages(messages=conversation(dialect), max_tokens=99, **options)
        else:
            response = await router.aresponses(input=conversation(dialect), **options)
    assert said(response) == ("found", [])


@answered("responses")
async def test_synchronous_responses_answer_too(callback: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        to = {**PROVIDERS["openai"].at(model), "tools": TOOLS["responses"]}
        response = await asyncio.to_thread(litellm.responses, input=conversation("responses"), **to)
    assert said(response) == ("found", [])
    assert callback.savings.requests == 1


# --- how often ----------------------------------------------------------------------------------------------------------


def asks_always(request: Request) -> Reply | str:
    return calls("headroom_retrieve", ref=request.references[0]) if "headroom_retrieve" in request.tools else "enough"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_last_round_comes_without_the_tool(dialect: str, callback: HeadroomCallback) -> None:
    with Model(asks_always) as model:
        response = await ask(dialect, PROVIDERS["anthropic" if dialect == "anthropic" else "openai"].at(model))
        assert [request.tools[-1] for request in model.requests] == ["headroom_retrieve"] * 3 + ["list_orders"]
    assert said(response) == ("enough", [])


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_model_that_calls_a_tool_it_has_not_got_does_not_reach_the_caller(dialect: str, callback: HeadroomCallback) -> None:
    same = Reply(calls=(Call("headroom_retrieve", {"ref": "x"}, id="call_same"),))  # LiteLLM refuses a call that repeats itself
    with Model([same]) as model:
        response = await ask(dialect, PROVIDERS["anthropic" if dialect == "anthropic" else "openai"].at(model))
        assert len(model.requests) == 4
    words, names = said(response)
    assert names == []
    assert words == ("" if dialect == "responses" else GAVE_UP)
    whole = response if isinstance(response, dict) else response.model_dump()
    assert whole.get("stop_reason", "end_turn") == "end_turn"


@answered("openai")
async def test_the_number_of_rounds_is_litellms_own_option(callback: HeadroomCallback) -> None:
    with Model(asks_always) as model:
        await ask("openai", PROVIDERS["openai"].at(model), max_agentic_loops=1)
        assert len(model.requests) == 2


# --- beside other things ------------------------------------------------------------------------------------------------


def asks_beside_another_call(request: Request) -> Reply | str:
    order = Call("list_orders", {"day": "tomorrow"}, id="call_theirs")
    if len(request.tool_outputs) == 1:
        return Reply(text="Let me look.", calls=(Call("headroom_retrieve", {"ref": request.references[0], "query": WANTED}), order))
    return Reply(calls=(order,))


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_call_for_the_caller_in_the_same_turn_arrives_after_the_answer(dialect: str, callback: HeadroomCallback) -> None:
    with Model(asks_beside_another_call) as model:
        response = await ask(dialect, PROVIDERS["anthropic" if dialect == "anthropic" else "openai"].at(model))
        second = model.requests[1]
    assert said(response)[1] == ["list_orders"]
    assert "Let me look." in json.dumps(second.messages)
    assert "call_theirs" not in json.dumps(second.messages)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_several_questions_in_one_turn_are_all_answered(dialect: str, callback: HeadroomCallback) -> None:
    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) > 1:
            return "done"
        ref = request.references[0]
        return Reply(calls=tuple(Call("headroom_retrieve", {"ref": ref, "query": order}) for order in ("ord_7100", "ord_7200")))

    with Model(script) as model:
        await ask(dialect, PROVIDERS["anthropic" if dialect == "anthropic" else "openai"].at(model))
        _, one, other = model.requests[1].tool_outputs
    assert "ord_7100" in one
    assert "ord_7200" in other


@answered("anthropic")
async def test_thinking_goes_back_with_the_turn(callback: HeadroomCallback) -> None:
    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) > 1:
            return "done"
        return Reply(thinking="which one?", calls=(Call("headroom_retrieve", {"ref": request.references[0]}),))

    with Model(script) as model:
        await ask("anthropic", PROVIDERS["anthropic"].at(model))
        turn = model.requests[1].messages[-2]
    assert [block["type"] for block in turn["content"]] == ["thinking", "tool_use"]
    assert turn["content"][0]["signature"]


# --- whose tool it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses"])
async def test_a_caller_who_brings_the_tool_answers_it(dialect: str, callback: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        to = PROVIDERS["anthropic" if dialect == "anthropic" else "openai"].at(model)
        response = await ask(dialect, to, tools=[*TOOLS[dialect], definition(dialect)])
        (request,) = model.requests
    assert said(response)[1] == ["headroom_retrieve"]
    assert request.tools.count("headroom_retrieve") == 1
    assert WANTED not in sent_output(request)
    assert WANTED in callback.service.answer("headroom_retrieve", {"ref": request.references[0], "query": WANTED})


async def test_a_caller_of_completion_who_brings_the_tool_gets_digests(callback: HeadroomCallback) -> None:
    with Model(asks_once) as model:
        tools = [*TOOLS["openai"], definition("openai")]
        response = litellm.completion(messages=conversation("openai"), tools=tools, **PROVIDERS["openai"].at(model))
        assert WANTED not in sent_output(model.requests[0])
    assert said(response)[1] == ["headroom_retrieve"]


def only_folded(request: Request) -> bool:
    """Shorter, and everything still there."""
    sent = sent_output(request)
    return len(sent) < len(ORDERS) / 2 and all(f"ord_{7000 + i}" in sent for i in range(300)) and "headroom_retrieve" not in request.tools


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses"])
@pytest.mark.parametrize(
    "options",
    [{"stream": True}, {"tools": []}, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}],
    ids=["a stream", "no tools", "only the provider's tools"],
)
async def test_where_nobody_can_answer_nothing_is_left_out(dialect: str, options: dict[str, Any], callback: HeadroomCallback) -> None:
    with Model() as model:
        response = await ask(dialect, PROVIDERS["anthropic"].at(model), **options)
        if options.get("stream"):
            assert [chunk async for chunk in response]
        assert only_folded(model.requests[0])


async def test_several_choices_are_only_folded(callback: HeadroomCallback) -> None:
    with Model() as model:
        await ask("openai", PROVIDERS["openai"].at(model), n=2)
        assert only_folded(model.requests[0])


@pytest.mark.parametrize("options", [{"retrieve": False}, {"lossless": True}])
async def test_retrieval_can_be_switched_off(options: dict[str, Any]) -> None:
    litellm.callbacks = [HeadroomCallback(store=MemoryStore(), **options)]
    with Model() as model:
        await ask("openai", PROVIDERS["openai"].at(model))
        assert only_folded(model.requests[0])


async def test_a_release_of_litellm_without_these_hooks_is_only_folded(callback: HeadroomCallback) -> None:
    callback._answered = frozenset()
    with Model() as model:
        await ask("openai", PROVIDERS["openai"].at(model))
        assert only_folded(model.requests[0])


# --- trouble ------------------------------------------------------------------------------------------------------------


@answered("openai")
async def test_an_original_that_is_gone_is_said_to_be_gone(callback: HeadroomCallback) -> None:
    with Model([calls("headroom_retrieve", ref="nosuch"), "all right"]) as model:
        response = await ask("openai", PROVIDERS["openai"].at(model))
        assert "run the tool that gave the output once more" in model.requests[1].tool_outputs[1]
    assert said(response) == ("all right", [])


@answered("openai")
async def test_a_retry_is_answered_as_the_first_attempt_would_have_been(callback: HeadroomCallback) -> None:
    failed: list[int] = []

    def script(request: Request) -> Reply | str:
        if not failed:
            failed.append(1)
            return Reply(status=500, error="try again")
        return asks_once(request)

    with Model(script) as model:
        response = await ask("openai", PROVIDERS["openai"].at(model), num_retries=1)
        assert len(model.requests) == 3
        assert model.requests[1].body["messages"] == model.requests[0].body["messages"]
        assert model.requests[1].tools == model.requests[0].tools
    assert said(response) == ("found", [])


@answered("openai")
async def test_a_fallback_is_answered_too(callback: HeadroomCallback) -> None:
    """LiteLLM's fallbacks are new calls, with copies of what the first one was given."""

    def script(request: Request) -> Reply | str:
        return Reply(status=500, error="down") if request.body["model"] == "gpt-4o" else asks_once(request)

    with Model(script) as model:
        response = await ask("openai", PROVIDERS["openai"].at(model), fallbacks=["openai/gpt-4o-mini"])
        assert [request.tools.count("headroom_retrieve") for request in model.requests] == [1, 1, 1]
    assert said(response) == ("found", [])


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_if_the_following_request_fails_the_caller_sees_no_call_of_ours(dialect: str, callback: HeadroomCallback) -> None:
    """LiteLLM logs that failure and returns the response that it has."""

    def script(request: Request) -> Reply | str:
        if len(request.tool_outputs) > 1:
            return Reply(status=400, error="too long")
        return calls("headroom_retrieve", ref=request.references[0])

    with Model(script) as model:
        response = await ask(dialect, PROVIDERS["anthropic" if dialect == "anthropic" else "openai"].at(model))
    assert said(response)[1] == []


@answered("openai")
async def test_trouble_of_ours_in_answering_is_counted(callback: HeadroomCallback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback.service, "answer", lambda call: 1 / 0)
    with Model(asks_once) as model, pytest.warns(UserWarning, match="ZeroDivisionError"):
        response = await ask("openai", PROVIDERS["openai"].at(model))
    assert said(response) == (GAVE_UP, [])
    assert callback.savings.failures == 1
