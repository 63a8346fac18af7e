"""LiteLLM's own proxy, a process of its own, with the callback named in its YAML file as the guide names it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.integrations.litellm.talk import TOOLS, WANTED, Model, answered, asks_once, conversation, is_shorter, sent_output
from tests.scripted_model import Request

KEY = "sk-of-a-test"
CONFIG = """\
model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o, api_base: "{openai_url}", api_key: key}}
  - model_name: claude
    litellm_params: {{model: anthropic/claude-sonnet-4-5, api_base: "{url}", api_key: key}}
litellm_settings:
  callbacks: headroom.integrations.litellm_callback.HeadroomCallback
general_settings:
  master_key: {key}
"""
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}


@dataclass
class Proxy:
    url: str
    model: Model

    def post(self, dialect: str, name: str, **options: Any) -> httpx.Response:
        key = "input" if dialect == "responses" else "messages"
        body = {"model": name, key: conversation(dialect), "tools": TOOLS[dialect], **options}
        if dialect == "anthropic":
            body["max_tokens"] = 99
        headers = {"authorization": f"Bearer {KEY}"}
        return httpx.post(self.url + PATHS[dialect], json=body, headers=headers, timeout=60, trust_env=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    with Model(asks_once) as model:
        config = folder / "litellm_config.yaml"
        config.write_text(CONFIG.format(openai_url=model.openai_url, url=model.url, key=KEY), encoding="utf-8")
        process = _start(config, folder)
        try:
            yield Proxy(_address(process), model)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _start(config: Path, home: Path) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HEADROOM_HOME": str(home),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks the network for prices
        "PYTHONUNBUFFERED": "1",
    }
    program = "from litellm import run_server; run_server()"
    command = [sys.executable, "-c", program, "--config", str(config), "--host", "127.0.0.1", "--port", str(_free_port())]
    return subprocess.Popen(command, env=environment, cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _address(process: subprocess.Popen[str]) -> str:
    """Where the proxy listens, once it says so."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "Uvicorn running on" in line:
            threading.Thread(target=_read_on, args=[process.stdout], daemon=True).start()
            return line.partition("running on ")[2].split()[0]
    raise AssertionError("the proxy did not start:\n" + "".join(seen[-40:]))


def _read_on(output: IO[str]) -> None:
    """What nobody reads blocks who writes it."""
    with output:
        for _ in output:
            pass


@pytest.fixture
def proxy(running: Proxy) -> Proxy:
    running.model.clear()
    return running


def _requests(proxy: Proxy) -> list[Request]:
    """What the model was asked; the proxy also asks for the list of models, at a time of its own."""
    return [request for request in proxy.model.requests if request.method == "POST"]


@pytest.mark.parametrize("name", ["gpt", "claude"])
@pytest.mark.parametrize("dialect", [pytest.param(dialect, marks=answered(dialect)) for dialect in PATHS])
def test_every_endpoint_compresses_and_answers(proxy: Proxy, dialect: str, name: str) -> None:
    response = proxy.post(dialect, name)
    assert response.status_code == 200
    first, second = _requests(proxy)
    assert is_shorter(first)
    assert WANTED not in sent_output(first)
    assert WANTED in second.tool_outputs[1]
    assert '"found"' in response.text
    assert "headroom_retrieve" not in _calls(response.json())


@pytest.mark.parametrize("name", ["gpt", "claude"])
@pytest.mark.parametrize("dialect", PATHS)
def test_streams_are_folded_and_stay_streams(proxy: Proxy, dialect: str, name: str) -> None:
    response = proxy.post(dialect, name, stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    (request,) = _requests(proxy)
    assert is_shorter(request)
    assert WANTED in sent_output(request)
    assert request.tools == ["list_orders"]


def test_errors_of_the_provider_come_through(proxy: Proxy) -> None:
    response = proxy.post("openai", "no-such-model")
    assert response.status_code == 400
    assert _requests(proxy) == []


def _calls(body: dict[str, Any]) -> str:
    """The parts of a response in which a call of a tool would stand. Responses repeats the tools beside them."""
    return json.dumps([body.get(key) for key in ("choices", "content", "output")])
