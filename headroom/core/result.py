"""What compress() returns. Token counts are taken when first read: a turn that nobody measures costs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from headroom.core import marker, tokens
from headroom.core.formats.parts import as_dicts
from headroom.core.retrieval_tool import definition
from headroom.core.types import ContentBlock, ContentKind, Message, Path


class BlockReport:
    """What became of one text that might have been compressed.

    `path` (message index, key, ...), `before` and `after` (the texts), `kind` ("" if none was asked), `reference` of
    the stored original (None if unchanged or folded without a tool), `lossy` (something is not visible any more),
    `note` (the marker's words) and `reason`, which says why a text was left alone ("" if it was changed).
    """

    __slots__ = ("_encoding", "after", "before", "kind", "lossy", "note", "path", "reason", "redacted", "reference")

    def __init__(
        self,
        block: ContentBlock,
        after: str,
        *,
        kind: ContentKind = "",
        reference: str | None = None,
        lossy: bool = False,
        note: str = "",
        reason: str = "",
        encoding: str = "o200k_base",
    ) -> None:
        self.path: Path = block.path
        self.before = block.text
        self.after = after
        self.kind = kind
        self.reference = reference
        self.lossy = lossy
        self.note = note
        self.reason = reason
        self.redacted = False
        """Whether the caller's `redact` took something out. `before` is then the text without it: the other is kept nowhere."""
        self._encoding = encoding

    @property
    def compressor(self) -> str:
        """The compressor that changed the text: it has its kind's name. "" if none did."""
        return self.kind if self.before is not self.after else ""

    @property
    def changed(self) -> bool:
        """Whether the text that leaves differs from the one that came."""
        return self.before is not self.after or self.redacted

    @property
    def stored(self) -> bool:
        """Whether the text leaves shortened on the word of a store that holds its original."""
        return self.changed and self.reference is not None

    @property
    def tokens_before(self) -> int:
        """Tokens of the text as it came."""
        return tokens.count(self.before, self._encoding)

    @property
    def tokens_after(self) -> int:
        """Tokens of the text as it leaves, marker included."""
        return tokens.count(self.after, self._encoding)

    @property
    def tokens_saved(self) -> int:
        """The difference; 0 if unchanged."""
        return self.tokens_before - self.tokens_after if self.changed else 0

    @property
    def failed(self) -> bool:
        """Whether a failure of ours (a compressor, the store) is why the text was left alone."""
        return self.reason.startswith("failed: ")

    def reverted(self, reason: str) -> BlockReport:
        """The report of the same text sent as it came, and why."""
        return BlockReport(self._block, self.before, kind=self.kind, reason=reason, encoding=self._encoding)

    def with_reference(self, reference: str) -> BlockReport:
        """The report of the same text with another reference in its marker."""
        assert self.reference is not None
        after = marker.readdress(self.after, self.reference, reference)
        return BlockReport(
            self._block, after, kind=self.kind, reference=reference, lossy=self.lossy, note=self.note, encoding=self._encoding
        )

    def as_redacted(self) -> BlockReport:
        """The same report of a text that was redacted first."""
        report = BlockReport(
            self._block,
            self.after,
            kind=self.kind,
            reference=self.reference,
            lossy=self.lossy,
            note=self.note,
            reason=self.reason,
            encoding=self._encoding,
        )
        report.redacted = True
        return report

    @property
    def _block(self) -> ContentBlock:
        return ContentBlock(self.path, self.before, "")

    def __repr__(self) -> str:
        what = f"{self.kind}, reference={self.reference}" if self.changed else self.reason
        return f"BlockReport({'.'.join(map(str, self.path))}: {what})"


class CompressResult:
    """The compressed conversation and what was done to it."""

    def __init__(
        self, messages: list[Message], blocks: list[BlockReport], model: str, originals: list[Message], held: Iterable[str] = ()
    ) -> None:
        self.messages = messages
        """Same format, same length, same order as the input; unchanged messages are the same objects."""
        self.blocks = blocks
        """One report for each text that might have been compressed, in order."""
        self.model = model
        self._originals = originals
        self._held = tuple(held)
        self._encoding, self.tokens_exact = tokens.encoding_for(model)

    @cached_property
    def references(self) -> list[str]:
        """The references of the originals behind every changed text, and behind the markers that came in; each once."""
        own = (block.reference for block in self.blocks if block.changed and block.reference is not None)
        return list(dict.fromkeys((*own, *self._held)))

    @cached_property
    def tokens_before(self) -> int:
        """Tokens of all texts that came: contents, names of calls and their arguments.

        What a provider adds around messages is not counted. Exact for OpenAI models; for others (`tokens_exact`
        False) an estimate, counted with o200k_base.
        """
        return tokens.count_texts(_texts(self._originals), self._encoding)

    @cached_property
    def tokens_saved(self) -> int:
        """Tokens removed."""
        return sum(block.tokens_saved for block in self.blocks)

    @cached_property
    def tokens_after(self) -> int:
        """Tokens of all texts that leave."""
        return self.tokens_before - self.tokens_saved

    @cached_property
    def compression_ratio(self) -> float:
        """Share of tokens removed: 0.0 nothing saved, 1.0 everything removed."""
        return self.tokens_saved / self.tokens_before if self.tokens_before else 0.0

    @cached_property
    def transforms_applied(self) -> list[str]:
        """What ran, in order: "router:KIND:SHARE" with the share of the text's tokens removed, "redacted", or "failed:KIND:WHY"."""
        applied = []
        for block in self.blocks:
            if block.redacted:
                applied.append("redacted")
            if block.compressor:
                share = block.tokens_saved / max(1, block.tokens_before)
                applied.append(f"router:{block.kind}:{share:.2f}")
            elif block.failed:
                applied.append(f"failed:{block.kind or 'store'}:{block.reason.removeprefix('failed: ')}")
        return applied

    def tools(self, dialect: str) -> list[dict[str, Any]]:
        """The definition of `headroom_retrieve`, to add to the request's tools: "openai", "anthropic" or "responses".

        Give it to the model from the first request on, whether or not anything was left out yet: a tool list that
        changes costs the provider's prefix cache.
        """
        return [definition(dialect)]

    def __repr__(self) -> str:
        changed = sum(block.changed for block in self.blocks)
        return f"<CompressResult: {len(self.messages)} messages, {changed} of {len(self.blocks)} texts shortened>"


def _texts(messages: list[Message]) -> list[str]:
    texts: list[str] = []
    for message in map(as_dicts, messages):
        _collect(message.get("content"), texts)
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            body = (call.get("function") or call.get("custom")) if isinstance(call, dict) else None
            if isinstance(body, dict):
                texts += [str(body.get("name") or ""), _plain(body.get("arguments", body.get("input")))]
        if isinstance(message.get("type"), str) and message["type"] != "message":
            texts += [str(message.get("name") or ""), _plain(message.get("arguments", message.get("input")))]
            _collect(message.get("output"), texts)
    return texts


def _collect(content: Any, texts: list[str]) -> None:
    if isinstance(content, str):
        texts.append(content)
    elif isinstance(content, list):
        for block in content:
            if isinstance(block, str):
                texts.append(block)
            elif isinstance(block, dict):
                _collect_block(block, texts)


def _collect_block(block: dict[str, Any], texts: list[str]) -> None:
    if isinstance(block.get("text"), str):
        texts.append(block["text"])
    elif isinstance(block.get("type"), str) and block["type"] in _CALLS:
        name, arguments = _CALLS[block["type"]]
        texts += [str(block.get(name) or ""), _plain(block.get(arguments))]
    elif "content" in block:
        _collect(block["content"], texts)
    elif isinstance(block.get("output"), dict):
        value = block["output"].get("value")
        texts += [] if isinstance(value, (str, list)) else [_plain(value)]
        _collect(value, texts)


_CALLS = {"tool_use": ("name", "input"), "tool-call": ("toolName", "input"), "toolCall": ("name", "arguments")}
"""Blocks that call a tool, in the formats that have such blocks: where they name it, and where its arguments are."""


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):  # keys that JSON does not have
        return str(value)
