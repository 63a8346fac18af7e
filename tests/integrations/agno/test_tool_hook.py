"""A tool hook that shortens a result at birth."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import agno.tools.function
import pytest
from agno.media import Image
from agno.tools import tool
from agno.tools.function import ToolResult

from headroom.integrations.agno import HeadroomAgnoModel, HeadroomTools, create_headroom_tool_hook
from tests.integrations.agno.playing import LOG, ORDERS, PAIRS, agent_with, asks, get_log, get_orders, play, says, served, stored
from tests.integrations.agno.test_model import TWO_TOOLS, looks_up
from tests.scripted_model import Call
from tests.shop import orders


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_result_is_born_short_and_can_be_got_back(provider: str, way: str, tmp_path: Path) -> None:
    with served(looks_up, provider, None, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, HeadroomTools()], tool_hooks=[create_headroom_tool_hook()]), way)
        stored_outputs = [message["content"] for message in stored(db)["runs"][-1]["messages"] if message["role"] == "tool"]
    assert stored_outputs == server.requests[-1].tool_outputs
    assert len(stored_outputs[0]) < 0.3 * len(ORDERS)
    assert '"id": "ord_7100"' in stored_outputs[1]


def test_beside_a_wrapped_model(tmp_path: Path) -> None:
    with served(looks_up, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders], tool_hooks=[create_headroom_tool_hook()]), "run")
    assert '"id": "ord_7100"' in server.requests[-1].tool_outputs[1]


def test_nothing_is_left_out_where_it_could_not_be_got_back(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", None, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log], tool_hooks=[create_headroom_tool_hook()]), "run")
    assert all(f"ord_{7000 + row}" in server.requests[1].tool_outputs[0] for row in range(300))
    assert len(server.requests[1].tool_outputs[0]) < 0.7 * len(ORDERS)


def test_only_the_tools_that_were_named(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", None, tmp_path) as (server, model, db):
        hook = create_headroom_tool_hook(tools=["get_log"])
        play(agent_with(model, db, tools=[get_orders, get_log, HeadroomTools()], tool_hooks=[hook]), "run")
    assert server.requests[-1].tool_outputs[0] == ORDERS
    assert len(server.requests[-1].tool_outputs[1]) < 0.3 * len(LOG)


def test_on_one_tool(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", None, tmp_path) as (server, model, db):
        hooked = tool(tool_hooks=[create_headroom_tool_hook()])(get_log)
        play(agent_with(model, db, tools=[get_orders, hooked, HeadroomTools()]), "run")
    assert server.requests[-1].tool_outputs[0] == ORDERS
    assert len(server.requests[-1].tool_outputs[1]) < 0.3 * len(LOG)


async def list_orders(day: int) -> list[dict[str, Any]]:
    """An asynchronous tool that returns no text."""
    return orders(300)


AWAITS_HOOKS = "isawaitable(result)" in inspect.getsource(agno.tools.function)


@pytest.mark.parametrize("asynchronous", [True, pytest.param(False, marks=pytest.mark.skipif(not AWAITS_HOOKS, reason="an older agno"))])
@pytest.mark.parametrize("way", ["arun", "astream"])
def test_an_asynchronous_tool(way: str, asynchronous: bool, tmp_path: Path) -> None:
    with served([asks(Call("list_orders", {"day": 1})), says("Paid.")], "chat", None, tmp_path) as (server, model, db):
        hook = create_headroom_tool_hook(asynchronous=asynchronous)
        played = play(agent_with(model, db, tools=[list_orders, HeadroomTools()], tool_hooks=[hook]), way)
    assert not played.error
    assert len(server.requests[-1].tool_outputs[0]) < 0.3 * len(ORDERS)
    assert len(server.requests[-1].references) == 1


def call(result: Any, **options: Any) -> Any:
    return create_headroom_tool_hook(**options)("get_orders", lambda **_: result, {"day": 1})


def test_a_result_with_images_keeps_them() -> None:
    image = Image(url="http://127.0.0.1/a.png", id="a")
    given = ToolResult(content=ORDERS, images=[image])
    short = call(given)
    assert given.content == ORDERS
    assert short.images == [image]
    assert len(short.content) < 0.7 * len(ORDERS)


@pytest.mark.parametrize(
    "result",
    [None, 7, "", "short", {"a": 1}, ToolResult(content="ok"), iter(["a"])],
    ids=["none", "number", "empty", "short", "dict", "small", "stream"],
)
def test_what_is_small_or_no_text_is_returned_as_it_is(result: Any) -> None:
    assert call(result) is result


def test_the_arguments_reach_the_tool_and_its_errors_the_agent() -> None:
    hook = create_headroom_tool_hook()
    assert hook("add", lambda a, b: a + b, {"a": 1, "b": 2}) == 3
    with pytest.raises(ZeroDivisionError):
        hook("divide", lambda a: a / 0, {"a": 1})


def test_a_failure_of_the_tool_is_the_tools(tmp_path: Path) -> None:
    def fails(day: int) -> str:
        """A tool that fails."""
        raise ValueError("away")

    with served([asks(Call("fails", {"day": 1})), says("Away.")], "chat", None, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[fails], tool_hooks=[create_headroom_tool_hook()]), "run")
    assert json.dumps(server.requests[-1].tool_outputs).count("away") == 1
