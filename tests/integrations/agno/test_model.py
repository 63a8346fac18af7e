"""HeadroomAgnoModel: shorter on the wire, and everything else exactly as the bare model leaves it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.sqlite import SqliteDb
from agno.media import Image
from agno.models.base import Model
from agno.run import RunContext
from agno.team import Team
from agno.tools import tool
from agno.tools.function import ToolResult
from pydantic import BaseModel

from headroom import MemoryStore
from headroom.integrations.agno import HeadroomAgnoModel
from tests.integrations.agno.playing import (
    LOG,
    ORDERS,
    PAIRS,
    PROVIDERS,
    WAYS,
    Played,
    agent_with,
    asks,
    close_clients,
    get_log,
    get_orders,
    play,
    says,
    served,
    stored,
)
from tests.scripted_model import Call, Reply, Request, Script

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Agno's, for Claude's images

ORDERS_CALL, LOG_CALL = Call("get_orders", {"day": 1}), Call("get_log", {"service": "pay"})
TWO_TOOLS = [asks(ORDERS_CALL), asks(LOG_CALL, text="And the log."), says("Declined.")]
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(60)


class Answer(BaseModel):
    order: str
    status: str


def both(
    script: Script, provider: str, way: str, path: Path, make: Callable[..., Any] = agent_with, runs: int = 1, **options: Any
) -> tuple[Played, Played]:
    """The same run (the last of `runs`) with the bare model and with the wrapped one."""
    results = []
    for wrap in (None, HeadroomAgnoModel):
        with served(script, provider, wrap, path) as (server, model, db):
            agent = make(model, db, **options)
            for _ in range(runs):
                played = play(agent, way)
            played.requests, played.session = server.requests, stored(db, team=isinstance(agent, Team))
            results.append(played)
    return results[0], results[1]


def assert_same_but_shorter(bare: Played, wrapped: Played, at_most: float = 0.3) -> None:
    assert wrapped.comparable() == bare.comparable()
    assert len(wrapped.requests) == len(bare.requests)
    assert sum(map(len, wrapped.sent)) < at_most * sum(map(len, bare.sent))
    assert_prefixes_repeat(wrapped.requests)


def assert_prefixes_repeat(requests: list[Request]) -> None:
    for earlier, later in pairwise(requests):
        assert later.body.get("tools") == earlier.body.get("tools")
        assert later.body.get("system") == earlier.body.get("system")
        assert json.dumps(later.messages[: len(earlier.messages)]) == json.dumps(earlier.messages)


# --- the same as without us ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_run_with_large_outputs(provider: str, way: str, tmp_path: Path) -> None:
    bare, wrapped = both(TWO_TOOLS, provider, way, tmp_path, tools=[get_orders, get_log])
    assert bare.sent == [ORDERS, LOG]
    assert_same_but_shorter(bare, wrapped)
    assert "ord_7123 declined: card expired" in wrapped.sent[1]


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_several_calls_at_once(provider: str, way: str, tmp_path: Path) -> None:
    script = [asks(ORDERS_CALL, LOG_CALL), says("Declined.")]
    assert_same_but_shorter(*both(script, provider, way, tmp_path, tools=[get_orders, get_log]))


@pytest.mark.parametrize("way", ["run", "astream"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_structured_output_beside_tools(provider: str, way: str, tmp_path: Path) -> None:
    answer = '{"order": "ord_7123", "status": "declined"}'
    bare, wrapped = both([asks(ORDERS_CALL), says(answer)], provider, way, tmp_path, tools=[get_orders], output_schema=Answer)
    assert_same_but_shorter(bare, wrapped)
    for key in ("response_format", "text", "output_config", "output_format"):
        assert wrapped.requests[0].body.get(key) == bare.requests[0].body.get(key)
    if way == "run":
        assert wrapped.output.content == Answer(order="ord_7123", status="declined")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_structured_output_alone_stays_alone(provider: str, tmp_path: Path) -> None:
    bare, wrapped = both([says('{"order": "ord_7123", "status": "paid"}')], provider, "run", tmp_path, output_schema=Answer)
    assert wrapped.comparable() == bare.comparable()
    assert wrapped.requests[0].body == bare.requests[0].body  # some providers take either tools or a schema


def team_with(model: Model, db: SqliteDb) -> Team:
    member = Agent(name="clerk", id="clerk", role="looks up orders", model=model, tools=[get_orders], telemetry=False)
    return Team(name="desk", id="desk", model=model, members=[member], tools=[get_log], db=db, session_id="shop", telemetry=False)


def leader_and_member(request: Request) -> Reply:
    if "delegate_task_to_member" not in request.tools:
        return says("It was declined. " + "All the rest was paid or shipped. " * 3) if request.tool_outputs else asks(ORDERS_CALL)
    steps = [asks(Call("delegate_task_to_member", {"member_id": "clerk", "task": "find ord_7123"})), asks(LOG_CALL), says("Declined.")]
    return steps[len(request.tool_outputs)]


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_team_with_delegation(provider: str, way: str, tmp_path: Path) -> None:
    bare, wrapped = both(leader_and_member, provider, way, tmp_path, make=team_with)
    assert wrapped.comparable() == bare.comparable()
    assert len(wrapped.requests) == len(bare.requests) == 5
    for role in (True, False):
        of_role = [request for request in wrapped.requests if ("delegate_task_to_member" in request.tools) is role]
        assert all("headroom_retrieve" in request.tools for request in of_role)
        assert_prefixes_repeat(of_role)
        assert max(map(len, of_role[-1].tool_outputs)) < 12_000


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_session_of_two_runs(provider: str, way: str, tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return asks(ORDERS_CALL) if len(request.tool_outputs) < (1 if len(request.messages) < 4 else 2) else says("Declined.")

    bare, wrapped = both(script, provider, way, tmp_path, runs=2, tools=[get_orders], add_history_to_context=True)
    assert len(bare.requests) == 4
    assert len(bare.session["runs"]) == 2
    assert wrapped.comparable() == bare.comparable()
    assert_prefixes_repeat(wrapped.requests)
    assert len(wrapped.requests[2].tool_outputs[0]) < 0.3 * len(ORDERS)  # from the first run, loaded from the database
    again = wrapped.requests[3].tool_outputs[1]  # the same call once more: the agent needs it whole
    assert all(f"ord_{7000 + row}" in again for row in range(300))


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_tool_call_limit(provider: str, way: str, tmp_path: Path) -> None:
    bare, wrapped = both(
        [asks(ORDERS_CALL), asks(LOG_CALL, ORDERS_CALL), says("Enough.")],
        provider,
        way,
        tmp_path,
        tools=[get_orders, get_log],
        tool_call_limit=2,
    )
    assert sum("Tool call limit reached" in output for output in bare.sent) == 1
    # 0.5: older versions of Agno give the refused call's id to the other output, which then looks asked for again
    assert_same_but_shorter(bare, wrapped, at_most=0.5)


def breaks(day: int) -> str:
    """A tool that fails."""
    raise ValueError("the database is away: " + "timeout; " * 900)


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_tool_that_raises(provider: str, way: str, tmp_path: Path) -> None:
    bare, wrapped = both([asks(Call("breaks", {"day": 1})), says("It is away.")], provider, way, tmp_path, tools=[breaks])
    assert "the database is away" in bare.sent[0]
    assert wrapped.comparable() == bare.comparable()
    assert "the database is away" in wrapped.sent[0]


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_retries(provider: str, way: str, tmp_path: Path) -> None:
    script = [asks(ORDERS_CALL), Reply(status=500), says("Declined.")]

    def patient(model: Model, db: SqliteDb) -> Agent:
        model.retries, model.delay_between_retries = 1, 0
        return agent_with(model, db, tools=[get_orders])

    bare, wrapped = both(script, provider, way, tmp_path, make=patient)
    assert_same_but_shorter(bare, wrapped)
    assert wrapped.requests[1].raw == wrapped.requests[2].raw


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_provider_that_fails(provider: str, way: str, tmp_path: Path) -> None:
    bare, wrapped = both([asks(ORDERS_CALL), Reply(status=500)], provider, way, tmp_path, tools=[get_orders])
    assert_same_but_shorter(bare, wrapped)


def cancels(run_context: RunContext) -> str:
    """A tool in which the user loses patience."""
    Agent.cancel_run(run_context.run_id)
    return ORDERS


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_cancelled_run(provider: str, way: str, tmp_path: Path) -> None:
    script = [asks(ORDERS_CALL), asks(Call("cancels")), says("a reply that nobody waits for")]
    bare, wrapped = both(script, provider, way, tmp_path, tools=[get_orders, cancels])
    assert "cancelled" in json.dumps(bare.session["runs"][-1]["status"]).lower()
    assert wrapped.comparable() == bare.comparable()
    assert [len(request.messages) for request in wrapped.requests] == [len(request.messages) for request in bare.requests]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", ["responses", "claude"])
def test_reasoning_stays(provider: str, way: str, tmp_path: Path) -> None:
    thinking = Reply("First the orders.", calls=(ORDERS_CALL,), thinking="The user wants one order.", usage=(1_000, 5))
    bare, wrapped = both([thinking, asks(LOG_CALL), says("Declined.")], provider, way, tmp_path, tools=[get_orders, get_log])
    assert_same_but_shorter(bare, wrapped)
    if provider == "claude":
        thoughts = [block for message in wrapped.requests[-1].messages for block in message["content"] if block["type"] == "thinking"]
        assert [(block["thinking"], block["signature"]) for block in thoughts] == [("The user wants one order.", "c2lnbmF0dXJl")]


def photographs(day: int) -> ToolResult:
    """A tool that returns text and an image."""
    return ToolResult(content=ORDERS, images=[Image(content=PIXEL, mime_type="image/png", id="photo")])


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_images_stay(provider: str, way: str, tmp_path: Path) -> None:
    bare, wrapped = both([asks(Call("photographs", {"day": 1})), says("A photograph.")], provider, way, tmp_path, tools=[photographs])
    assert_same_but_shorter(bare, wrapped)
    assert "image" in json.dumps(wrapped.requests[-1].messages[-1])
    assert wrapped.requests[-1].messages[-1]["content"][-1] == bare.requests[-1].messages[-1]["content"][-1]


def streams(day: int) -> Iterator[str]:
    """A tool that yields its output piece by piece."""
    yield from (ORDERS[start : start + 5_000] for start in range(0, len(ORDERS), 5_000))


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_that_streams(way: str, tmp_path: Path) -> None:
    assert_same_but_shorter(*both([asks(Call("streams", {"day": 1})), says("Seen.")], "chat", way, tmp_path, tools=[streams]))


@pytest.mark.parametrize("way", WAYS)
def test_a_chain_of_responses_on_the_providers_side(way: str, tmp_path: Path) -> None:
    def reasoning(model: Any, db: SqliteDb) -> Agent:
        model.id, model.store = "o4-mini", True
        return agent_with(model, db, tools=[get_orders, get_log])

    bare, wrapped = both(TWO_TOOLS, "responses", way, tmp_path, make=reasoning)
    assert [request.body.get("previous_response_id") for request in wrapped.requests] == [None, "resp_0", "resp_1"]
    assert wrapped.comparable() == bare.comparable()
    assert len(wrapped.sent) == 1
    assert len(wrapped.sent[0]) < 0.3 * len(LOG)


def test_another_provider_of_the_openai_kind(tmp_path: Path) -> None:
    assert_same_but_shorter(*both(TWO_TOOLS, "openrouter", "run", tmp_path, tools=[get_orders, get_log]))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_run_that_waits_for_a_human(provider: str, tmp_path: Path) -> None:
    asked_first = tool(requires_confirmation=True)(get_log)
    results = []
    for wrap in (None, HeadroomAgnoModel):
        with served(TWO_TOOLS, provider, wrap, tmp_path) as (server, model, db):
            agent = agent_with(model, db, tools=[get_orders, asked_first])
            paused = agent.run("What became of the orders?")
            assert paused.is_paused
            paused.tools[-1].confirmed = True
            done = agent.continue_run(run_response=paused)
            results.append(Played(server.requests, output=done, session=stored(db)))
    assert_same_but_shorter(*results)
    assert results[1].output.content == results[0].output.content


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_that_nobody_reads_to_its_end(provider: str, tmp_path: Path) -> None:
    long = Reply("word " * 400, usage=(1_000, 400))

    async def first_words(agent: Agent) -> None:
        stream = agent.arun("Tell me.", stream=True)
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
        await close_clients(agent)

    with served([long, says("Still here.")], provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        agent = agent_with(model, db)
        asyncio.run(first_words(agent))
        stream = agent.run("Tell me.", stream=True)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        del stream
        gc.collect()  # OpenAI's stream is a circle: collected in the middle of the next request, it would wait for itself
        assert play(agent, "run").output.content == "Still here."
    assert len(server.requests) == 3


def test_many_threads_on_one_model(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return TWO_TOOLS[min(len(request.tool_outputs), 2)]

    def run(number: int) -> str:
        agent = Agent(name=f"clerk {number}", model=model, tools=[get_orders, get_log], telemetry=False, tool_call_limit=2)
        return str(agent.run(f"What became of ord_{7000 + number}?").content)

    with served(script, "chat", HeadroomAgnoModel, tmp_path) as (server, model, _), ThreadPoolExecutor(8) as pool:
        assert set(pool.map(run, range(16))) == {"And the log.Declined."}
    assert len(server.requests) == 48
    assert model.get_savings_summary()["requests"] == 48  # type: ignore[attr-defined]
    for request in server.requests:
        wanted = request.user_text.removeprefix("What became of ").removesuffix("?")
        assert all(wanted in output for output in request.tool_outputs[:1])


# --- getting back what was left out --------------------------------------------------------------------------------------


def looks_up(request: Request) -> Reply:
    """Asks for the orders, then for one of those that were left out."""
    if not request.tool_outputs:
        return asks(ORDERS_CALL)
    return (
        asks(Call("headroom_retrieve", {"ref": request.references[0], "query": "ord_7100"}))
        if len(request.tool_outputs) == 1
        else says("Paid.")
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_model_gets_a_row_back(provider: str, way: str, tmp_path: Path) -> None:
    with served(looks_up, provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        played = play(agent_with(model, db, tools=[get_orders]), way)
        run = stored(db)["runs"][-1]
        savings = model.get_savings_summary()  # type: ignore[attr-defined]
    assert not played.error
    assert all(request.tools == ["get_orders", "headroom_retrieve"] for request in server.requests)
    assert "ord_7100" not in server.requests[1].tool_outputs[0]
    assert '"id": "ord_7100"' in server.requests[2].tool_outputs[1]
    assert [tool["tool_name"] for tool in run["tools"]] == ["get_orders", "headroom_retrieve"]
    assert [message["tool_name"] for message in run["messages"] if message["role"] == "tool"] == ["get_orders", "headroom_retrieve"]
    assert_prefixes_repeat(server.requests)
    assert (savings["retrievals"], savings["failures"]) == (1, 0)
    if played.events:
        names = [event.tool.tool_name for event in played.events if event.event == "ToolCallCompleted"]
        assert names == ["get_orders", "headroom_retrieve"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_retrieved_is_never_compressed(provider: str, tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        steps = {0: asks(ORDERS_CALL), 2: asks(LOG_CALL), 3: says("Seen.")}
        return steps.get(len(request.tool_outputs)) or asks(
            Call("headroom_retrieve", {"ref": request.references[0], "lines": "rows 100-250"})
        )

    with served(script, provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log]), "run")
    retrieved = server.requests[-1].tool_outputs[1]
    assert len(retrieved) > 12_000
    assert all(f"ord_{7000 + row}" in retrieved for row in range(110, 240))
    assert_prefixes_repeat(server.requests)


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_an_agent_without_tools_gets_it_too(provider: str, way: str, tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        if request.tool_outputs:
            return says("Paid.")
        reference = json.dumps(request.messages).partition("headroom_retrieve ref=")[2][:14].split(":")[0].split("]")[0]
        return asks(Call("headroom_retrieve", {"ref": reference, "query": "ord_7100"}))

    with served(script, provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        agent = agent_with(model, db)
        played = play(agent, way, f"These are the orders:\n{ORDERS}\nWhat became of ord_7123?")
        stored_words = stored(db)["runs"][-1]["input"]["input_content"]
    assert not played.error
    assert server.requests[0].tools == ["headroom_retrieve"]
    assert len(server.requests[0].raw) < 0.5 * len(ORDERS)
    assert '"id": "ord_7100"' in server.requests[-1].tool_outputs[0]
    assert ORDERS in stored_words


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_tool_call_limit_does_not_count_retrievals(provider: str, way: str, tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        if not request.tool_outputs:
            return asks(ORDERS_CALL)
        retrieve = Call("headroom_retrieve", {"ref": request.references[0], "query": "ord_7100"})
        return {1: asks(retrieve), 2: asks(LOG_CALL, ORDERS_CALL, retrieve)}.get(len(request.tool_outputs)) or says("Enough.")

    with served(script, provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log], tool_call_limit=2), way)
    _, retrieved, log, refused, again = server.requests[-1].tool_outputs
    assert '"id": "ord_7100"' in retrieved
    assert "card expired" in log
    assert "Tool call limit reached" in refused
    assert again == retrieved


# --- where nothing can be got back, nothing is left out ---------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("choice", ["none", {"type": "function", "function": {"name": "get_orders"}}], ids=["none", "another"])
def test_a_choice_that_forbids_the_tool(provider: str, choice: Any, tmp_path: Path) -> None:
    with served(TWO_TOOLS, provider, HeadroomAgnoModel, tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log], tool_choice=choice), "run")
    assert all(f"ord_{7000 + row}" in server.requests[1].tool_outputs[0] for row in range(300))
    assert len(server.requests[1].tool_outputs[0]) < 0.7 * len(ORDERS)
    assert server.requests[0].body.get("tool_choice") in (choice, None)  # Claude is not told by Agno


def test_lossless_offers_no_tool(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", lambda model: HeadroomAgnoModel(model, lossless=True), tmp_path) as (server, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log]), "run")
    assert all("headroom_retrieve" not in request.tools for request in server.requests)
    assert all(f"ord_{7000 + row}" in server.requests[1].tool_outputs[0] for row in range(300))
    assert server.requests[1].references == []


def test_what_agno_asks_for_itself_gets_no_tool(tmp_path: Path) -> None:
    with served([says("A title")], "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        agent = agent_with(model, db)
        play(agent, "run")
        agent.set_session_name(session_id="shop", autogenerate=True)
    assert [request.tools for request in server.requests] == [["headroom_retrieve"], []]


# --- trouble of ours --------------------------------------------------------------------------------------------------------


class BrokenStore(MemoryStore):
    """A store that cannot do anything."""

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise OSError("the disk is gone")

    put = put_many = get = touch = _fail


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:Headroom. a request goes out uncompressed:UserWarning")
def test_a_broken_store_costs_the_saving_and_nothing_else(way: str, tmp_path: Path) -> None:
    store = BrokenStore()
    results = []
    for wrap in (None, lambda model: HeadroomAgnoModel(model, store=store)):
        with served(TWO_TOOLS, "chat", wrap, tmp_path) as (server, model, db):
            played = play(agent_with(model, db, tools=[get_orders, get_log]), way)
            played.requests, played.session = server.requests, stored(db)
            results.append((played, model))
    (bare, _), (wrapped, model) = results
    assert wrapped.comparable() == bare.comparable()
    assert wrapped.sent == bare.sent
    assert model.savings.failures == 2  # type: ignore[attr-defined]


def test_trouble_is_warned_of_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("our own fault")

    monkeypatch.setattr("headroom.integrations.agno.service.read", broken)
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (server, model, db):
        with pytest.warns(UserWarning, match="our own fault") as warned:
            play(agent_with(model, db, tools=[get_orders, get_log]), "run")
        assert model.get_savings_summary()["failures"] == 3  # type: ignore[attr-defined]
    assert len([warning for warning in warned if "Headroom" in str(warning.message)]) == 1
    assert server.requests[-1].tool_outputs == [ORDERS, LOG]
