"""HeadroomCompressionManager: Agno's own seam, without a model's help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agno.agent import Agent
from agno.compression.manager import CompressionManager
from agno.db.sqlite import SqliteDb
from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponseEvent
from agno.team import Team

from headroom import ConfigError
from headroom.integrations.agno import HeadroomAgnoModel, HeadroomCompressionManager, HeadroomTools
from tests.integrations.agno.playing import (
    LOG,
    ORDERS,
    PAIRS,
    PROVIDERS,
    WAYS,
    agent_with,
    asks,
    get_log,
    get_orders,
    play,
    says,
    served,
    steady,
    stored,
)
from tests.integrations.agno.test_model import TWO_TOOLS, assert_prefixes_repeat, leader_and_member, looks_up
from tests.scripted_model import Call, Reply, Request


def managed(model: Model, db: SqliteDb, **options: Any) -> Agent:
    tools = [get_orders, get_log, HeadroomTools(add_instructions=False)]
    return agent_with(model, db, tools=tools, compression_manager=HeadroomCompressionManager(**options))


def without_short_texts(session: Any) -> Any:
    if isinstance(session, dict):
        return {key: without_short_texts(value) for key, value in session.items() if key != "compressed_content"}
    return [without_short_texts(item) for item in session] if isinstance(session, list) else session


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_wire_is_short_and_the_session_keeps_both(provider: str, way: str, tmp_path: Path) -> None:
    sessions = []
    for manager in (None, HeadroomCompressionManager()):
        with served(TWO_TOOLS, provider, None if manager is None else lambda model: model, tmp_path) as (server, model, db):
            agent = agent_with(model, db, tools=[get_orders, get_log, HeadroomTools(add_instructions=False)], compression_manager=manager)
            assert not play(agent, way).error
            sessions.append(stored(db))
    assert steady(without_short_texts(sessions[1])) == steady(without_short_texts(sessions[0]))
    outputs = [message for message in sessions[1]["runs"][-1]["messages"] if message["role"] == "tool"]
    assert [message["content"] for message in outputs] == [ORDERS, LOG]
    assert [message["compressed_content"] for message in outputs] == server.requests[-1].tool_outputs
    assert sum(map(len, server.requests[-1].tool_outputs)) < 0.3 * len(ORDERS + LOG)
    assert_prefixes_repeat(server.requests)


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_the_model_gets_a_row_back(provider: str, way: str, tmp_path: Path) -> None:
    with served(looks_up, provider, None, tmp_path) as (server, model, db):
        agent = managed(model, db)
        play(agent, way)
        tools = [tool["tool_name"] for tool in stored(db)["runs"][-1]["tools"]]
    assert "ord_7100" not in server.requests[1].tool_outputs[0]
    assert '"id": "ord_7100"' in server.requests[2].tool_outputs[1]
    assert tools == ["get_orders", "headroom_retrieve"]


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_session_of_two_runs(provider: str, way: str, tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        if not request.tool_outputs:
            return asks(Call("get_orders", {"day": 1}))
        return (
            says("Declined.") if len(request.messages) < 5 or len(request.tool_outputs) == 2 else asks(Call("get_log", {"service": "pay"}))
        )

    with served(script, provider, None, tmp_path) as (server, model, db):
        for _ in range(2):  # two agents: the second knows of the first only what the database holds
            play(agent_with(model, db, tools=[get_orders, get_log, HeadroomTools(add_instructions=False)], add_history_to_context=True,
                            compression_manager=HeadroomCompressionManager()), way)  # fmt: skip
    assert len(server.requests) == 4
    assert_prefixes_repeat(server.requests)
    assert sum(map(len, server.requests[-1].tool_outputs)) < 0.3 * len(ORDERS + LOG)


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_team(provider: str, way: str, tmp_path: Path) -> None:
    with served(leader_and_member, provider, None, tmp_path) as (server, model, db):
        manager, tools = HeadroomCompressionManager(), HeadroomTools(add_instructions=False)
        member = Agent(name="clerk", id="clerk", model=model, tools=[get_orders, tools], compression_manager=manager, telemetry=False)
        team = Team(name="desk", id="desk", model=model, members=[member], tools=[get_log, tools], compression_manager=manager,
                    db=db, session_id="shop", telemetry=False)  # fmt: skip
        assert not play(team, way).error
        outputs = [message for message in stored(db, team=True)["runs"][-1]["messages"] if message["role"] == "tool"]
    assert LOG in [message["content"] for message in outputs]
    assert all(len(output) < 12_000 for request in server.requests for output in request.tool_outputs)
    assert manager.savings.tokens_saved > 20_000


def test_without_the_toolkit_it_folds_only(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", None, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log], compression_manager=HeadroomCompressionManager()), "run")
    assert all(f"ord_{7000 + row}" in server.requests[1].tool_outputs[0] for row in range(300))
    assert len(server.requests[1].tool_outputs[0]) < 0.7 * len(ORDERS)
    assert server.requests[1].references == []


def test_beside_a_wrapped_model_each_text_is_shortened_once(tmp_path: Path) -> None:
    with served(looks_up, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders], compression_manager=HeadroomCompressionManager()), "run")
        (orders, retrieved) = [message for message in stored(db)["runs"][-1]["messages"] if message["role"] == "tool"]
    assert orders["compressed_content"] == server.requests[-1].tool_outputs[0]
    assert "compressed_content" not in retrieved
    assert '"id": "ord_7100"' in server.requests[-1].tool_outputs[1]


def test_it_asks_no_model(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", None, tmp_path) as (server, model, db):
        play(managed(model, db), "run")
    assert len(server.requests) == 3


def test_it_fills_agnos_statistics_and_its_own(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", None, tmp_path) as (_, model, db):
        agent = managed(model, db)
        events = play(agent, "stream").events
        manager: Any = agent.compression_manager
    assert manager.stats["tool_results_compressed"] == 2
    assert manager.stats["original_size"] == len(ORDERS + LOG)
    assert manager.stats["compressed_size"] < 0.3 * len(ORDERS + LOG)
    assert manager.savings.tokens_saved > 20_000
    if hasattr(ModelResponseEvent, "compression_started"):  # older versions have no events for it
        assert [event.event for event in events if "Compression" in event.event] == ["CompressionStarted", "CompressionCompleted"] * 2


def output(content: str = ORDERS) -> list[Message]:
    call = {"id": "c", "type": "function", "function": {"name": "get_orders", "arguments": "{}"}}
    return [Message(role="assistant", tool_calls=[call]), Message(role="tool", tool_call_id="c", tool_name="get_orders", content=content)]


def test_a_result_is_looked_at_once() -> None:
    manager = HeadroomCompressionManager()
    for messages in (output(), output("too small to matter")):
        assert manager.should_compress(messages)
        manager.compress(messages)
        assert not manager.should_compress(messages)


def test_switched_off() -> None:
    manager = HeadroomCompressionManager()
    manager.compress_tool_results = False
    messages = output()
    assert not manager.should_compress(messages)
    manager.compress(messages)
    assert messages[-1].compressed_content is None


@pytest.mark.filterwarnings("ignore:Headroom. a request goes out uncompressed:UserWarning")
def test_trouble_of_ours_leaves_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("our own fault")

    monkeypatch.setattr("headroom.integrations.agno.service.read", broken)
    manager, messages = HeadroomCompressionManager(), output()
    manager.compress(messages)
    assert messages[-1].compressed_content is None
    assert manager.savings.failures == 1


def test_a_mistyped_option() -> None:
    with pytest.raises(ConfigError, match="did you mean 'namespace'"):
        HeadroomCompressionManager(namespaces="x")


def test_it_is_one_of_agnos() -> None:
    assert isinstance(HeadroomCompressionManager(), CompressionManager)


@pytest.mark.parametrize("ask", [lambda messages: HeadroomCompressionManager().should_compress(messages)])
def test_users_texts_are_not_its_business(ask: Callable[[list[Message]], bool]) -> None:
    assert not ask([Message(role="user", content=ORDERS)])
