"""`headroom mcp`: the tools, for agents that speak MCP."""

from __future__ import annotations

from typing import Annotated

import typer

from headroom.cli.shared import complaints


def mcp_command(
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP at /mcp instead of stdio.")] = False,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1, with --http.")] = 8788,
) -> None:
    """Offer headroom_retrieve, headroom_compress and headroom_stats to agents that speak MCP."""
    with complaints():
        from headroom.tools.mcp import run  # needs the extra [mcp], and loads for a second

        run("http" if http else "stdio", port=port)
