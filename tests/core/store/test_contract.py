"""Our own stores keep the contract that stores of other makes are tested for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headroom import MemoryStore, SQLiteStore
from tests.core.store.contract import StoreContract


class TestMemoryStore(StoreContract):
    def make(self, ttl_seconds: float = 1_000.0, clock: Any = None) -> Any:
        return MemoryStore(ttl_seconds=ttl_seconds, clock=clock)


class TestSQLiteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def make(self, ttl_seconds: float = 1_000.0, clock: Any = None) -> Any:
        return SQLiteStore(self.path / "originals.sqlite3", ttl_seconds=ttl_seconds, clock=clock)
