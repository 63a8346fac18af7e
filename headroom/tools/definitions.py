"""The tool as it is offered to a model, in each provider's dialect. Written down in core, where results offer it too."""

from __future__ import annotations

from typing import get_args

from headroom.core.retrieval_tool import DESCRIPTION, RETRIEVE_TOOL, Dialect, definition, is_retrieve_tool

__all__ = ["DESCRIPTION", "DIALECTS", "RETRIEVE_TOOL", "Dialect", "definition", "is_retrieve_tool"]

DIALECTS: tuple[str, ...] = get_args(Dialect)
