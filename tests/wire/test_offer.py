"""Which requests are offered our tool, and which may be digested: each case is decided on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from headroom.wire.offer import offer
from tests.wire.talks import DIALECTS, body_of, own_tool

Json = dict[str, Any]


def _names(tools: list[Json] | None) -> list[str]:
    return [(tool.get("function") or tool)["name"] for tool in tools or []]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_conversation_has_the_tool_from_its_first_request_on(dialect: str) -> None:
    """A request without tools too: a list that grows later would cost the provider's cache from the first byte."""
    first = offer(body_of(dialect, []), dialect)
    assert (_names(first.tools), first.ours, first.lossless) == (["headroom_retrieve"], True, False)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ours_comes_after_the_clients_tools(dialect: str) -> None:
    body = body_of(dialect, [], tools=[own_tool(dialect)])
    made = offer(body, dialect)
    assert _names(made.tools) == ["list_orders", "headroom_retrieve"]
    assert made.applied(body)["tools"][0] is body["tools"][0]
    assert len(body["tools"]) == 1, "the client's list is not changed"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["headroom_retrieve", "mcp__headroom__headroom_retrieve"])
def test_a_client_that_brings_the_tool_answers_it(dialect: str, name: str) -> None:
    body = body_of(dialect, [], tools=[own_tool(dialect, name)])
    for retrieval in (True, False):
        made = offer(body, dialect, retrieval=retrieval)
        assert (made.ours, made.lossless, made.applied(body)) == (False, False, body)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_with_retrieval_off_nothing_is_offered_and_texts_are_only_folded(dialect: str) -> None:
    body = body_of(dialect, [], tools=[own_tool(dialect)])
    made = offer(body, dialect, retrieval=False)
    assert (made.ours, made.lossless) == (False, True)
    assert made.applied(body) is body


FORBIDDING: dict[str, list[Any]] = {
    "openai": ["none", {"type": "function", "function": {"name": "list_orders"}}, {"type": "custom", "custom": {"name": "x"}}],
    "anthropic": [{"type": "none"}, {"type": "tool", "name": "list_orders"}],
    "responses": ["none", {"type": "function", "name": "list_orders"}, {"type": "file_search"}],
}


@pytest.mark.parametrize(("dialect", "choice"), [(dialect, choice) for dialect, choices in FORBIDDING.items() for choice in choices])
def test_where_the_model_cannot_call_the_tool_texts_are_only_folded(dialect: str, choice: Any) -> None:
    """The list stays what it is in the conversation's other requests, so that cached tools and instructions still count."""
    made = offer(body_of(dialect, [], tools=[own_tool(dialect)], tool_choice=choice), dialect)
    assert (_names(made.tools), made.ours, made.lossless, made.tool_choice) == (["list_orders", "headroom_retrieve"], True, True, None)
    alone = offer(body_of(dialect, [], tool_choice=choice), dialect)
    assert (alone.ours, alone.lossless) == (False, True), "a choice without tools: our tool would change what it means"


ALLOWING: dict[str, list[Any]] = {
    "openai": ["auto", "required"],
    "anthropic": [{"type": "auto"}, {"type": "any"}, {"type": "auto", "disable_parallel_tool_use": True}],
    "responses": ["auto", "required"],
}


@pytest.mark.parametrize(("dialect", "choice"), [(dialect, choice) for dialect, choices in ALLOWING.items() for choice in choices])
def test_where_the_model_may_call_the_tool_texts_are_digested(dialect: str, choice: Any) -> None:
    made = offer(body_of(dialect, [], tools=[own_tool(dialect)], tool_choice=choice, parallel_tool_calls=False), dialect)
    assert (made.ours, made.lossless) == (True, False)


def test_a_list_of_allowed_tools_gets_ours_too() -> None:
    inner = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "list_orders"}}]}
    body = body_of("openai", [], tools=[own_tool("openai")], tool_choice={"type": "allowed_tools", "allowed_tools": inner})
    made = offer(body, "openai")
    assert not made.lossless
    assert [tool["function"]["name"] for tool in made.tool_choice["allowed_tools"]["tools"]] == ["list_orders", "headroom_retrieve"]
    assert len(inner["tools"]) == 1

    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "list_orders"}]}
    body = body_of("responses", [], tools=[own_tool("responses")], tool_choice=choice)
    made = offer(body, "responses")
    assert not made.lossless
    assert made.applied(body)["tool_choice"]["tools"][-1] == {"type": "function", "name": "headroom_retrieve"}
    assert offer({**body, "tool_choice": {"type": "allowed_tools"}}, "responses").lossless, "a list that is none"


@pytest.mark.parametrize(
    ("dialect", "more"),
    [
        ("openai", {"n": 2}),
        ("openai", {"functions": [{"name": "f"}]}),
        ("openai", {"tools": "nonsense"}),
        ("responses", {"background": True}),
    ],
)
def test_what_cannot_be_answered_within_the_round_trip_is_only_folded(dialect: str, more: Json) -> None:
    body = body_of(dialect, [], **more)
    made = offer(body, dialect)
    assert (made.ours, made.lossless) == (False, True)
    assert made.applied(body) is body


def test_a_client_with_its_own_tool_and_its_calls_at_the_provider_is_only_folded() -> None:
    """Its outputs do not tell that they answer a retrieval, and what was retrieved is never digested again."""
    body = body_of("responses", [], tools=[own_tool("responses", "headroom_retrieve")], previous_response_id="resp_1")
    assert offer(body, "responses").lossless
    assert not offer(body_of("responses", [], previous_response_id="resp_1"), "responses").lossless
