"""Backends by name; each missing package names the extra that brings it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headroom import ConfigError, MissingDependencyError
from headroom.proxy.backends.table import BACKENDS, open_backend


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown backend 'bedrok'.*bedrock, vertex_ai, azure, openrouter"):
        open_backend("bedrok")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("bedrock", "anthropic"),
        ("bedrock", "boto3"),
        ("vertex_ai", "anthropic"),
        ("vertex_ai", "google.auth"),
        ("azure", "openai"),
        ("openrouter", "openai"),
    ],
)
def test_a_missing_package_names_its_extra(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, _ in BACKENDS.values():
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.delitem(sys.modules, "headroom.proxy.backends.openai_paths", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'headroom-ai\[cloud\]'"):
        open_backend(name)


def test_a_backend_loads_no_other_ones_packages() -> None:
    code = "import sys, headroom.proxy.backends.table; print([n for n in ('anthropic', 'openai', 'boto3') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
