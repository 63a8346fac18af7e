"""What every test gets: a store of its own, no network but this machine, and the same examples on every run."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from headroom.core import store

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")  # --hypothesis-profile=long overrides it

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # LiteLLM would fetch a price list when it is imported

_LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: what gzip writes holds the time, and workers that see different names refuse to start."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def store_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """HEADROOM_HOME in a fresh folder; no other HEADROOM_* variable of whoever runs the tests gets through."""
    before = {name: value for name, value in os.environ.items() if name.startswith("HEADROOM_")}
    for name in before:
        del os.environ[name]
    home = tmp_path_factory.mktemp("headroom")
    os.environ["HEADROOM_HOME"] = str(home)
    yield home
    for name in [name for name in os.environ if name.startswith("HEADROOM_")]:
        del os.environ[name]
    os.environ.update(before)
    while store._default_stores:
        store._default_stores.popitem()[1].close()


@pytest.fixture(autouse=True, scope="session")
def network_off() -> Iterator[None]:
    """Whoever asks for another machine fails, at the look-up of its name already. Local sockets work."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(address, tuple) and host not in _LOCAL_NAMES:
            raise AssertionError(f"a test asked for the network: {address!r}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if host is not None:
            check((host.decode() if isinstance(host, bytes) else host,))
        return look_up(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield
