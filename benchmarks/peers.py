"""The products that are measured: where each is installed, which adapter speaks to it, and the process that it runs in.

Each peer has a virtual environment of its own under `.peers/`: one of them has our import name. It is made on first
use. Every process starts with an empty home folder, so nothing that an earlier run left behind counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ADAPTERS = Path(__file__).resolve().parent / "adapters"


@dataclass(frozen=True)
class Product:
    """Something that shortens conversations, with its settings."""

    name: str
    adapter: str
    """A file in `adapters/`."""
    requirement: str = ""
    """What to install for it; empty: it runs where we do."""
    options: dict[str, Any] = field(default_factory=dict)

    def start(self) -> Side:
        """A process of it, installed first if need be."""
        return Side(python_with(self.requirement), ADAPTERS / self.adapter, json.dumps(self.options))


OURS = Product("ours", "ours.py")

PEERS = MappingProxyType(
    {
        peer.name: peer
        for peer in (
            Product("head-and-tail", "head_and_tail.py"),
            Product("headroom-ai", "headroom_ai.py", "headroom-ai==0.42.0"),
            Product("distil-llm", "distil_llm.py", "distil-llm==1.58.0"),
            Product("furl-ctx", "furl.py", "furl-ctx==1.4.0"),
            Product("secondwind", "secondwind_session.py", "secondwind==0.5.1"),
            Product("langchain", "langchain_clearing.py", "langchain==1.4.7"),
        )
    }
)
DEFAULT_PEERS = "head-and-tail"


def named(names: str) -> list[Product]:
    """The peers of a list such as "furl-ctx,langchain", "all" or "none". ValueError for a name that nobody has."""
    if names == "none":
        return []
    wanted = list(PEERS) if names == "all" else [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in PEERS]
    if unknown:
        raise ValueError(f"no peer is called {', '.join(unknown)} (there are: {', '.join(PEERS)}, all, none)")
    return [PEERS[name] for name in wanted]


def python_with(requirement: str) -> str:
    """The interpreter of a virtual environment that has `requirement`; ours if there is none."""
    if not requirement:
        return sys.executable
    folder = ROOT / ".peers" / requirement.replace("==", "-")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "ready").exists():
        print(f"installing {requirement} into {folder.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", requirement], check=True)
        (folder / "ready").touch()
    return str(python)


class Side:
    """One product in one process that answers JSON lines with JSON lines."""

    def __init__(self, python: str, script: Path, *arguments: str) -> None:
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        home = Path(self._home.name)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HEADROOM_", "XDG_"))}
        if python != sys.executable:
            inherited.pop("PYTHONPATH", None)  # or a peer could import us in place of itself
        own = {"HOME": str(home), "HEADROOM_HOME": str(home / "headroom"), "HEADROOM_TELEMETRY": "off", "PYTHONDONTWRITEBYTECODE": ""}
        self._complaints = home / "stderr.txt"
        with self._complaints.open("wb") as stderr:
            self._process = subprocess.Popen(
                [python, str(script), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**inherited, **own},
                cwd=home,
            )

    def ask(self, **order: Any) -> dict[str, Any]:
        """The answer; {"error": why} if the order failed or the process died."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": f"the process died: {self._last_words()}"}
        return answer

    def demand(self, **order: Any) -> dict[str, Any]:
        """The answer; RuntimeError if the order failed or the process died."""
        answer = self.ask(**order)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process and remove its home."""
        self._process.kill()
        self._process.communicate()
        self._home.cleanup()

    def _last_words(self) -> str:
        lines = self._complaints.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "without a word"
