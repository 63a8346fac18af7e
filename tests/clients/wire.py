"""What these tests ask of the wire, whatever client was on the other end."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from tests.scripted_model import Request

LOG = "\n".join(f"2026-02-03T08:{i // 60:02}:{i % 60:02}Z INFO api-{i % 5} handled /v2/orders/{i * 37} in {i % 83} ms" for i in range(350))
"""About 20 KB, as an agent reads it."""


def conversations(requests: list[Request]) -> list[Request]:
    """The requests of the conversation itself: agents also ask for titles and the like, with other tools or none."""
    most = max(len(request.tools) for request in requests)
    return [request for request in requests if len(request.tools) == most and request.method == "POST" and request.messages]


def assert_prefixes_repeat(requests: list[Request]) -> None:
    """Each request begins with all messages of the one before, byte for byte, but for marks of where a cache ends."""
    histories = [[_without_marks(message) for message in request.messages] for request in requests]
    for earlier, later in pairwise(histories):
        assert json.dumps(later[: len(earlier)]) == json.dumps(earlier)


def _without_marks(value: Any) -> Any:
    """`value` without cache_control, and a list of one text as that text: clients write a text so where a mark stands."""
    if isinstance(value, dict):
        return {key: _without_marks(inner) for key, inner in value.items() if key != "cache_control"}
    if isinstance(value, list):
        inner = [_without_marks(part) for part in value]
        return inner[0]["text"] if len(inner) == 1 and isinstance(inner[0], dict) and inner[0].keys() == {"type", "text"} else inner
    return value
