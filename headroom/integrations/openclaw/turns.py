"""Which turns of a history fit a token budget: the oldest leave first, whole, and many at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

LOW_WATER = 0.5
"""Once the budget is exceeded, turns leave until this share of it is filled: a cached prefix breaks rarely."""

BYTES_PER_TOKEN = 3.3
"""Of UTF-8: about right for tool outputs and prose, and cautious for Chinese and the like."""

TOKENS_PER_MESSAGE = 6
TOKENS_PER_IMAGE = 1_500
_SENT = ("content", "summary", "command", "output")


def size_of(message: dict[str, Any]) -> int:
    """Tokens of a message, estimated: the same on every machine."""
    parts = [message.get(name) for name in _SENT]
    content = message.get("content")
    images = [block for block in content if _is_image(block)] if isinstance(content, list) else []
    if images:
        assert isinstance(content, list)
        parts[0] = [block for block in content if not _is_image(block)]
    text = "".join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts if part)
    sent = len(text.encode("utf-8", "surrogatepass"))
    return int(sent / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE + TOKENS_PER_IMAGE * len(images)


def _is_image(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "image"


def turn_starts(messages: Sequence[dict[str, Any]]) -> list[int]:
    """Where turns begin: at a user's message, unless a call before it is answered after it. The first begins the history."""
    answered_at = _open_until(messages)
    starts = [0]
    reach = 0
    for index, message in enumerate(messages):
        if index and message.get("role") == "user" and reach < index:
            starts.append(index)
        reach = max(reach, answered_at.get(index, 0))
    return starts


def _open_until(messages: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Index of a message that calls tools -> index of the last result that answers it."""
    called: dict[str, int] = {}
    until: dict[int, int] = {}
    for index, message in enumerate(messages):
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") == "toolCall":
                called[str(block.get("id"))] = index
        caller = called.get(str(message.get("toolCallId"))) if message.get("role") == "toolResult" else None
        if caller is not None:
            until[caller] = index
    return until


def left_out(messages: Sequence[dict[str, Any]], sizes: Sequence[int], budget: int) -> tuple[int, int, int]:
    """(start, end, turns): messages[start:end], so many turns, are left out. start == end: everything fits.

    What stands up to the first user's message stays, and so does the newest turn. The answer follows from the history
    alone, turn by turn: more turns at its end change nothing until the budget is exceeded again.
    """
    head = next((index + 1 for index, message in enumerate(messages) if message.get("role") == "user"), 0)
    starts = [head, *(start for start in turn_starts(messages) if start > head)]
    ends = [*starts[1:], len(messages)]
    weights = [sum(sizes[start:end]) for start, end in zip(starts, ends, strict=True)]
    fixed, limit = sum(sizes[:head]), rounded(budget)
    first, total = 0, 0
    for newest, weight in enumerate(weights):
        total += weight
        if fixed + total <= limit:
            continue
        while first < newest and fixed + total > limit * LOW_WATER:
            total -= weights[first]
            first += 1
    return head, starts[first], first


def rounded(budget: int) -> int:
    """`budget`, less at most an eighth: one that changes a little from call to call (the host reserves room) stays the same."""
    step = 1 << max(0, budget.bit_length() - 4)
    return budget // step * step
