"""Every example of examples/langchain runs, offline, and says what it should; each is short."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripted_model import Reply, Request, ScriptedModel, calls

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "langchain"
ELSEWHERE = ("chat_model.py",)  # has a test of its own
EXAMPLES = sorted(path.name for path in FOLDER.glob("*.py") if path.name not in (*ELSEWHERE, "shop.py"))

pytestmark = [
    pytest.mark.filterwarnings("ignore:create_react_agent has been moved"),
    pytest.mark.filterwarnings("ignore:The class `InMemoryChatMessageHistory` was deprecated"),
]


def agents_model(request: Request) -> Reply | str:
    """Lists the orders, asks for the row that it cannot see, and says what became of it."""
    outputs = request.tool_outputs
    if "list_orders" not in request.tools:
        return "The 108th."
    if not outputs:
        return calls("list_orders", day=3)
    if request.references and len(outputs) == 1:
        return calls("headroom_retrieve", ref=request.references[0], query="ord_7133")
    return f"It is {'paid' if 'paid' in outputs[-1] else 'unknown'}."


SAYS: dict[str, Callable[[str], bool]] = {
    "middleware.py": lambda out: "It is paid." in out and "'retrievals': 1" in out,
    "pre_model_hook.py": lambda out: "It is paid." in out and "'retrievals': 1" in out,
    "graph_node.py": lambda out: "It is paid." in out and "'retrievals': 1" in out,
    "retrieve_tool.py": lambda out: "It is paid." in out and "'retrievals': 1" in out,
    "runnable.py": lambda out: "The 108th." in out and "'failures': 0" in out and "'tokens_saved': 0" not in out,
    "tools.py": lambda out: "It is paid." in out and "list_orders 19492 -> 2" in out,
    "memory.py": lambda out: "The 108th." in out and "kept: 19539 characters; read: 6" in out,
    "documents.py": lambda out: "headroom_reference" in out and "19492 characters in the store" in out and "shelf" not in out,
    "stores.py": lambda out: "It is paid." in out and "('headroom', 'n-tenant-7')" in out,
    "callback.py": lambda out: "gpt-4o" in out and "'tokens_that_could_be_saved': 0" not in out,
}


def test_every_example_has_an_expectation() -> None:
    assert sorted(SAYS) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs_and_says_what_it_should(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedModel(agents_model) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.syspath_prepend(str(FOLDER))
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    sys.modules.pop("shop", None)
    out = capsys.readouterr().out
    assert SAYS[name](out), out


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_it_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
