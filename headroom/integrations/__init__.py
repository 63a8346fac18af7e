"""Guests in other people's frameworks. Each is loaded when one of its names is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {}
"""Name -> the module that holds it; importing that module needs its framework."""

__all__ = sorted(_HOMES)  # noqa: PLE0605  (a table is the list)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
