"""ChatAnthropic streams strings to a request without tools, and lists of blocks to one with tools, such as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import HumanMessage

from headroom.integrations.langchain.exchange import Exchange


def writes_plain_strings(model: Any, exchange: Exchange, arguments: Mapping[str, Any]) -> bool:
    """Whether the bare model would have streamed strings, where with our tool it streams blocks."""
    if not exchange.answers_calls or arguments.get("tools") or not str(getattr(model, "_llm_type", "")).startswith("anthropic"):
        return False
    try:
        body = model._get_request_payload([HumanMessage("")], **arguments)  # a short one: only its options matter
    except Exception:  # a private method of another package: without it, blocks are right as well
        return False
    edits = (body.get("context_management") or {}).get("edits") or []
    thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    compacts = any("compact" in str(edit.get("type")) for edit in edits)
    return not (body.get("tools") or thinks or compacts or any(_cites(message.content) for message in exchange.messages))


def _cites(content: Any) -> bool:
    blocks = content if isinstance(content, list) else []
    return any(isinstance(block, dict) and (block.get("citations") or {}).get("enabled") for block in blocks if "citations" in block)
