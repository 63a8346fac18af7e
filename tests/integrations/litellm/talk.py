"""One conversation in each dialect, the tools that come with it, and the providers that it goes to."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from headroom.integrations.litellm_callback.retrieval import answered_dialects
from tests import shop
from tests.conversations import call_and_output
from tests.scripted_model import Reply, Request, ScriptedModel, calls

LITELLMS_OWN_WARNINGS = [
    pytest.mark.filterwarnings(r"ignore:Items? .* on TypedDict class:UserWarning"),  # from pydantic, about LiteLLM's types
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),  # from pydantic, in older releases
]

ANSWERED = answered_dialects()


def answered(*dialects: str) -> pytest.MarkDecorator:
    """For tests of what older releases of LiteLLM cannot do."""
    missing = [dialect for dialect in dialects or ("openai", "anthropic", "responses") if dialect not in ANSWERED]
    return pytest.mark.skipif(bool(missing), reason=f"this LiteLLM cannot answer tool calls in {missing}")


ORDERS = json.dumps(shop.orders(300))
WANTED = "ord_7123"
"""An order in the middle of ORDERS: a digest leaves it out."""

_PARAMETERS = {"type": "object", "properties": {"day": {"type": "string"}}}
TOOLS: dict[str, list[Any]] = {
    "openai": [{"type": "function", "function": {"name": "list_orders", "description": "Orders.", "parameters": _PARAMETERS}}],
    "anthropic": [{"name": "list_orders", "description": "Orders.", "input_schema": _PARAMETERS}],
    "responses": [{"type": "function", "name": "list_orders", "description": "Orders.", "parameters": _PARAMETERS}],
}


def conversation(dialect: str, output: str = ORDERS) -> list[Any]:
    question = {"role": "user", "content": "Which orders are late?"}
    return [question, *call_and_output(dialect, 1, "list_orders", '{"day": "today"}', [output], "")]


class Model(ScriptedModel):
    """The scripted model, which hangs up after each reply: LiteLLM keeps its clients, and event loops end with a test."""

    def reply_to(self, request: Request) -> Reply:
        reply = super().reply_to(request)
        return replace(reply, headers={**reply.headers, "connection": "close"})


@dataclass(frozen=True)
class Provider:
    """A provider as LiteLLM knows it, whose place the scripted model takes."""

    model: str
    is_openai_url: bool = True
    extra: tuple[tuple[str, str], ...] = ()

    def at(self, model: ScriptedModel) -> dict[str, Any]:
        base = model.openai_url if self.is_openai_url else model.url
        return {"model": self.model, "api_base": base, "api_key": "key", "max_retries": 0, **dict(self.extra)}


PROVIDERS = {
    "openai": Provider("openai/gpt-4o"),
    "anthropic": Provider("anthropic/claude-sonnet-4-5", is_openai_url=False),
    "azure": Provider("azure/gpt-4o", is_openai_url=False, extra=(("api_version", "2024-10-21"),)),
    "openrouter": Provider("openrouter/openai/gpt-4o"),
}


def asks_once(request: Request) -> Reply | str:
    """A model that fetches one order through `headroom_retrieve` where it can, and then answers with what it read."""
    if "headroom_retrieve" in request.tools and len(request.tool_outputs) == 1:
        return calls("headroom_retrieve", ref=request.references[0], query=WANTED)
    return "found" if any(WANTED in text for text in request.tool_outputs[1:]) else "not found"


def sent_output(request: Request) -> str:
    """The output of `list_orders` as the model got it."""
    return request.tool_outputs[0]


def is_shorter(request: Request) -> bool:
    return len(sent_output(request)) < len(ORDERS) / 2
