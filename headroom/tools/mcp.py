"""The tools for any agent that speaks MCP (Model Context Protocol): retrieve, compress, stats. Needs `headroom-ai[mcp]`."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

from headroom.core.config import CompressConfig
from headroom.core.errors import ConfigError, MissingDependencyError, StoreError
from headroom.core.pipeline import compress
from headroom.core.retrieval_tool import DESCRIPTION, PARAMETERS, RETRIEVE_TOOL
from headroom.core.store import default_store
from headroom.tools.retrieve import call

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
except ImportError as missing:
    raise MissingDependencyError("mcp", extra="mcp") from missing

if TYPE_CHECKING:
    from headroom.core.store import CompressionStore

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
MOST_BODY_BYTES = 64 << 20
"""Of a request over HTTP, as the proxy takes: a long log comes in one piece."""
INSTRUCTIONS = (
    "Long tool outputs may come shortened, with a line such as [412 of 500 rows left out; headroom_retrieve ref=...]. "
    "Call headroom_retrieve with that reference to get back what was left out."
)


def _as_text(given: Any) -> Any:
    """JSON that a model wrote as such, where its text was asked for; null is none."""
    return "" if given is None else given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


# Declared as str, whatever may come: strings for any other parameter the SDK reads as JSON where they look like it, and
# a query may well be a row. What came reaches `call`, which mends what models miswrite.
_AS_IT_CAME: Any = PlainValidator(lambda given: given)
_AS_TEXT: Any = BeforeValidator(_as_text)
_SCHEMA: dict[str, Any] = {name: WithJsonSchema(schema) for name, schema in PARAMETERS["properties"].items()}
_Reference = Annotated[str, _AS_IT_CAME, _SCHEMA["ref"]]
_Query = Annotated[str, _AS_IT_CAME, _SCHEMA["query"]]
_Lines = Annotated[str, _AS_IT_CAME, _SCHEMA["lines"]]
_Offset = Annotated[Any, _AS_IT_CAME, _SCHEMA["offset"]]
_Unlisted = Annotated[str, _AS_IT_CAME]


def server(store: CompressionStore | None = None, config: CompressConfig | None = None) -> MCPServer[Any]:
    """An MCP server with `headroom_retrieve`, `headroom_compress` and `headroom_stats`.

    `store` defaults to the user's; `config` to the environment's settings, whose namespace separates tenants.
    """
    settings = CompressConfig.from_env() if config is None else config
    mcp: MCPServer[Any] = MCPServer("headroom", version=version("headroom-ai"), instructions=INSTRUCTIONS, log_level="WARNING")

    @mcp.tool(name=RETRIEVE_TOOL, description=DESCRIPTION, structured_output=False)
    async def headroom_retrieve(
        ref: _Reference = "", query: _Query = "", lines: _Lines = "", offset: _Offset = 0, reference: _Unlisted = ""
    ) -> str:
        asked = {"ref": ref, "reference": reference, "query": query, "lines": lines, "offset": offset}
        return _sendable(await asyncio.to_thread(call, RETRIEVE_TOOL, asked, store=store, namespace=settings.namespace))

    @mcp.tool(structured_output=False)
    async def headroom_compress(
        text: Annotated[str, _AS_TEXT, Field(description="What to shorten: a log, JSON, a file, a table, search hits, a diff.")] = "",
        question: Annotated[str, _AS_TEXT, Field(description="What you want to know from it: lines that bear on it stay in sight.")] = "",
        model: Annotated[str, _AS_TEXT, Field(description="Whose tokens to count.")] = "",
    ) -> str:
        """Shorten a long text. What is left out is marked in place and can be had back with headroom_retrieve."""
        if not text:
            return 'text is missing: call headroom_compress(text="what to shorten").'
        return _sendable(await asyncio.to_thread(_shortened, text, question, model, store, settings))

    @mcp.tool()
    async def headroom_stats() -> dict[str, int]:
        """How many originals are kept for you, and what they take in bytes."""
        return await asyncio.to_thread(_held, store, settings.namespace)

    _publish(mcp, RETRIEVE_TOOL, "ref", hidden="reference")
    _publish(mcp, "headroom_compress", "text")
    return mcp


def _publish(mcp: MCPServer[Any], name: str, required: str, hidden: str = "") -> None:
    """What is asked for stays required in the schema; without it the tool is called all the same, and says what to do."""
    manager = getattr(mcp, "_tool_manager", None)  # there is no public way to a tool's schema
    tool = manager.get_tool(name) if manager is not None else None
    if tool is None:  # then it only reads as optional
        return
    schema = tool.parameters
    schema["properties"].pop(hidden, None)
    schema["properties"][required].pop("default", None)
    schema["required"] = [required]


def run(transport: str = "stdio", host: str = "127.0.0.1", port: int = 8788, store: CompressionStore | None = None) -> None:
    """Serve until the client goes away ("stdio") or the process is told to end ("http", at /mcp). `store` as for `server`.

    ConfigError for another transport, or for a host that is not this machine: the server knows no callers apart.
    """
    if transport == "stdio":
        with _ending_at_once():
            server(store).run()
    elif transport != "http":
        raise ConfigError(f"transport must be 'stdio' or 'http', not {transport!r}")
    elif host not in LOCAL_HOSTS:
        raise ConfigError(f"the MCP server listens on this machine only (127.0.0.1), not on {host!r}: it asks nobody for a token")
    else:
        # Without more words, the SDK answers only requests whose host and origin are this machine's names.
        server(store).run("streamable-http", host=host, port=port, max_request_body_size=MOST_BODY_BYTES)


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Ctrl-C ends the process, whose reading of stdin nothing else interrupts; a client that has gone is no error."""
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL) if in_main else None
    try:
        yield
    except BaseException as broken:
        if not all(isinstance(error, BrokenPipeError) for error in _leaves(broken)):
            raise
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before)


def _leaves(error: BaseException) -> list[BaseException]:
    """The errors in a group of errors, or the one that it is: Python 3.10 has no `except*`."""
    inner = getattr(error, "exceptions", None)
    return [error] if inner is None else [leaf for one in inner for leaf in _leaves(one)]


def _sendable(text: str) -> str:
    """JSON over MCP cannot carry a lone surrogate (half of a cut emoji), and one would end the connection: U+FFFD stands for it."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _shortened(text: str, question: str, model: str, store: CompressionStore | None, settings: CompressConfig) -> str:
    call_of_it = {"id": "call", "type": "function", "function": {"name": "headroom_compress", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": None, "tool_calls": [call_of_it]},
        {"role": "tool", "tool_call_id": "call", "content": text},
    ]
    result = compress(messages, model, config=settings, store=store)
    shortened = result.messages[-1]["content"]
    assert isinstance(shortened, str)
    return shortened


def _held(store: CompressionStore | None, namespace: str) -> dict[str, int]:
    try:
        stats = (default_store() if store is None else store).stats(namespace)
    except StoreError as error:
        raise ToolError(str(error)) from error
    return {"originals": stats.entries, "original_bytes": stats.original_bytes, "stored_bytes": stats.stored_bytes}
