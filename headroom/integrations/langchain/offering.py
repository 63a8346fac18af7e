"""headroom_retrieve among the tools of a request: written as the model's own class writes tools, where it may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel

from headroom import CompressionService
from headroom.tools.definitions import definition, is_retrieve_tool

_UNKNOWN_CHOICES = ("tool_config", "functions", "function_call")
"""Other ways to list or to force tools: next to these a tool of ours cannot be placed with certainty."""


class Settings:
    """What one `HeadroomChatModel(...)` was given: shared by all that is made from it (bind_tools, copies, configurations)."""

    def __init__(self, service: CompressionService | None = None, *, retrieve: bool = True, max_retrieve_rounds: int = 3) -> None:
        self.service = service or CompressionService()
        self.retrieve = retrieve
        self.max_retrieve_rounds = max_retrieve_rounds
        self.tools: dict[type, Any] = {}
        """Class of model -> the tool as that class writes it, None if it takes no tools."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "tools": {}}  # its keys are classes made here, which cannot be pickled

    def __deepcopy__(self, memo: object) -> Settings:
        return self  # frameworks copy models for every run; what they save belongs together


@dataclass(frozen=True, slots=True)
class Offer:
    """A request's arguments, with the tool in them wherever it fits."""

    arguments: dict[str, Any]
    without: dict[str, Any]
    """Arguments for a request in which the model may not call the tool any more."""
    listed: bool = False
    """The tool is among the request's tools."""
    callable: bool = False
    """The model may choose it, so digests may be sent."""
    answered: bool = False
    """We answer its calls: it was we who listed it."""


def offer(model: BaseChatModel, settings: Settings, arguments: dict[str, Any]) -> Offer:
    """`arguments` of a request (as bind_tools() wrote them), with headroom_retrieve as the first tool if it can be one.

    First, because applications add tools and put cache marks on their last one: what stands before stays the same.
    """
    given = {**(getattr(model, "model_kwargs", None) or {}), **arguments}
    tools = given.get("tools") or []
    if not settings.retrieve or not isinstance(tools, list):
        return Offer(arguments, arguments)
    free = _is_free(given.get("tool_choice"))
    if any(is_retrieve_tool(_name(tool)) for tool in tools):  # the application's own: it answers
        return Offer(arguments, arguments, listed=True, callable=free)
    tool = _tool(model, settings, given)
    if tool is None:
        return Offer(arguments, arguments)
    listed = {**arguments, "tools": [tool, *tools]}
    return Offer(listed, arguments if tools else _not_callable(listed, tool), listed=True, callable=free, answered=True)


def _tool(model: BaseChatModel, settings: Settings, given: Mapping[str, Any]) -> Any:
    """The tool as this model's class writes it for such a request; None if it cannot be offered without changing more."""
    several = given.get("n") or getattr(model, "n", None) or 1
    if several != 1 or any(given.get(name) for name in _UNKNOWN_CHOICES):
        return None
    kind = type(model)
    if kind not in settings.tools:
        settings.tools[kind] = _converted(model)
    tool = settings.tools[kind]
    routes = getattr(model, "_use_responses_api", None)
    if not isinstance(tool, dict) or not isinstance(tool.get("function"), dict) or routes is None:
        return tool
    to_responses = bool(routes(dict(given)))
    if to_responses != bool(routes({**given, "tools": [tool]})):  # some models change the endpoint as soon as there are tools
        return None
    if to_responses:  # where functions are strict unless told otherwise, and strict knows no optional parameters
        return {**tool, "function": {**tool["function"], "strict": False}}
    return _strict(tool) if given.get("response_format") else tool


def _converted(model: BaseChatModel) -> Any:
    if type(model).bind_tools is BaseChatModel.bind_tools:
        return None
    try:
        bound = model.bind_tools([definition("openai")])
    except Exception:  # a model that takes no tools says so in many ways
        return None
    arguments = {name: value for name, value in getattr(bound, "kwargs", {}).items() if value is not None}
    tools = arguments.pop("tools", None)
    return tools[0] if isinstance(tools, list) and len(tools) == 1 and not arguments else None


def _strict(tool: dict[str, Any]) -> dict[str, Any]:
    """For OpenAI's parsed replies, which take strict tools alone: every parameter required, the optional ones may be null."""
    parameters = tool["function"]["parameters"]
    required = parameters["required"]
    properties = {
        name: schema if name in required else {**schema, "type": [schema["type"], "null"]}
        for name, schema in parameters["properties"].items()
    }
    strict = {**parameters, "properties": properties, "required": list(properties)}
    return {**tool, "function": {**tool["function"], "parameters": strict, "strict": True}}


def _not_callable(arguments: dict[str, Any], tool: Any) -> dict[str, Any]:
    """The tool stays listed, since a conversation with calls needs a list of tools, but may not be chosen."""
    if not isinstance(tool, dict) or ("function" not in tool and "input_schema" not in tool):
        return arguments
    return {**arguments, "tool_choice": "none" if "function" in tool else {"type": "none"}}


def _is_free(choice: Any) -> bool:
    """Whether the model may choose among all tools, or must choose any one of them."""
    if isinstance(choice, Mapping):
        choice = choice.get("type") or next(iter(choice), None)
    return choice is None or isinstance(choice, bool) or choice in ("auto", "any", "required")


def _name(tool: Any) -> str:
    body = tool.get("function") or tool if isinstance(tool, Mapping) else {}
    return str(body.get("name") or "") if isinstance(body, Mapping) else ""
