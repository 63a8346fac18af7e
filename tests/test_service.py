"""CompressionService: compress() that never fails a request, and says what went wrong."""

from __future__ import annotations

import copy
import logging
import threading
import warnings
from typing import Any

import pytest

from headroom import CompressConfig, CompressionHooks, CompressionService, ConfigError, MemoryStore, compress
from headroom import service as service_module
from tests import shop


def test_it_compresses_as_compress_does_and_counts() -> None:
    service = CompressionService(store=MemoryStore())
    result = service.compress(shop.conversation(), "gpt-4o")
    assert result is not None
    assert result.messages == compress(shop.conversation(), "gpt-4o", store=MemoryStore()).messages
    assert service.savings.tokens_saved == result.tokens_saved > 0


@pytest.mark.parametrize("wrong", [{"namspace": "x"}, {"namespace": 7}, {"config": "firm"}])
def test_a_wrong_option_raises_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises((ConfigError, AttributeError)):
        CompressionService(**wrong)


def test_what_cannot_be_read_goes_out_as_it_came_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    service = CompressionService()
    with pytest.warns(UserWarning, match="uncompressed") as warned, caplog.at_level(logging.WARNING, "headroom"):
        assert service.compress([{"content": "no role"}]) is None
        assert service.compress([{"content": "no role"}]) is None
    assert len(warned) == 1
    assert len(caplog.records) == service.savings.failures == 2


def test_where_warnings_are_errors_the_request_still_goes_on() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CompressionService().compress([{"content": "no role"}]) is None


def test_a_failing_hook_does_not_fail_the_request() -> None:
    class Broken(CompressionHooks):
        def post_compress(self, event: Any) -> None:
            raise RuntimeError("theirs")

    service = CompressionService(hooks=Broken())
    with pytest.warns(UserWarning, match="theirs"):
        assert service.compress(shop.conversation()) is None


def test_a_store_in_trouble_warns_and_sends_originals() -> None:
    class Full(MemoryStore):
        def put_many(self, *arguments: Any, **options: Any) -> Any:
            raise OSError("disk full")

    service = CompressionService(store=Full())
    with pytest.warns(UserWarning, match="disk full"):
        result = service.compress(shop.conversation())
    assert result is not None
    assert not any(block.stored for block in result.blocks)


def test_lossless_for_one_request_leaves_nothing_out() -> None:
    service = CompressionService(store=MemoryStore())
    folded, digested = service.compress(shop.conversation(), lossless=True), service.compress(shop.conversation())
    assert folded is not None
    assert digested is not None
    assert not any(block.lossy for block in folded.blocks)
    assert any(block.lossy for block in digested.blocks)


def test_answers_come_from_its_own_store_and_namespace() -> None:
    service = CompressionService(store=MemoryStore(), namespace="tenant-7")
    result = service.compress(shop.conversation())
    assert result is not None
    assert '"id": "ord_7123"' in service.answer("headroom_retrieve", {"ref": result.references[0], "query": "ord_7123"})
    assert "expired" in CompressionService(store=service.store).answer("headroom_retrieve", {"ref": result.references[0]})
    assert service.savings.retrievals == 1


async def test_large_requests_are_compressed_off_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[threading.Thread] = []

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.append(threading.current_thread())
        return compress(*arguments, **options)

    monkeypatch.setattr(service_module, "compress", spy)
    service = CompressionService(store=MemoryStore())
    await service.acompress([{"role": "user", "content": "small"}])
    await service.acompress([{"role": "user", "content": "large " * 10_000}])
    assert seen[0] is threading.main_thread() is not seen[1]


def test_copies_are_the_same_service() -> None:
    service = CompressionService(config=CompressConfig.preset("firm"))
    assert copy.deepcopy(service) is service
