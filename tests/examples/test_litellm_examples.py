"""The examples for LiteLLM run, offline, as a user runs them, and say what they should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripted_model import Reply, Request, ScriptedModel, calls

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "litellm"


def agents_model(request: Request) -> Reply | str:
    """Lists the orders, asks for the row that it cannot see, and says what became of it."""
    if not request.tool_outputs:
        return calls("list_orders", day=3)
    if "headroom_retrieve" in request.tools and len(request.tool_outputs) == 1:
        return calls("headroom_retrieve", ref=request.references[0], query="ord_7133")
    return "It was refunded." if "refunded" in request.tool_outputs[-1] else "I cannot tell."


@pytest.mark.parametrize(("name", "retrievals"), [("three_lines", 0), ("agent", 1)])
def test_runs(name: str, retrievals: int, store_of_its_own: Path) -> None:
    with ScriptedModel(agents_model) as model:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(store_of_its_own),
            "HEADROOM_HOME": str(store_of_its_own),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "OPENAI_API_BASE": model.openai_url,
            "OPENAI_API_KEY": "none",
        }
        command = [sys.executable, str(EXAMPLES / f"{name}.py")]
        done = subprocess.run(command, env=environment, cwd=store_of_its_own, capture_output=True, text=True, timeout=120, check=False)
        largest = max(len(request.raw) for request in model.requests)
    assert done.returncode == 0, done.stderr
    assert "It was refunded." in done.stdout
    assert f"'retrievals': {retrievals}" in done.stdout
    assert "'failures': 0" in done.stdout
    assert "'tokens_saved': 0" not in done.stdout
    assert largest < 25_000, "the orders alone are 40,000 characters"


def test_the_proxys_file_names_a_callback() -> None:
    from litellm.integrations.custom_logger import CustomLogger  # LiteLLM, whose import takes seconds
    from litellm.proxy.types_utils.utils import get_instance_fn

    (line,) = [line for line in (EXAMPLES / "litellm_config.yaml").read_text(encoding="utf-8").splitlines() if "callbacks:" in line]
    assert isinstance(get_instance_fn(line.partition(":")[2].strip()), CustomLogger)
