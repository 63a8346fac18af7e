"""One side of the latency benchmark: runs in the virtual environment of the product it times.

Reads JSON lines from standard input, answers each with one JSON line. Knows only `from headroom import compress`,
which both products offer.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()
logging.disable(logging.CRITICAL)
OUT = sys.stdout
sys.stdout = sys.stderr
MODEL = "gpt-4o"


def milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3


def peak_megabytes() -> float:
    """The most memory this program ever held.

    On Linux from /proc: `getrusage` there starts with what the parent held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def generated(kind: str, size: int) -> str:
    """Large inputs, made here so that neither side pays for receiving them."""
    if kind == "json":
        row = '{"id":"ord_%07d","status":"%s","amount":%d.50,"customer":{"name":"Name %d","city":"Lima"},"tags":["a","b"]}'
        rows = (row % (i, "failed" if i % 997 == 0 else "ok", i % 500, i) for i in range(size // 108))
        return "[" + ",".join(rows) + "]"
    if kind == "log":
        line = "2026-01-05T10:%02d:%02d.%03dZ INFO service=checkout request id=%06d path=/api/cart status=200 took %d ms"
        lines = (line % (i // 60 % 60, i % 60, i % 1000, i, i % 90) for i in range(size // 98))
        return "\n".join(lines)
    if kind == "one line":
        return "x7 " * (size // 3)
    if kind == "one word":
        return "a" * size
    if kind == "blank lines":
        return "\n" * size
    if kind == "brackets":
        return "[" * size + "]" * size
    if kind == "open brackets":
        return "[" * size
    if kind == "markers":
        return "[3 lines left out; headroom_retrieve ref=aaaaaaaaaa-aaa]\n" * size
    if kind == "surrogates":
        return "\ud800 bad \udfff text\n" * size
    if kind == "NUL":
        return "\0\0 NUL\0\n" * size
    if kind == "backslashes":
        return '{"text": "' + "\\\\" * size + '"}'
    if kind == "quotes":
        return '{"text": "' + '\\"' * size + '"}'
    if kind == "broken JSON lines":
        return '{"a": [1, 2, {"b":\n' * size
    if kind == "carriage returns":
        return "progress 1%\r" * size
    if kind == "escapes":
        return "\x1b[31m" * size
    raise ValueError(kind)


def tool_conversation(text: str) -> list[dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": "run", "arguments": "{}"}}
    return [
        {"role": "user", "content": "what happened?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": text},
    ]


def main() -> None:
    before_import = set(sys.modules)
    start = time.perf_counter()
    from headroom import compress

    import_ms = milliseconds_since(start)
    loaded = sorted({name.split(".")[0] for name in set(sys.modules) - before_import})
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any]
        try:
            if order["do"] == "hello":
                answer = {"import_ms": import_ms, "loaded": loaded}
            elif order["do"] == "turn":
                start = time.perf_counter()
                compress(order["messages"], model=MODEL)
                answer = {"ms": milliseconds_since(start)}
            elif order["do"] == "memory":
                answer = {"megabytes": peak_megabytes()}
            elif order["do"] == "large":
                messages = tool_conversation(generated(order["kind"], order["size"]))
                before = peak_megabytes()
                start = time.perf_counter()
                result = compress(messages, model=MODEL)
                milliseconds = milliseconds_since(start)
                size = len(messages[2]["content"])
                answer = {
                    "ms": milliseconds,
                    "megabytes": peak_megabytes() - before,
                    "input_megabytes": size / 1e6,
                    "left": len(result.messages[2]["content"]) / max(1, size),
                }
            else:
                raise ValueError(order["do"])
        except Exception as broken:
            answer = {"error": f"{type(broken).__name__}: {broken}"[:200]}
        print(json.dumps(answer), file=OUT, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("HEADROOM_TELEMETRY", "off")
    main()
