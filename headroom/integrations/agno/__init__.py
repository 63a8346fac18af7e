"""Agno, natively: a model wrapper, Agno's own compression seam, the retrieval toolkit, hooks.

from headroom.integrations.agno import HeadroomAgnoModel
agent = Agent(model=HeadroomAgnoModel(Claude(id="claude-sonnet-4-20250514")))
"""

from __future__ import annotations

from headroom import MissingDependencyError

try:
    import agno.compression.manager  # noqa: F401  the youngest module that is needed: an older agno counts as absent
except ImportError as missing:
    raise MissingDependencyError("agno", extra="agno") from missing

from headroom.integrations.agno.compression_manager import HeadroomCompressionManager
from headroom.integrations.agno.hooks import HeadroomPostHook, HeadroomPreHook, RunReport, create_headroom_hooks
from headroom.integrations.agno.model import HeadroomAgnoModel
from headroom.integrations.agno.optimize import optimize_messages
from headroom.integrations.agno.tool_hook import create_headroom_tool_hook
from headroom.integrations.agno.toolkit import HeadroomTools

__all__ = [
    "HeadroomAgnoModel",
    "HeadroomCompressionManager",
    "HeadroomPostHook",
    "HeadroomPreHook",
    "HeadroomTools",
    "RunReport",
    "create_headroom_hooks",
    "create_headroom_tool_hook",
    "optimize_messages",
]
