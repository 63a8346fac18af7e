"""distil-llm. Option: verbatim, its lossless mode."""

from __future__ import annotations

from distil import compress_messages
from serve import Adapter, Message, options, serve


class Distil(Adapter):
    """Its defaults."""

    def __init__(self, verbatim: bool = False) -> None:
        self._verbatim = verbatim

    def compress(self, messages: list[Message]) -> list[Message]:
        out: list[Message] = compress_messages(messages, verbatim=self._verbatim).messages
        return out


if __name__ == "__main__":
    serve(Distil(**options()))
