"""The tools for any agent that speaks MCP (Model Context Protocol): retrieve, compress, stats. Needs `headroom-ai[mcp]`."""

from __future__ import annotations

import asyncio
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
    from pydantic import Field
except ImportError as missing:
    raise MissingDependencyError("mcp", extra="mcp") from missing

if TYPE_CHECKING:
    from headroom.core.store import CompressionStore

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
INSTRUCTIONS = (
    "Long tool outputs may come shortened, with a line such as [412 of 500 rows left out; headroom_retrieve ref=...]. "
    "Call headroom_retrieve with that reference to get back what was left out."
)
_TOLD = {name: str(field["description"]) for name, field in PARAMETERS["properties"].items()}


def server(store: CompressionStore | None = None, config: CompressConfig | None = None) -> MCPServer[Any]:
    """An MCP server with `headroom_retrieve`, `headroom_compress` and `headroom_stats`.

    `store` defaults to the user's; `config` to the environment's settings, whose namespace separates tenants.
    """
    settings = CompressConfig.from_env() if config is None else config
    mcp: MCPServer[Any] = MCPServer("headroom", version=version("headroom-ai"), instructions=INSTRUCTIONS, log_level="WARNING")

    @mcp.tool(name=RETRIEVE_TOOL, description=DESCRIPTION, structured_output=False)
    async def headroom_retrieve(
        ref: Annotated[str, Field(description=_TOLD["ref"])],
        query: Annotated[str | None, Field(description=_TOLD["query"])] = None,
        lines: Annotated[str | None, Field(description=_TOLD["lines"])] = None,
        offset: Annotated[int | None, Field(description=_TOLD["offset"])] = None,
    ) -> str:
        asked = {"ref": ref, "query": query, "lines": lines, "offset": offset}
        return await asyncio.to_thread(call, RETRIEVE_TOOL, asked, store=store, namespace=settings.namespace)

    @mcp.tool(structured_output=False)
    async def headroom_compress(
        text: Annotated[str, Field(description="What to shorten: a log, JSON, a file, a table, search hits, a diff.")],
        question: Annotated[str, Field(description="What you want to know from it: lines that bear on it stay in sight.")] = "",
        model: Annotated[str, Field(description="Whose tokens to count.")] = "",
    ) -> str:
        """Shorten a long text. What is left out is marked in place and can be had back with headroom_retrieve."""
        return await asyncio.to_thread(_shortened, text, question, model, store, settings)

    @mcp.tool()
    async def headroom_stats() -> dict[str, int]:
        """How many originals are kept for you, and what they take in bytes."""
        return await asyncio.to_thread(_held, store, settings.namespace)

    return mcp


def run(transport: str = "stdio", host: str = "127.0.0.1", port: int = 8788) -> None:
    """Serve until the client goes away ("stdio") or the process is told to end ("http", at /mcp).

    ConfigError for another transport, or for a host that is not this machine: the server knows no callers apart.
    """
    if transport == "stdio":
        server().run()
    elif transport != "http":
        raise ConfigError(f"transport must be 'stdio' or 'http', not {transport!r}")
    elif host not in LOCAL_HOSTS:
        raise ConfigError(f"the MCP server listens on this machine only (127.0.0.1), not on {host!r}: it asks nobody for a token")
    else:
        server().run("streamable-http", host=host, port=port)


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
