"""The package: names lead to their modules, frameworks are loaded when asked for, and a missing one is named."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import headroom.integrations
import headroom.integrations.langchain
from headroom import MissingDependencyError


@pytest.mark.parametrize("name", headroom.integrations.langchain.__all__)
def test_every_name_can_be_imported_from_both_places(name: str) -> None:
    here, there = getattr(headroom.integrations.langchain, name), getattr(headroom.integrations, name)
    assert here is there and here.__doc__
    assert name in dir(headroom.integrations.langchain) and name in headroom.integrations.__all__


@pytest.mark.parametrize(
    ("module", "framework", "needed"),
    [
        ("middleware", "langchain", "langchain.agents.middleware"),
        ("langgraph", "langgraph", "langgraph.graph"),
        ("birth", "langgraph", "langgraph.types"),
        ("stores", "langgraph", "langgraph.store.base"),
    ],
)
def test_a_missing_framework_is_named(module: str, framework: str, needed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"headroom.integrations.langchain.{module}"
    monkeypatch.setitem(sys.modules, needed, None)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(MissingDependencyError, match=rf"^{framework} is not installed: pip install 'headroom-ai\[langchain\]'"):
        importlib.import_module(name)


def test_a_name_loads_what_it_needs_and_no_more() -> None:
    code = (
        "import sys\n"
        "from headroom.integrations.langchain import HeadroomRunnable, HeadroomRetriever\n"
        "assert 'langgraph' not in sys.modules and 'langchain' not in sys.modules\n"
        "import headroom.integrations.langchain.retriever\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
