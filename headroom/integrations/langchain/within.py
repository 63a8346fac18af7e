"""Whose method is running: what a model calls of its own other methods has been seen to, and is passed through."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.outputs import ChatGenerationChunk

from headroom.integrations.langchain.streams import StreamedReply

_within: ContextVar[Any] = ContextVar("headroom_within", default=None)


def is_inside(model: Any) -> bool:
    """Whether one of this model's own methods is running."""
    return _within.get() is model


@contextmanager
def inside(model: Any) -> Iterator[None]:
    """Mark the model's own method as running."""
    token = _within.set(model)
    try:
        yield
    finally:
        try:
            _within.reset(token)
        except ValueError:  # an abandoned asynchronous stream is closed by the event loop, in a context of its own
            pass


def visible(model: Any, reply: StreamedReply, chunks: Iterator[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
    """The chunks of one round that the application sees. Between chunks the application's code runs, outside the model's."""
    while True:
        with inside(model):
            chunk = next(chunks, None)
        if chunk is None:
            break
        yield from reply.take(chunk)
    yield from reply.end_round()


async def avisible(
    model: Any, reply: StreamedReply, chunks: AsyncIterator[ChatGenerationChunk]
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """The same, asynchronously."""
    try:
        while True:
            with inside(model):
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            for seen in reply.take(chunk):
                yield seen
        for seen in reply.end_round():
            yield seen
    finally:
        close = getattr(chunks, "aclose", None)  # generators have it, other iterators need not
        if close is not None:
            await close()
