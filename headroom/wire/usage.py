"""What several round trips have cost together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def added(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> dict[str, Any]:
    """The sum of two `usage` objects: every number, nested ones too; of everything else the newer one's."""
    total = dict(first or {})
    for key, value in (second or {}).items():
        before = total.get(key)
        if _is_number(value) and _is_number(before):
            total[key] = before + value
        elif isinstance(value, Mapping):
            total[key] = added(before if isinstance(before, Mapping) else None, value)
        elif value is not None or key not in total:
            total[key] = value
    return total


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
