"""Many threads and processes on one SQLite file: every result is the one that a lonely call gives, every reference resolves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from headroom import MemoryStore, SQLiteStore, compress, retrieve
from headroom.core import pipeline
from tests.conversations import FORMATS, call_and_output

MODEL = "gpt-4o"
THREADS = 16
PROCESSES = 4


def conversation(number: int) -> list[Any]:
    """One of a dozen conversations, some of which share outputs."""
    messages: list[Any] = [{"role": "user", "content": f"find order {number}"}]
    for turn in range(3):
        salt = number % 5 * 10 + turn
        rows = [{"id": f"o{salt}_{i}", "status": "ok", "note": f"note {i * 37 % 101}"} for i in range(300)]
        messages += call_and_output(FORMATS[number % 3], turn + 1, "list", json.dumps({"page": turn}), [json.dumps(rows)], "")
    return messages


def expected() -> list[Any]:
    results = []
    for number in range(12):
        pipeline._remembered.clear()
        result = compress(conversation(number), MODEL, store=MemoryStore())
        assert result.references
        results.append((result.messages, result.references))
    pipeline._remembered.clear()
    return results


def test_threads_share_a_store(tmp_path: Path) -> None:
    lonely, store = expected(), SQLiteStore(tmp_path / "originals.sqlite3")

    def work(start: int) -> None:
        for turn in range(12):
            number = (start * 5 + turn * 7) % 12
            messages = conversation(number)
            n = len(messages) if turn % 3 else 1 + (start + turn) % len(messages)
            result = compress(messages[:n], MODEL, store=store)
            assert result.messages == lonely[number][0][:n]
            for report in result.blocks:
                if report.changed:
                    assert retrieve(report.reference or "", store=store) == report.before

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, start) for start in range(THREADS)]:
            done.result()
    store.close()


PROGRAM = """
import json, sys
from headroom import compress, retrieve
conversations = json.load(sys.stdin)
start = int(sys.argv[1])
out = {}
for turn in range(len(conversations)):
    number = (start * 5 + turn * 7) % len(conversations)
    result = compress(conversations[number], "gpt-4o")
    for report in result.blocks:
        if report.changed:
            assert retrieve(report.reference) == report.before
    out[number] = [result.messages, result.references]
json.dump([out[number] for number in range(len(conversations))], sys.stdout)
"""


def test_processes_share_the_default_store(tmp_path: Path) -> None:
    lonely = [list(pair) for pair in expected()]
    given = json.dumps([conversation(number) for number in range(12)])
    environment = {**os.environ, "HEADROOM_HOME": str(tmp_path)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(start)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for start in range(PROCESSES)
    ]
    with ThreadPoolExecutor(PROCESSES) as pool:
        answers = list(pool.map(lambda process: process.communicate(given), running))
    for process, (out, errors) in zip(running, answers, strict=True):
        assert process.returncode == 0, errors
        assert json.loads(out) == lonely
    store = SQLiteStore(tmp_path / "originals.sqlite3")
    assert all(retrieve(reference, store=store) for _, references in lonely for reference in references)
    store.close()
