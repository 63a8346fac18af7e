"""`headroom mcp`: the tools, for agents that speak MCP."""

from __future__ import annotations

import click

from headroom.cli.command import command, flag, served, store_option
from headroom.cli.shared import opened


@command("mcp")
@flag("--http", "Serve streamable HTTP at /mcp instead of stdio.")
@click.option("--port", metavar="PORT", type=int, default=8788, help="The port on 127.0.0.1, with --http.")
@store_option
def mcp_command(http: bool, port: int, store: str | None) -> None:
    """Offer headroom_retrieve, headroom_compress and headroom_stats to agents that speak MCP."""
    from headroom.tools.mcp import run  # needs the extra [mcp], and loads for a second

    with served():
        run("http" if http else "stdio", port=port, store=opened(store))
