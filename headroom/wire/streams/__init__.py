"""One class a dialect that makes one stream out of those of several round trips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headroom.wire.streams.anthropic import AnthropicStream
from headroom.wire.streams.base import RoundStream
from headroom.wire.streams.openai import OpenAIChatStream
from headroom.wire.streams.responses import ResponsesStream

if TYPE_CHECKING:
    from headroom.wire.rounds import Rounds

__all__ = ["RoundStream", "stream_of"]

_STREAMS: dict[str, type[RoundStream]] = {"anthropic": AnthropicStream, "openai": OpenAIChatStream, "responses": ResponsesStream}


def stream_of(rounds: Rounds) -> RoundStream:
    """The stream in the dialect of `rounds`."""
    return _STREAMS[rounds.dialect](rounds)
