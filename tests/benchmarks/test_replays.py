"""Products in their processes, from the order to the findings."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import findings
import pytest
from judge import Loss
from peers import ADAPTERS, OURS, PEERS, Product, Side, named
from recorded import Session
from replays import play
from sessions import as_json, by_source, print_tables, total

from headroom import Budget
from tests.benchmarks.small_session import ORDERS, answered, called, small_session

FORGETFUL = """
import sys; sys.path.insert(0, {adapters!r})
from serve import Adapter, serve
class Forgetful(Adapter):
    "Empties every output but the newest; fails at a third one."
    def compress(self, messages):
        tools = [index for index, message in enumerate(messages) if message["role"] == "tool"]
        if len(tools) == 3:
            raise OSError("too much")
        for index in tools[:-1]:
            messages[index]["content"] = ""
        return messages
serve(Forgetful())
"""


@pytest.fixture
def forgetful(tmp_path: Path) -> Product:
    """A product that changes its input, breaks prefixes, loses values and fails."""
    script = tmp_path / "forgetful.py"
    script.write_text(FORGETFUL.format(adapters=str(ADAPTERS)))
    return Product("forgetful", str(script))


def long_session() -> list[dict]:
    return [*small_session(), called(3, "list_orders", page=2), answered(3, "ord-5555"), {"role": "assistant", "content": "ord-5555"}]


def test_products_side_by_side(forgetful: Product, capsys: pytest.CaptureFixture[str]) -> None:
    products = [OURS, PEERS["head-and-tail"], forgetful]
    sessions = [Session("small", "one", small_session()), Session("small", "two", long_session())]
    every = play(products, sessions)
    ours, cutting, forgets = [total(by_source(own)) for own in every]
    assert (ours.sessions, ours.recall, ours.saved) == (cutting.sessions, cutting.recall, cutting.saved) == (2, 1, 0), (
        "all is too short to cut"
    )
    assert (forgets.sessions, forgets.failed, forgets.broke) == (1, 1, 1), "what it did before it failed does not count"
    assert [(loss.turn, loss.value) for loss in every[2][0].lost] == [(6, "ord-3333"), (6, "src/shop/orders.py")]
    assert "forgetful failed at small two: OSError: too much" in capsys.readouterr().err

    print_tables(products, every)
    shown = capsys.readouterr().out
    assert "### Side by side" in shown and "| forgetful | 1 | 3 |" in shown
    assert json.loads(json.dumps(as_json(products, every)))[2]["sessions"][0]["lost"][0]["value"] == "ord-3333"


def test_ours_names_kinds_and_gives_originals_back() -> None:
    log = "\n".join(f"2026-01-05 10:00:{i % 60:02d} INFO worker-{i % 7} handled job-{i * 7919} in {i % 90} ms" for i in range(900))
    messages = [*small_session()[:2], called(1, "read_log"), answered(1, log), {"role": "assistant", "content": "job-3135924 is slow"}]
    small = Product("small", OURS.adapter, options={"budget": [50, 0.0]})
    ((played,),) = play([small], [Session("logs", "one", messages)])
    assert played.kinds[3] and played.tally.saved > 0.5
    assert [(loss.value, loss.reached) for loss in played.lost] == [("job-3135924", True)]
    assert played.tally.reachable == 1 > played.tally.recall

    (found,) = findings.findings([played])
    assert (found.tool, found.kind, found.age) == ("read_log", played.kinds[3], 1)
    assert "handled job-3135924 in" in found.line and found.words == "job-3135924 is slow"
    kind = findings.by_kind([played])[played.kinds[3]]
    assert (kind.outputs, kind.lost, len(kind.turns)) == (1, ["job-3135924"], 1)
    assert (kind.sent_before, kind.sent_after) == (played.prepared.tokens[3], played.last_tokens[3])
    remaining = {name: (after, before) for name, after, before in findings.remaining([played], lambda one, i: one.session.source)}
    assert remaining["logs"] == (played.tally.after, played.tally.before)


def test_the_holder_of_a_value_is_the_newest_output_before_the_turn() -> None:
    messages = [answered(1, "ord-1"), answered(2, "ord-1"), {"role": "user", "content": "ord-1"}, answered(3, "ord-1")]
    assert findings.holder_of(Loss(3, "ord-1", False), messages) == 1
    assert findings.holder_of(Loss(3, "ord-2", False), messages) == -1


def test_a_dead_process_says_why(tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text("raise SystemExit('no licence')")
    side = Side(sys.executable, script)
    try:
        assert side.ask(do="turn") == {"error": "the process died: no licence"}
        with pytest.raises(RuntimeError, match="the process died"):
            side.demand(do="turn")
    finally:
        side.close()


def test_every_budget_is_scaled() -> None:
    from ours import configured

    plain, half = configured(), configured(scale=0.5)
    assert half.budget.tokens == plain.budget.tokens // 2
    assert set(half.budgets) == set(plain.budgets)
    assert all(half.budgets[kind].share == plain.budgets[kind].share / 2 for kind in plain.budgets)
    assert configured(budget=(10, 0.5), scale=3).budget == Budget(30, 1.0)


def test_peers_by_name() -> None:
    assert named("none") == []
    assert [peer.name for peer in named("all")] == list(PEERS)
    assert [peer.name for peer in named("furl-ctx, langchain")] == ["furl-ctx", "langchain"]
    with pytest.raises(ValueError, match="no peer is called frul"):
        named("frul")
    assert all((ADAPTERS / peer.adapter).exists() for peer in PEERS.values())


def test_the_protocol_sends_only_what_is_new(forgetful: Product) -> None:
    side = forgetful.start()
    try:
        first = side.demand(do="turn", keep=0, messages=small_session()[:4])
        assert (first["same"], len(first["messages"])) == (0, 4)
        second = side.demand(do="turn", keep=4, messages=small_session()[4:6])
        assert (second["same"], len(second["messages"])) == (3, 3), "the first output was emptied"
        assert second["messages"][0]["content"] == ""
        again = side.demand(do="turn", keep=0, messages=small_session()[:4])
        assert (again["same"], again["messages"][3]["content"]) == (0, ORDERS), "a new session starts from nothing"
        assert "ValueError" in side.ask(do="sleep")["error"]
    finally:
        side.close()
