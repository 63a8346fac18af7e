"""OpenClaw: its history, shortened and within a token budget. The plugin `headroom-openclaw` asks the proxy for it."""

from __future__ import annotations

from headroom.integrations.openclaw.assembly import Assembly, assemble

__all__ = ["Assembly", "assemble"]
