"""Every setting of the proxy in one table, with its default."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headroom import CompressConfig, ConfigError
from headroom.core.config import proxy_environment
from headroom.proxy.upstream import TimeOuts

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """How the proxy runs. ConfigError for a value that cannot be, or a host that the world can reach without a token."""

    host: str = "127.0.0.1"
    port: int = 8787
    """0: any free one."""
    openai_url: str = OPENAI_URL
    """With the part that clients know as /v1."""
    anthropic_url: str = ANTHROPIC_URL
    """Without /v1."""
    backend: str = ""
    region: str = ""
    backend_url: str = ""
    """In place of the cloud service's own."""
    model_map: Sequence[str] = ()
    """Names that clients send and the backend's for the same models, each as "NAME=NAME"."""
    token: str = field(default="", repr=False)
    """What the proxy's own endpoints ask for; empty: nothing, which only this machine may have."""
    retrieve: bool = True
    """Offer headroom_retrieve and answer its calls; else fold only, so that nothing is left out."""
    show_texts: bool = False
    """Keep the texts of the newest requests in memory, for the dashboard."""
    max_body_bytes: int = 64 << 20
    """Of a request that is read: more answers 413. What is only passed on is never held, and has no limit here."""
    max_requests: int = 1_000
    """At the same time: more answers 503."""
    time_outs: TimeOuts = field(default_factory=TimeOuts)
    shutdown_seconds: float = 300.0
    """How long streams may go on after the proxy was told to stop."""
    config: CompressConfig = field(default_factory=CompressConfig.from_env)
    store: str | Path | None = None
    """The file or URL (redis://...) of the store that keeps originals; by default the user's."""

    def __post_init__(self) -> None:
        for name in ("openai_url", "anthropic_url"):
            object.__setattr__(self, name, _checked_url(name, getattr(self, name)))
        object.__setattr__(self, "anthropic_url", self.anthropic_url.removesuffix("/v1"))
        for name in ("max_body_bytes", "max_requests"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"port must be 0 to 65535, not {self.port!r}")
        if not self.local and not self.token:
            raise ConfigError(
                f"other machines can reach {self.host}: set a token (--token or HEADROOM_TOKEN) for the proxy's own endpoints"
            )

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the proxy."""
        return is_local(self.host)

    @classmethod
    def from_env(cls, **given: Any) -> ProxySettings:
        """What was given, then what the environment says (HEADROOM_OPENAI_URL, HEADROOM_ANTHROPIC_URL, HEADROOM_TOKEN)."""
        return cls(**{**proxy_environment(), **{name: value for name, value in given.items() if value is not None}})

    def with_settings(self, **changes: Any) -> ProxySettings:
        """A copy with some of them changed."""
        return replace(self, **changes)


def is_local(host: str) -> bool:
    """Whether `host` is this machine's name for itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _checked_url(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{name} must be like http://host:port, not {url!r}")
    if parts.query or parts.fragment:
        raise ConfigError(f"{name} must end with its path, not {url!r}")
    return url.rstrip("/")
