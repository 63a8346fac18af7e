"""The proxy's examples run, offline, through a proxy that runs, and say what they should."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from tests.examples.test_wire_examples import agents_model
from tests.proxy.running import Proxy
from tests.scripted_model import ScriptedModel

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "proxy"


def _run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_an_agent_that_knows_nothing_of_headroom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedModel(agents_model) as model, Proxy(model) as proxy:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", proxy.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
        _run("agent", monkeypatch)
        stats = proxy.http.get("/stats").json()
    assert "It was refunded." in capsys.readouterr().out
    assert (stats["retrievals"], stats["failures"]) == (1, 0)
    assert stats["savings_percent"] > 50
    assert len(model.requests) == 3


def test_other_languages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Proxy() as proxy:
        monkeypatch.setattr(sys, "argv", ["other_languages.py", proxy.url])
        _run("other_languages", monkeypatch)
    said = capsys.readouterr().out
    assert '"status": "refunded"' in said
    assert "tokens, 0 saved" not in said
