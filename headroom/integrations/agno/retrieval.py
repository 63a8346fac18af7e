"""headroom_retrieve as one of Agno's functions: answered by Agno's own tool loop, bounded, and free of the call limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from agno.exceptions import StopAgentRun
from agno.models.message import Message
from agno.tools.function import Function, FunctionCall

from headroom import CompressionService
from headroom.tools.definitions import RETRIEVE_TOOL, definition, is_retrieve_tool

MOST_RETRIEVALS = 25
"""Answers in one run; as many calls again are refused in words, the next one stops the run: a model may go in circles."""

_MOST_RUNS = 256


def retrieve_function(service: CompressionService) -> Function:
    """A fresh `headroom_retrieve` that `service` answers."""
    written = definition("openai")["function"]
    counts: OrderedDict[object, int] = OrderedDict()

    # run_context: Agno fills it in by its name. The model's own arguments are mended by the service, not by a signature.
    def headroom_retrieve(run_context: Any = None, **arguments: Any) -> str:
        run = getattr(run_context, "run_id", None)
        counts[run] = asked = counts.pop(run, 0) + 1
        while len(counts) > _MOST_RUNS:
            counts.popitem(last=False)
        if asked > 2 * MOST_RETRIEVALS:
            raise StopAgentRun(f"{RETRIEVE_TOOL} was called {asked} times in one run")
        if asked > MOST_RETRIEVALS:
            return f"{RETRIEVE_TOOL} has answered {MOST_RETRIEVALS} times in this run and will not again: go on with what you have."
        return service.answer(RETRIEVE_TOOL, arguments)

    return Function(
        name=RETRIEVE_TOOL,
        description=written["description"],
        parameters=written["parameters"],
        strict=False,  # a strict function has no optional arguments
        entrypoint=headroom_retrieve,
        skip_entrypoint_processing=True,
    )


def name_of(tool: Any) -> str:
    """The name of a tool in a list of Agno's: a Function, a callable, or a provider's dict."""
    if isinstance(tool, dict):
        inner = tool.get("function")
        return str((inner if isinstance(inner, dict) else tool).get("name") or "")
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", ""))


def is_offered(tools: Iterable[Any] | None, tool_choice: Any = None) -> bool:
    """Whether the model can call `headroom_retrieve`: it is in the list, and no choice of the user's forbids it."""
    if not any(is_retrieve_tool(name_of(tool)) for tool in tools or ()):
        return False
    if isinstance(tool_choice, dict):  # one function is forced, unless it is a mode in a dict's clothes
        named = name_of(tool_choice)
        return not named or is_retrieve_tool(named)
    return bool(tool_choice != "none")


class ForgivingLimit(int):
    """The user's tool_call_limit, passed through Agno's loop; it remembers how many retrievals it has forgiven.

    A retrieval follows from our leaving something out: charged, it could be refused the very text that the run needs.
    """

    forgiven = 0


def forgive(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of (a)run_function_calls with retrievals first and free of the limit."""
    limit = arguments.get("function_call_limit")
    calls: Sequence[FunctionCall] = arguments.get("function_calls") or ()
    if not isinstance(limit, ForgivingLimit):
        return arguments
    own = [call for call in calls if is_retrieve_tool(call.function.name)][: max(0, MOST_RETRIEVALS - limit.forgiven)]
    free = {id(call) for call in own}
    count = arguments.get("current_function_call_count", 0) - limit.forgiven
    limit.forgiven += len(own)
    return {
        **arguments,
        "function_calls": [*own, *(call for call in calls if id(call) not in free)],
        "current_function_call_count": count,
        "function_call_limit": int(limit) + len(own),
    }


def in_order_of_calls(arguments: dict[str, Any]) -> None:
    """Put the results back into the order of the calls, if `forgive` moved retrievals to the front."""
    calls: Sequence[FunctionCall] = arguments["function_calls"]
    results: list[Message] = arguments["function_call_results"]
    if not any(is_retrieve_tool(call.function.name) for call in calls):
        return  # Agno's own order, which differs from that of the calls where some were refused
    places = {call.call_id: place for place, call in enumerate(calls)}
    results.sort(key=lambda result: places.get(result.tool_call_id, len(places)))
