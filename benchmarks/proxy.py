"""What the proxy costs: latency added to a direct connection, delay of streams, memory; headroom-ai 0.42.0's beside it.

    python benchmarks/proxy.py                 everything (about twenty minutes)
    python benchmarks/proxy.py --no-peer       ours alone
    python benchmarks/proxy.py --quick         two short rounds at 50 streams, ours alone

One scripted model on this machine answers all. Direct and proxied requests take turns in the same run, so that a busy
machine slows both; what is added is the difference of the quantiles. Each request is an agent's next turn: 20 KB of
tool output, never seen before ("new"), or in the history already ("known"), as in all turns of a conversation but one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from peers import python_with
from proxy_requests import Turns
from tables import percentile, table

HERE = Path(__file__).resolve().parent
PEER = "headroom-ai[proxy]==0.42.0"
_STAMP = re.compile(rb'"text":\s*"at (\d+) ')


@dataclass(frozen=True)
class Load:
    """`streams` at once; each thinks, then speaks in `chunks` with a `gap` between; `rounds` requests by each client."""

    streams: int
    rounds: int
    think: float
    chunks: int
    gap: float


LOADS = (Load(1, 30, 0.05, 20, 0.01), Load(50, 5, 1.0, 40, 0.05), Load(500, 1, 5.0, 40, 0.25))
QUICK = (Load(50, 3, 1.0, 40, 0.05),)
MEMORY_REQUESTS, MEMORY_AT_ONCE = 10_000, 8


@dataclass
class Measured:
    """Seconds: until the first byte, and for each chunk from its writing to its arrival."""

    first: list[float] = field(default_factory=list)
    chunks: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, other: Measured) -> None:
        self.first += other.first
        self.chunks += other.chunks
        self.errors += other.errors


class Client:
    """One connection that is kept open, written on and read from by hand."""

    def __init__(self, side: str, port: int, turns: Turns) -> None:
        self.side = side
        self.port = port
        self.turns = turns
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, body: bytes, measured: Measured) -> None:
        try:
            if self.streams is not None and self.streams[0].at_eof():  # closed by the other side while nothing was asked
                self.close()
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
            await self._ask(body, measured, *self.streams)
        except (OSError, asyncio.IncompleteReadError) as error:
            measured.errors.append(repr(error))
            self.close()

    async def _ask(self, body: bytes, measured: Measured, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-api-key: {self.side}\r\n"
        began = time.monotonic_ns()
        writer.write(f"{head}anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer[:16]:
            raise OSError(answer[:60])
        measured.first.append((time.monotonic_ns() - began) / 1e9)
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        if length:
            await reader.readexactly(int(length[1]))
            return
        while size := int(await reader.readuntil(b"\r\n"), 16):
            chunk = await reader.readexactly(size + 2)
            now = time.monotonic_ns()
            measured.chunks += [(now - int(stamp)) / 1e9 for stamp in _STAMP.findall(chunk)]
        await reader.readexactly(2)

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def run_load(load: Load, ports: dict[str, int], known: bool) -> dict[str, Measured]:
    """All sides take turns: a round of direct requests, a round through each proxy, and so on."""
    measured = {name: Measured() for name in ports}
    clients = {
        name: [Client(name, port, Turns(f"{name} {load.streams} {number}", known)) for number in range(load.streams)]
        for name, port in ports.items()
    }
    for name in ports:  # a first turn that is not counted: connections, and what is known from now on
        await _round(clients[name], Measured(), load)
    for _ in range(load.rounds):
        for name in ports:
            await _round(clients[name], measured[name], load)
    for of_one_side in clients.values():
        for client in of_one_side:
            client.close()
    return measured


async def _round(clients: list[Client], measured: Measured, load: Load) -> None:
    """Every client makes one request; they begin spread over the time that one takes, as agents do."""
    seconds = load.think + load.chunks * load.gap

    async def one(number: int, client: Client) -> None:
        body = client.turns.following()
        await asyncio.sleep(seconds * number / len(clients))
        await client.ask(body, measured)

    await asyncio.gather(*(one(number, client) for number, client in enumerate(clients)))


# --- processes ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def upstream(load: Load) -> Iterator[int]:
    command = [sys.executable, str(HERE / "proxy_upstream.py"), str(load.think), str(load.chunks), str(load.gap)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextlib.contextmanager
def ours(model: int) -> Iterator[tuple[int, int]]:
    """Port and process id of `headroom proxy`."""
    command = [sys.executable, "-c", "from headroom.cli import app; app()", "proxy", "--port", "0"]
    with _started([*command, "--anthropic-url", f"http://127.0.0.1:{model}"], {}) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "listens on" in line, line + process.stderr.read()
        port = int(line.split()[4].rpartition(":")[2])
        _wait(f"http://127.0.0.1:{port}/ready")
        yield port, process.pid


@contextlib.contextmanager
def theirs(model: int) -> Iterator[tuple[int, int]]:
    """The same for the peer's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python = Path(python_with(PEER))
    command = [str(python.with_name("headroom")), "proxy", "--port", str(port), "--no-rate-limit", "--no-subscription-tracking"]
    settings = {"ANTHROPIC_TARGET_API_URL": f"http://127.0.0.1:{model}", "HEADROOM_TELEMETRY": "off", "HF_HUB_OFFLINE": "1"}
    with _started(command, settings) as process:
        _wait(f"http://127.0.0.1:{port}/health")
        yield port, process.pid


