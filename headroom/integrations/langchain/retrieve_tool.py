"""`headroom_retrieve` as a LangChain tool: for agents, ToolNodes and loops of your own."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, WithJsonSchema

from headroom import CompressionService, CompressionStore
from headroom.tools.definitions import RETRIEVE_TOOL, definition

_FUNCTION: dict[str, Any] = definition("openai")["function"]
_PROPERTIES: dict[str, dict[str, Any]] = _FUNCTION["parameters"]["properties"]


def _told_as(name: str) -> Any:
    """Any value, told to the model as `definition()` tells it: what a model writes is mended, not refused."""
    return Annotated[Any, WithJsonSchema(_PROPERTIES[name])]


class RetrieveArguments(BaseModel):
    """What a model may ask for. Every value is taken as it comes; the answer says what is wrong with it."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"required": ["ref"]})  # by itself, a default makes it optional

    ref: _told_as("ref") = None  # type: ignore[valid-type]
    query: _told_as("query") = None  # type: ignore[valid-type]
    lines: _told_as("lines") = None  # type: ignore[valid-type]
    offset: _told_as("offset") = None  # type: ignore[valid-type]


class HeadroomRetrieveTool(BaseTool):
    """Gives the model back what was left out of a shortened text. Never raises on anything that a model writes."""

    name: str = RETRIEVE_TOOL
    description: str = _FUNCTION["description"]
    args_schema: Annotated[Any, SkipValidation()] = RetrieveArguments
    service: CompressionService = Field(exclude=True, repr=False)
    """Whose store and namespace are asked, and whose savings count the answers."""

    @property
    def tool_call_schema(self) -> Any:
        """What the model is told: exactly `definition()`. From the class above it would say more, and cost more."""
        return {**_FUNCTION["parameters"], "description": self.description}

    def _run(self, ref: Any = None, /, **given: Any) -> str:
        arguments = given if ref is None else {**given, "ref": ref}  # by position, where a caller gave one string
        return self.service.answer(RETRIEVE_TOOL, arguments)


def create_retrieve_tool(
    *,
    store: CompressionStore | None = None,
    namespace: str | None = None,
    service: CompressionService | None = None,
) -> HeadroomRetrieveTool:
    """The tool over `store` (default: the user's own) in `namespace` (default: HEADROOM_NAMESPACE or "default").

    `service` in their place shares a CompressionService: its store and namespace, and its count of retrievals.
    """
    if service is None:
        options: dict[str, Any] = {} if namespace is None else {"namespace": namespace}
        service = CompressionService(store=store, **options)
    return HeadroomRetrieveTool(service=service)
