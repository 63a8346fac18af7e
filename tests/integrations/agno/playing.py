"""Real agents against the scripted model: the providers, the ways of running, and what remains of a run for comparison."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agno.agent import Agent
from agno.db.sqlite import SqliteDb
from agno.models.anthropic import Claude
from agno.models.base import Model
from agno.models.openai import OpenAIChat, OpenAIResponses
from agno.models.openrouter import OpenRouter
from sqlalchemy import create_engine, event

from tests.scripted_model import Call, Reply, Request, Script, ScriptedModel
from tests.shop import info_log, orders

ORDERS = json.dumps(orders(300))
LOG = info_log({700: "2026-02-03T08:11:40Z ERROR api-3 payment for ord_7123 declined: card expired"})
QUESTION = "What became of ord_7123?"
PROVIDERS = ("chat", "responses", "claude")
WAYS = ("run", "arun", "stream", "astream")
PAIRS = tuple(zip(PROVIDERS * 2, ("run", "astream", "stream", "arun", "stream", "astream"), strict=True))
"""Each provider in two of the ways, each way at least once: for what depends on the way but little."""
SPENT = (1_000, 5)
"""What the provider says it has counted: the same with and without us, so that the rest can be compared."""


def get_orders(day: int) -> str:
    """All orders of a day."""
    return ORDERS


def get_log(service: str) -> str:
    """The log of a service."""
    return LOG


def says(text: str) -> Reply:
    return Reply(text, usage=SPENT)


def asks(*calls: Call, text: str = "") -> Reply:
    return Reply(text, calls=calls, usage=SPENT)


def model_of(provider: str, server: ScriptedModel, **options: Any) -> Model:
    if provider == "chat":
        return OpenAIChat(id="gpt-4o", base_url=server.openai_url, api_key="none", max_retries=0, **options)
    if provider == "responses":
        return OpenAIResponses(id="gpt-4o", base_url=server.openai_url, api_key="none", max_retries=0, **options)
    if provider == "openrouter":
        return OpenRouter(id="scripted/model", base_url=server.openai_url, api_key="none", max_retries=0, **options)
    return Claude(id="claude-sonnet-4-6", api_key="none", client_params={"base_url": server.url, "max_retries": 0}, **options)


def agent_with(model: Model, db: SqliteDb | None = None, **options: Any) -> Agent:
    return Agent(name="clerk", id="clerk", model=model, telemetry=False, db=db, session_id="shop", **options)


@dataclass
class Played:
    """What remains of one run: its events, if it streamed, its output, and what was sent."""

    requests: list[Request]
    events: list[Any] = field(default_factory=list)
    output: Any = None
    error: str = ""
    session: Any = None

    @property
    def sent(self) -> list[str]:
        """The tool outputs of the last request."""
        return self.requests[-1].tool_outputs

    def comparable(self) -> Any:
        """Everything but the wire, without clocks and random ids."""
        return {
            "events": [steady(event.to_dict()) for event in self.events],
            "output": steady(self.output.to_dict()) if hasattr(self.output, "to_dict") else self.output,
            "error": steady(self.error),
            "session": steady(self.session),
        }


def play(agent: Any, way: str, question: str = QUESTION) -> Played:
    """One run of an agent or team, in one of WAYS."""
    played = Played([])
    try:
        if way == "run":
            played.output = agent.run(question)
        elif way == "arun":
            played.output = asyncio.run(_arun(agent, question))
        elif way == "stream":
            played.events = list(agent.run(question, stream=True, stream_events=True))
        else:
            played.events = asyncio.run(_astream(agent, question))
    except Exception as error:
        played.error = f"{type(error).__name__}: {error}"
    return played


async def _arun(agent: Any, question: str) -> Any:
    try:
        return await agent.arun(question)
    finally:
        await close_clients(agent)


async def _astream(agent: Any, question: str) -> list[Any]:
    try:
        return [event async for event in agent.arun(question, stream=True, stream_events=True)]
    finally:
        await close_clients(agent)


async def close_clients(agent: Any) -> None:
    """Asynchronous clients live and die with their event loop."""
    for owner in (agent, agent.compression_manager, *(getattr(agent, "members", None) or ())):
        client = getattr(getattr(owner, "model", None), "async_client", None)
        if client is not None:
            await client.close()
            owner.model.async_client = None


def database(file: Path) -> SqliteDb:
    """Agno's storage in a file, without waiting for the disk."""
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return SqliteDb(db_engine=engine)


def stored(db: SqliteDb, team: bool = False) -> Any:
    """The session as it lies in the database."""
    from agno.db.base import SessionType

    session: Any = db.get_session("shop", SessionType.TEAM if team else SessionType.AGENT)
    return None if session is None else session.to_dict()


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECONDS = re.compile(r"completed in \d+\.\d+s")
_CLOCKS = {"created_at", "updated_at", "duration", "time_to_first_token", "start_time", "end_time", "timer"}


def steady(value: Any) -> Any:
    """The same without what no two runs share: times and random ids."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in _CLOCKS}
    if isinstance(value, (list, tuple)):
        return [steady(inner) for inner in value]
    if isinstance(value, str):
        return _SECONDS.sub("completed", _UUID.sub("<uuid>", value))
    return value


Wrap = Callable[[Model], Model]


@contextmanager
def served(script: Script, provider: str, wrap: Wrap | None, path: Path) -> Iterator[tuple[ScriptedModel, Model, SqliteDb]]:
    """A server with this script, a model (wrapped or bare) that talks to it, and a database of its own."""
    with ScriptedModel(script) as server:
        model = model_of(provider, server)
        db = database(path / f"{'bare' if wrap is None else 'wrapped'}.db")
        given = model if wrap is None else wrap(model)
        try:
            yield server, given, db
        finally:
            db.db_engine.dispose()
            if getattr(given, "client", None) is not None:
                given.client.close()  # type: ignore[attr-defined]
