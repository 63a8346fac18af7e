"""The plugin inside OpenClaw itself: installed from its tarball, run headless, watched at the model and killed under.

Slow (a minute or two): OpenClaw starts a process of several seconds for each command. `-m "not slow"` leaves it out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.openclaw.machine import Headroom, Json, Machine, free_port, listens, tarball
from tests.scripted_model import Reply, Request, ScriptedModel, calls

pytestmark = [pytest.mark.slow, pytest.mark.skipif("sys.platform == 'win32'", reason="answers questions through a Unix terminal")]

ROWS = [{"id": f"ord_{7000 + n}", "status": "failed" if n == 117 else "paid", "customer": f"Customer {n * 7919 % 997}"} for n in range(280)]
ORDERS = json.dumps(ROWS, indent=1)
OVER = "DONE"


def reads_and_asks(request: Request) -> Reply | str:
    """Reads the orders, gets one back that it cannot see, and is done."""
    if request.number == 0:
        return calls("read", path="orders.json")
    return calls("headroom_retrieve", ref=request.references[-1], query="ord_7077") if request.number == 1 else OVER


def conversation(request: Request) -> list[Json]:
    """What stays from request to request: all but the note on its own state that OpenClaw puts behind each."""
    return [message for message in request.messages if "OPENCLAW_INTERNAL_CONTEXT" not in json.dumps(message)]


def repeats(later: Request, earlier: Request) -> bool:
    """Whether a provider that cached the earlier conversation finds it again, from its first message on."""
    before = conversation(earlier)
    return json.dumps(conversation(later)[: len(before)]) == json.dumps(before)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel([OVER]) as model:
        yield model


@pytest.fixture
def headroom(tmp_path: Path) -> Iterator[Headroom]:
    headroom = Headroom(tmp_path / "originals")
    yield headroom
    headroom.kill()


@pytest.fixture
def machine(tmp_path: Path, model: ScriptedModel, headroom: Headroom) -> Machine:
    """OpenClaw with the plugin installed, without any flag, by answering its two questions."""
    machine = Machine(tmp_path / "machine", model.openai_url)
    assert len(ORDERS) > 20_000
    (machine.workspace / "orders.json").write_text(ORDERS, encoding="utf-8")
    (tmp_path / "packed").mkdir()
    said = machine.install_plugin(tarball(tmp_path / "packed"))
    assert "Accept these capabilities" in said
    assert "Installed plugin: headroom" in said
    assert "dangerous" not in said.lower()
    assert machine.config["plugins"]["slots"] == {"contextEngine": "headroom"}
    machine.configure_plugin(baseUrl=headroom.url)
    return machine


def test_agent_local(machine: Machine, model: ScriptedModel, headroom: Headroom) -> None:
    model.script = reads_and_asks
    words, logged = machine.say("Which order failed?", "--local")
    first, second, third = model.requests
    assert words == OVER
    assert "headroom_retrieve" in first.tools  # in sight from the first request on
    assert first.body["tools"] == second.body["tools"] == third.body["tools"]
    assert len(second.tool_outputs[0]) < len(ORDERS) / 3  # short in the very turn that read it
    assert "ord_7117" in second.tool_outputs[0]
    assert '"ord_7077"' in third.tool_outputs[1]
    assert repeats(second, first)
    assert repeats(third, second)
    assert "headroom:" not in logged

    model.clear()
    model.script = [OVER]
    machine.say("Thank you.", "--local")  # another process
    (later,) = model.requests
    assert later.tool_outputs == third.tool_outputs
    assert repeats(later, third)

    headroom.kill()
    model.clear()
    model.script = [calls("read", path="orders.json"), OVER]
    words, logged = machine.say("And now?", "--local")
    asked, read = model.requests
    assert words == OVER
    assert asked.tool_outputs == later.tool_outputs  # what was short stays short
    assert "ord_7077" in read.tool_outputs[-1]  # as it is
    assert len(re.findall("headroom: OpenClaw goes on without it", logged)) == 1


def test_through_the_gateway(machine: Machine, model: ScriptedModel, headroom: Headroom) -> None:
    with machine.gateway() as log:
        model.script = reads_and_asks
        assert machine.say("Which order failed?")[0] == OVER
        _, second, third = model.requests
        assert len(second.tool_outputs[0]) < len(ORDERS) / 3
        assert '"ord_7077"' in third.tool_outputs[1]
        assert repeats(third, second)

        model.clear()
        model.script = ["SUMMARY: one order failed, ord_7117."]
        said, _ = machine.run("sessions", "compact", "agent:main:explicit:s1", "--json")  # what /compact does in a chat
        compacted = json.loads(said)
        assert compacted["compacted"]
        assert "one order failed" in compacted["result"]["summary"]
        assert compacted["result"]["tokensAfter"] < compacted["result"]["tokensBefore"]

        (machine.workspace / "more.json").write_text(ORDERS.replace("ord_7", "ord_8"), encoding="utf-8")
        model.clear()
        model.script = [calls("read", path="more.json"), OVER]
        assert machine.say("And the others?")[0] == OVER
        assert "one order failed" in json.dumps(model.requests[0].body)  # the summary stands in the history's place
        assert len(model.requests[1].tool_outputs[-1]) < len(ORDERS) / 3

        headroom.kill()
        model.clear()
        model.script = [calls("read", path="orders.json"), OVER]
        assert machine.say("And now?")[0] == OVER
        assert "ord_7077" in model.requests[-1].tool_outputs[-1]
        assert log.read_text(encoding="utf-8").count("headroom: OpenClaw goes on without it") == 1


def test_auto_start(machine: Machine, model: ScriptedModel) -> None:
    port = free_port()
    program = Path(sys.executable).with_name("headroom")
    machine.configure_plugin(baseUrl=f"http://127.0.0.1:{port}", autoStart=True, command=str(program))
    with machine.gateway() as log:
        model.script = reads_and_asks
        assert machine.say("Which order failed?")[0] == OVER
        assert len(model.requests[1].tool_outputs[0]) < len(ORDERS) / 3
        assert listens(port)
    assert "headroom: starting" in log.read_text(encoding="utf-8")
    assert not listens(port)
