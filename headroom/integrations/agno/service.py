"""CompressionService that takes Agno's messages, and remembers for the hooks what each run saved."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from agno.models.message import Message

from headroom import CompressionService, CompressResult
from headroom.integrations.agno.messages import read, write

MOST_RUNS = 64
"""Runs that are cancelled or paused never reach a post-hook: what is kept of them has an end."""


class AgnoService(CompressionService):
    """The service behind one wrapped model, manager or hook; copies of a model share it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.runs = Runs()

    def shorten(self, messages: Sequence[Message], model: str, *, lossless: bool, run: object = None, **reading: bool) -> list[Message]:
        """What to send in place of `messages`: the same objects, or copies with shorter texts. Never raises.

        `reading`: see `headroom.integrations.agno.messages.read`. `run`: the key under which hooks will ask.
        """
        try:
            before = read(messages, **reading)
            result = self.compress(before, model, lossless=lossless)
            return self._written(messages, before, result, run, reading)
        except Exception as error:
            self.failed(error, model)
            return list(messages)

    async def ashorten(
        self, messages: Sequence[Message], model: str, *, lossless: bool, run: object = None, **reading: bool
    ) -> list[Message]:
        """The same, with large requests compressed off the event loop."""
        try:
            before = read(messages, **reading)
            result = await self.acompress(before, model, lossless=lossless)
            return self._written(messages, before, result, run, reading)
        except Exception as error:
            self.failed(error, model)
            return list(messages)

    def _written(
        self,
        messages: Sequence[Message],
        before: list[dict[str, Any]],
        result: CompressResult | None,
        run: object,
        reading: dict[str, bool],
    ) -> list[Message]:
        if result is None:
            return list(messages)
        self.runs.add(run, result)
        return write(messages, before, result.messages, compressed=reading.get("compressed", False))


class Runs:
    """Results by run, kept only while somebody watches. Safe to share between threads."""

    def __init__(self) -> None:
        self.watched = False
        self._lock = threading.Lock()
        self._results: OrderedDict[object, list[CompressResult]] = OrderedDict()

    def add(self, run: object, result: CompressResult) -> None:
        """A request of this run; None is no run."""
        if not self.watched or run is None:
            return
        with self._lock:
            self._results.setdefault(run, []).append(result)
            while len(self._results) > MOST_RUNS:
                self._results.popitem(last=False)

    def take(self, run: object) -> list[CompressResult]:
        """The results of a run that is over, which are forgotten here."""
        with self._lock:
            return self._results.pop(run, [])

    def __reduce__(self) -> tuple[type[Runs], tuple[()]]:
        return Runs, ()  # another process watches for itself
