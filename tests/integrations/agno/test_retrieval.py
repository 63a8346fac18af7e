"""headroom_retrieve in Agno's tool loop: what models write is understood, and no model asks for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headroom import CompressionService, compress
from headroom.integrations.agno import HeadroomAgnoModel, HeadroomTools
from headroom.integrations.agno.retrieval import MOST_RETRIEVALS, is_offered, retrieve_function
from tests.integrations.agno.playing import ORDERS, PAIRS, agent_with, asks, get_orders, play, says, served
from tests.scripted_model import Call, Reply, Request
from tests.shop import turn


def reference() -> str:
    return compress(turn(ORDERS)).references[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"query": "ord_7100"},
        {"query": "ord_7100", "lines": None, "offset": None},
        {"query": ["ord_7100"]},
        {"query": "ord_7100", "why": "x"},
    ],
    ids=["plain", "nulls", "list", "unknown"],
)
def test_what_models_write(arguments: dict[str, Any], tmp_path: Path) -> None:
    script = [asks(Call("headroom_retrieve", {"ref": reference(), **arguments})), says("Seen.")]
    with served(script, "chat", HeadroomAgnoModel, tmp_path) as (server, model, _):
        play(agent_with(model), "run")
    assert '"id": "ord_7100"' in server.requests[-1].tool_outputs[0]


@pytest.mark.parametrize("arguments", [{}, {"ref": "nothing-abc"}, {"ref": 7}, {"ref": "x", "offset": "many"}])
def test_an_answer_that_the_model_can_act_on(arguments: dict[str, Any], tmp_path: Path) -> None:
    with served([asks(Call("headroom_retrieve", arguments)), says("Well.")], "chat", HeadroomAgnoModel, tmp_path) as (server, model, _):
        assert not play(agent_with(model), "run").error
    (answer,) = server.requests[-1].tool_outputs
    assert any(words in answer for words in ("is missing", "No original is stored", "whole number"))


@pytest.mark.parametrize(("provider", "way"), PAIRS[:3])
def test_a_model_in_circles_is_stopped(provider: str, way: str, tmp_path: Path) -> None:
    again = asks(Call("headroom_retrieve", {"ref": reference(), "query": "ord_7100"}))
    with served([again], provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        played = play(agent_with(model, db), way)
        assert model.get_savings_summary()["retrievals"] == MOST_RETRIEVALS  # type: ignore[attr-defined]
    outputs = server.requests[-1].tool_outputs
    assert not played.error
    assert len(server.requests) == 2 * MOST_RETRIEVALS + 1
    assert "ord_7100" in outputs[MOST_RETRIEVALS - 1]
    assert "will not again" in outputs[MOST_RETRIEVALS]


def test_beyond_that_the_limit_of_the_user_counts(tmp_path: Path) -> None:
    again = asks(Call("headroom_retrieve", {"ref": reference(), "query": "ord_7100"}))

    def script(request: Request) -> Reply:
        return says("Enough.") if len(request.tool_outputs) > MOST_RETRIEVALS + 3 else again

    with served(script, "chat", HeadroomAgnoModel, tmp_path) as (server, model, _):
        play(agent_with(model, tool_call_limit=2), "run")
    assert ["limit reached" in output for output in server.requests[-1].tool_outputs[-3:]] == [False, True, True]


def test_the_next_run_starts_anew(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        mine = len(request.tool_outputs)
        return says("Enough.") if mine == MOST_RETRIEVALS else asks(Call("headroom_retrieve", {"ref": known, "query": "ord_7100"}))

    known = reference()
    with served(script, "chat", None, tmp_path) as (server, model, _):
        agent = agent_with(model, tools=[HeadroomTools()])
        for _run in range(2):
            play(agent, "run")
            assert "ord_7100" in server.requests[-1].tool_outputs[-1]


def test_the_users_own_toolkit_is_not_doubled(tmp_path: Path) -> None:
    with served([says("Hello.")], "chat", HeadroomAgnoModel, tmp_path) as (server, model, _):
        play(agent_with(model, tools=[get_orders, HeadroomTools()]), "run")
    assert server.requests[0].tools == ["get_orders", "headroom_retrieve"]


def test_retrievals_run_beside_a_schema_of_strict_functions(tmp_path: Path) -> None:
    function = retrieve_function(CompressionService())
    function.process_entrypoint(strict=True if function.strict is None else function.strict)
    assert function.parameters["required"] == ["ref"]
    assert json.dumps(function.to_dict())


@pytest.mark.parametrize(
    ("tools", "choice", "offered"),
    [
        (None, None, False),
        ([], None, False),
        ([{"type": "function", "function": {"name": "headroom_retrieve"}}], None, True),
        ([{"name": "headroom_retrieve"}], "auto", True),
        ([{"name": "headroom_retrieve"}], "required", True),
        ([{"name": "headroom_retrieve"}], "none", False),
        ([{"name": "headroom_retrieve"}], {"type": "auto"}, True),
        ([{"name": "headroom_retrieve"}], {"type": "function", "name": "get_orders"}, False),
        ([{"name": "headroom_retrieve"}], {"type": "function", "function": {"name": "headroom_retrieve"}}, True),
        ([{"name": "get_orders"}], None, False),
    ],
)
def test_whether_the_model_can_call_it(tools: Any, choice: Any, offered: bool) -> None:
    assert is_offered(tools, choice) is offered
