"""Beside Agno's own result offloading and its LLM compressor, what they handled is sent as they left it."""

from __future__ import annotations

from pathlib import Path

import pytest
from agno.compression.manager import CompressionManager

from headroom.integrations.agno import HeadroomAgnoModel, HeadroomCompressionManager
from tests.integrations.agno.playing import LOG, ORDERS, PAIRS, agent_with, asks, get_log, get_orders, model_of, play, says, served, stored
from tests.integrations.agno.test_model import TWO_TOOLS, assert_prefixes_repeat
from tests.scripted_model import Call, Reply, Request, ScriptedModel


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_agnos_offloading(provider: str, way: str, tmp_path: Path) -> None:
    pytest.importorskip("agno.offload")

    def script(request: Request) -> Reply:
        if len(request.tool_outputs) != 1:
            return asks(Call("get_orders", {"day": 1})) if not request.tool_outputs else says("Seen.")
        stored_id = request.tool_outputs[0].partition('<result id="')[2].partition('"')[0]
        return asks(Call("read_result", {"result_id": stored_id}))

    wires, sessions = [], []
    for wrap in (None, HeadroomAgnoModel):
        with served(script, provider, wrap, tmp_path) as (server, model, db):
            assert not play(agent_with(model, db, tools=[get_orders], offload_tool_results=True, tool_call_limit=1), way).error
            sessions.append([message.get("content") for message in stored(db)["runs"][-1]["messages"]])
            wires.append([output.replace(server.requests[0].user_text, "") for output in server.requests[-1].tool_outputs])
    bare, wrapped = wires
    assert [len(output) for output in wrapped] == [len(output) for output in bare]  # the ids in them are of the run
    assert "Full result stored" in wrapped[0]
    assert wrapped[1][:500] in ORDERS or len(wrapped[1]) > 10_000
    assert len(sessions[0]) == len(sessions[1])


def test_what_agno_did_not_offload_is_compressed(tmp_path: Path) -> None:
    offload = pytest.importorskip("agno.offload")
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        store = offload.ResultStore(threshold_chars=60_000)
        play(agent_with(model, db, tools=[get_orders, get_log], offload_tool_results=store), "run")
    orders, log = server.requests[-1].tool_outputs
    assert len(ORDERS) < 60_000 < len(LOG)
    assert "headroom_retrieve ref=" in orders
    assert "Full result stored" in log


def test_agno_does_not_offload_what_was_retrieved(tmp_path: Path) -> None:
    offload = pytest.importorskip("agno.offload")

    def script(request: Request) -> Reply:
        if not request.tool_outputs:
            return asks(Call("get_orders", {"day": 1}))
        rows = asks(Call("headroom_retrieve", {"ref": request.references[0], "lines": "rows 1-299"}))
        return rows if len(request.tool_outputs) == 1 else says("Seen.")

    with served(script, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        store = offload.ResultStore(threshold_chars=39_500)
        agent = agent_with(model, db, tools=[get_orders], offload_tool_results=store)
        play(agent, "run")
        assert len(ORDERS) < 39_500
        store.threshold_chars = 20_000
    assert "ord_7250" in server.requests[-1].tool_outputs[1]


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_agnos_own_compressor(provider: str, way: str, tmp_path: Path) -> None:
    """It asks a model for each result, once there are two of them."""
    in_short = "Three hundred orders, most of them paid. " * 60
    with ScriptedModel([in_short]) as summarizer, served(TWO_TOOLS, provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        manager = CompressionManager(model=model_of("chat", summarizer), compress_tool_results_limit=2)
        agent = agent_with(model, db, tools=[get_orders, get_log], compression_manager=manager)
        play(agent, way)
        client = getattr(manager.model, "client", None)
        if client is not None:
            client.close()
    assert "headroom_retrieve ref=" in server.requests[1].tool_outputs[0]  # not yet handled by Agno: by us
    assert server.requests[2].tool_outputs == [in_short, in_short]


def test_agno_refuses_a_manager_beside_offloading(tmp_path: Path) -> None:
    pytest.importorskip("agno.offload")
    with served(TWO_TOOLS, "chat", None, tmp_path) as (_, model, db), pytest.raises(ValueError, match="cannot be enabled together"):
        agent_with(model, db, offload_tool_results=True, compression_manager=HeadroomCompressionManager()).run("hi")


def test_prefixes_repeat_beside_offloading(tmp_path: Path) -> None:
    offload = pytest.importorskip("agno.offload")
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        store = offload.ResultStore(threshold_chars=60_000)
        play(agent_with(model, db, tools=[get_orders, get_log], offload_tool_results=store), "run")
    assert_prefixes_repeat(server.requests)
