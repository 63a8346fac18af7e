"""Conversations made to break promises, as many as one likes: what raised, what was violated, what took longest for its size.

    python benchmarks/fuzz.py --conversations 100000
    python benchmarks/fuzz.py --conversations 1000 --sessions FOLDER     and mutations of recorded ones
    python benchmarks/fuzz.py --conversations 1 --first 4711             one seed again
    python benchmarks/fuzz.py --seconds 600                              as many as fit

Every conversation comes from its number, so that one that fails can be had again. Half are generated, half mutations.
Prints tables in Markdown; ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from tables import table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests' own makers and checks

from tests.fuzz.mutations import conversation, mutated_conversation
from tests.fuzz.promises import violations


def recorded(folder: Path | None) -> list[list[Any]]:
    """The messages of every session: .jsonl files, one {"messages": [...]} a line."""
    files = sorted(folder.glob("*.jsonl")) if folder else []
    return [json.loads(line)["messages"] for file in files for line in file.read_text("utf-8").splitlines()[:200]]


def made(number: int, sessions: list[list[Any]]) -> tuple[str, list[Any], random.Random]:
    """Where the conversation of this number comes from, and the conversation."""
    dice = random.Random(number)
    if number % 2 == 0:
        return "generated", conversation(dice), dice
    if sessions and number % 4 == 1:
        return "recorded, mutated", mutated_conversation(dice, dice.choice(sessions)), dice
    return "generated, mutated", mutated_conversation(dice, conversation(dice)), dice


def main() -> None:
    """Make, check, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--sessions", type=Path, default=None, metavar="FOLDER")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    sessions, until = recorded(options.sessions), time.monotonic() + options.seconds
    for number in range(4):  # the first of each kind loads what it needs: not a time that depends on the input
        _, messages, dice = made(number, sessions)
        violations(messages, dice)
    counts: dict[str, Counter[str]] = {}
    longest: dict[str, tuple[float, int, int]] = {}
    problems: Counter[str] = Counter()
    for number in range(options.first, options.first + options.conversations):
        if time.monotonic() > until:
            break
        source, messages, dice = made(number, sessions)
        size = len(json.dumps(messages))
        start = time.thread_time()
        try:
            found = violations(messages, dice)
        except Exception:
            found = ["raised"]
            traceback.print_exc()
        spent = time.thread_time() - start
        counted = counts.setdefault(source, Counter())
        counted.update(conversations=1, characters=size, exceptions=found.count("raised"), violations=len(found) - found.count("raised"))
        counted["microseconds"] += int(1e6 * spent)
        longest[source] = max(longest.get(source, (0.0, 0, 0)), (1e6 * spent / size, size, number))
        for problem in found:
            problems[problem[:160]] += 1
            print(f"{number}: {problem}", file=sys.stderr)
    rows = [
        [
            source,
            f"{c['conversations']:,}",
            f"{c['characters'] / 1000000.0:,.1f}",
            str(c["exceptions"]),
            str(c["violations"]),
            f"{c['microseconds'] / c['characters']:.2f}",
            f"{longest[source][0]:.1f}",
            f"{longest[source][1]:,} (number {longest[source][2]})",
        ]
        for source, c in counts.items()
    ]
    head = ["conversations", "checked", "million characters", "exceptions", "violations", "µs a character", "longest", "its characters"]
    table("Four calls of compress() each, and the answers of the tool", head, rows)
    if problems:
        table("Found", ["what", "times"], [[what, str(times)] for what, times in problems.most_common()])
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
