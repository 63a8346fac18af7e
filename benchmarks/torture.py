"""The store of originals in one file, filled: how long a put and a look-up take, how large it gets, and what eviction costs.

    python benchmarks/torture.py --entries 1000000          texts of 80 to 700 characters, 100 a transaction
    python benchmarks/torture.py --entries 20000            the same in a few seconds

Killing its writer 200 times is a test: pytest tests/core/store/test_sqlite_torture.py -k kill
Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tables import percentile, table

from headroom import SQLiteStore

BATCH = 100
LOOK_UPS = 2_000
EVICTED_SHARE = 0.9
"""The limit that is set at the end, as a share of what is stored."""


def text_of(number: int) -> str:
    """One of many short texts, none like another."""
    dice = random.Random(number)
    return f"order {number}: " + " ".join(f"{dice.getrandbits(40):x}" for _ in range(dice.randrange(8, 64)))


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def row(name: str, times: list[float]) -> list[str]:
    return [name, f"{len(times):,}", f"{percentile(times, 0.5):.2f}", f"{percentile(times, 0.99):.2f}", f"{max(times):.1f}"]


def fill(store: SQLiteStore, entries: int) -> tuple[list[str], list[list[str]]]:
    """References, and a row for each tenth of the way."""
    references: list[str] = []
    rows = []
    for part in range(10):
        numbers = range(entries * part // 10, entries * (part + 1) // 10)
        times = []
        for start in range(numbers.start, numbers.stop, BATCH):
            texts = [text_of(number) for number in range(start, min(start + BATCH, numbers.stop))]
            times.append(timed(lambda texts=texts: references.extend(store.put_many(texts))))  # type: ignore[misc]
        rows.append(row(f"put {BATCH}, up to {numbers.stop:,} entries", times))
    return references, rows


def until_within(store: SQLiteStore) -> Iterator[float]:
    """Milliseconds of each put until the store is within its limit."""
    number = 0
    while store.stats().stored_bytes > store.max_bytes:
        number += 1
        yield timed(lambda text=f"one more, {number}": store.put_many([text]))  # type: ignore[misc]


def main() -> None:
    """Fill, look up, evict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    dice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "originals.sqlite3")
        references, rows = fill(store, entries)
        chosen = [dice.randrange(entries) for _ in range(LOOK_UPS)]
        wrong = [number for number in chosen if store.get(references[number]) != text_of(number)]
        rows.append(row("get", [timed(lambda number=number: store.get(references[number])) for number in chosen]))  # type: ignore[misc]
        asked = [dice.sample(references, min(300, entries)) for _ in range(200)]
        rows.append(row("missing, of 300", [timed(lambda some=some: store.missing(some)) for some in asked]))  # type: ignore[misc]
        rows.append(row("put 1", [timed(lambda number=number: store.put_many([text_of(entries + number)])) for number in range(500)]))  # type: ignore[misc]
        stats = store.stats()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        store.max_bytes = int(EVICTED_SHARE * stats.stored_bytes)
        rows.append(row("put 1 after the limit was lowered by a tenth", list(until_within(store))))
        left = store.stats()
        rows.append(row("put 1 that evicts one or two", [timed(lambda n=n: store.put_many([text_of(-n)])) for n in range(1, 300)]))  # type: ignore[misc]
        store.close()
    table("Times, ms", ["what", "times", "p50", "p99", "longest"], rows)
    megabytes = [f"{value / 1e6:,.0f} MB" for value in (stats.original_bytes, stats.stored_bytes, size)]
    head = ["entries", "originals", "packed", "the file with its logs", "entries after eviction", "wrong texts"]
    table("Size", head, [[f"{stats.entries:,}", *megabytes, f"{left.entries:,}", str(len(wrong))]])


if __name__ == "__main__":
    main()
