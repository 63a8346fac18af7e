"""The process of a product: conversations come in as JSON lines, message by message, shortened prompts go out.

    {"do": "turn", "keep": n, "messages": [...]}   the first n messages of the last turn's prompt, then these (n = 0: a new session)
    -> {"same": k, "messages": [...], "ms": t, "references": [...], "kinds": {...}}
                                                   the first k messages of the last answer, then these; it took t ms;
                                                   what can be asked for; what each new output was taken for
    {"do": "retrieve", "reference": "..."}         -> {"text": "..."}
    Anything else, and any exception               -> {"error": "..."}

Runs in the product's own virtual environment: needs nothing but the standard library.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

Message = dict[str, Any]


class Adapter:
    """What a product must be able to do; one object serves all sessions, one after the other."""

    def start(self) -> None:
        """A new session begins."""

    def compress(self, messages: list[Message]) -> list[Message]:
        """The prompt to send for `messages`, which are the adapter's to keep."""
        raise NotImplementedError

    def references(self) -> list[str]:
        """What the latest prompt says can be retrieved."""
        return []

    def kinds(self) -> dict[int, str]:
        """What each output of the latest prompt was taken for, by message index."""
        return {}

    def retrieve(self, reference: str) -> str:
        """The original behind a reference."""
        raise NotImplementedError


def options() -> dict[str, Any]:
    """The settings that the product was started with."""
    given: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    return given


def serve(adapter: Adapter) -> None:
    """Answer until the input ends."""
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a product prints must not end up among the answers
    conversation = _Conversation(adapter)
    for line in sys.stdin:
        try:
            answer = conversation.answer(json.loads(line))
        except Exception as broken:  # the benchmark reports whatever happens
            answer = {"error": f"{type(broken).__name__}: {broken}"[:300]}
        print(json.dumps(answer), file=out, flush=True)


class _Conversation:
    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._messages: list[Message] = []
        self._sent: list[Message] = []

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["do"] == "retrieve":
            return {"text": self._adapter.retrieve(order["reference"])}
        if order["do"] != "turn":
            raise ValueError(order["do"])
        keep = order["keep"]
        if not keep:
            self._adapter.start()
            self._sent = []
        self._messages[keep:] = order["messages"]
        prompt = _copy(self._messages)  # a product that changes its input must not change the next turn's
        start = time.perf_counter()
        out = self._adapter.compress(prompt)
        milliseconds = (time.perf_counter() - start) * 1e3
        same = 0
        while same < min(len(out), len(self._sent)) and out[same] == self._sent[same]:
            same += 1
        self._sent = _copy(out)
        kinds = {index: kind for index, kind in self._adapter.kinds().items() if index >= keep}
        return {"same": same, "messages": out[same:], "ms": milliseconds, "references": self._adapter.references(), "kinds": kinds}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(inner) for inner in value]
    return value
