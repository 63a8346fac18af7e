"""Server-sent events, taken apart as they arrive, however the network has cut them; and put together again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the very bytes it came in, blank line included, its name ("" if it has none) and its data."""

    raw: bytes
    name: str = ""
    data: str = ""

    def json(self) -> dict[str, Any] | None:
        """The data as a JSON object; None if it is none."""
        if not self.data.startswith("{"):
            return None
        try:
            value = json.loads(self.data)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def with_json(self, data: dict[str, Any]) -> bytes:
        """The bytes of the same event with other data; its other lines (name, id, comments) stay as they are."""
        written = b"data: " + json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
        lines = [line for line in _LINE_END.split(self.raw.removeprefix(_BYTE_ORDER_MARK)) if line and not _is_data(line)]
        return b"\n".join([*lines, written]) + b"\n\n"


def write(name: str, data: dict[str, Any]) -> bytes:
    """The bytes of an event of our own."""
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class EventReader:
    """Bytes in, events out, each as soon as its blank line is there. Every byte comes out again, in `raw` or in `rest()`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._line = 0
        """Where the newest line begins: all before it ends no event."""
        self._searched = 0
        """How far that line is known to hold no line end, so that a long one is not searched again and again."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that are complete now."""
        self._buffer += chunk
        events, start = [], 0
        while (found := self._next_line_end()) is not None:
            blank = found.start() == self._line
            self._line = self._searched = found.end()
            if blank:
                events.append(_parsed(bytes(self._buffer[start : self._line])))
                start = self._line
        del self._buffer[:start]
        self._line -= start
        self._searched -= start
        return events

    def rest(self) -> list[Event]:
        """What is left when the stream is over: an event whose blank line never came."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        self._line = self._searched = 0
        return [_parsed(raw)] if raw else []

    def _next_line_end(self) -> re.Match[bytes] | None:
        found = _LINE_END.search(self._buffer, self._searched)
        if found is not None and not (found[0] == b"\r" and found.end() == len(self._buffer)):
            return found
        self._searched = len(self._buffer) if found is None else found.start()  # a line feed may still follow this carriage return
        return None


def _is_data(line: bytes) -> bool:
    return line == b"data" or line.startswith(b"data:")


def _parsed(raw: bytes) -> Event:
    name, data = "", []
    for line in _LINE_END.split(raw.removeprefix(_BYTE_ORDER_MARK)):
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data" and line:
            data.append(text)
        elif field == b"event":
            name = text
    return Event(raw, name, "\n".join(data))
