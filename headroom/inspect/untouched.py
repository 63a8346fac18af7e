"""What of a message is never changed, in words: instructions, an assistant's words and calls, images."""

from __future__ import annotations

import json
from typing import Any

from headroom.core.types import Path

LONG_WORD = 2_000
"""Characters without a space: a picture, a signature. Nobody reads them on a page."""
_NAMES = frozenset(("role", "type", "id", "tool_use_id", "tool_call_id", "call_id", "name", "cache_control", "status", "is_error"))
_ABOVE = "(above)"


def untouched(message: Any, paths: set[Path], index: int) -> str:
    """All of message `index` but the texts at `paths`; "" if nothing but roles, types and ids is left."""
    if not isinstance(message, dict):
        return _as_json(message, paths, (index,))
    content = message.get("content")
    parts = content if isinstance(content, (list, tuple)) else [content]
    places: list[Path] = [(index, "content", place) for place in range(len(parts))] if parts is content else [(index, "content")]
    said = [_part(part, paths, place) for part, place in zip(parts, places, strict=True)]
    calls = message.get("tool_calls")
    called = [_call(call) for call in calls] if isinstance(calls, (list, tuple)) else []
    handled = ("content", "tool_calls") if called else ("content",)
    others = _as_json({key: value for key, value in message.items() if key not in handled}, paths, (index,))
    return "\n".join(part for part in (*said, *called, others) if part)


def _part(part: Any, paths: set[Path], at: Path) -> str:
    if isinstance(part, str):
        return "" if at in paths else part
    if isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type") in ("text", "output_text", "input_text"):
        return "" if (*at, "text") in paths else str(part["text"])
    if isinstance(part, dict) and part.get("type") == "tool_use":
        return f"{part.get('name')}({_as_json(part.get('input'), paths, (*at, 'input'), always=True)})"
    return _as_json(part, paths, at)


def _call(call: Any) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict) and isinstance(function.get("arguments"), str):
        return f"{function.get('name')}({function['arguments']})"
    return _as_json(call, set(), (), always=True)


def _as_json(value: Any, paths: set[Path], at: Path, *, always: bool = False) -> str:
    kept = _without(value, paths, at)
    return json.dumps(kept, ensure_ascii=False, indent=None if always else 1, default=str) if always or _says(kept) else ""


def _without(value: Any, paths: set[Path], at: Path) -> Any:
    if at in paths:
        return _ABOVE
    if isinstance(value, dict):
        return {key: _without(inner, paths, (*at, key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(inner, paths, (*at, place)) for place, inner in enumerate(value)]
    if isinstance(value, str) and len(value) > LONG_WORD and len(value.split(None, 1)) == 1:
        return f"{value[:40]}… ({len(value):,} characters)"
    return value


def _says(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_says(inner) for key, inner in value.items() if key not in _NAMES)
    if isinstance(value, list):
        return any(map(_says, value))
    return value not in (None, "", _ABOVE, True, False)
