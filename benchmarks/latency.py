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
import random
import statistics
import sys
from pathlib import Path
from typing import Any

import recorded
from peers import PEERS, Side, python_with
from tables import percentile, table

WORKER = Path(__file__).resolve().with_name("latency_worker.py")
IMPORT_RUNS = 5
FRAMEWORKS = frozenset(
    ("langchain", "langchain_core", "agno", "litellm", "openai", "anthropic", "httpx", "starlette", "fastapi", "pydantic", "transformers")
)
"""None of these may be loaded by `import headroom`."""

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


def growing_conversation(length: int) -> list[dict[str, Any]]:
    """A user, then calls and outputs of about 8,000 characters each: lists, logs and file views in turn."""
    dice = random.Random(7)
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Find out why checkout fails for some orders."}]
    number = 0
    while len(messages) < length:
        kind = number % 3
        salt = dice.randrange(10**6)
        if kind == 0:
            statuses = [(dice.choice(["ok", "ok", "failed"]), dice.randrange(10**4)) for _ in range(140)]
            text = json.dumps([{"id": f"ord_{salt + i}", "status": status, "total": total} for i, (status, total) in enumerate(statuses)])
        elif kind == 1:
            times = [(i, dice.randrange(60), dice.randrange(90)) for i in range(120)]
            line = "2026-01-05 10:{:02d}:{:02d} INFO worker-{} handled {} in {} ms"
            text = "\n".join(line.format(i % 60, seconds, salt % 9, salt + i, ms) for i, seconds, ms in times)
        else:
            text = "\n".join(f"{i + 1:6}\t    value_{salt}_{i} = compute(order, {dice.randrange(100)})" for i in range(150))
        call = {"id": f"c{number}", "type": "function", "function": {"name": f"tool_{kind}", "arguments": json.dumps({"page": number})}}
        messages.append({"role": "assistant", "content": f"Step {number}.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": text})
        number += 1
    return messages[:length]


def ratio(ours: float, theirs: float | None) -> list[str]:
    return [f"{ours:.2f}"] if theirs is None else [f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.1f}x"]


def beside(
    names: tuple[str, ...], ours: list[float], theirs: list[float] | None, better: str = "times faster"
) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table: each name with our number, theirs and the ratio, if there are theirs."""
    rows = [[name, *ratio(ours[at], theirs[at] if theirs else None)] for at, name in enumerate(names)]
    return ["", "ours", "theirs", better][: len(rows[0])], rows


def start_times(pythons: list[str], first_messages: list[dict[str, Any]]) -> None:
    imports: list[list[float]] = [[] for _ in pythons]
    firsts: list[list[float]] = [[] for _ in pythons]
    loaded: list[str] = []
    for _ in range(IMPORT_RUNS):
        for position, python in enumerate(pythons):
            side = Side(python, WORKER)
            hello = side.demand(do="hello")
            imports[position].append(hello["import_ms"])
            firsts[position].append(hello["import_ms"] + side.demand(do="turn", messages=first_messages)["ms"])
            loaded = loaded or hello["loaded"]
            side.close()
    medians = [[statistics.median(values) for values in times] for times in zip(imports, firsts, strict=True)]
    names = ("import headroom", "import and first compress()")
    table(f"A new process, ms (median of {IMPORT_RUNS})", *beside(names, medians[0], medians[1] if len(medians) > 1 else None))
    print(f"\nframeworks imported by ours: {', '.join(sorted(FRAMEWORKS & set(loaded))) or 'none'}")


def recorded_turns(sides: list[Side], sessions: list[recorded.Session]) -> None:
    times: list[list[float]] = [[] for _ in sides]
    for session in sessions:
        messages = session.messages
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant" and i]
        for position, side in enumerate(sides):  # session by session: turn by turn, each would find the caches the other left
            times[position] += [side.ask(do="turn", messages=messages[:turn]).get("ms", float("nan")) for turn in turns]
    if not sessions:
        print("\n(no recorded sessions: --sessions names a folder of them)")
        return
    shares = [[percentile(own, share) for share in (0.5, 0.95)] for own in times]
    sources = len({session.source for session in sessions})
    title = f"A turn of a recorded session, ms ({len(times[0])} turns of {len(sessions)} sessions, {sources} sources)"
    table(title, *beside(("p50", "p95"), shares[0], shares[1] if len(shares) > 1 else None))


def growing(sides: list[Side], length: int) -> None:
    messages = growing_conversation(length)
    times: list[dict[int, float]] = [{} for _ in sides]
    for turn in range(3, length + 1, 2):
        for position, side in enumerate(sides):
            times[position][turn] = side.demand(do="turn", messages=messages[:turn])["ms"]
    centres = {"30th message": 31, f"{length}th message": length - 7}
    near = [[statistics.median(t[k] for k in t if abs(k - centre) <= 7) for centre in centres.values()] for t in times]
    title = f"One more message of 8,000 characters, ms (median of 7 turns around it, conversation of {length})"
    table(title, *beside(tuple(centres), near[0], near[1] if len(near) > 1 else None))
    print(f"\nlast turns against turns around the 30th, ours: {near[0][1] / near[0][0]:.2f} times")


def memory(side: Side) -> float:
    """The most that this product's process ever held, in MB."""
    return float(side.demand(do="memory")["megabytes"])


def large(python: str) -> None:
    rows = []
    for kind, size in [("json", 10_000_000), ("log", 10_000_000), ("json", 1_000_000), ("log", 1_000_000), *ADVERSARIAL]:
        side = Side(python, WORKER)
        side.ask(do="turn", messages=[{"role": "user", "content": "hello"}])
        answer = side.ask(do="large", kind=kind, size=size)
        side.close()
        if "error" in answer:
            rows.append([kind, f"{size:,}", answer["error"], "", "", ""])
            continue
        megabytes = answer["input_megabytes"]
        numbers = [
            f"{megabytes:.1f}",
            f"{answer['ms'] / 1e3:.2f}",
            f"{answer['megabytes'] / megabytes:.1f}",
            f"{100 * answer['left']:.1f}%",
        ]
        rows.append([kind, f"{size:,}", *numbers])
    head = ["kind", "size", "MB", "seconds", "peak memory / input", "characters left"]
    table("Large and hostile outputs, each in a new process", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--sessions", type=Path, default=recorded.FOLDER)
    parser.add_argument("--limit", type=int, default=6, help="sessions of each source")
    parser.add_argument("--length", type=int, default=300, help="messages of the growing conversation")
    parser.add_argument("--peer-python", help="an interpreter that has the peer already")
    arguments = parser.parse_args()
    pythons = [sys.executable]
    if not arguments.no_peer:
        pythons.append(arguments.peer_python or python_with(PEERS["headroom-ai"].requirement))
    first = growing_conversation(9)
    start_times(pythons, first)
    sides = [Side(python, WORKER) for python in pythons]
    for side in sides:
        side.ask(do="turn", messages=first)
    peaks = [[memory(side)] for side in sides]
    recorded_turns(sides, list(recorded.sessions(arguments.sessions, recorded.Choice(arguments.limit, max_turns=40))))
    for own, side in zip(peaks, sides, strict=True):
        own.append(memory(side))
    growing(sides, arguments.length)
    for own, side in zip(peaks, sides, strict=True):
        own.append(memory(side))
    names = ("after the first call", "after the recorded sessions", "after the growing conversation")
    table("Peak memory of the process, MB", *beside(names, peaks[0], peaks[1] if len(peaks) > 1 else None, "times less"))
    for side in sides:
        side.close()
    large(sys.executable)


if __name__ == "__main__":
    main()
