"""May this text be touched? One question, asked before any work is done; the answer is a reason, or None for yes.

What no reason here mentions is protected by construction: readers of formats hand out only tool outputs and user
texts, so instructions, the assistant's words and its arguments never arrive.
"""

from __future__ import annotations

from dataclasses import dataclass

from headroom.core import marker
from headroom.core.config import CompressConfig
from headroom.core.marker import Marker
from headroom.core.retrieval_tool import is_retrieve_tool
from headroom.core.tokens import estimate
from headroom.core.types import ContentBlock, ToolCall

SMALL = "small"
RETRIEVED = "retrieved: never compressed again"
OURS = "already compressed"
BIASED = "kept whole by a bias"


@dataclass(frozen=True, slots=True)
class Protection:
    """Why a text stays as it is; `marker` if it is already a result of ours."""

    reason: str
    marker: Marker | None = None


def protection_of(block: ContentBlock, call: ToolCall | None, bias: float, config: CompressConfig) -> Protection | None:
    """Why this block stays as it is; None if it may be compressed. Cheap reasons first."""
    least = config.min_tokens if block.role == "tool" else config.user_span_tokens
    if is_retrieve_tool(call.name if call else block.tool_name):
        return Protection(RETRIEVED)
    ours = marker.find(block.text)
    if ours is not None:
        return Protection(OURS, ours)
    if estimate(block.text) < least:
        return Protection(SMALL)
    if bias == float("inf"):
        return Protection(BIASED)
    return None
