"""A redis-server for each module that asks for one, emptied before each test. Modules of other stores have fixtures of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headroom.core.store import RedisStore
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop()


@pytest.fixture
def admin(server: RedisServer) -> Iterator[Any]:
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def store(server: RedisServer, admin: Any) -> Iterator[RedisStore]:
    opened = RedisStore(server.url)
    yield opened
    opened.close()
