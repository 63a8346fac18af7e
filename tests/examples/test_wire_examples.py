"""The examples of the clients and of the middleware run, offline, and say what they should."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import httpx
import pytest

from tests.integrations.asgi.servers import served
from tests.scripted_model import Reply, Request, ScriptedModel, calls
from tests.wire.talks import body_of, looks_once, messages

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def agents_model(request: Request) -> Reply | str:
    """Lists the orders, asks for the row that it cannot see, and says what became of it."""
    outputs = request.tool_outputs
    if not outputs:
        return calls("list_orders", day=3)
    if len(outputs) == 1:
        return Reply("One moment.", calls=calls("headroom_retrieve", ref=request.references[0], query="ord_7133").calls)
    return "It was refunded." if "refunded" in outputs[-1] else "I cannot tell."


@pytest.mark.parametrize("name", ["anthropic_client", "openai_client"])
def test_clients(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedModel(agents_model) as model:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_BASE_URL", model.openai_url)
        for vendor in ("ANTHROPIC", "OPENAI"):
            monkeypatch.setenv(f"{vendor}_API_KEY", "none")
        monkeypatch.syspath_prepend(str(EXAMPLES / "clients"))
        monkeypatch.delitem(sys.modules, "shop", raising=False)
        runpy.run_path(str(EXAMPLES / "clients" / f"{name}.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "It was refunded." in said
    assert "'retrievals': 1" in said
    assert "'failures': 0" in said
    assert "'tokens_saved': 0" not in said
    assert len(model.requests) == 3


def test_gateway(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedModel(looks_once) as model:
        monkeypatch.setenv("UPSTREAM", model.url)
        app = runpy.run_path(str(EXAMPLES / "asgi" / "gateway.py"))["app"]
        with served(app) as url:
            answer = httpx.post(
                f"{url}/v1/chat/completions",
                json=body_of("openai", messages("openai")),
                headers={"authorization": "Bearer mine"},
                verify=False,
                timeout=60,
            )
    assert answer.json()["choices"][0]["message"]["content"].endswith("It is ord_7301.")
    assert int(answer.headers["x-headroom-tokens-saved"]) > 1_000
    assert {request.headers["authorization"] for request in model.requests} == {"Bearer mine"}
    assert "'retrievals': 1" in capsys.readouterr().out
