"""LiteLLM as these tests meet it: offline, silent, and as if freshly imported each time."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
from collections.abc import Iterator

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing LiteLLM asks the network for prices

import litellm
import pytest
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

from headroom import MemoryStore
from headroom.integrations.litellm_callback import HeadroomCallback

litellm.suppress_debug_info = True
litellm.disable_aiohttp_transport = True  # its sessions must be closed by hand, and LiteLLM keeps one for each event loop


@pytest.fixture(autouse=True)
def no_logging_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM logs finished calls in a task of its own, which it loses with the event loop that each test has."""
    monkeypatch.setattr(GLOBAL_LOGGING_WORKER, "ensure_initialized_and_enqueue", lambda async_coroutine: async_coroutine.close())


@pytest.fixture(autouse=True)
def streams_are_collected_between_requests() -> Iterator[None]:
    """A stream that was dropped unread is a circle: collected in the middle of the next request, httpcore waits for itself."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def a_loop_that_is_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """LiteLLM's synchronous calls ask for an event loop, which makes one, and leave it open."""
    if inspect.iscoroutinefunction(request.function):
        yield
        return
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(autouse=True)
def litellm_as_imported() -> Iterator[None]:
    """LiteLLM copies callbacks into other lists as it goes; none may outlive its test."""
    completion = litellm.completion
    _forget_callbacks()
    yield
    _forget_callbacks()
    litellm.in_memory_llm_clients_cache.flush_cache()
    assert litellm.completion is completion, "a test left litellm.completion replaced"


def _forget_callbacks() -> None:
    litellm.logging_callback_manager._reset_all_callbacks()
    litellm.input_callback = []


@pytest.fixture
def callback() -> HeadroomCallback:
    """A callback with a store of its own, in its place."""
    callback = HeadroomCallback(store=MemoryStore())
    litellm.callbacks = [callback]
    return callback
