"""The command line, one file a command; `shared.py` holds what they have in common.

What a command makes goes to stdout and nothing else does; tables, progress and complaints go to stderr.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from headroom import __version__
from headroom.cli.compress import compress_command
from headroom.cli.inspect import inspect_command
from headroom.cli.mcp import mcp_command
from headroom.cli.originals import purge_command, stats_command
from headroom.cli.proxy import proxy_command
from headroom.cli.report import report_command
from headroom.cli.retrieve import retrieve_command
from headroom.cli.shared import BAD_INPUT, EXIT_CODES, FAILURE, UNKNOWN_REFERENCE, USAGE, write

__all__ = ["BAD_INPUT", "EXIT_CODES", "FAILURE", "UNKNOWN_REFERENCE", "USAGE", "app"]

app = typer.Typer(
    name="headroom",
    help="Shortens what an LLM agent reads, and keeps every original within reach.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def headroom(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Shortens what an LLM agent reads, and keeps every original within reach."""
    if version:
        write(f"headroom {__version__}\n".encode())
        raise typer.Exit


COMMANDS: dict[str, Callable[..., None]] = {
    "compress": compress_command,
    "retrieve": retrieve_command,
    "stats": stats_command,
    "purge": purge_command,
    "inspect": inspect_command,
    "report": report_command,
    "proxy": proxy_command,
    "mcp": mcp_command,
}
for _name, _command in COMMANDS.items():
    app.command(_name, epilog=EXIT_CODES)(_command)
