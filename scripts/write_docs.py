"""Puts what commands really print into the documents: run it after a change of output (`just docs`).

A comment `<!-- output of: COMMAND -->` stands before each block that it writes. With --check nothing is written, and
the exit code is 1 if a block is out of date; the tests do that.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- output of: (.+?) -->\n```text\n)(.*?)(?=```$)", re.DOTALL | re.MULTILINE)


def documents() -> list[Path]:
    """Every page that may hold such a block."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def output_of(command: str) -> str:
    """What `command` prints, run from the root with a store of its own."""
    with tempfile.TemporaryDirectory(prefix="headroom-docs-", ignore_cleanup_errors=True) as home:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        environment = {**os.environ, "PATH": path, "HEADROOM_HOME": home, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        sys.exit(f"{command}\nfailed: {done.stderr.decode(errors='replace')}")
    lines = [line.rstrip() for line in done.stdout.decode().splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def written(page: str) -> str:
    """The page with the output of today in its blocks."""
    return BLOCK.sub(lambda block: block[1] + output_of(block[2]), page)


def main(check: bool) -> int:
    """Write, or with `check` only compare, every document."""
    stale = []
    for path in documents():
        before = path.read_text(encoding="utf-8")
        after = written(before)
        if after != before:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(after, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {', '.join(stale)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
