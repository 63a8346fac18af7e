"""A reply that arrives in chunks: words pass at once, our calls never do, and the rounds follow each other in one stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_usage
from langchain_core.outputs import ChatGenerationChunk

from headroom.integrations.langchain import hidden
from headroom.integrations.langchain.exchange import Exchange
from headroom.tools.definitions import is_retrieve_tool

_EVERY_CHUNK = ("model_provider", "output_version")
"""Metadata that stands on every chunk, and merges."""


class StreamedReply:
    """Give every chunk to `take()` and pass on what it returns, and `end_round()` after each round, as long as it `goes_on`."""

    def __init__(self, exchange: Exchange, *, plain_strings: bool = False) -> None:
        self._exchange = exchange
        self._plain_strings = plain_strings
        self._passed = _Passed()
        self._round = _Round()
        self._failed = False
        self.goes_on = True
        """The model is to be asked, for the first time or again."""

    def take(self, chunk: ChatGenerationChunk) -> list[ChatGenerationChunk]:
        """The chunks to pass on now. A chunk that says nothing waits for the next one that does, or for the end."""
        waiting = list(self._round.waiting)
        return [chunk] if self._failed else self._or_as_it_came(lambda: self._taken(chunk), [*waiting, chunk])

    def end_round(self) -> list[ChatGenerationChunk]:
        """The chunks to pass on at the end of a round."""
        waiting, self.goes_on = list(self._round.waiting), False
        return [] if self._failed else self._or_as_it_came(self._ended, waiting)

    def _or_as_it_came(self, work: Callable[[], list[ChatGenerationChunk]], chunks: list[ChatGenerationChunk]) -> list[ChatGenerationChunk]:
        try:
            return work()
        except Exception as error:
            self._exchange.failed(error)
            self._failed, self.goes_on = True, False
            return chunks

    def _taken(self, chunk: ChatGenerationChunk) -> list[ChatGenerationChunk]:
        visible = self._round.heard(chunk) if self._exchange.answers_calls else chunk
        if visible is None:
            self._forget([chunk])
            return []
        if _is_silent(visible.message):
            self._round.waiting.append(visible)
            return []
        ready, self._round.waiting = [*self._round.waiting, visible], []
        return [self._emitted(ready_chunk) for ready_chunk in ready]

    def _ended(self) -> list[ChatGenerationChunk]:
        waiting = self._round.waiting
        if self._round.has_our_calls:
            _, self.goes_on = self._exchange.heard(self._round.reply())
        if self.goes_on:
            self._forget(waiting)
            self._passed.end_round()
            self._round = _Round()
            return []
        return self._with_notes([self._emitted(chunk) for chunk in waiting])

    def _forget(self, chunks: list[ChatGenerationChunk]) -> None:
        for chunk in chunks:
            usage = getattr(chunk.message, "usage_metadata", None)
            if usage is not None:
                self._exchange.usage = add_usage(self._exchange.usage, usage)

    def _emitted(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        if self._plain_strings:
            chunk = _with_message(chunk, content=_as_string(chunk.message.content))
        return self._passed.fitted(chunk)

    def _with_notes(self, chunks: list[ChatGenerationChunk]) -> list[ChatGenerationChunk]:
        earlier, own = self._passed.to_take_off()
        notes = self._exchange.notes(earlier, own)
        usage, self._exchange.usage = self._exchange.usage, None
        if not notes and usage is None:
            return chunks
        *before, last = chunks or [self._passed.empty_chunk()]
        message = last.message
        metadata = {**message.response_metadata, hidden.KEY: notes}
        total = add_usage(usage, getattr(message, "usage_metadata", None)) if usage is not None else message.usage_metadata  # type: ignore[attr-defined]
        return [*before, _with_message(last, response_metadata=metadata, usage_metadata=total)]


class _Round:
    """The chunks of one request's reply: which of them belong to calls of ours."""

    def __init__(self) -> None:
        self.waiting: list[ChatGenerationChunk] = []
        self.has_our_calls = False
        self._chunks: list[AIMessageChunk] = []
        self._ours: set[Any] = set()
        """Indexes of our calls: later chunks of a call carry nothing else."""

    def heard(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk | None:
        """The chunk without our calls; None if nothing else was in it."""
        message = chunk.message
        if not isinstance(message, AIMessageChunk):
            return chunk
        metadata = {**(chunk.generation_info or {}), **message.response_metadata}
        self._chunks.append(message.model_copy(update={"response_metadata": metadata}))  # who gets the chunk writes into it
        if not message.tool_call_chunks and not self._ours:
            return chunk
        for call in message.tool_call_chunks:
            if is_retrieve_tool(call.get("name") or ""):
                self.has_our_calls = True
                self._ours.add(call.get("index"))
        return self._without_ours(chunk, message) if self._ours else chunk

    def reply(self) -> AIMessage:
        """The whole reply."""
        first, *rest = self._chunks
        whole = message_chunk_to_message(first.__add__(rest))
        assert isinstance(whole, AIMessage)
        return whole

    def _without_ours(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> ChatGenerationChunk | None:
        calls = [call for call in message.tool_call_chunks if not self._is_ours(call)]
        content = message.content
        if isinstance(content, list):
            content = [block for block in content if not (_is_part_of_call(block) and self._is_ours(block))]
        kwargs = message.additional_kwargs
        if isinstance(kwargs.get("tool_calls"), list):
            raw = [call for call in kwargs["tool_calls"] if not self._is_ours({**call, **(call.get("function") or {})})]
            kwargs = {**{key: value for key, value in kwargs.items() if key != "tool_calls"}, **({"tool_calls": raw} if raw else {})}
        if len(calls) == len(message.tool_call_chunks) and content == message.content:
            return chunk
        rest = _with_message(chunk, content=content, tool_call_chunks=calls, additional_kwargs=kwargs)
        says_more = calls or content or kwargs or message.usage_metadata or metadata_of(chunk) or _is_last(message)
        return rest if says_more else None

    def _is_ours(self, part: Any) -> bool:
        name = part.get("name")
        return is_retrieve_tool(name) if name else part.get("index") in self._ours


class _Passed:
    """What the application has been given so far, so that later rounds merge with it."""

    def __init__(self) -> None:
        self._earlier_rounds = False
        self._metadata: set[str] = set()
        self._next_index = 0
        self._last_text: int | None = None
        self._shift = 0
        self._text = ""
        self._blocks: set[Any] = set()
        self._id: str | None = None
        self._is_list = False
        self._earlier: hidden.Json = {}
        self._own: hidden.Json = {}
        self._separated = True

    def end_round(self) -> None:
        """A round is over and another follows."""
        if self._id is None and not self._text and not self._blocks and not self._metadata:
            return  # nothing has passed: the next round is the first for the application
        self._earlier_rounds, self._own = True, {}
        self._shift = self._next_index
        self._separated = not self._text
        self._earlier = {"text": self._text, **({"blocks": len(self._blocks)} if self._is_list else {})}

    def fitted(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """The chunk as it merges with those before."""
        if self._earlier_rounds:
            chunk = self._fitted(chunk)
        self._note(chunk)
        return chunk

    def to_take_off(self) -> tuple[hidden.Json, hidden.Json]:
        """What of the whole reply belongs to earlier rounds, and what the last round had of its own instead."""
        return self._earlier, self._own

    def empty_chunk(self) -> ChatGenerationChunk:
        """A chunk that adds nothing."""
        return ChatGenerationChunk(message=AIMessageChunk(content=[] if self._is_list else "", id=self._id))

    def _fitted(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        message = chunk.message
        assert isinstance(message, AIMessageChunk)
        if message.id:
            self._own["id"] = message.id
        response_id = message.response_metadata.get("id") or (chunk.generation_info or {}).get("id")
        if response_id:
            self._own["response_id"] = response_id
        content = [_shifted(block, self._shift) for block in message.content] if isinstance(message.content, list) else message.content
        if content and not self._separated:
            self._separated, content = True, self._parted(content)
        calls = [_shifted(call, self._shift) for call in message.tool_call_chunks]
        info = self._new(chunk.generation_info or {})
        fitted = _with_message(
            chunk, content=content, tool_call_chunks=calls, response_metadata=self._new(message.response_metadata), id=self._id
        )
        return ChatGenerationChunk(message=fitted.message, generation_info=info or None)

    def _parted(self, content: Any) -> Any:
        """The first words of a later round, a paragraph below the last ones of the earlier."""
        if isinstance(content, list):
            if self._last_text is None or hidden.is_call_block(content[0]):
                return content
            content = [{"type": "text", "text": "\n\n", "index": self._last_text}, *content]
        else:
            content = "\n\n" + content
        self._earlier["text"] += "\n\n"
        return content

    def _new(self, metadata: hidden.Json) -> hidden.Json:
        """Metadata that was not passed yet: strings would be joined, numbers added."""
        return {key: value for key, value in metadata.items() if key in _EVERY_CHUNK or key not in self._metadata}

    def _note(self, chunk: ChatGenerationChunk) -> None:
        message = chunk.message
        self._id = self._id or message.id
        self._metadata.update(message.response_metadata, chunk.generation_info or ())
        content = message.content
        if isinstance(content, str):
            self._text += content
            return
        self._is_list = True
        for block in content:
            self._text += hidden.text_of(block)
            index = block.get("index") if isinstance(block, dict) else None
            self._last_text = index if hidden.text_of(block) and isinstance(index, int) else self._last_text
            self._blocks.add(len(self._blocks) if index is None else f"index {index}")
            if isinstance(index, int):
                self._next_index = max(self._next_index, index + 1)


def metadata_of(chunk: ChatGenerationChunk) -> hidden.Json:
    """What a chunk says about the reply besides its content."""
    return {**(chunk.generation_info or {}), **chunk.message.response_metadata}


def _is_silent(message: Any) -> bool:
    """Whether a chunk shows nothing: it begins, ends or counts."""
    content = message.content
    said = any(block.get("text") != "" if isinstance(block, dict) and block.get("type") == "text" else block for block in content)
    return not (said or getattr(message, "tool_call_chunks", None) or message.additional_kwargs)


def _is_last(message: Any) -> bool:
    return getattr(message, "chunk_position", None) == "last"


def _is_part_of_call(block: Any) -> bool:
    return isinstance(block, dict) and (hidden.is_call_block(block) or block.get("type") == "input_json_delta")


def _shifted(part: Any, by: int) -> Any:
    return {**part, "index": part["index"] + by} if isinstance(part, dict) and isinstance(part.get("index"), int) else part


def _as_string(content: Any) -> Any:
    """A list of nothing but plain texts as one string."""
    if isinstance(content, list) and all(isinstance(block, dict) and not set(block) - {"type", "text", "index"} for block in content):
        return "".join(map(hidden.text_of, content)) if all(block.get("type") == "text" for block in content) else content
    return content


def _with_message(chunk: ChatGenerationChunk, **changes: Any) -> ChatGenerationChunk:
    """The chunk with another message; its calls are read anew from its call chunks."""
    message = chunk.message
    fields = {name: getattr(message, name) for name in type(message).model_fields if name not in ("tool_calls", "invalid_tool_calls")}
    return ChatGenerationChunk(message=type(message)(**{**fields, **changes}), generation_info=chunk.generation_info)
