"""What a wrapped model does in addition to its own class: it sends shorter copies, and offers `headroom_retrieve`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponse

from headroom import RequestSavings, Savings
from headroom.integrations.agno.messages import AGNOS_READERS
from headroom.integrations.agno.retrieval import ForgivingLimit, forgive, in_order_of_calls, is_offered, name_of, retrieve_function
from headroom.integrations.agno.service import AgnoService
from headroom.tools.definitions import is_retrieve_tool

SERVICE = "_headroom"
"""The attribute that holds the service: among the wrapped model's own, so that its own ways of copying take it along."""


class CompressingModel(Model):
    """Stands before the wrapped class in the order of inheritance, and passes everything on to it."""

    @property
    def headroom(self) -> AgnoService:
        """The service behind this model, shared by its copies."""
        service: AgnoService | None = self.__dict__.get(SERVICE)
        if service is None:  # built anew by dataclasses.replace(), which knows only the fields of the wrapped class
            service = self.__dict__[SERVICE] = AgnoService()
        return service

    # --- what was saved ---------------------------------------------------------------------------------------------

    @property
    def savings(self) -> Savings:
        """Requests, tokens, retrievals and failures so far, of this model and its copies."""
        return self.headroom.savings

    @property
    def total_tokens_saved(self) -> int:
        """Tokens removed from all requests since the start or the last `reset()`."""
        return self.savings.tokens_saved

    @property
    def metrics_history(self) -> list[RequestSavings]:
        """The newest 100 requests one by one, oldest first."""
        return self.savings.recent

    def get_savings_summary(self) -> dict[str, Any]:
        """All figures as one dict, fit for JSON."""
        return self.savings.summary()

    def reset(self) -> None:
        """Count from zero again."""
        self.savings.reset()

    # --- requests ---------------------------------------------------------------------------------------------------

    def invoke(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """One request to the provider, compressed."""
        args, kwargs = _with_messages(args, kwargs, self.headroom.shorten(**_to_shorten(self, args, kwargs)))
        return super().invoke(*args, **kwargs)  # type: ignore[safe-super]  # the wrapped class comes next

    async def ainvoke(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The same for asynchronous programs."""
        args, kwargs = _with_messages(args, kwargs, await self.headroom.ashorten(**_to_shorten(self, args, kwargs)))
        return await super().ainvoke(*args, **kwargs)  # type: ignore[safe-super]  # as above

    def invoke_stream(self, *args: Any, **kwargs: Any) -> Iterator[ModelResponse]:
        """The same, as a stream."""
        args, kwargs = _with_messages(args, kwargs, self.headroom.shorten(**_to_shorten(self, args, kwargs)))
        yield from super().invoke_stream(*args, **kwargs)  # type: ignore[safe-super]  # as above

    async def ainvoke_stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        """The same, as an asynchronous stream."""
        args, kwargs = _with_messages(args, kwargs, await self.headroom.ashorten(**_to_shorten(self, args, kwargs)))
        stream = super().ainvoke_stream(*args, **kwargs)  # type: ignore[safe-super]  # as above
        try:
            async for piece in stream:
                yield piece
        finally:  # a run that is cancelled half-way lets go of its connection now, not when it is collected
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    # --- the tool ---------------------------------------------------------------------------------------------------

    def response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Agno's loop of requests and tool calls, with `headroom_retrieve` among the tools."""
        return super().response(*args, **self._with_tool(kwargs))

    async def aresponse(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The same for asynchronous programs."""
        return await super().aresponse(*args, **self._with_tool(kwargs))

    def response_stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """The same, as a stream."""
        return super().response_stream(*args, **self._with_tool(kwargs))

    def aresponse_stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """The same, as an asynchronous stream."""
        return super().aresponse_stream(*args, **self._with_tool(kwargs))

    def run_function_calls(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Agno's way of running a batch of calls; retrievals do not spend the user's tool_call_limit."""
        forgiven = forgive(kwargs)
        yield from super().run_function_calls(*args, **forgiven)
        if forgiven is not kwargs:
            in_order_of_calls(kwargs)

    async def arun_function_calls(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """The same for asynchronous programs."""
        forgiven = forgive(kwargs)
        async for event in super().arun_function_calls(*args, **forgiven):
            yield event
        if forgiven is not kwargs:
            in_order_of_calls(kwargs)

    def _with_tool(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        tools = kwargs.get("tools")
        offered = is_offered(tools)
        if not offered and self._may_offer(kwargs):
            tools, offered = [*(tools or ()), retrieve_function(self.headroom)], True
        limit = kwargs.get("tool_call_limit")
        if not offered:
            return kwargs
        return {**kwargs, "tools": tools, "tool_call_limit": None if limit is None else ForgivingLimit(limit)}

    def _may_offer(self, kwargs: dict[str, Any]) -> bool:
        if self.headroom.lossless or kwargs.get("run_response") is None:  # no run: Agno asks for a title, a memory, a summary
            return False
        # some providers take either tools or a schema for the answer: a schema alone stays alone
        return bool(kwargs.get("tools")) or kwargs.get("response_format") is None

    def _offload_candidate(self, result_store: Any, function_call: Any, success: bool, output: str) -> str | None:  # type: ignore[override,unused-ignore]
        """Agno asks here whether to store a result in place of showing it; what was retrieved must be shown."""
        if is_retrieve_tool(function_call.function.name):
            return None
        candidate: str | None = super()._offload_candidate(result_store, function_call, success, output)
        return candidate


def _to_shorten(model: CompressingModel, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What the service is to know about one request, from the arguments of an invoke method."""
    names = {name_of(tool) for tool in kwargs.get("tools") or ()}
    return {
        "messages": _messages(args, kwargs),
        "model": str(model.id),
        "lossless": model.headroom.lossless or not is_offered(kwargs.get("tools"), kwargs.get("tool_choice")),
        "run": getattr(kwargs.get("run_response"), "run_id", None),
        "compressed": bool(kwargs.get("compress_tool_results")),
        "agno_offloads": names.issuperset(AGNOS_READERS),
    }


def _messages(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Message]:
    messages: list[Message] = kwargs["messages"] if "messages" in kwargs else args[0]
    return messages


def _with_messages(args: tuple[Any, ...], kwargs: dict[str, Any], messages: list[Message]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if "messages" in kwargs:
        return args, {**kwargs, "messages": messages}
    return (messages, *args[1:]), kwargs
