"""The three dialects, by the names that `DIALECTS` gives them. Adding one is a file, a stream and two lines."""

from __future__ import annotations

from headroom.wire.dialects.anthropic import Anthropic
from headroom.wire.dialects.base import Dialect
from headroom.wire.dialects.openai import OpenAIChat
from headroom.wire.dialects.responses import Responses

__all__ = ["WHOLE", "Dialect"]

WHOLE: dict[str, Dialect] = {"anthropic": Anthropic(), "openai": OpenAIChat(), "responses": Responses()}
