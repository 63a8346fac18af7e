"""A real redis-server on a free port of 127.0.0.1, in a folder of its own, for tests that need one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import redis

INSTALL = "redis-server is not installed; on Debian: apt-get install -y redis-server"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


class RedisServer:
    """Started at once; `stop()` and `start()` again on the same port and data."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        if shutil.which("redis-server") is None:
            pytest.fail(INSTALL)
        self.folder, self.options = folder, options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or 0
        while not self.port:
            chosen = free_port()
            # A node of a cluster takes a second port, 10,000 above, which may be beyond all ports or another's.
            if "--cluster-enabled" not in options or _is_free(chosen + 10_000):
                self.port = chosen
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "", *self.options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:  # noqa: PERF203
                    assert time.monotonic() < deadline, "redis-server did not start"
                    assert self._process.poll() is None, "redis-server ended at once"
                    time.sleep(0.02)

    def stop(self) -> None:
        """Kill it as a machine that loses power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def client(self) -> Any:
        return redis.Redis.from_url(self.url)
