"""headroom_retrieve is offered wherever the model may choose it, in its own dialect; digests are sent only there."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from headroom import CompressionService
from headroom.integrations.langchain import HeadroomChatModel, create_retrieve_tool
from tests.integrations.langchain.agents import DIALECTS, ORDERS, list_orders
from tests.integrations.langchain.models import Server, conversation, wrapped
from tests.scripted_model import Request, calls

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def request_of(dialect: str, bound: Any = None, /, **options: Any) -> Request:
    """What a wrapped model sends; `bound` makes of it what is invoked."""
    with Server([options.pop("says", "ok")]) as server:
        model = wrapped(dialect, server, **options)
        (bound(model) if bound else model).invoke(conversation())
        return server.requests[0]


def is_digest(request: Request) -> bool:
    return "ord_7123" not in request.tool_outputs[0]


@every_dialect
def test_it_is_offered_from_the_first_request_on_and_stands_first(dialect: str) -> None:
    with Server(["ok"]) as server:
        model = wrapped(dialect, server)
        model.invoke("hello")
        model.bind_tools([list_orders]).invoke("hello")
        assert [request.tools for request in server.requests] == [["headroom_retrieve"], ["headroom_retrieve", "list_orders"]]
        assert server.requests[0].body["tools"][0] == server.requests[1].body["tools"][0]


def test_it_is_written_as_each_provider_wants_it() -> None:
    chat, responses, anthropic = (request_of(dialect).body["tools"][0] for dialect in DIALECTS)
    assert chat["function"]["parameters"]["required"] == ["ref"]
    assert "strict" not in chat["function"]
    assert responses["strict"] is False  # strict is the default there, and knows no optional parameters
    assert responses["parameters"] == chat["function"]["parameters"] == anthropic["input_schema"]


@every_dialect
@pytest.mark.parametrize("choice", ["auto", "any"])
def test_where_the_model_may_choose_it_digests_are_sent(dialect: str, choice: str) -> None:
    request = request_of(dialect, lambda model: model.bind_tools([list_orders], tool_choice=choice), says=calls("list_orders", day=1))
    assert is_digest(request)
    assert request.references


@every_dialect
def test_where_another_tool_is_forced_it_stays_forced_and_nothing_is_left_out(dialect: str) -> None:
    request = request_of(
        dialect, lambda model: model.bind_tools([list_orders], tool_choice="list_orders"), says=calls("list_orders", day=1)
    )
    choice = request.body["tool_choice"]
    assert (choice.get("function") or choice)["name"] == "list_orders"
    assert not is_digest(request)
    assert len(request.tool_outputs[0]) < len(ORDERS)


def test_where_no_tool_may_be_called_nothing_is_left_out() -> None:
    assert not is_digest(request_of("openai", lambda model: model.bind_tools([list_orders], tool_choice="none")))


@every_dialect
def test_an_agents_own_retrieve_tool_is_the_only_one_and_the_agent_answers_it(dialect: str) -> None:
    with Server([calls("headroom_retrieve", ref="k3v9x2m7qa-f3k")]) as server:
        model = wrapped(dialect, server).bind_tools([list_orders, create_retrieve_tool()])
        reply = model.invoke(conversation())
        assert server.requests[0].tools == ["list_orders", "headroom_retrieve"]
        assert is_digest(server.requests[0])
        assert [call["name"] for call in reply.tool_calls] == ["headroom_retrieve"]
        assert len(server.requests) == 1


def test_openais_parsed_documents_take_strict_tools_only() -> None:
    document = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {}}, "strict": True}}
    function = request_of("openai", lambda model: model.bind(response_format=document), says="{}").body["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["ref", "query", "lines", "offset"]
    assert function["parameters"]["properties"]["query"]["type"] == ["string", "null"]


def test_tools_in_a_models_own_options_stay() -> None:
    tool = {"type": "function", "function": {"name": "list_orders", "parameters": {"type": "object", "properties": {}}}}
    assert request_of("openai", model_kwargs={"tools": [tool]}).tools == ["headroom_retrieve", "list_orders"]


@pytest.mark.parametrize("options", [{"n": 2}, {"model_kwargs": {"functions": [{"name": "f", "parameters": {}}]}}], ids=["n", "functions"])
def test_where_it_would_not_fit_nothing_is_left_out(options: dict[str, Any]) -> None:
    request = request_of("openai", **options)
    assert "headroom_retrieve" not in request.tools
    assert not is_digest(request)


def test_it_never_moves_a_request_to_another_endpoint() -> None:
    """Some models are served by the Responses API as soon as there are tools: their replies would look different."""

    class MovesWithTools(ChatOpenAI):
        def _use_responses_api(self, payload: dict[str, Any]) -> bool:
            return bool(payload.get("tools"))

    with Server(["ok"]) as server:
        model = HeadroomChatModel(MovesWithTools(model="gpt-4o", base_url=server.openai_url, api_key="k"))  # type: ignore[arg-type]
        model.invoke(conversation())
        model.bind_tools([list_orders]).invoke(conversation())
        assert [request.dialect for request in server.requests] == ["openai", "responses"]
        assert [request.tools for request in server.requests] == [[], ["headroom_retrieve", "list_orders"]]


def test_a_failure_while_offering_passes_the_request_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no offer")

    monkeypatch.setattr("headroom.integrations.langchain.exchange.offer", broken)
    with Server(["ok"]) as server, pytest.warns(UserWarning, match="no offer"):
        model = wrapped("openai", server)
        assert model.invoke(conversation()).text == "ok"
        assert not is_digest(server.requests[0])
        assert isinstance(model.headroom.service, CompressionService)
        assert model.get_metrics()["failures"] == 1
