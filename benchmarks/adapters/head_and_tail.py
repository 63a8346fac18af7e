"""Plain cutting: the first and the last characters of every tool output. Option: characters, of each end."""

from __future__ import annotations

from serve import Adapter, Message, options, serve


class HeadAndTail(Adapter):
    """What everybody can do in three lines; a product must beat it."""

    def __init__(self, characters: int = 1_000) -> None:
        self._characters = characters

    def compress(self, messages: list[Message]) -> list[Message]:
        return [{**message, "content": self._cut(message["content"])} if self._is_output(message) else message for message in messages]

    def _is_output(self, message: Message) -> bool:
        return message["role"] == "tool" and isinstance(message.get("content"), str)

    def _cut(self, text: str) -> str:
        left_out = len(text) - 2 * self._characters
        if left_out <= 0:
            return text
        return f"{text[: self._characters]}\n[{left_out} characters left out]\n{text[-self._characters :]}"


if __name__ == "__main__":
    serve(HeadAndTail(**options()))
