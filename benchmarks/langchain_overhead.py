"""What HeadroomChatModel adds to one invoke: wrapped and bare in turns, in one run, with a model that costs nothing.

    python benchmarks/langchain_overhead.py             some seconds
    python benchmarks/langchain_overhead.py --runs 400

Prints a table in Markdown. Times vary with the machine; the bare column shows by how much. "next turn" is what an agent
does: a conversation that has grown by one call and its output since the last request. "nothing to save" holds short
messages only. "first request" is a process that sees the whole conversation for the first time.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, convert_to_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from latency import growing_conversation
from tables import percentile, table

from headroom.integrations.langchain import HeadroomChatModel

LENGTH = 100
MOST_ADDED_MS = 5.0


class Instant(BaseChatModel):
    """A model that answers at once, and takes tools."""

    @property
    def _llm_type(self) -> str:
        return "instant"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=list(tools), **kwargs)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("ok"))])


@dataclass
class Times:
    """Milliseconds of each invoke, bare and wrapped: by the clock, and of processor time."""

    clock: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    processor: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))

    def add(self, sides: tuple[Any, Any], messages: list[BaseMessage], wrapped_first: bool) -> None:
        """Time both, one after the other."""
        for side in (1, 0) if wrapped_first else (0, 1):
            clock, processor = time.perf_counter(), time.process_time()
            sides[side].invoke(messages)
            self.clock[side].append((time.perf_counter() - clock) * 1_000)
            self.processor[side].append((time.process_time() - processor) * 1_000)

    def added(self, times: tuple[list[float], list[float]]) -> list[float]:
        """How much longer the wrapped one took, pair by pair."""
        return [wrapped - bare for bare, wrapped in zip(*times, strict=True)]


def cases(runs: int) -> dict[str, Times]:
    """Every case measured."""
    sides = (Instant(), HeadroomChatModel(Instant()))
    conversation = convert_to_messages(growing_conversation(LENGTH + 2 * runs))
    short: list[BaseMessage] = [HumanMessage("And this?") if i % 2 else AIMessage("That too.") for i in range(LENGTH)]
    sides[1].invoke(conversation[:LENGTH])  # loads what is loaded once
    measured = {name: Times() for name in ("nothing to save", "the same again", "next turn", "first request")}
    for run in range(runs):
        measured["nothing to save"].add(sides, short, bool(run % 2))
        measured["the same again"].add(sides, conversation[:LENGTH], bool(run % 2))
    for start in range(0, runs, 10):
        window = [HumanMessage(f"Find out why checkout {start} fails."), *conversation[1 + start : LENGTH + start]]
        measured["first request"].add(sides, window[: LENGTH - 11], bool(start % 20))
        for length in range(LENGTH - 9, LENGTH + 1, 2):
            measured["next turn"].add(sides, window[:length], bool(length % 4 == 1))
    return measured


def main() -> int:
    """Measure and print; the exit code says whether the next turn is cheap enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        os.environ["HEADROOM_HOME"] = home
        gc.collect()
        measured = cases(runs)
    rows = []
    for name, times in measured.items():
        added = times.added(times.clock)
        medians = (*map(statistics.median, times.clock), statistics.median(added), statistics.median(times.added(times.processor)))
        rows.append([name, str(len(added)), *(f"{number:.2f}" for number in (*medians, percentile(added, 0.95)))])
    head = ["", "times", "bare p50", "wrapped p50", "added p50", "of it processor", "added p95"]
    table(f"One invoke with {LENGTH} messages, ms", head, rows)
    return 0 if float(rows[2][4]) <= MOST_ADDED_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
