"""Streams of Anthropic Messages: blocks are opened, filled and closed one after the other, each with its index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from headroom.wire.dialects.anthropic import Anthropic, is_ours, stop_reason
from headroom.wire.hidden import Json
from headroom.wire.sse import Event, write
from headroom.wire.streams.base import RoundStream
from headroom.wire.usage import added

if TYPE_CHECKING:
    from headroom.wire.rounds import Rounds

_WHOLE = Anthropic()


class AnthropicStream(RoundStream):
    """See `RoundStream`."""

    def __init__(self, rounds: Rounds) -> None:
        super().__init__(rounds)
        self._shown = 0
        """Blocks that the client has seen begin, in all rounds."""
        self._first_id = ""
        self.next_round()

    def next_round(self) -> None:
        self._blocks: dict[int, Json] = {}
        self._inputs: dict[int, list[str]] = {}
        self._places: dict[int, int | None] = {}
        """Index of a block -> its index for the client, None if the client does not see it."""
        self._usage: Json = {}
        self._id = ""

    def usage(self) -> Json:
        return self._usage

    def on(self, event: Event) -> bytes:
        data = event.json()
        if data is None:
            return event.raw
        kind = data.get("type")
        if kind == "message_start":
            self._usage, self._id = dict(data["message"].get("usage") or {}), str(data["message"].get("id") or "")
            self._first_id = self._first_id or self._id
            return event.raw if self._first else b""
        if kind == "message_delta":
            return self._on_message_delta(event, data)
        if kind == "message_stop":
            return b"" if self._going_on else event.raw
        if isinstance(data.get("index"), int):
            return self._on_block(event, data)
        self.give_up_if_failed(data)
        return event.raw

    def _on_block(self, event: Event, data: Json) -> bytes:
        index = data["index"]
        if data["type"] == "content_block_start":
            self._begin(index, data["content_block"])
        elif data["type"] == "content_block_delta":
            self._fill(index, data["delta"])
        elif data["type"] == "content_block_stop" and self._inputs.get(index):
            self._blocks[index]["input"] = json.loads("".join(self._inputs[index]))
        place = self._places.get(index, index)
        if place is None:
            return b""
        return event.raw if place == index else event.with_json({**data, "index": place})

    def _begin(self, index: int, block: Json) -> None:
        self._blocks[index] = dict(block)
        self._inputs[index] = []
        if is_ours(block):
            self._places[index] = None
        else:
            self._places[index] = self._shown
            self._shown += 1

    def _fill(self, index: int, delta: Json) -> None:
        block, kind = self._blocks[index], delta.get("type")
        if kind == "input_json_delta":
            self._inputs[index].append(delta["partial_json"])
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
        else:  # text, thinking, signature: pieces of the field of that name
            for key, piece in delta.items():
                if key != "type" and isinstance(piece, str):
                    block[key] = (block.get(key) or "") + piece

    def _on_message_delta(self, event: Event, data: Json) -> bytes:
        delta: dict[str, Any] = data.get("delta") or {}
        self._usage = {**self._usage, **{key: value for key, value in (data.get("usage") or {}).items() if value is not None}}
        if delta.get("stop_reason") is None:
            return event.raw
        # a call that was cut off has no input that could be read
        said = _WHOLE.said([self._blocks[index] for index in sorted(self._blocks)], delta["stop_reason"], self._usage, self._id)
        if self.closed(said):
            return b""
        if self._id != self._first_id:
            self._rounds.turns.rename(self._first_id, self._id)
        stop = stop_reason(delta["stop_reason"], said)
        if self._first and stop == delta["stop_reason"]:
            return event.raw
        usage = data.get("usage") if self._first else added(self._spent, self._usage)
        return event.with_json({**data, "delta": {**delta, "stop_reason": stop}, "usage": usage})

    def failed(self, status: int, answer: bytes) -> bytes:
        try:
            told = json.loads(answer)
            if isinstance(told, dict) and isinstance(told.get("error"), dict):
                return write("error", {"type": "error", "error": told["error"]})
        except (ValueError, RecursionError):
            pass
        return write("error", {"type": "error", "error": {"type": "api_error", "message": f"the provider answered {status}"}})
