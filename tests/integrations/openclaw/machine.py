"""OpenClaw itself, from npm, with a home of its own: installed, configured and run as its users do, headless."""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import node

VERSION = "2026.9.6"
PATIENCE = 180
"""Seconds for one command: a turn takes ten, and five times that on a busy machine."""

Json = dict[str, Any]


def openclaw() -> Path:
    """The program, installed once into .venv and kept for later runs."""
    return node.installed("openclaw", {"openclaw": VERSION}) / "openclaw" / "openclaw.mjs"


def tarball(to: Path) -> Path:
    """The plugin, built and packed as it would be published, in the folder `to`."""
    from fcntl import LOCK_EX, flock  # not on Windows

    with (node.ROOT / ".venv" / "packages.lock").open("w") as lock:
        flock(lock, LOCK_EX)  # other workers build in the same place
        _pack(to)
    return next(to.glob("*.tgz"))


def _pack(to: Path) -> None:
    packages = node.ROOT / "packages"
    if not (packages / "node_modules" / "esbuild").exists():
        _npm(packages, "install", "--ignore-scripts", "--loglevel=error")
    _npm(packages, "run", "--silent", "build")
    _npm(packages / "headroom-openclaw", "pack", "--silent", "--pack-destination", str(to))


def _npm(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["npm", *arguments], cwd=folder, env=node.environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Headroom:
    """A Headroom as a process of its own, which can be killed."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-m", "headroom.cli", "proxy", "--port", "0"]
        environment = {**os.environ, "HEADROOM_HOME": str(home)}
        self.process = subprocess.Popen(command, env=environment, cwd=node.ROOT, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        self.url = line.split("listens on ")[1].split()[0]
        self._rest = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._rest.start()

    def kill(self) -> None:
        """At once, as a crash would end it."""
        self.process.kill()
        self.process.wait()
        self._rest.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()


class Machine:
    """A home with OpenClaw in it, whose model is at `model_url` (OpenAI's dialect)."""

    def __init__(self, folder: Path, model_url: str) -> None:
        self.program = openclaw()
        self.workspace = folder / "workspace"
        for path in (self.workspace, folder / "home", folder / "state"):
            path.mkdir(parents=True)
        self._config = folder / "state" / "openclaw.json"
        self._token = secrets.token_hex(8)
        self._environment = node.environment(
            HOME=str(folder / "home"),
            OPENCLAW_STATE_DIR=str(folder / "state"),
            OPENCLAW_CONFIG_PATH=str(self._config),
            OPENCLAW_DISABLE_UPDATE_CHECK="1",
            OPENCLAW_GATEWAY_TOKEN=self._token,
            NO_COLOR="1",
        )
        self._port = free_port()
        self._config.write_text(json.dumps(self._settings(model_url)), encoding="utf-8")

    def _settings(self, model_url: str) -> Json:
        costs = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), 0)
        model = {"id": "m", "name": "m", "reasoning": False, "input": ["text"], "cost": costs, "contextWindow": 120_000, "maxTokens": 4_096}
        provider = {"baseUrl": model_url, "apiKey": "sk-local", "api": "openai-completions", "models": [model]}
        gateway = {"mode": "local", "port": self._port, "bind": "loopback", "auth": {"mode": "token", "token": self._token}}
        defaults = {"workspace": str(self.workspace), "skipBootstrap": True, "model": {"primary": "scripted/m"}}
        return {"models": {"providers": {"scripted": provider}}, "agents": {"defaults": defaults}, "gateway": gateway}

    @property
    def config(self) -> Json:
        """openclaw.json."""
        found: Json = json.loads(self._config.read_text(encoding="utf-8"))
        return found

    def configure_plugin(self, **config: Any) -> None:
        """What a user writes under plugins.entries.headroom.config."""
        settings = self.config
        settings["plugins"]["entries"]["headroom"]["config"] = config
        self._config.write_text(json.dumps(settings), encoding="utf-8")

    def run(self, *arguments: str) -> tuple[str, str]:
        """(stdout, stderr) of `openclaw ARGUMENTS`; AssertionError if it fails."""
        done = subprocess.run(
            ["node", str(self.program), *arguments], env=self._environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, done.stderr

    def say(self, message: str, *flags: str, session: str = "s1") -> tuple[str, str]:
        """(the agent's words, what was logged) of one turn."""
        out, logged = self.run("agent", *flags, "--session-id", session, "--message", message, "--json")
        answer = json.loads(out[out.index("{") :])
        payloads = answer.get("payloads") or answer.get("result", {}).get("payloads") or []
        return "\n".join(payload.get("text") or "" for payload in payloads), logged

    def install_plugin(self, file: Path) -> str:
        """`openclaw plugins install FILE` in a terminal, as a person does who answers yes to each question; what it said."""
        from pty import openpty  # not on Windows

        terminal, theirs = openpty()
        command = ["node", str(self.program), "plugins", "install", str(file)]
        process = subprocess.Popen(command, env=self._environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        said, answered, until = "", 0, time.monotonic() + PATIENCE
        while time.monotonic() < until:
            piece = _read(terminal)
            if piece is None:
                break
            said += piece
            if said.count("[y/N]") > answered:
                answered += 1
                os.write(terminal, b"y\r")
        os.close(terminal)
        assert process.wait(10) == 0, said
        return said

    @contextmanager
    def gateway(self) -> Iterator[Path]:
        """Runs while the `with` lasts; yields its log."""
        log = self.workspace.parent / "gateway.log"
        command = ["node", str(self.program), "gateway", "run", "--port", str(self._port)]
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(command, env=self._environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + PATIENCE
            while not listens(self._port):
                assert process.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
                time.sleep(0.2)  # another program's start: nothing tells us but its port
            yield log
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _read(terminal: int) -> str | None:
    if not select.select([terminal], [], [], 1)[0]:
        return ""
    try:
        return os.read(terminal, 65_536).decode("utf-8", "replace") or None
    except OSError:  # the other side is gone
        return None


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody does."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
