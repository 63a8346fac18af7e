"""Memory: a chat history that is read shorter than it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from headroom import CompressionService, ConfigError, Savings
from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool
from headroom.integrations.langchain.shortening import shortener_for

LEAST_STEP = 4
"""Turns that leave the whole part at once: each time they do, the prefix behind which a provider caches begins anew."""


class HeadroomChatMessageHistory(BaseChatMessageHistory):
    """Any chat message history, read shorter: `base` keeps the originals, and `messages` gives shorter copies.

    Same number, same order. By default every message is shortened from the start, so what was once read is read the
    same for ever, and a provider's prefix cache holds. Two options give that up in part, as seldom as they can:

    `compress_threshold_tokens`: below so many tokens (estimated) all messages are whole. Crossing it rewrites them once.

    `keep_recent_turns`: so many turns at the end (a turn begins with a user's message) stay whole. They leave this
    window several at a time, at least four, so a prefix is rewritten at most every fourth turn: the window holds
    `keep_recent_turns` turns and up to as many more, or three more if that is more.

    `retrieve_tool`, `service` and options as for `create_pre_model_hook`. ConfigError for a negative number.
    """

    def __init__(
        self,
        base: BaseChatMessageHistory,
        *,
        compress_threshold_tokens: int = 0,
        keep_recent_turns: int = 0,
        retrieve_tool: HeadroomRetrieveTool | None = None,
        service: CompressionService | None = None,
        **options: Any,
    ) -> None:
        for name, value in (("compress_threshold_tokens", compress_threshold_tokens), ("keep_recent_turns", keep_recent_turns)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigError(f"{name} must be a whole number, 0 or more, not {value!r}")
        self.base = base
        self.compress_threshold_tokens = compress_threshold_tokens
        self.keep_recent_turns = keep_recent_turns
        self._shortener = shortener_for(service, retrieve_tool, options)

    @property
    def savings(self) -> Savings:
        """What reading has saved so far."""
        return self._shortener.service.savings

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The history as a model should read it."""
        whole = self.base.messages
        border = self._border(whole)
        return [*self._shortener.shorten(whole[:border]), *whole[border:]] if border else list(whole)

    async def aget_messages(self) -> list[BaseMessage]:
        """The same."""
        whole = await self.base.aget_messages()
        border = self._border(whole)
        return [*await self._shortener.ashorten(whole[:border]), *whole[border:]] if border else list(whole)

    def add_message(self, message: BaseMessage) -> None:
        """Into the base, as it is."""
        self.base.add_message(message)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Into the base, as they are."""
        self.base.add_messages(messages)

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Into the base, as they are."""
        await self.base.aadd_messages(messages)

    def clear(self) -> None:
        """Clear the base. Originals in the store expire by themselves."""
        self.base.clear()

    async def aclear(self) -> None:
        """Clear the base."""
        await self.base.aclear()

    def _border(self, messages: Sequence[BaseMessage]) -> int:
        """How many messages, from the first on, are shortened."""
        if self.compress_threshold_tokens and count_tokens_approximately(messages) < self.compress_threshold_tokens:
            return 0
        if not self.keep_recent_turns:
            return len(messages)
        starts = [index for index, message in enumerate(messages) if isinstance(message, HumanMessage)]
        step = max(self.keep_recent_turns, LEAST_STEP)
        left = max(0, len(starts) - self.keep_recent_turns) // step * step
        return starts[left] if left else 0
