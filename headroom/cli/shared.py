"""What the commands share: stdout and stderr, complaints and their exit codes, stores by path or URL."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from headroom import CompressionStore, ConfigError, FormatError, HeadroomError, UnknownReferenceError
from headroom.stores import open_store

FAILURE, USAGE, BAD_INPUT, UNKNOWN_REFERENCE = 1, 2, 3, 4
EXIT_CODES = (
    "Exit codes: 0 done; 1 a failure of ours (the store); 2 wrong usage; 3 bad input (a message that cannot be read); "
    "4 unknown reference (never stored, expired or evicted)."
)
LONG_WORK_CHARACTERS = 1_000_000
"""From here on a person waiting at a terminal is told so: about a tenth of a second."""

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="PATH|URL", help="A file, or a URL such as redis://HOST. [default: HEADROOM_STORE, else in HEADROOM_HOME]"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the figures as one line of JSON instead of a table.")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", metavar="PAGE", help="Write the page here instead of stdout.")]


def opened(place: str | None) -> CompressionStore | None:
    """The store at a path or URL; None for the user's own."""
    return None if place is None else open_store(place)


def read(file: str) -> bytes:
    """A file's bytes, or those of standard input for "-"."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as broken:
        raise typer.BadParameter(f"cannot read {file}: {broken.strerror}") from None


def write(data: bytes) -> None:
    """Bytes to stdout. A reader that has gone away (`| head`) is no error."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as broken:
        if broken.errno not in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
            raise
        # The interpreter flushes once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def write_page(page: str, output: Path | None) -> None:
    """A page to its file, which only its owner may read (it holds what the tools said); else to stdout."""
    data = page.encode("utf-8", "replace")
    if output is None:
        write(data)
        return
    try:
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123  (the mode, from the start)
            file.write(data)
    except OSError as broken:
        raise typer.BadParameter(f"cannot write {output}: {broken.strerror}") from None
    stderr().print(f"written: {output}", markup=False, soft_wrap=True)


def write_table(table: Table) -> None:
    """A table to stdout."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    with console.capture() as capture:
        console.print(table)
    write(capture.get().encode())


@contextmanager
def complaints() -> Iterator[None]:
    """Errors on purpose end in one line on stderr and their exit code; anything else is a bug and shows its trace."""
    try:
        yield
    except FormatError as error:
        code, problem = BAD_INPUT, str(error)
    except UnknownReferenceError as error:
        code, problem = UNKNOWN_REFERENCE, str(error)
    except ConfigError as error:
        code, problem = USAGE, str(error)
    except HeadroomError as error:
        code, problem = FAILURE, str(error)
    else:
        return
    complain(problem)
    raise typer.Exit(code)


def complain(problem: str) -> None:
    """One line on stderr."""
    stderr().print(f"headroom: {problem}", markup=False, soft_wrap=True)


def stderr() -> Console:
    """A console on stderr. A pipe has no width of its own: wide enough for a row, so that nothing is cut."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)


@contextmanager
def progress(words: str, long: bool = True) -> Iterator[None]:
    """Tell a person at a terminal what takes so long."""
    if not long or not sys.stderr.isatty():
        yield
        return
    with stderr().status(words):
        yield
