"""Pieces of a chat message, put together as they arrive."""

from __future__ import annotations

from typing import Any

from headroom.wire.hidden import Json


class CallPieces:
    """A tool call that arrives in pieces."""

    def __init__(self, index: Any) -> None:
        self.index = index
        self.call: Json = {}
        self.place: int | None = None
        """Its index for the client, once the client has seen any of it."""

    @property
    def name(self) -> str:
        """The function's name, "" as long as it is not known. Other kinds of calls are the client's: any name will do."""
        body = self.call.get("function")
        if body is None and self.call.get("type") not in (None, "function"):
            return str(self.call["type"])
        return str((body or {}).get("name") or "")

    def takes(self, piece: Json) -> bool:
        """Whether `piece` goes on with this call. Some servers give all calls one index, or none: then the id tells."""
        same_id = not piece.get("id") or not self.call.get("id") or piece["id"] == self.call["id"]
        return piece.get("index") == self.index and same_id

    def add(self, piece: Json) -> None:
        """Take in a piece."""
        for key, value in piece.items():
            if key in ("function", "custom") and isinstance(value, dict):
                self.call[key] = _with_body(self.call.get(key) or {}, value)
            elif key != "index" and value is not None:
                self.call[key] = value


def _with_body(body: Json, piece: Json) -> Json:
    grown = dict(body)
    for key, value in piece.items():
        if key in ("arguments", "input") and isinstance(value, str):
            grown[key] = (grown.get(key) or "") + value
        elif value:
            grown[key] = value
    return grown


def add_piece(known: Any, piece: Any) -> Any:
    """A field of a message with another piece of it: texts grow, lists too (pieces of one index together)."""
    if piece is None:
        return known
    if isinstance(known, str) and isinstance(piece, str):
        return known + piece
    if isinstance(known, list) and isinstance(piece, list):
        return _grown(known, piece)
    return piece


def _grown(known: list[Any], pieces: list[Any]) -> list[Any]:
    grown = list(known)
    for piece in pieces:
        last = grown[-1] if grown else None
        if isinstance(piece, dict) and isinstance(last, dict) and _goes_on(last, piece):
            grown[-1] = {**last, **{key: _joined(key, last.get(key), value) for key, value in piece.items() if value is not None}}
        else:
            grown.append(piece)
    return grown


def _goes_on(last: Json, piece: Json) -> bool:
    return isinstance(piece.get("index"), int) and piece["index"] == last.get("index") and piece.get("type") == last.get("type")


def _joined(key: str, known: Any, piece: Any) -> Any:
    if key in ("text", "summary", "data", "signature") and isinstance(known, str) and isinstance(piece, str):
        return known + piece
    return piece
