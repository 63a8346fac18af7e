"""Every example of examples/agno runs, offline, and says what it should."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripted_model import Reply, Request, ScriptedModel, calls

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "agno"
EXAMPLES = sorted(path.name for path in FOLDER.glob("*.py") if path.name != "shop.py")


def agents_model(request: Request) -> Reply | str:
    """Delegates if it can, lists the orders, asks for the row that it cannot see, and says what became of it."""
    outputs = request.tool_outputs
    if "delegate_task_to_member" in request.tools:
        return outputs[-1] if outputs else calls("delegate_task_to_member", member_id="clerk", task="What became of ord_7133?")
    if not outputs:
        return calls("list_orders", day=3)
    if request.references and len(outputs) == 1:
        return calls("headroom_retrieve", ref=request.references[0], query="ord_7133")
    return f"It is {'paid' if 'paid' in outputs[-1] else 'unknown'}."


SAYS: dict[str, Callable[[str], bool]] = {
    "compression_manager.py": lambda out: "It is paid." in out and "list_orders 21219 characters, sent: " in out,
    "hooks.py": lambda out: "alert: clerk sent " in out and "RunReport(" in out and "tokens_saved=0" not in out,
    "messages.py": lambda out: "ord_7041" in out and '"id": "ord_7133", "status": "paid"' in out,
    "model_wrapper.py": lambda out: "It is paid." in out and "list_orders 21219 characters in the run" in out and "'retrievals': 1" in out,
    "team.py": lambda out: "It is paid." in out and "'retrievals': 1" in out,
    "tool_hook.py": lambda out: "It is paid." in out and "list_orders 21219 -> 2" in out,
}


def test_every_example_has_an_expectation() -> None:
    assert sorted(SAYS) == EXAMPLES


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # short examples leave closing to the end of the program
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs_and_says_what_it_should(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedModel(agents_model) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.syspath_prepend(str(FOLDER))
        monkeypatch.delitem(sys.modules, "shop", raising=False)  # other examples have a shop of their own
        runpy.run_path(str(FOLDER / name), run_name="__main__")
        monkeypatch.delitem(sys.modules, "shop", raising=False)
    out = capsys.readouterr().out
    assert SAYS[name](out), out
