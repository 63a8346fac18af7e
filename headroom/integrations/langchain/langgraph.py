"""LangGraph: a `pre_model_hook` for prebuilt agents and a node for graphs of your own. The state's messages stay as they are."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import AnyMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableLambda

from headroom import CompressionService, ConfigError, MissingDependencyError

try:
    from langgraph.channels import UntrackedValue
    from langgraph.graph import MessagesState
except ImportError as missing:
    raise MissingDependencyError("langgraph", extra="langchain") from missing

from headroom.integrations.langchain.birth import ashorten_output, context_of, shorten_output
from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool
from headroom.integrations.langchain.shortening import Shortener, shortener_for

MODEL_INPUT = "llm_input_messages"
"""The key under which a prebuilt agent looks for what to send in place of the state's messages."""


class CompressedMessagesState(MessagesState):
    """A graph's state with a place for what the model reads: `llm_input_messages`, never written to a checkpoint."""

    llm_input_messages: Annotated[list[AnyMessage], UntrackedValue]


def create_pre_model_hook(
    *,
    retrieve_tool: HeadroomRetrieveTool | None = None,
    service: CompressionService | None = None,
    messages_key: str = "messages",
    **options: Any,
) -> RunnableLambda[Any, dict[str, Any]]:
    """A `pre_model_hook` that gives `{"llm_input_messages": shorter messages}`, synchronous and asynchronous.

    Give it the `retrieve_tool` that is among the agent's tools; without one the model could not ask for what was left
    out, so it folds only. `service`, or the options of a CompressionService. ConfigError for contradicting arguments.
    """
    shortener = shortener_for(service, retrieve_tool, options)
    return _node(shortener, messages_key, MODEL_INPUT, "headroom_pre_model_hook")


def create_compress_tool_messages_node(
    *,
    retrieve_tool: HeadroomRetrieveTool | None = None,
    service: CompressionService | None = None,
    messages_key: str = "messages",
    output_key: str = MODEL_INPUT,
    **options: Any,
) -> RunnableLambda[Any, dict[str, Any]]:
    """A node to stand before the model's: writes shorter copies of all messages under `output_key`, for it to read.

    The messages in the state stay whole; the graph's state needs that key, as `CompressedMessagesState` has it.

    With `output_key` equal to `messages_key` the node shortens at birth instead: the newest tool messages are replaced
    in the state by shorter ones of the same ids (the reducer must be `add_messages`), whose artifact holds the
    original; see `original_content`. Put it behind the tools' node then.

    `retrieve_tool`, `service` and options as for `create_pre_model_hook`.
    """
    shortener = shortener_for(service, retrieve_tool, options)
    if output_key == messages_key:
        return _birth_node(shortener, messages_key)
    return _node(shortener, messages_key, output_key, "headroom_compress_tool_messages")


def _node(shortener: Shortener, messages_key: str, output_key: str, name: str) -> RunnableLambda[Any, dict[str, Any]]:
    def shorten(state: Any) -> dict[str, Any]:
        return {output_key: shortener.shorten(_messages_in(state, messages_key))}

    async def ashorten(state: Any) -> dict[str, Any]:
        return {output_key: await shortener.ashorten(_messages_in(state, messages_key))}

    return RunnableLambda(shorten, ashorten, name=name)


def _birth_node(shortener: Shortener, messages_key: str) -> RunnableLambda[Any, dict[str, Any]]:
    def shorten(state: Any) -> dict[str, Any]:
        before, newest = _newest_outputs(_messages_in(state, messages_key))
        return {messages_key: _changed(newest, shorten_output(newest, context_of(before), shortener))}

    async def ashorten(state: Any) -> dict[str, Any]:
        before, newest = _newest_outputs(_messages_in(state, messages_key))
        return {messages_key: _changed(newest, await ashorten_output(newest, context_of(before), shortener))}

    return RunnableLambda(shorten, ashorten, name="headroom_compress_tool_messages")


def _newest_outputs(messages: list[BaseMessage]) -> tuple[list[BaseMessage], list[BaseMessage]]:
    """The tool messages at the end, and what stands before them."""
    start = len(messages)
    while start and isinstance(messages[start - 1], ToolMessage):
        start -= 1
    return messages[:start], messages[start:]


def _changed(before: list[BaseMessage], after: list[BaseMessage]) -> list[BaseMessage]:
    """What the reducer has to replace. A message without an id cannot be replaced: it would stand there twice."""
    return [new for old, new in zip(before, after, strict=True) if new is not old and new.id is not None]


def _messages_in(state: Any, key: str) -> list[BaseMessage]:
    if isinstance(state, list):  # a graph whose whole state is its messages
        return state
    messages = state.get(key) if isinstance(state, dict) else getattr(state, key, None)
    if not isinstance(messages, list):
        raise ConfigError(f"the graph's state has no list of messages under {key!r}: give messages_key=")
    return messages
