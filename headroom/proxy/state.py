"""Everything that one running proxy holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from headroom import CompressionStore
from headroom.proxy.exchange import Exchange
from headroom.proxy.history import History
from headroom.proxy.limits import Room
from headroom.proxy.metrics import Metrics
from headroom.proxy.services import Services
from headroom.proxy.settings import ProxySettings
from headroom.proxy.upstream import Upstream


@dataclass(slots=True)
class State:
    """Shared by the forwarder and the proxy's own endpoints."""

    settings: ProxySettings
    upstreams: Mapping[str, Upstream]
    store: CompressionStore | None
    services: Services
    metrics: Metrics
    history: History
    room: Room
    exchange: Exchange
    names: dict[str, str] = field(default_factory=dict)
    """Provider -> where its requests go."""
    started: float = field(default_factory=time.monotonic)
    warm: threading.Event = field(default_factory=threading.Event)
    """Set when the first request will not wait for a vocabulary to be loaded."""
