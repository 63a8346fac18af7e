"""A conversation and what compress() makes of it, with what a page wants to know beyond a result."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from headroom import CompressConfig, CompressionStore, CompressResult, MemoryStore, compress
from headroom.core.formats.parts import ITEM
from headroom.core.messages import split
from headroom.core.store.base import DEFAULT_NAMESPACE
from headroom.core.types import Path
from headroom.inspect.transcripts import Transcript

DEFAULT_MODEL = "gpt-4o"


@dataclass(frozen=True, slots=True)
class Examined:
    """One conversation, compressed. `tools`: which tool gave the text at a path ("" for a user's)."""

    name: str
    result: CompressResult
    store: CompressionStore | None = None
    namespace: str = DEFAULT_NAMESPACE
    tools: dict[Path, str] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    """Indexes of the messages with which an answer of the model begins: each was a request with all messages before it.

    Recordings often end with an output that nobody sent any more, so an end without an answer counts as none; a
    conversation without any answer is one request.
    """

    def sent(self, index: int) -> int:
        """How many requests message `index` was a part of."""
        return len(self.requests) - bisect_right(self.requests, index) if self.requests else 1


def examine(transcript: Transcript, *, model: str = "", config: CompressConfig, lossless: bool = False) -> Examined:
    """Compress a conversation as an agent's requests would be. Originals are kept in memory only. FormatError as compress()."""
    store = MemoryStore()
    asked = model or transcript.model or DEFAULT_MODEL
    result = compress(transcript.messages, asked, config=config, store=store, lossless=lossless)
    return examined(transcript.name, result, store, config.namespace)


def examined(name: str, result: CompressResult, store: CompressionStore | None, namespace: str) -> Examined:
    """The same for a result that is there already."""
    tools, roles = _tools_and_roles(result.messages)
    return Examined(name, result, store, namespace, tools, roles, _requests(roles))


def _tools_and_roles(messages: Sequence[Any]) -> tuple[dict[Path, str], list[str]]:
    calls: dict[str, str] = {}
    tools: dict[Path, str] = {}
    roles: list[str] = []
    for index, message in enumerate(messages):
        parts = split(index, message)
        roles.append(parts.role)
        calls.update((call.id, call.name) for call in parts.calls)
        for block in parts.blocks:
            tools[block.path] = "" if block.role == "user" else block.tool_name or calls.get(block.call_id) or "unknown tool"
    return tools, roles


def _requests(roles: list[str]) -> list[int]:
    starts, answering = [], False
    for index, role in enumerate(roles):
        if role == "assistant" and not answering:
            starts.append(index)
        answering = role == "assistant" or (answering and role == ITEM)
    return starts
