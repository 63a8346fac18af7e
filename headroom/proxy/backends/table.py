"""The backends by name. Each is imported when it is asked for, since each needs packages that the others do not."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from headroom import ConfigError
from headroom.proxy.backends.base import BackendOptions
from headroom.proxy.upstream import Upstream

BACKENDS = {
    "bedrock": ("headroom.proxy.backends.bedrock", "BedrockUpstream"),
    "vertex_ai": ("headroom.proxy.backends.vertex", "VertexUpstream"),
    "azure": ("headroom.proxy.backends.azure", "AzureUpstream"),
    "openrouter": ("headroom.proxy.backends.openrouter", "OpenRouterUpstream"),
}
"""Name -> module and class."""


def open_backend(name: str, options: BackendOptions | None = None) -> Upstream:
    """The upstream of that name. ConfigError for an unknown one, or where a setting is missing; MissingDependencyError."""
    if name not in BACKENDS:
        raise ConfigError(f"unknown backend {name!r} (valid: {', '.join(BACKENDS)})")
    module, member = BACKENDS[name]
    opened: Callable[[BackendOptions], Upstream] = getattr(import_module(module), member)
    return opened(options or BackendOptions())
