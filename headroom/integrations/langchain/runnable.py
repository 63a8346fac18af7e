"""`prompt | HeadroomRunnable() | model`: a step of a chain that shortens what passes through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.runnables import Runnable, RunnableConfig

from headroom import CompressionService, Savings
from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool
from headroom.integrations.langchain.shortening import shortener_for


class HeadroomRunnable(Runnable[Any, Any]):
    """Gives what it got, shorter: a prompt value, a list of messages, one message, a str (a user's words), or a mapping.

    Of a mapping only the value under `messages_key` is shortened. Anything else passes as it is. A list in other forms
    than messages (tuples, dicts) comes back as messages where something was shortened.

    Give it the `retrieve_tool` that the model behind it is bound to; without one it folds only. `service`, or the
    options of a CompressionService. ConfigError for contradicting arguments.
    """

    def __init__(
        self,
        *,
        retrieve_tool: HeadroomRetrieveTool | None = None,
        service: CompressionService | None = None,
        messages_key: str = "messages",
        **options: Any,
    ) -> None:
        self._shortener = shortener_for(service, retrieve_tool, options)
        self._messages_key = messages_key

    @property
    def savings(self) -> Savings:
        """What has been saved so far."""
        return self._shortener.service.savings

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Shorten `input`."""
        return self._call_with_config(self._shorten, input, config, run_type="chain")

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The same; large inputs are worked on in another thread."""
        return await self._acall_with_config(self._ashorten, input, config, run_type="chain")

    def _shorten(self, value: Any) -> Any:
        messages = _read(value, self._messages_key)
        return value if messages is None else _write(value, messages, self._shortener.shorten(messages), self._messages_key)

    async def _ashorten(self, value: Any) -> Any:
        messages = _read(value, self._messages_key)
        return value if messages is None else _write(value, messages, await self._shortener.ashorten(messages), self._messages_key)


def _read(value: Any, key: str) -> list[BaseMessage] | None:
    """The messages in `value`; None if it holds none."""
    if isinstance(value, ChatPromptValue):
        return list(value.messages)
    if isinstance(value, StringPromptValue):
        return [HumanMessage(value.text)]
    if isinstance(value, str):
        return [HumanMessage(value)]
    if isinstance(value, BaseMessage):
        return [value]
    if isinstance(value, Mapping):
        return _read(value[key], key) if not isinstance(value.get(key), Mapping) and key in value else None
    return _as_messages(value) if isinstance(value, Sequence) else None


def _as_messages(value: Sequence[Any]) -> list[BaseMessage] | None:
    try:
        return convert_to_messages(value)
    except Exception:  # not messages in any form that LangChain knows: the next step may know better
        return None


def _write(value: Any, before: list[BaseMessage], after: list[BaseMessage], key: str) -> Any:
    """`value` with the shorter messages, in its own form; the same object if nothing was shortened."""
    if all(new is old for new, old in zip(after, before, strict=True)):
        return value
    if isinstance(value, ChatPromptValue):
        return value.model_copy(update={"messages": after})
    if isinstance(value, StringPromptValue):
        return value.model_copy(update={"text": after[0].content})
    if isinstance(value, str):
        return after[0].content
    if isinstance(value, BaseMessage):
        return after[0]
    if isinstance(value, Mapping):
        return {**value, key: _write(value[key], before, after, key)}
    return after
