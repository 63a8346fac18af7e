"""How commands are described: their help, the options that many of them have, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from headroom.cli.shared import EXIT_CODES, FAILURE, INTERRUPTED, complaints, give_up, is_terminal, stderr

F = TypeVar("F", bound=Callable[..., Any])

SERVER_DID_NOT_START = 3  # uvicorn's


class Argument(click.Argument):
    """An argument that says in the help what it is. (Older versions of click leave that out.)"""

    def __init__(self, *names: Any, words: str, **given: Any) -> None:
        super().__init__(*names, **given)
        self.words = words


class Command(click.Command):
    """A command whose help describes its arguments too, and whose errors on purpose are one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        with complaints():
            return super().invoke(ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence whole, however long: the list of commands folds it."""
        return str(self.help).partition("\n\n")[0].replace("\n", " ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        arguments = [one for one in self.get_params(ctx) if isinstance(one, Argument)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl([(one.human_readable_name, one.words + ("  [required]" if one.required else "")) for one in arguments])
        super().format_options(ctx, formatter)


class Commands(click.Group):
    """All of them, in the order in which they were added. Ctrl-C ends any with 130, as shells expect, and without a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, *arguments: Any, **given: Any) -> Any:
        try:
            return super().main(*arguments, **given)
        except OSError as broken:  # a full disk, a port that is taken: the machine's trouble and no bug
            give_up(broken)
            sys.exit(FAILURE)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _interrupted() from None
        except click.Abort as stop:  # at a question, click makes Ctrl-C and "no" the same
            if isinstance(stop.__context__, KeyboardInterrupt):
                raise _interrupted() from None
            raise


@contextmanager
def served() -> Iterator[None]:
    """A server that could not start has said why. Its own exit code for that, 3, is the one for bad input here."""
    try:
        yield
    except SystemExit as stop:
        raise SystemExit(FAILURE if stop.code == SERVER_DID_NOT_START else stop.code) from None


def _interrupted() -> click.exceptions.Exit:
    if is_terminal(stderr()):
        click.echo(err=True)  # the terminal has written ^C
    return click.exceptions.Exit(INTERRUPTED)


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Makes a function with its docstring a command."""
    return click.command(name, cls=Command, epilog=EXIT_CODES, context_settings={"show_default": True})


def argument(name: str, words: str, **given: Any) -> Callable[[F], F]:
    """Gives a command an argument."""
    return click.argument(name, cls=Argument, words=words, **given)


def flag(name: str, words: str, parameter: str | None = None) -> Callable[[F], F]:
    """Gives a command an option that is there or not."""
    return click.option(name, parameter or name.lstrip("-").replace("-", "_"), is_flag=True, help=words)


def model_option(default: str = "") -> Callable[[F], F]:
    """Whose tokens to count."""
    words = "Whose tokens to count." + ("" if default else " [default: the transcript's own]")
    return click.option("--model", metavar="NAME", default=default, show_default=bool(default), help=words)


file_type = click.Path(allow_dash=True)
"""For the shell's completion; whether it can be read is found by reading."""
preset_option = click.option("--preset", type=click.Choice(("gentle", "balanced", "firm")), help="How much stays in sight.")
store_option = click.option(
    "--store", metavar="PATH|URL", help="A file, or a URL such as redis://HOST. [default: HEADROOM_STORE, else in HEADROOM_HOME]"
)
json_option = flag("--json", "Write the figures as one line of JSON instead of a table.", "as_json")


def output_option(words: str = "Write the page here instead of stdout.") -> Callable[[F], F]:
    """Where a page goes."""
    return click.option("--output", "-o", metavar="PAGE", type=click.Path(path_type=Path), help=words)
