"""How long a turn takes, ours beside headroom-ai 0.42.0 from the package index, in one run.

    python benchmarks/latency.py                    everything (about three minutes)
    python benchmarks/latency.py --no-peer          ours alone
    python benchmarks/latency.py --sessions FOLDER  recorded sessions: .jsonl files, one {"messages": [...]} a line

Prints tables in Markdown. Times vary with the machine: read the ratios, taken turn by turn in the same run. The peer
is installed into a virtual environment of its own, `.peers/`, on first use: it has our import name.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEER = "headroom-ai==0.42.0"
RECORDED = ROOT.parent / "shared" / "corpus" / "sessions"
LONGEST_SESSION = 60_000 * 4  # characters: as long as the session benchmark takes
IMPORT_RUNS = 5

ADVERSARIAL = [
    ("one line", 5_000_000),
    ("one word", 5_000_000),
    ("blank lines", 200_000),
    ("brackets", 10_000),
    ("open brackets", 1_000_000),
    ("markers", 100_000),
    ("surrogates", 100_000),
    ("NUL", 100_000),
    ("backslashes", 1_000_000),
    ("quotes", 1_000_000),
    ("broken JSON lines", 50_000),
    ("carriage returns", 200_000),
    ("escapes", 500_000),
]


class Side:
    """One product in one process."""

    def __init__(self, python: str) -> None:
        self._home = tempfile.TemporaryDirectory()
        environment = {**os.environ, "HEADROOM_HOME": self._home.name, "PYTHONDONTWRITEBYTECODE": ""}
        worker = str(Path(__file__).with_name("latency_worker.py"))
        self._process = subprocess.Popen(
            [python, worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=self._home.name
        )

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"error": "the process died"}

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._home.cleanup()


def peer_python() -> str:
    """The peer's interpreter; installs the peer first if need be."""
    folder = ROOT / ".peers" / PEER.replace("==", "-")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "ready").exists():
        print(f"installing {PEER} into {folder.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", PEER], check=True)
        (folder / "ready").touch()
    return str(python)


