"""`headroom proxy` as users run it: a process of its own, in front of the scripted model."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).resolve().parents[2]


class ProxyProcess:
    """Started at once; `url` is where it listens. It must end by itself, and in time, when it is told to."""

    def __init__(self, model: ScriptedModel, home: Path, *options: str) -> None:
        upstream = ("--openai-url", model.openai_url, "--anthropic-url", model.url)
        command = [sys.executable, "-m", "headroom.cli", "proxy", "--port", "0", *upstream, *options]
        environment = {**os.environ, "HEADROOM_HOME": str(home)}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        assert "listens on " in line, line + self._process.stderr.read()
        self.url = line.split("listens on ")[1].split()[0]
        self._complaints: list[str] = []
        self._reader = threading.Thread(target=self._complaints.extend, args=(self._process.stderr,), daemon=True)
        self._reader.start()

    def __enter__(self) -> ProxyProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(30) in (0, -15), "".join(self._complaints)
        self._reader.join(5)
        assert self._process.stderr is not None
        self._process.stderr.close()
