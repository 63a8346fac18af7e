"""furl-ctx. Options: those of its compress()."""

from __future__ import annotations

from typing import Any

from furl_ctx import compress
from serve import Adapter, Message, options, serve


class Furl(Adapter):
    """Its defaults."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def compress(self, messages: list[Message]) -> list[Message]:
        out: list[Message] = compress(messages, model="gpt-4o", **self._options).messages
        return out


if __name__ == "__main__":
    serve(Furl(**options()))
