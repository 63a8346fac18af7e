"""The proxy, the ASGI middleware and the library under mixed load, while everything around them fails.

    python benchmarks/soak.py                   ten minutes
    python benchmarks/soak.py --seconds 180

The proxy runs as a process, and the library with the middleware as another; both use one store. A third of the
requests through the proxy meet a fault: the provider answers 429 or 500, resets the connection in the middle, or the
client goes away; and every 20 seconds another process locks the store for 3. An error of ours is any answer that the
provider did not give. Memory and open files are sampled; the slopes are those of the last two thirds and of the last
third of the time: everything is loaded then, and what is remembered has filled the room it may take. Linux, for /proc.
Prints tables in Markdown; ends with 1 if there was an error of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from soak_worker import conversation
from tables import table

HERE = Path(__file__).resolve().parent
CLIENTS = 6
FAULTS = ("", "", "", "", "", "", "429", "500", "reset", "leaves")
OUTAGE_EVERY, OUTAGE = 20.0, 3.0
PAUSE = 0.1
SAMPLE_SECONDS = 2.0


# --- clients ------------------------------------------------------------------------------------------------------------


async def client(port: int, number: int, until: float, counts: Counter[str]) -> None:
    """Requests of one agent, each on a connection of its own."""
    dice, turn = random.Random(number), 0
    while time.monotonic() < until:
        turn += 1
        fault, stream, mark = dice.choice(FAULTS), dice.random() < 0.6, number * 1_000_000 + turn
        words = f"NUMBER:{mark} " + (f"FAULT:{fault}" if fault else "")
        body = json.dumps({"model": "gpt-4o", "stream": stream, "messages": conversation(dice, words)}).encode()
        counts["requests"] += 1
        try:
            status, answer, ended = await asyncio.wait_for(ask(port, body, leave=fault == "leaves"), 60)
        except Exception as error:
            status, answer, ended = 0, repr(error).encode(), False
        what = verdict(fault, stream, mark, status, answer, ended)
        counts[what] += 1
        if what.startswith("ERROR"):
            print(f"{what} fault={fault!r} stream={stream} status={status} ended={ended} {answer[:300]!r}", file=sys.stderr)
        await asyncio.sleep(PAUSE)


async def ask(port: int, body: bytes, leave: bool) -> tuple[int, bytes, bool]:
    """Status, body, and whether the answer came to its end; (0, b"", False) after leaving."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        writer.write(head.encode() + b"authorization: Bearer made-up\r\nconnection: close\r\n\r\n" + body)
        await writer.drain()
        if leave:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read(200), 0.02)
            writer.transport.abort()
            return 0, b"", False
        raw = await reader.read(-1)
    finally:
        writer.close()
    lines, _, rest = raw.partition(b"\r\n\r\n")
    length = re.search(rb"content-length:\s*(\d+)", lines, re.IGNORECASE)
    ended = len(rest) == int(length[1]) if length else rest.endswith(b"0\r\n\r\n")
    return int(lines.split()[1]) if lines else 0, rest, ended


def verdict(fault: str, stream: bool, mark: int, status: int, answer: bytes, ended: bool) -> str:
    """What became of a request."""
    if fault == "leaves":
        return "left by the client"
    if fault in ("429", "500"):
        return f"the provider's {fault} passed on" if status == int(fault) and ended else "ERROR: a refusal was not passed on"
    if fault == "reset":
        if stream:  # the beginning had been passed on: it must not look like a whole answer
            return "a reset passed on" if b"[DONE]" not in answer else "ERROR: a cut stream looks whole"
        return "a reset passed on" if status >= 500 or not ended else "ERROR: a cut answer looks whole"
    right = status == 200 and ended and str(mark).encode() in answer and (not stream or b"[DONE]" in answer)
    return "answered in full" if right else "ERROR: not the provider's answer"


# --- faults and samples -------------------------------------------------------------------------------------------------


