"""A command as a person runs it: on a terminal of so many columns."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from fcntl import ioctl

PROGRAM = (
    "import fcntl, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "  # without it, Ctrl-C is a letter
    "signal.signal(signal.SIGINT, signal.default_int_handler); "  # whoever runs the tests in the background ignores it
    "from headroom.cli import app; sys.argv[0] = 'headroom'; app()"
)
SILENCE = 120.0
"""Seconds, after which nothing more is expected to appear."""
MOST_PRESSES = 30


@dataclass(frozen=True)
class Seen:
    """What was on the terminal in the end, and the exit code."""

    text: str
    exit_code: int

    @property
    def lines(self) -> list[str]:
        return [line.rpartition("\r")[2] for line in self.text.replace("\r\n", "\n").split("\n")]


def typed(*arguments: str, columns: int = 80, press: tuple[str, str] | None = None, **environment: str) -> Seen:
    """Run the command line there. `press`: what to wait for, and what to press then ("\x03" is Ctrl-C)."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environment},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            text = _read(ours, press)
            process.wait(60)
        finally:
            process.kill()
            os.close(ours)
    return Seen(text, process.returncode)


def _read(terminal: int, press: tuple[str, str] | None) -> str:
    """All that appears until nobody writes any more."""
    seen, pressed = b"", 0
    while pressed < MOST_PRESSES:
        if select.select([terminal], [], [], 2 if pressed else SILENCE)[0]:
            try:
                data = os.read(terminal, 65_536)
            except OSError:  # nobody writes to it any more
                return seen.decode()
            if not data:
                return seen.decode()
            seen += data
            if pressed or not press or press[0].encode() not in seen:
                continue
        # Pressed just before Python begins to wait for a key, Ctrl-C is overlooked: it is pressed again, as people do.
        assert press, f"it waits, and nobody knows for what: {seen!r}"
        os.write(terminal, press[1].encode())
        pressed += 1
    raise AssertionError(f"it does not listen: {seen!r}")
