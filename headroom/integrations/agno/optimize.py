"""optimize_messages: compress() for a list of Agno's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agno.models.message import Message

from headroom import compress
from headroom.integrations.agno.messages import read, write


def optimize_messages(messages: Sequence[Message], model: str = "gpt-4o", **options: Any) -> tuple[list[Message], dict[str, Any]]:
    """The messages, shortened, and what that saved. Same number, same order; unchanged ones are the same objects.

    `options` are those of `compress()`, and so are the errors. Where texts were left out (`lossless=True` leaves
    nothing out), give the model `HeadroomTools`. Metrics: tokens_before, tokens_after, tokens_saved, savings_percent
    (0 to 100), transforms_applied, references.
    """
    before = read(messages)
    result = compress(before, model, **options)
    metrics = {
        "tokens_before": result.tokens_before,
        "tokens_after": result.tokens_after,
        "tokens_saved": result.tokens_saved,
        "savings_percent": round(100 * result.compression_ratio, 2),
        "transforms_applied": result.transforms_applied,
        "references": result.references,
    }
    return write(messages, before, result.messages), metrics
