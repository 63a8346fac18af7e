"""Streams of OpenAI chat completions: chunks with pieces of one message, calls piece by piece by their index, [DONE]."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from headroom.wire.dialects.openai import BETWEEN_TEXTS, OpenAIChat, finish_reason, is_ours
from headroom.wire.hidden import Json
from headroom.wire.sse import Event, write
from headroom.wire.streams.base import RoundStream
from headroom.wire.streams.openai_pieces import CallPieces, add_piece
from headroom.wire.usage import added

if TYPE_CHECKING:
    from headroom.wire.rounds import Rounds

_WHOLE = OpenAIChat()


class OpenAIChatStream(RoundStream):
    """See `RoundStream`."""

    def __init__(self, rounds: Rounds) -> None:
        super().__init__(rounds)
        self._shown = 0
        """Calls that the client has seen begin. They end the message, so there is no round after them."""
        self._has_text = False
        self._identity: Json = {}
        """What all chunks of one message share."""
        self.next_round()

    def next_round(self) -> None:
        self._message: Json = {"role": "assistant", "content": None}
        self._calls: list[CallPieces] = []
        self._usage: Json = {}
        self._needs_break = self._has_text

    def usage(self) -> Json:
        return self._usage

    def on(self, event: Event) -> bytes:
        if event.data.strip() == "[DONE]":
            return b"" if self._going_on else event.raw
        data = event.json()
        if data is None or not isinstance(data.get("choices"), list):
            self.give_up_if_failed(data)
            return event.raw
        changed = self._as_one_message(data)
        if data["choices"]:
            choice = self._choice(data["choices"][0])
            if choice is None and not changed.get("usage"):
                return b""
            if choice is None:
                changed = {**changed, "choices": []}
            elif choice is not data["choices"][0]:
                changed = {**changed, "choices": [choice, *data["choices"][1:]]}
        elif self._going_on:
            return b""  # the usage of a round that is not the last
        return event.raw if changed is data else event.with_json(changed)

    def _as_one_message(self, data: Json) -> Json:
        """The chunk with the first round's identity and with what all rounds have cost."""
        if self._first:
            self._identity = self._identity or {key: data[key] for key in ("id", "created") if key in data}
        usage = data.get("usage")
        if isinstance(usage, dict):
            self._usage = usage
        if self._first:
            return data
        changed = {**data, **self._identity}
        return {**changed, "usage": added(self._spent, usage)} if isinstance(usage, dict) else changed

    def _choice(self, choice: Json) -> Json | None:
        """What the client sees of a chunk's choice: the same object if all of it, None if nothing."""
        delta, finish = choice.get("delta") or {}, choice.get("finish_reason")
        shown = self._shown_of(delta)
        closes = finish
        if finish is not None:
            message = {**self._message, **({"tool_calls": [call.call for call in self._calls]} if self._calls else {})}
            said = _WHOLE.said(message, finish, self._usage)
            closes = None if self.closed(said) else finish_reason(finish, said)
        if shown is delta and closes == finish:
            return choice
        if closes is None and not any(value for key, value in shown.items() if key != "role" or self._first):
            return None
        return {**choice, "delta": shown, "finish_reason": closes}

    def _shown_of(self, delta: Json) -> Json:
        for key, piece in delta.items():
            if key not in ("tool_calls", "role"):
                self._message[key] = add_piece(self._message.get(key), piece)
        shown = delta
        if not self._first and "role" in delta:
            shown = {key: value for key, value in shown.items() if key != "role"}
        if delta.get("content"):
            self._has_text = True
            if self._needs_break and isinstance(delta["content"], str):
                self._needs_break = False
                shown = {**shown, "content": BETWEEN_TEXTS + delta["content"]}
        return self._with_shown_calls(shown) if delta.get("tool_calls") else shown

    def _with_shown_calls(self, delta: Json) -> Json:
        pieces = [shown for piece in delta["tool_calls"] if (shown := self._shown_call(piece)) is not None]
        if len(pieces) == len(delta["tool_calls"]) and all(map(_is, pieces, delta["tool_calls"])):
            return delta
        rest = {key: value for key, value in delta.items() if key != "tool_calls"}
        return {**rest, "tool_calls": pieces} if pieces else rest

    def _shown_call(self, piece: Json) -> Json | None:
        """What the client sees of a piece of a call: nothing until the call has a name, nothing ever if it is ours."""
        call = next((call for call in reversed(self._calls) if call.takes(piece)), None)
        if call is None:
            call = CallPieces(piece.get("index"))
            self._calls.append(call)
        late = bool(call.call) and not call.name
        call.add(piece)
        if not call.name or is_ours(call.call):
            return None
        if call.place is None:
            call.place = self._shown
            self._shown += 1
            if late:
                return {**call.call, "index": call.place}
        return piece if piece.get("index") in (None, call.place) else {**piece, "index": call.place}

    def failed(self, status: int, answer: bytes) -> bytes:
        error: Any = None
        try:
            told = json.loads(answer)
            error = told.get("error") if isinstance(told, dict) else None
        except (ValueError, RecursionError):
            pass
        return write("", {"error": error or {"message": f"the provider answered {status}", "type": "api_error", "code": status}})


def _is(one: Any, other: Any) -> bool:
    return one is other