async def outages(store: Path, until: float, counts: Counter[str]) -> None:
    """Lock the store, as a process that hangs in the middle of a write would."""
    while time.monotonic() + OUTAGE_EVERY < until:
        await asyncio.sleep(OUTAGE_EVERY - OUTAGE)
        connection = sqlite3.connect(store, timeout=5, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            counts["outages"] += 1
            await asyncio.sleep(OUTAGE)
        except sqlite3.OperationalError:
            counts["outages that could not be made"] += 1
        finally:
            connection.close()


async def samples(processes: dict[str, int], until: float, taken: dict[str, list[tuple[float, float, int]]]) -> None:
    """(seconds, resident MB, open files) of each process."""
    start = time.monotonic()
    while time.monotonic() < until - 3:
        for name, process in processes.items():
            with contextlib.suppress(OSError, IndexError, AttributeError):
                status = Path(f"/proc/{process}/status").read_text()
                found = re.search(r"VmRSS:\s+(\d+)", status)
                size = int(found[1]) / 1024 if found else float("nan")
                taken[name].append((time.monotonic() - start, size, len(os.listdir(f"/proc/{process}/fd"))))  # noqa: PTH208
        await asyncio.sleep(SAMPLE_SECONDS)


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line through the points, a minute."""
    if len(points) < 2:
        return float("nan")
    middle, height = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - middle) ** 2 for x, _ in points)
    return 60 * sum((x - middle) * (y - height) for x, y in points) / spread if spread else float("nan")


# --- processes ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def started(command: list[str], home: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    environment = {"PATH": os.environ["PATH"], "HOME": home, "HEADROOM_HOME": home}
    with subprocess.Popen([sys.executable, *command], env=environment, text=True, cwd=home, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def listening(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    line = process.stderr.readline()
    if "listens on" not in line:
        raise SystemExit(line + process.stderr.read())
    port = int(line.split()[4].rpartition(":")[2])
    for _ in range(600):
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            if answer.status == 200:
                return port
        time.sleep(0.1)
    raise SystemExit("the proxy does not get ready")


async def soak(seconds: float, port: int, home: Path, pids: dict[str, int]) -> tuple[Counter[str], dict[str, list[Any]]]:
    """All at once, until the time is over."""
    until, counts = time.monotonic() + seconds, Counter({"outages": 0})
    taken: dict[str, list[Any]] = {name: [] for name in pids}
    clients = [client(port, number, until, counts) for number in range(1, CLIENTS + 1)]
    await asyncio.gather(*clients, outages(home / "originals.sqlite3", until, counts), samples(pids, until, taken))
    return counts, taken


def main() -> None:
    """Start everything, wait, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, contextlib.ExitStack() as stack:
        log = stack.enter_context((Path(home) / "proxy.log").open("w"))
        model = stack.enter_context(started([str(HERE / "soak_upstream.py")], home, stdout=subprocess.PIPE))
        assert model.stdout is not None
        url = f"http://127.0.0.1:{int(model.stdout.readline())}/v1"
        command = ["-c", "from headroom.cli import app; app()", "proxy", "--port", "0", "--openai-url", url]
        proxy = stack.enter_context(started(command, home, stdout=log, stderr=subprocess.PIPE))
        port = listening(proxy)
        drain = stack.enter_context(subprocess.Popen(["cat"], stdin=proxy.stderr, stdout=log))  # a full pipe would stop the proxy
        worker = stack.enter_context(started([str(HERE / "soak_worker.py"), str(seconds), "1"], home, stdout=subprocess.PIPE, stderr=log))
        counts, taken = asyncio.run(soak(seconds, port, Path(home), {"proxy": proxy.pid, "library and middleware": worker.pid}))
        of_worker = json.loads(worker.communicate(timeout=60)[0] or '{"errors of ours": 1}')
        alive = proxy.poll() is None
        proxy.kill()
        drain.wait(10)
    report(seconds, counts, of_worker, taken)
    wrong = ("errors of ours", "library: wrong originals", "library: originals lost", "middleware: wrong answers")
    bad = sum(times for what, times in counts.items() if what.startswith("ERROR")) + sum(of_worker.get(what, 0) for what in wrong)
    print(f"\nErrors of ours: {bad}. The proxy {'still runs' if alive else 'HAS ENDED'}.")
    sys.exit(bool(bad) or not alive)


def report(seconds: float, counts: Counter[str], of_worker: dict[str, int], taken: dict[str, list[Any]]) -> None:
    """Three tables."""
    table(f"Through the proxy, {seconds:.0f} s", ["what", "times"], [[what, f"{times:,}"] for what, times in sorted(counts.items())])
    table("Library and middleware", ["what", "times"], [[what, f"{times:,}"] for what, times in sorted(of_worker.items())])
    rows = []
    for name, points in taken.items():
        late = [point for point in points if point[0] > seconds / 3]
        if not late:
            continue
        sizes, files = [(when, size) for when, size, _ in late], [(when, float(open_files)) for when, _, open_files in late]
        last = [(when, size) for when, size in sizes if when > seconds * 2 / 3]
        rows.append([name, f"{points[0][1]:.0f}", f"{late[0][1]:.1f}", f"{late[-1][1]:.1f}", f"{slope(sizes):+.2f}", f"{slope(last):+.2f}"])
        rows[-1] += [f"{late[0][2]}", f"{late[-1][2]}", f"{max(point[2] for point in points)}", f"{slope(files):+.2f}"]
    head = [
        "process",
        "MB at first",
        "MB after a third",
        "MB at the end",
        "MB a minute",
        "in the last third",
        "files after a third",
        "at the end",
        "most",
        "a minute",
    ]
    table("Memory and open files", head, rows)


if __name__ == "__main__":
    main()
