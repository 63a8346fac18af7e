"""`create_agent(..., middleware=[HeadroomMiddleware()])`: shorter requests, whole checkpoints, a tool to ask for the rest."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from headroom import CompressionService, ConfigError, MissingDependencyError, Savings

try:
    from langchain.agents.middleware import AgentMiddleware
except ImportError as missing:
    raise MissingDependencyError("langchain", extra="langchain") from missing

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from headroom.integrations.langchain.birth import ashorten_output, call_of, context_of, shorten_output
from headroom.integrations.langchain.retrieve_tool import create_retrieve_tool
from headroom.integrations.langchain.shortening import Shortener, model_name
from headroom.tools.definitions import RETRIEVE_TOOL

if TYPE_CHECKING:  # generic, or in this place, only in later releases
    from langchain.agents.middleware import AgentState, ModelRequest
    from langchain.agents.middleware.types import ToolCallRequest

    Request = ModelRequest[Any]
    Middleware = AgentMiddleware[AgentState[Any], Any, Any]
else:
    Middleware = AgentMiddleware


class HeadroomMiddleware(Middleware):
    """Shortens what an agent sends to its model, and nothing that it keeps: state and checkpoints hold the originals.

    Keeps no state of its own, so it stands anywhere in the list of middlewares. `headroom_retrieve` is one of the
    agent's tools from the first request on; `retrieve=False` leaves it out and folds only.

    `at_birth=True` shortens tool outputs once, when they arrive: then the state holds the shorter text, and the
    original beside it (`original_content(message)`). `max_retrieve_calls` bounds the calls of `headroom_retrieve`
    between two messages of the user. `service`, or the options of a CompressionService (`store`, `namespace`,
    `config`, `hooks`, ...). ConfigError for an option that does not exist.
    """

    def __init__(
        self,
        *,
        retrieve: bool = True,
        at_birth: bool = False,
        max_retrieve_calls: int = 20,
        service: CompressionService | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if service is not None and options:
            raise ConfigError(f"give a service or its options, not both: {', '.join(sorted(options))}")
        self.service = service or CompressionService(**options)
        self.at_birth = at_birth
        self.max_retrieve_calls = max_retrieve_calls
        self._retrieve_tool = create_retrieve_tool(service=self.service) if retrieve else None
        self.tools = [self._retrieve_tool] if self._retrieve_tool is not None else []
        self._shortener = Shortener(self.service, lossless=None if retrieve else True)

    @property
    def savings(self) -> Savings:
        """What all requests through this middleware have saved so far."""
        return self.service.savings

    # --- requests ---------------------------------------------------------------------------------------------------------

    def wrap_model_call(self, request: Request, handler: Callable[[Request], Any]) -> Any:
        """Send the request with shorter texts."""
        if self._leaves_it_to(request.model):
            return handler(request.override(tools=_without_retrieve(request.tools)))
        lossless = self._lossless_for(request.model)
        messages = self._shortener.shorten(request.messages, model_name(request.model), lossless=lossless)
        return handler(self._with(request, messages))

    async def awrap_model_call(self, request: Request, handler: Callable[[Request], Awaitable[Any]]) -> Any:
        """The same; large requests are shortened in another thread."""
        if self._leaves_it_to(request.model):
            return await handler(request.override(tools=_without_retrieve(request.tools)))
        lossless = self._lossless_for(request.model)
        messages = await self._shortener.ashorten(request.messages, model_name(request.model), lossless=lossless)
        return await handler(self._with(request, messages))

    def _lossless_for(self, model: object) -> bool | None:
        return None if _can_call_tools(model) else True

    def _with(self, request: Request, messages: list[Any]) -> Request:
        """The request with `messages`, and with our tool where its model can call one, whoever has taken it out."""
        tool = self._retrieve_tool
        if tool is None:
            return request.override(messages=messages)
        if not _can_call_tools(request.model):
            return request.override(messages=messages, tools=_without_retrieve(request.tools))
        if RETRIEVE_TOOL in map(_name_of, request.tools):
            return request.override(messages=messages)
        return request.override(messages=messages, tools=[*request.tools, tool])

    def _leaves_it_to(self, model: object) -> bool:
        """Whether the model is a HeadroomChatModel: it shortens and brings its own tool, once is enough.

        Not at birth: then the state's texts refer to our store, and our tool must answer for them.
        """
        module = sys.modules.get("headroom.integrations.langchain.chat_model")  # never loaded, it has wrapped nothing
        return not self.at_birth and module is not None and isinstance(model, module.HeadroomChatModel)

    # --- tools ------------------------------------------------------------------------------------------------------------

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]) -> Any:
        """Run the tool; with `at_birth`, shorten what it gave. Too many calls of `headroom_retrieve` are not run."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        output = handler(request)
        return shorten_output(output, _before(request), self._shortener) if self.at_birth else output

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]) -> Any:
        """The same."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        output = await handler(request)
        return await ashorten_output(output, _before(request), self._shortener) if self.at_birth else output

    def _refusal(self, request: ToolCallRequest) -> ToolMessage | None:
        """The answer to a model that asks and asks. Counted in the state: another process counts the same."""
        if request.tool_call["name"] != RETRIEVE_TOOL or self._retrieve_tool is None:
            return None
        if _calls_in_turn(_messages_of(request.state)) <= self.max_retrieve_calls:
            return None
        return ToolMessage(
            f"{RETRIEVE_TOOL} has been called {self.max_retrieve_calls} times since the user last spoke, which is the limit. "
            "Go on with what you have.",
            name=RETRIEVE_TOOL,
            tool_call_id=request.tool_call["id"] or "",
        )


def _can_call_tools(model: object) -> bool:
    return getattr(type(model), "bind_tools", None) is not BaseChatModel.bind_tools


def _name_of(tool: Any) -> str:
    if not isinstance(tool, dict):
        return str(getattr(tool, "name", ""))
    function = tool.get("function")
    return str((function if isinstance(function, dict) else tool).get("name", ""))


def _without_retrieve(tools: Sequence[Any]) -> list[Any]:
    return [tool for tool in tools if _name_of(tool) != RETRIEVE_TOOL]


def _messages_of(state: Any) -> list[BaseMessage]:
    messages = state.get("messages") if isinstance(state, dict) else getattr(state, "messages", state)
    return [message for message in messages if isinstance(message, BaseMessage)] if isinstance(messages, list) else []


def _before(request: ToolCallRequest) -> list[BaseMessage]:
    messages = _messages_of(request.state)
    call = request.tool_call
    if any(known["id"] == call["id"] for message in messages if isinstance(message, AIMessage) for known in message.tool_calls):
        return context_of(messages)
    return [*context_of(messages)[:1], call_of(call["name"], call["args"], call["id"])]  # a state without the call


def _calls_in_turn(messages: list[BaseMessage]) -> int:
    """Calls of our tool since the user last spoke."""
    number = 0
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, AIMessage):
            number += sum(call["name"] == RETRIEVE_TOOL for call in message.tool_calls)
    return number
