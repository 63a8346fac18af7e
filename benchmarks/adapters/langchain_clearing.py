"""LangChain's ClearToolUsesEdit: outputs of old tool calls are replaced by "[cleared]" once a prompt is long enough.

Options: trigger (tokens) and keep (newest outputs). The library's own trigger of 100,000 tokens is longer than most
recorded sessions; by default we set 5,000, so that there is something to measure.
"""

from __future__ import annotations

from langchain.agents.middleware import ClearToolUsesEdit
from langchain_core.messages import BaseMessage, ToolMessage, convert_to_messages
from langchain_core.messages.utils import count_tokens_approximately
from serve import Adapter, Message, options, serve


class LangChainClearing(Adapter):
    """Converts new messages only: an agent of that library holds them in its own form all along."""

    def __init__(self, trigger: int = 5_000, keep: int = 3) -> None:
        self._edit = ClearToolUsesEdit(trigger=trigger, keep=keep)
        self._converted: list[BaseMessage] = []

    def start(self) -> None:
        self._converted = []

    def compress(self, messages: list[Message]) -> list[Message]:
        self._converted += convert_to_messages(messages[len(self._converted) :])
        edited = list(self._converted)
        self._edit.apply(edited, count_tokens=count_tokens_approximately)
        pairs = zip(messages, self._converted, edited, strict=True)
        return [message if after is before else self._cleared(message, after) for message, before, after in pairs]

    def _cleared(self, message: Message, after: BaseMessage) -> Message:
        return {**message, "content": after.content} if isinstance(after, ToolMessage) else message


if __name__ == "__main__":
    serve(LangChainClearing(**options()))
