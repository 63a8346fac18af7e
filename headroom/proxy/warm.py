"""What the first requests would otherwise wait for: vocabularies, compressors, patterns and the store, loaded beforehand."""

from __future__ import annotations

import json
import logging
from typing import Any

from headroom import Budget, CompressConfig, CompressionStore, MemoryStore, compress
from headroom.core.store import default_store
from headroom.tools import call
from headroom.tools.definitions import RETRIEVE_TOOL

logger = logging.getLogger("headroom.proxy")

_NUMBERS = range(60)
_SAMPLES = (
    json.dumps([{"id": f"ord_{number}", "status": "paid", "total": number * 3} for number in _NUMBERS]),
    "".join(f"2026-03-01T10:00:{number:02}Z INFO worker-{number % 3} handled request {number} in {number % 7} ms\n" for number in _NUMBERS),
    "".join(f"{number:6}\tdef value_{number}(order):\n{number:6}\t    return order * {number}\n" for number in _NUMBERS),
    "".join(f"src/module_{number % 9}.py:{number}:    total = compute(order_{number})\n" for number in _NUMBERS),
    "".join(f"-rw-r--r-- 1 root root {number * 31} Mar  1 10:00 file_{number}.txt\n" for number in _NUMBERS),
    "".join(f"NAME-{number}   Running   {number}   4d{number}h\n" for number in _NUMBERS),
    "--- a/a.py\n+++ b/a.py\n@@ -1,60 +1,60 @@\n" + "".join(f"-old_{number}\n+new_{number}\n" for number in _NUMBERS),
    "".join(f"tests/test_a.py::test_{number} PASSED\n" for number in _NUMBERS) + "=== 60 passed in 1.2s ===\n",
    "<html><body>" + "".join(f"<p>Paragraph {number} of a page.</p>" for number in _NUMBERS) + "</body></html>",
    "# Report\n\n" + "".join(f"Order {number} was paid on time, and its customer was glad. " for number in _NUMBERS),
    "".join(f"setting_{number}={number * 7}\n" for number in _NUMBERS),
)
"""A little of everything that tools say."""


def warm_up(store: CompressionStore | None) -> None:
    """Never fails: what cannot be loaded now is loaded, or fails, when it is needed."""
    try:
        _shorten_samples()
        opened = default_store() if store is None else store
        opened.missing(["aaaaaaaaaa"])
    except Exception as error:
        logger.warning("not everything could be loaded beforehand (%s: %s)", type(error).__name__, error)


def _shorten_samples() -> None:
    kept = MemoryStore()
    messages: list[dict[str, Any]] = [{"role": "user", "content": "what does it say?"}]
    for number, text in enumerate(_SAMPLES):
        asked = {"id": f"c{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [asked]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": text},
        ]
    small = CompressConfig(min_tokens=50, budget=Budget(100, 0.0), budgets={})
    for model in ("gpt-4o", "claude"):
        result = compress(messages, model, config=small, store=kept)
        _ = result.tokens_before, result.tokens_saved
    for reference in result.references:
        call(RETRIEVE_TOOL, {"ref": reference, "query": "order 7"}, store=kept)
