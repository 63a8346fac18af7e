"""OpenClaw's history as the model gets it: tool outputs shortened, and whole oldest turns left out if it is too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headroom import CompressResult
from headroom.integrations.openclaw.turns import left_out, size_of

_TEXTS = ("user", "assistant", "toolResult")
"""Roles with content. Others (summaries, notes, commands of the user's) are never shortened."""


@dataclass(frozen=True)
class Assembly:
    """What is left of a history."""

    messages: list[dict[str, Any]]
    """Those that stay, in order; unchanged ones are the same objects."""
    left_out: tuple[int, int]
    """Which are not among them: from one index of the history up to another; equal if all stay."""
    notice: str
    """What to tell the model in place of them; "" if all stay."""
    estimated_tokens: int
    """Of all messages that stay, and the notice."""
    result: CompressResult
    """What was done to the texts of the whole history."""


def assemble(
    messages: Sequence[dict[str, Any]], compress: Callable[[list[dict[str, Any]]], CompressResult], token_budget: int | None = None
) -> Assembly:
    """`messages`, each as OpenClaw keeps it, shortened by `compress` and within `token_budget` (None: whatever it takes).

    A text depends on what stands before it in the whole history, whether or not that is left out: it is the same in
    each turn. A call and its results are never parted, the first user's message and the newest turn always stay: where
    those alone exceed the budget, `estimated_tokens` says so. Raises what `compress` raises.
    """
    given = list(messages)
    readings = [_reading(message) for message in given]
    result = compress(readings)
    out = [given[i] if shorter is readings[i] else shorter for i, shorter in enumerate(result.messages)]
    sizes = [size_of(message) for message in out]
    start, end, turns = left_out(out, sizes, token_budget) if token_budget is not None else (0, 0, 0)
    notice = _notice(turns, end - start) if end > start else ""
    estimated = sum(sizes[:start]) + sum(sizes[end:]) + (size_of({"content": notice}) if notice else 0)
    return Assembly([*out[:start], *out[end:]], (start, end), notice, estimated, result)


def _reading(message: dict[str, Any]) -> dict[str, Any]:
    """The message as compress() can read it: one without content, or of a role of OpenClaw's own, as an empty one."""
    if not isinstance(message, dict):
        return message  # which compress() refuses, by its index
    if message.get("role") in _TEXTS and isinstance(message.get("content"), (str, list)):
        return message
    return {"role": "assistant", "content": ""}


def _notice(turns: int, messages: int) -> str:
    return (
        f"[{turns} earlier turn{'s' if turns != 1 else ''} ({messages} messages) left out here to fit the context. "
        "Where a later tool output refers to an earlier one that is not in sight, headroom_retrieve has it.]"
    )
