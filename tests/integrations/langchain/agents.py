"""What the tests of this room share: models of the three dialects, tools with large outputs, and scripts for agents."""

from __future__ import annotations

import json
from typing import Any

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from tests.scripted_model import Reply, Request, ScriptedModel, calls
from tests.shop import info_log, orders, python_file

DIALECTS = ("openai", "responses", "anthropic")
ORDERS = json.dumps(orders(300))
LOG = info_log({700: "2026-02-03T08:11:40Z ERROR api-3 payment gateway refused card_8812"})
CODE = python_file()


def model_of(dialect: str, server: ScriptedModel, **options: Any) -> BaseChatModel:
    """A real chat model that talks to the scripted server."""
    if dialect == "anthropic":
        return ChatAnthropic(model_name="claude-scripted", base_url=server.url, api_key="k", max_retries=0, **options)
    api = dialect == "responses"
    return ChatOpenAI(model="gpt-4o", base_url=server.openai_url, api_key="k", max_retries=0, use_responses_api=api, **options)


@tool
def list_orders(day: int) -> str:
    """All orders of a day, as JSON."""
    return ORDERS


@tool
def read_log(service: str) -> str:
    """The log of a service."""
    return LOG


@tool
async def read_file(path: str) -> str:
    """A source file. Asynchronous only."""
    return CODE


TOOLS = [list_orders, read_log]
ASYNC_TOOLS = [list_orders, read_log, read_file]


def looks_around(request: Request) -> Reply | str:
    """An agent's model: reads the log, then the orders, asks for one row that it does not see, and is done."""
    number = len(request.tool_outputs)
    if number == 0:
        return calls("read_log", service="api-3")
    if number == 1:
        return calls("list_orders", day=3)
    if number == 2:
        return calls("headroom_retrieve", ref=request.references[-1], query="ord_7133")
    return "It was shipped."


def assert_prefixes_repeat(server: ScriptedModel) -> None:
    """Each request's messages begin with the previous request's, byte for byte."""
    for before, after in zip(server.requests, server.requests[1:], strict=False):
        shared = after.messages[: len(before.messages)]
        assert json.dumps(shared) == json.dumps(before.messages)
        assert json.dumps(after.body.get("tools")) == json.dumps(before.body.get("tools"))
        assert after.body.get("system") == before.body.get("system")


def tool_texts(messages: list[BaseMessage]) -> list[Any]:
    """The contents of the tool messages, in order."""
    return [message.content for message in messages if isinstance(message, ToolMessage)]


THREAD: Any = {"configurable": {"thread_id": "1"}}
QUESTION: Any = {"messages": [HumanMessage("What became of order ord_7133?")]}


def agent_on(server: ScriptedModel, *middleware: Any, dialect: str = "openai", tools: Any = TOOLS, **options: Any) -> Any:
    """An agent with a checkpoint in memory."""
    return create_agent(model_of(dialect, server), tools, middleware=middleware, checkpointer=InMemorySaver(), **options)
