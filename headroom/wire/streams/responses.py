"""Streams of OpenAI Responses: every event has a sequence number, most the index of an output item; the last holds it all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from headroom.wire.dialects.responses import Responses, is_ours, without_our_tool
from headroom.wire.hidden import Json
from headroom.wire.sse import Event, write
from headroom.wire.streams.base import RoundStream

if TYPE_CHECKING:
    from headroom.wire.rounds import Rounds

_WHOLE = Responses()
_OPENS = ("response.created", "response.in_progress", "response.queued")
_CLOSES = ("response.completed", "response.incomplete", "response.failed")


class ResponsesStream(RoundStream):
    """See `RoundStream`."""

    def __init__(self, rounds: Rounds) -> None:
        super().__init__(rounds)
        self._shown = 0
        """Output items that the client has seen begin, in all rounds."""
        self._sent = 0
        """Events sent to the client, which is the next sequence number."""
        self._id = ""
        self.next_round()

    def next_round(self) -> None:
        self._items: list[Json] = []
        self._places: dict[int, int | None] = {}
        self._usage: Json = {}

    def usage(self) -> Json:
        return self._usage

    def on(self, event: Event) -> bytes:
        data = event.json()
        if data is None:
            return event.raw
        kind = data.get("type")
        if kind in _OPENS:
            return self._on_opening(event, data)
        if kind in _CLOSES and isinstance(data.get("response"), dict):
            return self._on_closing(event, data)
        if isinstance(data.get("output_index"), int):
            return self._on_item(event, data)
        self.give_up_if_failed(data)
        return self._numbered(event, data, data)

    def _on_opening(self, event: Event, data: Json) -> bytes:
        if not self._first:
            return b""
        response = data.get("response")
        if not isinstance(response, dict):
            return self._numbered(event, data, data)
        self._id = self._id or str(response.get("id") or "")
        return self._numbered(event, data, {**data, "response": without_our_tool(response)})

    def _on_item(self, event: Event, data: Json) -> bytes:
        index, kind, item = data["output_index"], data.get("type"), data.get("item")
        if index not in self._places:
            self._begin(index, item)
        if kind == "response.output_item.done" and isinstance(item, dict):
            self._items.append(item)
        place = self._places[index]
        if place is None:
            return b""
        return self._numbered(event, data, data if place == index else {**data, "output_index": place})

    def _begin(self, index: int, item: Any) -> None:
        if is_ours(item):
            self._places[index] = None
        else:
            self._places[index] = self._shown
            self._shown += 1

    def _on_closing(self, event: Event, data: Json) -> bytes:
        response = data["response"]
        self._usage = dict(response.get("usage") or {})
        items = response.get("output") or self._items
        said = _WHOLE.said(items, data["type"] == "response.completed", self._usage)
        if self.closed(said):
            return b""
        visible = _WHOLE.visible(response, self._rounds.done, offered=True)
        if not self._first and self._id and response.get("id"):  # a response has one id from its first event to its last
            self._rounds.turns.rename(self._id, str(response["id"]))
            visible["id"] = self._id
        return self._numbered(event, data, {**data, "response": visible})

    def _numbered(self, event: Event, data: Json, changed: Json) -> bytes:
        """The event under the next number; its very bytes if nothing in it changes."""
        if "sequence_number" in data and data["sequence_number"] != self._sent:
            changed = {**changed, "sequence_number": self._sent}
        self._sent += 1
        return event.raw if changed is data else event.with_json(changed)

    def failed(self, status: int, answer: bytes) -> bytes:
        error: Json = {"code": None, "message": f"the provider answered {status}"}
        try:
            told = json.loads(answer)
            if isinstance(told, dict) and isinstance(told.get("error"), dict):
                error |= {key: told["error"].get(key) for key in ("code", "message") if told["error"].get(key)}
        except (ValueError, RecursionError):
            pass
        return write("error", {"type": "error", **error, "param": None, "sequence_number": self._sent})
