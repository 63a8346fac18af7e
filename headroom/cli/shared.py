"""What the commands share: stdout and stderr, complaints and their exit codes, stores by path or URL."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click

from headroom import CompressionStore, ConfigError, FormatError, HeadroomError, UnknownReferenceError
from headroom.cli.tables import Column, table
from headroom.cli.terminal import fold, plain, width
from headroom.stores import open_store

FAILURE, USAGE, BAD_INPUT, UNKNOWN_REFERENCE, INTERRUPTED = 1, 2, 3, 4, 130
EXIT_CODES = (
    "Exit codes: 0 done; 1 a failure of ours (the store); 2 wrong usage; 3 bad input (a message that cannot be read); "
    "4 unknown reference (never stored, expired or evicted); 130 stopped by Ctrl-C."
)
LONG_WORK_CHARACTERS = 1_000_000
"""From here on a person waiting at a terminal is told so: about a tenth of a second."""
WITHOUT_A_TERMINAL = 120
"""Columns. A pipe has no width of its own: wide enough for a row."""


def opened(place: str | None) -> CompressionStore | None:
    """The store at a path or URL; None for the user's own."""
    return None if place is None else open_store(place)


def read(file: str) -> bytes:
    """A file's bytes, or those of standard input for "-"."""
    if file == "-" and sys.stdin is None:  # as the shell's <&- starts programs
        raise click.BadParameter("there is no standard input")
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as broken:
        raise click.BadParameter(f"cannot read {plain(file)}: {broken.strerror}") from None


def write(data: bytes) -> None:
    """Bytes to stdout. A reader that has gone away (`| head`) is no error; a full disk is one, told in a line."""
    if sys.stdout is None:  # as the shell's >&- starts programs
        complain("there is no standard output")
        raise click.exceptions.Exit(FAILURE)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as broken:
        if broken.errno in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
            let_go(sys.stdout)
            raise click.exceptions.Exit from None
        give_up(broken)
        raise click.exceptions.Exit(FAILURE) from None


def give_up(broken: OSError) -> None:
    """Say what the machine does not allow; nothing more is written to stdout, which may be what is full."""
    if sys.stdout is not None:
        let_go(sys.stdout)
    what = broken.strerror or str(broken)
    complain(f"{broken.filename}: {what}" if broken.filename else what)


def let_go(stream: TextIO) -> None:
    """The interpreter flushes once more at its end: let that go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
        raise click.BadParameter(f"cannot write {plain(str(output))}: {broken.strerror}") from None
    click.echo(f"written: {plain(str(output))}", err=True)


def write_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """A table to stdout."""
    write(table(columns, rows, columns_of(sys.stdout)).encode())


def tell_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """A table to stderr."""
    unicode = (getattr(stderr(), "encoding", None) or "").lower().startswith("utf")
    click.echo(table(columns, rows, columns_of(stderr()), "─" if unicode else "-"), err=True, nl=False)


@contextmanager
def complaints() -> Iterator[None]:
    """Errors on purpose end in one line on stderr and their exit code; anything else is a bug and shows its trace."""
    try:
        yield
    except FormatError as error:
        code, problem = BAD_INPUT, str(error)
    except UnknownReferenceError as error:
        code, problem = UNKNOWN_REFERENCE, f"{error}; --namespace NAME looks in another"
    except ConfigError as error:
        code, problem = USAGE, str(error)
    except HeadroomError as error:
        code, problem = FAILURE, str(error)
    else:
        return
    complain(problem)
    raise click.exceptions.Exit(code)


def complain(problem: str) -> None:
    """One line on stderr."""
    click.echo(f"headroom: {plain(' '.join(problem.splitlines()))}", err=True)


def stderr() -> TextIO | None:
    """The stream; None where a program was started without one."""
    return sys.stderr


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    return stream is not None and stream.isatty()


def columns_of(stream: TextIO | None) -> int:
    """How wide a table on the stream may be."""
    if stream is None or not is_terminal(stream):
        return WITHOUT_A_TERMINAL
    try:
        own = os.get_terminal_size(stream.fileno())
    except OSError:
        own = os.terminal_size((80, 24))
    return shutil.get_terminal_size(own).columns or 80  # COLUMNS goes first, as everywhere


@contextmanager
def progress(words: str, long: bool = True) -> Iterator[None]:
    """Tell a person at a terminal what takes so long, and how long it has."""
    if not long or not is_terminal(stderr()):
        yield
        return
    done = threading.Event()
    clock = threading.Thread(target=_count_seconds, args=(plain(words), done), daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()


def _count_seconds(words: str, done: threading.Event) -> None:
    begun, room, line = time.monotonic(), columns_of(stderr()) - 8, ""
    while not line or not done.wait(1.0):
        seconds = int(time.monotonic() - begun)
        line = fold(words, room)[0] + (f" … {seconds} s" if seconds else " …")
        _rewrite_line(line)
    _rewrite_line(" " * width(line))
    _rewrite_line("")


def _rewrite_line(line: str) -> None:
    with suppress(OSError, ValueError):  # nobody is left to be told
        sys.stderr.write(f"\r{line}")
        sys.stderr.flush()
