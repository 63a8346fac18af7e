"""Coding agents from npm, headless, through the proxy: they work as ever, their model reads less and can look things up.

Each starts with an emptied environment, a dummy key and a home of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import node
from tests.clients.proxy_process import ProxyProcess
from tests.clients.wire import LOG, assert_prefixes_repeat, conversations
from tests.scripted_model import Call, Reply, Request, ScriptedModel

VERSIONS = {"@anthropic-ai/claude-code": "2.1.330", "@openai/codex": "0.169.0", "opencode-ai": "1.18.33"}
QUESTION = "Which request was slowest in service.log?"
LAST_WORDS = "Request 82 of each round took 82 ms."


@dataclass(frozen=True)
class Agent:
    """How one agent reads a file, and how it is started."""

    reads: Call
    command: list[str]
    environment: dict[str, str]


@pytest.fixture(scope="module")
def modules() -> Path:
    """The agents, installed once into .venv and kept for later runs."""
    return node.installed("agents", VERSIONS)


def _agents(url: str, work: Path, modules: Path) -> dict[str, Agent]:
    log = str(work / "service.log")
    claude = Agent(
        Call("Read", {"file_path": log}),
        [str(next(modules.glob("@anthropic-ai/claude-code-*/claude"))), "-p", QUESTION, "--allowedTools", "Read"],
        {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "dummy",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
        },
    )
    provider = f'{{name="headroom", base_url="{url}/v1", env_key="OPENAI_API_KEY", wire_api="responses"}}'
    codex = Agent(
        Call("exec_command", {"cmd": "cat service.log", "max_output_tokens": 20_000}),
        ["codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-m", "gpt-5",
         "-c", 'model_provider="headroom"', "-c", f"model_providers.headroom={provider}", QUESTION],
        {"OPENAI_API_KEY": "dummy"},
    )  # fmt: skip
    local = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": "dummy"},
        "models": {"scripted": {"limit": {"context": 200_000, "output": 8_000}}},
    }
    opencode = Agent(
        Call("read", {"filePath": log}),
        [str(next(modules.glob("opencode-*/bin/opencode"))), "run", QUESTION],
        {
            "OPENCODE_CONFIG_CONTENT": json.dumps({"model": "local/scripted", "share": "disabled", "provider": {"local": local}}),
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        },
    )
    return {"claude": claude, "codex": codex, "opencode": opencode}


@pytest.mark.parametrize("name", ["claude", "codex", "opencode"])
def test_an_agent_reads_a_log(name: str, tmp_path: Path, modules: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    (work / "service.log").write_text(LOG, encoding="utf-8")
    agents: dict[str, Agent] = {}

    def script(request: Request) -> Reply | str:
        if len(request.tools) < 4:
            return "A title"
        outputs = len(request.tool_outputs)
        if outputs == 0:
            return Reply("I read it.", calls=(agents[name].reads,))
        if outputs == 1:
            return Reply(calls=(Call("headroom_retrieve", {"ref": request.references[0], "query": "/v2/orders/12580"}),))
        return LAST_WORDS

    with ScriptedModel(script) as model, ProxyProcess(model, tmp_path / "headroom") as proxy:
        agents |= _agents(proxy.url, work, modules)
        agent = agents[name]
        environment = {**agent.environment, "PATH": f"{modules / '.bin'}:{node.folder()}:/usr/bin:/bin", "HOME": str(home), "TERM": "dumb"}
        done = subprocess.run(
            agent.command, cwd=work, env=environment, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert LAST_WORDS in done.stdout + done.stderr
    seen = re.sub(r"\[[^\]]*headroom_retrieve ref=[^\]]*\]", "", done.stdout)  # but for markers
    assert "headroom_retrieve" not in seen, "the agent saw a call that is ours"
    first, second, third = conversations(model.requests)
    assert "headroom_retrieve" in first.tools
    assert first.tools == second.tools == third.tools
    (shown,) = second.tool_outputs
    assert 0 < len(shown) < len(LOG) * 0.6
    found = third.tool_outputs[-1]
    assert "/v2/orders/12580 in 8 ms" in found
    assert_prefixes_repeat([first, second, third])
