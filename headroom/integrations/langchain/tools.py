"""`wrap_tools_with_headroom(tools)`: the same tools, whose outputs reach the model shorter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, tool

from headroom import CompressionService, ConfigError
from headroom.integrations.langchain.birth import ashorten_output, call_of, shorten_output
from headroom.integrations.langchain.retrieve_tool import HeadroomRetrieveTool, create_retrieve_tool
from headroom.integrations.langchain.shortening import Shortener, shortener_for
from headroom.tools.definitions import RETRIEVE_TOOL

AnyTool: TypeAlias = BaseTool | Callable[..., Any] | dict[str, Any]


def wrap_tools_with_headroom(
    tools: Sequence[AnyTool],
    *,
    retrieve: bool = True,
    service: CompressionService | None = None,
    **options: Any,
) -> list[Any]:
    """`tools`, wrapped, and `headroom_retrieve` behind them if it is not among them. `retrieve=False`: no tool, folds only.

    A wrapped tool is a copy, of a subclass of the tool's own class: name, schema, injected arguments, async, tags,
    metadata, callbacks, error handling and artifact work as before. Called by a model (a tool call with an
    id), its ToolMessage has the shorter content, and the original beside it; see `original_content`. Called by a program,
    a str is shortened and anything else given as it is. Callbacks and traces see what the tool itself gave.

    Functions become tools. Tools with `return_direct` speak to the user, not to the model, and dicts are tools of the
    provider's: both come back as they are. The tools given are never changed. ConfigError for contradicting arguments.
    """
    if service is not None and options:
        raise ConfigError(f"give a service or its options, not both: {', '.join(sorted(options))}")
    offered = next((known for known in tools if isinstance(known, HeadroomRetrieveTool)), None)
    added = None
    if retrieve and offered is None:
        offered = added = create_retrieve_tool(service=service or CompressionService(**options))
        service, options = offered.service, {}
    shortener = shortener_for(service, offered, options)
    wrapped = [_wrapped(known, shortener) for known in tools]
    return wrapped if added is None else [*wrapped, added]


class _ShortensOutput:
    """Before a tool's own class in line: its `run` and `arun`, and then shorter."""

    headroom_shortener: ClassVar[Shortener]  # set on each instance, and no field of it: what the tool says of itself stays

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the tool."""
        output = super().run(tool_input, *args, **kwargs)  # type: ignore[misc]
        message, before = self._as_message(output, tool_input, kwargs.get("tool_call_id"))
        return self._in_form(output, message, shorten_output(message, before, self.headroom_shortener))

    async def arun(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the tool."""
        output = await super().arun(tool_input, *args, **kwargs)  # type: ignore[misc]
        message, before = self._as_message(output, tool_input, kwargs.get("tool_call_id"))
        return self._in_form(output, message, await ashorten_output(message, before, self.headroom_shortener))

    def _as_message(self, output: Any, tool_input: Any, call_id: str | None) -> tuple[Any, list[BaseMessage]]:
        call_id = call_id or "call"
        message = ToolMessage(output, tool_call_id=call_id, name=self.name) if isinstance(output, str) else output  # type: ignore[attr-defined]
        return message, [call_of(self.name, _arguments(self, tool_input), call_id)]  # type: ignore[arg-type,attr-defined]

    @staticmethod
    def _in_form(output: Any, message: Any, shorter: Any) -> Any:
        if shorter is message:
            return output
        return shorter.content if isinstance(output, str) else shorter


def _wrapped(known: AnyTool, shortener: Shortener) -> Any:
    if isinstance(known, dict):
        return known
    whole = known if isinstance(known, BaseTool) else tool(known)
    if whole.return_direct or whole.name == RETRIEVE_TOOL or isinstance(whole, _ShortensOutput):
        return whole
    copied = whole.model_copy()
    object.__setattr__(copied, "__class__", _shortening_class(type(whole)))
    copied.__dict__["headroom_shortener"] = shortener
    return copied


@lru_cache(maxsize=256)
def _shortening_class(own: type[BaseTool]) -> type[BaseTool]:
    """A subclass of the tool's own class. One for all tools of a kind: making one takes a millisecond."""
    body = {"__module__": own.__module__, "__qualname__": own.__qualname__, "__doc__": own.__doc__}
    metaclass: Any = type(own)
    made: type[BaseTool] = metaclass(own.__name__, (_ShortensOutput, own), body)
    return made


def _arguments(known: BaseTool, tool_input: Any) -> dict[str, Any]:
    """What the model wrote: without what a graph injects (its state, its store)."""
    if not isinstance(tool_input, dict):
        return {"input": str(tool_input)}
    try:
        names = known.args.keys()
    except Exception:  # a schema that cannot be told to a model, so no model called this
        return {}
    return {name: value for name, value in tool_input.items() if name in names}
