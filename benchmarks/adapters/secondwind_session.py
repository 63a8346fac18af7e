"""secondwind: one Session a conversation, as it asks for."""

from __future__ import annotations

import secondwind
from serve import Adapter, Message, serve


class Secondwind(Adapter):
    """Its defaults."""

    def __init__(self) -> None:
        self._session = secondwind.Session()

    def start(self) -> None:
        self._session.close()
        self._session = secondwind.Session()

    def compress(self, messages: list[Message]) -> list[Message]:
        out: list[Message] = self._session.rewrite({"model": "gpt-4o", "messages": messages})["request"]["messages"]
        return out


if __name__ == "__main__":
    serve(Secondwind())