def sessions(folder: Path, limit: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(source, messages) of `limit` sessions of each source, spread over the file."""
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text().splitlines()
        for line in lines[:: max(1, len(lines) // limit)][:limit]:
            messages = json.loads(line)["messages"]
            if len(line) < LONGEST_SESSION:
                yield path.stem, messages


def growing_conversation(length: int) -> list[dict[str, Any]]:
    """A user, then calls and outputs of about 8,000 characters each: lists, logs and file views in turn."""
    dice = random.Random(7)
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Find out why checkout fails for some orders."}]
    number = 0
    while len(messages) < length:
        kind = number % 3
        salt = dice.randrange(10**6)
        if kind == 0:
            rows = [{"id": f"ord_{salt + i}", "status": dice.choice(["ok", "ok", "failed"]), "total": dice.randrange(10**4)} for i in range(140)]
            text = json.dumps(rows)
        elif kind == 1:
            lines = (f"2026-01-05 10:{i % 60:02d}:{dice.randrange(60):02d} INFO worker-{salt % 9} handled {salt + i} in {dice.randrange(90)} ms" for i in range(120))
            text = "\n".join(lines)
        else:
            text = "\n".join(f"{i + 1:6}\t    value_{salt}_{i} = compute(order, {dice.randrange(100)})" for i in range(150))
        call = {"id": f"c{number}", "type": "function", "function": {"name": f"tool_{kind}", "arguments": json.dumps({"page": number})}}
        messages.append({"role": "assistant", "content": f"Step {number}.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": text})
        number += 1
    return messages[:length]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def ratio(ours: float, theirs: float | None) -> list[str]:
    return [f"{ours:.2f}"] if theirs is None else [f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.1f}x"]


def start_times(pythons: list[str], first_messages: list[dict[str, Any]]) -> None:
    imports: list[list[float]] = [[] for _ in pythons]
    firsts: list[list[float]] = [[] for _ in pythons]
    loaded: list[str] = []
    for _ in range(IMPORT_RUNS):
        for position, python in enumerate(pythons):
            side = Side(python)
            hello = side.ask(do="hello")
            imports[position].append(hello["import_ms"])
            firsts[position].append(hello["import_ms"] + side.ask(do="turn", messages=first_messages)["ms"])
            loaded = loaded or hello["loaded"]
            side.close()
    medians = [[statistics.median(values) for values in times] for times in (imports, firsts)]
    rows = [[name, *ratio(m[0], m[1] if len(m) > 1 else None)] for name, m in zip(("import headroom", "import and first compress()"), medians, strict=True)]
    table(f"A new process, ms (median of {IMPORT_RUNS})", ["", "ours", "theirs", "times faster"][: len(rows[0])], rows)
    frameworks = {"langchain", "langchain_core", "agno", "litellm", "openai", "anthropic", "httpx", "starlette", "fastapi", "pydantic", "transformers"}
    print(f"\nframeworks imported by ours: {', '.join(sorted(frameworks & set(loaded))) or 'none'}")


def recorded_turns(sides: list[Side], folder: Path, limit: int) -> None:
    times: list[list[float]] = [[] for _ in sides]
    by_source: dict[str, int] = {}
    for source, messages in sessions(folder, limit):
        by_source[source] = by_source.get(source, 0) + 1
        for turn in [i for i, message in enumerate(messages) if message["role"] == "assistant" and i][:40]:
            for position, side in enumerate(sides):
                times[position].append(side.ask(do="turn", messages=messages[:turn]).get("ms", float("nan")))
    if not by_source:
        print(f"\n(no recorded sessions under {folder.name}: --sessions names a folder of them)")
        return
    rows = [[name, *ratio(*[percentile(t, share) for t in times], *([None] if len(times) == 1 else []))] for name, share in (("p50", 0.5), ("p95", 0.95))]
    title = f"A turn of a recorded session, ms ({len(times[0])} turns of {sum(by_source.values())} sessions, {len(by_source)} sources)"
    table(title, ["", "ours", "theirs", "times faster"][: len(rows[0])], rows)


def growing(sides: list[Side], length: int) -> None:
    messages = growing_conversation(length)
    times: list[dict[int, float]] = [{} for _ in sides]
    for turn in range(3, length + 1, 2):
        for position, side in enumerate(sides):
            times[position][turn] = side.ask(do="turn", messages=messages[:turn])["ms"]
    rows = []
    for name, centre in (("30th message", 31), (f"{length}th message", length - 7)):
        near = [statistics.median(t[k] for k in t if abs(k - centre) <= 7) for t in times]
        rows.append([name, *ratio(near[0], near[1] if len(near) > 1 else None)])
    near_30, near_end = float(rows[0][1]), float(rows[1][1])
    table(f"One more message of 8,000 characters, ms (median of 7 turns around it, conversation of {length})", ["", "ours", "theirs", "times faster"][: len(rows[0])], rows)
    print(f"\nlast turns against turns around the 30th, ours: {near_end / near_30:.2f} times")


def large(python: str) -> None:
    rows = []
    for kind, size in [("json", 10_000_000), ("log", 10_000_000), ("json", 1_000_000), ("log", 1_000_000), *ADVERSARIAL]:
        side = Side(python)
        side.ask(do="turn", messages=[{"role": "user", "content": "hello"}])
        answer = side.ask(do="large", kind=kind, size=size)
        side.close()
        if "error" in answer:
            rows.append([kind, f"{size:,}", answer["error"], "", "", ""])
            continue
        times_input = answer["megabytes"] / answer["input_megabytes"]
        rows.append([kind, f"{size:,}", f"{answer['input_megabytes']:.1f}", f"{answer['ms'] / 1e3:.2f}", f"{times_input:.1f}", f"{100 * answer['left']:.1f}%"])
    table("Large and hostile outputs, each in a new process", ["kind", "size", "MB", "seconds", "peak memory / input", "characters left"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--sessions", type=Path, default=RECORDED)
    parser.add_argument("--limit", type=int, default=6, help="sessions of each source")
    parser.add_argument("--length", type=int, default=300, help="messages of the growing conversation")
    parser.add_argument("--peer-python", help="an interpreter that has the peer already")
    arguments = parser.parse_args()
    pythons = [sys.executable]
    if not arguments.no_peer:
        pythons.append(arguments.peer_python or peer_python())
    first = growing_conversation(9)
    start_times(pythons, first)
    sides = [Side(python) for python in pythons]
    for side in sides:
        side.ask(do="turn", messages=first)
    recorded_turns(sides, arguments.sessions, arguments.limit)
    growing(sides, arguments.length)
    for side in sides:
        side.close()
    large(sys.executable)


if __name__ == "__main__":
    main()
