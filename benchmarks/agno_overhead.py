"""What HeadroomAgnoModel adds to one request: wrapped and bare in turns, in one run, with a model that costs nothing.

    python benchmarks/agno_overhead.py             some seconds
    python benchmarks/agno_overhead.py --runs 200

Prints a table in Markdown. Times vary with the machine; the bare column shows by how much. "agent, no tools" is a whole
`agent.run()`; the others are one request of Agno's loop: "next turn" is a conversation that has grown by one call and its
output, "the same again" one that has not, "nothing to save" holds short messages only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from agno.agent import Agent
from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.run.agent import RunOutput
from latency import growing_conversation
from tables import percentile, table

from headroom.integrations.agno import HeadroomAgnoModel

LENGTH = 100
Pairs = list[tuple[float, float]]


@dataclass
class Instant(Model):
    """A model that answers at once."""

    id: str = "gpt-4o"

    def invoke(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return ModelResponse(role="assistant", content="ok")

    async def ainvoke(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return self.invoke()

    def invoke_stream(self, *args: Any, **kwargs: Any) -> Iterator[ModelResponse]:
        yield self.invoke()

    async def ainvoke_stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        yield self.invoke()

    def _parse_provider_response(self, response: Any, **kwargs: Any) -> ModelResponse:
        return ModelResponse()

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        return ModelResponse()


def as_agnos(message: dict[str, Any]) -> Message:
    """An OpenAI chat message as Agno holds it."""
    return Message(
        role=message["role"], content=message["content"], tool_calls=message.get("tool_calls"), tool_call_id=message.get("tool_call_id")
    )


def request(model: Model, messages: list[Message]) -> Callable[[], object]:
    """One request of Agno's loop."""
    return lambda: model.response(messages=list(messages), tools=[], run_response=RunOutput(run_id="run"))


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1_000


def measured(actions: Callable[[int], tuple[Callable[[], object], Callable[[], object]]], runs: int) -> Pairs:
    """(bare, wrapped) of each run; who goes first alternates."""
    pairs = []
    for run in range(runs):
        bare, wrapped = actions(run)
        if run % 2:
            second, first = timed(wrapped), timed(bare)
        else:
            first, second = timed(bare), timed(wrapped)
        pairs.append((first, second))
    return pairs


def cases(runs: int) -> dict[str, Pairs]:
    """Every case measured."""
    bare, wrapped = Instant(), HeadroomAgnoModel(Instant())
    conversation = [as_agnos(message) for message in growing_conversation(LENGTH + 2 * runs)]
    short = [Message(role="user" if i % 2 else "assistant", content="And this?") for i in range(LENGTH)]
    agents = [Agent(model=model, telemetry=False) for model in (bare, wrapped)]
    for model in (bare, wrapped):
        request(model, conversation[:LENGTH])()  # loads what is loaded once

    def grown(run: int) -> tuple[Callable[[], object], Callable[[], object]]:
        messages = conversation[: LENGTH + 2 * run]
        return request(bare, messages), request(wrapped, messages)

    return {
        "agent, no tools": measured(lambda _: (lambda: agents[0].run("hi"), lambda: agents[1].run("hi")), runs),
        "nothing to save": measured(lambda _: (request(bare, short), request(wrapped, short)), runs),
        "the same again": measured(lambda _: (request(bare, conversation[:LENGTH]), request(wrapped, conversation[:LENGTH])), runs),
        "next turn": measured(grown, runs),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        os.environ["HEADROOM_HOME"] = home
        rows = []
        for name, pairs in cases(runs).items():
            added = [wrapped - bare for bare, wrapped in pairs]
            bare, wrapped = (statistics.median(side) for side in zip(*pairs, strict=True))
            rows.append([name, f"{bare:.2f}", f"{wrapped:.2f}", f"{statistics.median(added):+.2f}", f"{percentile(added, 0.95):+.2f}"])
        table("what HeadroomAgnoModel adds", ["case", "bare ms", "wrapped ms", "added, median", "added, p95"], rows)


if __name__ == "__main__":
    main()
