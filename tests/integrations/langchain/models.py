"""Wrapped chat models of the three dialects against the scripted server, and a conversation worth shortening."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from headroom.integrations.langchain import HeadroomChatModel
from tests.integrations.langchain.agents import DIALECTS as DIALECTS
from tests.integrations.langchain.agents import ORDERS, model_of
from tests.scripted_model import Call, Json, Reply, Request, ScriptedModel

HAS_V3 = hasattr(BaseChatModel, "stream_events")
"""The oldest langchain-core has no protocol of events."""


class Server(ScriptedModel):
    """The scripted server; connections end with each reply, since LangChain keeps its clients and never closes them."""

    def reply_to(self, request: Request) -> Reply:
        reply = super().reply_to(request)
        return replace(reply, headers={"connection": "close", **reply.headers})


def wrapped(dialect: str, server: ScriptedModel, *, headroom: Json | None = None, **options: Any) -> Any:
    """A real chat model, wrapped; `headroom` holds the wrapper's options."""
    return HeadroomChatModel(model_of(dialect, server, **options), **(headroom or {}))


def conversation() -> list[BaseMessage]:
    """A question, a call, and an output that is worth shortening."""
    call = {"name": "list_orders", "args": {"day": 1}, "id": "call_1"}
    return [
        SystemMessage("You help in a shop."),
        HumanMessage("Which orders failed?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage(ORDERS, tool_call_id="call_1", name="list_orders"),
    ]


def asks_for(query: str, *, then: Reply | str = "It is ord_7301.", says: str = "", beside: tuple[Call, ...] = ()) -> Callable[..., Any]:
    """A model that asks headroom_retrieve once for rows of what was left out, then answers."""

    def script(request: Request) -> Reply | str:
        if any("ord_7301" in output and "7300" not in output for output in request.tool_outputs):
            return then
        ask = Call("headroom_retrieve", {"ref": request.references[0], "query": query})
        return Reply(says, calls=(ask, *beside))

    return script


def sent_texts(request: Request) -> str:
    """The whole body as text."""
    return json.dumps(request.body, ensure_ascii=False)


class Runs(BaseCallbackHandler):
    """Counts traced runs."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.names: list[str] = []
        self.metadata: list[Json] = []

    def on_chat_model_start(self, serialized: Json, messages: Any, *, metadata: Json | None = None, **_: Any) -> None:
        self.events.append("start")
        self.names.append(serialized["id"][-1])
        self.metadata.append(metadata or {})

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.events.append("end")


def as_bare(body: Any) -> Any:
    """A request's body with one word for each shortened or long output, and without our tool."""
    if isinstance(body, dict):
        tools = [tool for tool in body.get("tools") or () if (tool.get("function") or tool).get("name") != "headroom_retrieve"]
        rest = {key: as_bare(value) for key, value in body.items() if key != "tools"}
        return {**rest, "tools": tools} if tools else rest
    if isinstance(body, list):
        return [as_bare(item) for item in body]
    is_output = isinstance(body, str) and (body == ORDERS or "headroom_retrieve ref=" in body or "; check=" in body[-30:])
    return "OUTPUT" if is_output else body
