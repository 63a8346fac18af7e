"""Hooks: what each run saved, and an alert where it still sent a lot."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path

import pytest
from agno.agent import Agent
from agno.compression.manager import CompressionManager
from agno.team import Team

from headroom import ConfigError
from headroom.integrations.agno import HeadroomAgnoModel, HeadroomCompressionManager, HeadroomTools, RunReport, create_headroom_hooks
from tests.integrations.agno.playing import PAIRS, agent_with, get_log, get_orders, play, served, stored
from tests.integrations.agno.test_model import TWO_TOOLS, cancels, leader_and_member


@pytest.mark.parametrize(("provider", "way"), PAIRS)
def test_a_report_of_each_run(provider: str, way: str, tmp_path: Path) -> None:
    before, after = create_headroom_hooks()
    with served(lambda request: TWO_TOOLS[min(len(request.tool_outputs), 2)], provider, HeadroomAgnoModel, tmp_path) as (_, model, db):
        assert isinstance(model, HeadroomAgnoModel)
        agent = agent_with(model, db, tools=[get_orders, get_log], pre_hooks=[before], post_hooks=[after])
        for _run in range(2):
            play(agent, way)
        total = model.total_tokens_saved
        metered = stored(db)["runs"][0]["metrics"]["input_tokens"]
    first, second = after.reports
    assert first.run_id != second.run_id
    assert (first.name, first.requests, first.input_tokens) == ("clerk", 3, metered)
    assert first.tokens_saved == second.tokens_saved > 20_000
    assert first.tokens_saved + second.tokens_saved == total
    assert after.summary() == {"runs": 2, "alerts": 0, "tokens_before": 2 * first.tokens_before, "tokens_saved": total}


def test_an_alert(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raised: list[RunReport] = []
    before, after = create_headroom_hooks(token_alert_threshold=2_999, log_level="DEBUG", on_alert=raised.append)
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (_, model, db), caplog.at_level(logging.DEBUG, "headroom.agno"):
        play(agent_with(model, db, tools=[get_orders, get_log], pre_hooks=[before], post_hooks=[after]), "run")
    assert list(after.alerts) == raised == list(after.reports)
    levels = [record.levelname for record in caplog.records if record.name == "headroom.agno"]
    assert levels == ["DEBUG", "WARNING"]
    assert "sent 3000 tokens, more than 2999" in caplog.text


def test_no_alert_at_the_threshold(tmp_path: Path) -> None:
    before, after = create_headroom_hooks(token_alert_threshold=3_000)
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (_, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log], pre_hooks=[before], post_hooks=[after]), "run")
    assert (len(after.reports), len(after.alerts)) == (1, 0)


def test_a_team_and_its_member_report_apart(tmp_path: Path) -> None:
    before, after = create_headroom_hooks()
    with served(leader_and_member, "chat", HeadroomAgnoModel, tmp_path) as (_, model, db):
        watched = {"pre_hooks": [before], "post_hooks": [after], "telemetry": False, "model": model}
        member = Agent(name="clerk", tools=[get_orders], **watched)  # type: ignore[arg-type]
        play(Team(name="desk", members=[member], tools=[get_log], db=db, session_id="shop", **watched), "run")  # type: ignore[arg-type]
    assert [(report.name, report.requests) for report in after.reports] == [("clerk", 2), ("desk", 3)]


@pytest.mark.skipif("run_metrics" not in inspect.signature(CompressionManager.compress).parameters, reason="an older agno")
def test_a_manager_is_watched_too(tmp_path: Path) -> None:
    before, after = create_headroom_hooks()
    with served(TWO_TOOLS, "chat", None, tmp_path) as (_, model, db):
        manager = HeadroomCompressionManager()
        tools = [get_orders, get_log, HeadroomTools()]
        play(agent_with(model, db, tools=tools, compression_manager=manager, pre_hooks=[before], post_hooks=[after]), "run")
    assert after.reports[0].tokens_saved == manager.savings.tokens_saved > 20_000


def test_a_run_that_never_ends_leaves_little_behind(tmp_path: Path) -> None:
    before, after = create_headroom_hooks()
    with served(["ok"], "chat", HeadroomAgnoModel, tmp_path) as (_, model, db):
        assert isinstance(model, HeadroomAgnoModel)
        play(agent_with(model, db, tools=[cancels], pre_hooks=[before], post_hooks=[after]), "run")
        result = model.headroom.compress([{"role": "user", "content": "hi"}])
        assert result is not None
        for number in range(1_000):
            model.headroom.runs.add(f"run {number}", result)
        assert len(model.headroom.runs._results) == 64


def test_unwatched_nothing_is_kept(tmp_path: Path) -> None:
    with served(TWO_TOOLS, "chat", HeadroomAgnoModel, tmp_path) as (_, model, db):
        assert isinstance(model, HeadroomAgnoModel)
        play(agent_with(model, db, tools=[get_orders, get_log]), "run")
        assert not model.headroom.runs._results


def test_an_agent_without_us_has_nothing_to_report(tmp_path: Path) -> None:
    before, after = create_headroom_hooks(token_alert_threshold=10)
    with served(TWO_TOOLS, "chat", None, tmp_path) as (_, model, db):
        play(agent_with(model, db, tools=[get_orders, get_log], pre_hooks=[before], post_hooks=[after]), "run")
    assert [(report.requests, report.tokens_saved, report.input_tokens) for report in after.alerts] == [(0, 0, 3_000)]


def test_a_level_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="log_level must be one of"):
        create_headroom_hooks(log_level="LOUD")
