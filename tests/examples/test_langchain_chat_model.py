"""The example of the chat model runs, offline, and the model gets back the row that it was not shown."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest

from tests.scripted_model import Reply, Request, ScriptedModel, calls

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "langchain"


def model(request: Request) -> Reply | str:
    """Lists the orders, asks for the row that it cannot see, and says what became of it."""
    outputs = request.tool_outputs
    if not outputs:
        return calls("list_orders", day=3)
    if len(outputs) == 1:
        return calls("headroom_retrieve", ref=request.references[0], query="ord_7133")
    return f"It is {'paid' if 'paid' in outputs[-1] else 'unknown'}."


def test_it_runs_and_finds_the_row(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedModel(model) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.syspath_prepend(str(FOLDER))
        runpy.run_path(str(FOLDER / "chat_model.py"), run_name="__main__")
        sys.modules.pop("shop", None)
        said, kept, metrics = capsys.readouterr().out.splitlines()
        assert said == "It is paid."
        assert "19492 characters" in kept
        assert ast.literal_eval(metrics)["retrievals"] == 1
        assert len(server.requests) == 3
        assert max(len(request.raw) for request in server.requests) < 12_000
