"""Whose a request is: the provider that it goes to, and whether it holds a conversation that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from headroom.wire.bodies import DIALECTS

Provider = Literal["openai", "anthropic"]

_CONVERSATIONS = {**DIALECTS, "/responses": "responses"}
_COUNTS = {"/v1/messages/count_tokens": "anthropic", "/v1/responses/input_tokens": "responses"}
_ANTHROPIC_PATHS = ("/v1/messages", "/v1/complete", "/v1/organizations", "/api/")
"""Complete is Anthropic's old endpoint; under /api/ its coding agent asks for what it needs beside the model."""


@dataclass(frozen=True, slots=True)
class Target:
    """`dialect` is that of a conversation to compress, "" for everything that is passed on as it is."""

    provider: Provider
    dialect: str
    counts: bool = False
    """The request asks only how many tokens it would have."""


def target_of(method: str, path: str, headers: Mapping[str, str]) -> Target:
    """`path` without its query; `headers` with names in lower case. What is nobody's goes to OpenAI."""
    dialect = (_CONVERSATIONS.get(path) or _COUNTS.get(path, "")) if method == "POST" else ""
    if dialect:
        return Target("anthropic" if dialect == "anthropic" else "openai", dialect, counts=path in _COUNTS)
    return Target("anthropic" if _is_for_anthropic(path, headers) else "openai", "")


def _is_for_anthropic(path: str, headers: Mapping[str, str]) -> bool:
    if path.startswith(("/v1/chat/", "/v1/responses", "/chat/", "/responses")):
        return False
    if path.startswith(_ANTHROPIC_PATHS) or "anthropic-version" in headers or "anthropic-beta" in headers or "x-api-key" in headers:
        return True
    return headers.get("authorization", "").lower().startswith("bearer sk-ant-")
