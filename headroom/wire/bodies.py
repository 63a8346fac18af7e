"""Request bodies of the three dialects: where their messages are, and the same body with shorter ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headroom.core.result import CompressResult
from headroom.service import CompressionService

DIALECTS = {
    "/v1/messages": "anthropic",
    "/v1/chat/completions": "openai",
    "/chat/completions": "openai",
    "/v1/responses": "responses",
}
"""What a POST to these paths carries. "anthropic", "openai" and "responses" name the dialects everywhere."""

_KEYS = {"anthropic": "messages", "openai": "messages", "responses": "input"}


@dataclass(frozen=True, slots=True)
class CompressedBody:
    """A body to send on. `body` is the caller's own object if nothing was saved; `result` is None if nothing was tried."""

    body: Mapping[str, Any]
    result: CompressResult | None = None

    @property
    def changed(self) -> bool:
        """Whether anything in the body is shorter than it came."""
        return self.result is not None and any(block.changed for block in self.result.blocks)


def messages_of(body: object, dialect: str) -> list[Any] | None:
    """The messages or items of a request body; None if it holds none that can be read."""
    if not isinstance(body, Mapping):
        return None
    value = body.get(_KEYS[dialect])
    if dialect == "responses" and isinstance(value, str):
        return [{"role": "user", "content": value}]
    return value if isinstance(value, list) else None


def with_messages(body: Mapping[str, Any], dialect: str, messages: list[Any]) -> dict[str, Any]:
    """A copy of `body` with `messages` in place of its own; an input that was one string stays one as long as it is alone."""
    key = _KEYS[dialect]
    value: Any = messages
    if isinstance(body[key], str) and len(messages) == 1:
        value = messages[0]["content"]
    return {**body, key: value}


def compress_body(body: Mapping[str, Any], dialect: str, service: CompressionService, *, lossless: bool | None = None) -> CompressedBody:
    """`body` with its messages compressed. Anything that is not a request of this dialect comes back as it is."""
    messages = messages_of(body, dialect)
    if messages is None:
        return CompressedBody(body)
    result = service.compress(messages, _model_of(body), lossless=lossless)
    return _joined(body, dialect, result)


async def acompress_body(
    body: Mapping[str, Any], dialect: str, service: CompressionService, *, lossless: bool | None = None
) -> CompressedBody:
    """The same, with large bodies compressed off the event loop."""
    messages = messages_of(body, dialect)
    if messages is None:
        return CompressedBody(body)
    result = await service.acompress(messages, _model_of(body), lossless=lossless)
    return _joined(body, dialect, result)


def _joined(body: Mapping[str, Any], dialect: str, result: CompressResult | None) -> CompressedBody:
    if result is None or not any(block.changed for block in result.blocks):
        return CompressedBody(body, result)
    return CompressedBody(with_messages(body, dialect, result.messages), result)


def _model_of(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    return model if isinstance(model, str) else ""