@contextlib.contextmanager
def _started(command: list[str], settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, tempfile.TemporaryFile("w+") as log:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "HEADROOM_HOME": home, **settings}
        quiet = subprocess.PIPE if "headroom.cli" in " ".join(command) else log
        with subprocess.Popen(command, env=environment, stdout=log, stderr=quiet, text=True, cwd=home) as process:
            try:
                yield process
            finally:
                process.kill()


def received(model: int) -> dict[str, float]:
    """Side -> mean bytes of the bodies that the model got from it."""
    with urlopen(f"http://127.0.0.1:{model}/received") as answer:
        found: dict[str, float] = json.load(answer)
        return found


def _wait(url: str) -> None:
    until = time.monotonic() + 240
    while True:
        with contextlib.suppress(OSError), urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        if time.monotonic() > until:
            raise SystemExit(f"{url} does not answer")
        time.sleep(0.2)


def megabytes(pid: int) -> float:
    """Resident memory of a process and all it has started."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            if int(status.parent.name) == pid or f"\nPPid:\t{pid}\n" in text:
                total += int(re.search(r"VmRSS:\s+(\d+)", text + "VmRSS: 0")[1]) / 1024  # type: ignore[index]
    return total


# --- what is measured ---------------------------------------------------------------------------------------------------


def latency(loads: tuple[Load, ...], peer: bool) -> None:
    """Two tables: the first byte, and the chunks of streams."""
    first: list[list[str]] = []
    chunks: list[list[str]] = []
    for load in loads:
        for known in (True, False):
            with contextlib.ExitStack() as stack:
                model = stack.enter_context(upstream(load))
                ports = {"direct": model, "ours": stack.enter_context(ours(model))[0]}
                if peer:
                    ports["headroom-ai"] = stack.enter_context(theirs(model))[0]
                measured = asyncio.run(run_load(load, ports, known))
                sizes = received(model)
            print(f"{load.streams} streams, {'known' if known else 'new'}: done", file=sys.stderr)
            for name in list(ports)[1:]:
                first.append([*_row(load, known, name, measured, "first"), f"{sizes[name] / 1000:.1f}"])
                chunks.append(_row(load, known, name, measured, "chunks"))
    head = ["streams at once", "20 KB are", "proxy", "p50 direct", "p50 added", "p99 direct", "p99 added", "requests", "errors"]
    table("First byte, ms", [*head, "KB sent on"], first)
    table("From a chunk's writing to its arrival, ms", [*head[:-2], "chunks", "errors"], chunks)


def _row(load: Load, known: bool, name: str, measured: dict[str, Measured], what: str) -> list[str]:
    direct, through = getattr(measured["direct"], what), getattr(measured[name], what)
    cells = [str(load.streams), "known" if known else "new", name]
    for share in (0.5, 0.99):
        base = 1000 * percentile(direct, share)
        cells += [f"{base:.2f}", f"{1000 * percentile(through, share) - base:.2f}"]
    return [*cells, str(len(through)), str(len(measured[name].errors))]


def memory(requests: int, peer: bool) -> None:
    """Resident memory while many conversations go through, each new."""
    marks = [requests * share // 100 for share in (1, 10, 25, 50, 75, 100)]
    rows = []
    sides = {"ours": ours} | ({"headroom-ai": theirs} if peer else {})
    for name, start in sides.items():
        with upstream(Load(1, 1, 0.0, 1, 0.0)) as model, start(model) as (port, pid):
            sizes, seconds, errors = asyncio.run(_many(port, pid, marks))
        rows.append([name, *(f"{size:.0f}" for size in sizes), f"{marks[-1] / seconds:.0f}", str(errors)])
    table("Memory of the proxy, MB, after so many requests", ["proxy", *map(str, marks), "requests a second", "errors"], rows)


async def _many(port: int, pid: int, marks: list[int]) -> tuple[list[float], float, int]:
    clients = [
        Client("memory", port, Turns(f"memory {number}", known=False, characters=5_000, stream=False)) for number in range(MEMORY_AT_ONCE)
    ]
    measured, sizes, done = Measured(), [], 0
    began = time.perf_counter()

    async def work(client: Client, number: int) -> None:
        for _ in range(number):
            await client.ask(client.turns.following(), measured)

    for mark in marks:
        share = -(-(mark - done) // len(clients))
        await asyncio.gather(*(work(client, share) for client in clients))
        done = mark
        sizes.append(megabytes(pid))
    return sizes, time.perf_counter() - began, len(measured.errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--streams", type=int, default=0, help="only the load with so many streams")
    parser.add_argument("--requests", type=int, default=MEMORY_REQUESTS, help="for the memory table; 0 leaves it out")
    options = parser.parse_args()
    loads = QUICK if options.quick else tuple(load for load in LOADS if options.streams in (0, load.streams))
    peer = not (options.no_peer or options.quick)
    latency(loads, peer)
    if options.requests and not options.quick:
        memory(options.requests, peer)


if __name__ == "__main__":
    main()
