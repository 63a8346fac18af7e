"""HeadroomTools alone: the tool, its instructions, its answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from headroom import ConfigError, MemoryStore, compress
from headroom.integrations.agno import HeadroomTools
from tests.integrations.agno.playing import ORDERS, PAIRS, agent_with, asks, play, says, served
from tests.scripted_model import Call
from tests.shop import turn


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_it_answers_from_its_store(provider: str, way: str, tmp_path: Path) -> None:
    store = MemoryStore()
    reference = compress(turn(ORDERS), store=store, namespace="tenant-7").references[0]
    script = [asks(Call("headroom_retrieve", {"ref": reference, "query": "ord_7100"})), says("Paid.")]
    tools = HeadroomTools(store=store, namespace="tenant-7")
    with served(script, provider, None, tmp_path) as (server, model, _):
        played = play(agent_with(model, tools=[tools]), way)
    assert not played.error
    assert '"id": "ord_7100"' in server.requests[-1].tool_outputs[0]
    assert tools.savings.retrievals == 1


@pytest.mark.parametrize("add", [True, False])
def test_its_instructions_are_in_the_system_message(add: bool, tmp_path: Path) -> None:
    with served([says("Hello.")], "chat", None, tmp_path) as (server, model, _):
        play(agent_with(model, tools=[HeadroomTools(add_instructions=add)]), "run")
    system = [message["content"] for message in server.requests[0].messages if message["role"] != "user"]
    assert any("Do not guess what was left out" in words for words in system) is add


def test_a_mistyped_option() -> None:
    with pytest.raises(ConfigError, match="unknown option"):
        HeadroomTools(stores=None)
