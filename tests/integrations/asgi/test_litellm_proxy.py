"""Around LiteLLM's own proxy: its requests to the providers are shorter, in every dialect that it speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.scripted_model import ScriptedModel
from tests.wire.talks import DIALECTS, PATHS, body_of, messages

KEY = "sk-for-this-test-alone-0123456789abcdef"
PROGRAM = """
import os, sys, uvicorn
os.environ["CONFIG_FILE_PATH"] = sys.argv[1]
from litellm.proxy.proxy_server import app
from headroom.integrations.asgi import CompressionMiddleware
uvicorn.run(CompressionMiddleware(app), host="127.0.0.1", port=0, log_level="info")
"""


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(["hi"]) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def proxy(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of LiteLLM's proxy, in a process of its own with an environment of its own."""
    home = tmp_path_factory.mktemp("litellm")
    models = [
        {"model_name": "m", "litellm_params": {"model": "openai/m", "api_base": model.openai_url, "api_key": "none"}},
        {"model_name": "c", "litellm_params": {"model": "anthropic/c", "api_base": model.url, "api_key": "none"}},
    ]
    config = home / "config.yaml"
    config.write_text(json.dumps({"model_list": models}))  # JSON is YAML
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HEADROOM_HOME": str(home / "headroom"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": KEY,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    command = [sys.executable, "-c", PROGRAM, str(config)]
    with subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "running on http" in line:
                break
        else:
            pytest.fail("".join(said[-20:]))
        try:
            yield line.split("running on ")[1].split()[0]
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_it_sends_is_shorter(proxy: str, model: ScriptedModel, dialect: str, stream: bool) -> None:
    body = body_of(dialect, messages(dialect), stream=stream, **({"max_tokens": 9} if dialect == "anthropic" else {}))
    body["model"] = "c" if dialect == "anthropic" else "m"
    model.clear()
    answer = httpx.post(proxy + PATHS[dialect], json=body, headers={"authorization": f"Bearer {KEY}"}, verify=False, timeout=60)
    assert answer.status_code == 200, answer.text
    assert "hi" in answer.text
    assert int(answer.headers["x-headroom-tokens-saved"]) > 1_000
    assert len(model.requests[-1].raw) < len(json.dumps(body)) / 2
