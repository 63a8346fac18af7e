"""The command line, one file a command; `command.py` says how they are described, `shared.py` holds what they have in common.

What a command makes goes to stdout and nothing else does; tables, progress and complaints go to stderr.
"""

from __future__ import annotations

import click

from headroom import __version__
from headroom.cli.command import Commands
from headroom.cli.compress import compress_command
from headroom.cli.inspect import inspect_command
from headroom.cli.mcp import mcp_command
from headroom.cli.originals import purge_command, stats_command
from headroom.cli.proxy import proxy_command
from headroom.cli.report import report_command
from headroom.cli.retrieve import retrieve_command
from headroom.cli.shared import BAD_INPUT, EXIT_CODES, FAILURE, INTERRUPTED, UNKNOWN_REFERENCE, USAGE

__all__ = ["BAD_INPUT", "EXIT_CODES", "FAILURE", "INTERRUPTED", "UNKNOWN_REFERENCE", "USAGE", "app"]


@click.group("headroom", cls=Commands, epilog=EXIT_CODES, no_args_is_help=True)
@click.version_option(__version__, prog_name="headroom", message="%(prog)s %(version)s", help="Print the version.")
def app() -> None:
    """Shortens what an LLM agent reads, and keeps every original within reach."""


COMMANDS = (
    compress_command,
    retrieve_command,
    stats_command,
    purge_command,
    inspect_command,
    report_command,
    proxy_command,
    mcp_command,
)
for _command in COMMANDS:
    app.add_command(_command)
