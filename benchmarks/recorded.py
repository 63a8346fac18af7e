"""Recorded sessions: .jsonl files in a folder, one a source, one session a line: {"messages": [OpenAI chat format]}."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import judge

FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus" / "sessions"
CHARACTERS_PER_TOKEN = 4

Message: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Session:
    """One conversation."""

    source: str
    name: str
    messages: list[Message]


@dataclass(frozen=True)
class Choice:
    """Which sessions, and how much of each."""

    limit: int = 0
    """Sessions of each source, spread over its file; 0: all."""
    max_turns: int = 60
    """What comes after so many assistant messages is cut off."""
    max_tokens: int = 60_000
    """Longer sessions (roughly counted) are skipped."""
    source: str = ""
    held_out: int = 3
    """One session in so many is held out for checking; see `split`."""
    split: str = ""
    """"tune": those not held out, "check": the held-out ones, "": all."""


def add_options(parser: argparse.ArgumentParser, limit: int = 0) -> None:
    """The options that choose sessions; `chosen` reads them."""
    parser.add_argument("--sessions", type=Path, default=FOLDER, metavar="FOLDER", help="default: the ones recorded beside the checkout")
    parser.add_argument("--limit", type=int, default=limit, help=f"sessions of each source (default: {limit or 'all'})")
    parser.add_argument("--max-turns", type=int, default=60)
    parser.add_argument("--max-tokens", type=int, default=60_000, help="skip longer sessions")
    parser.add_argument("--source", default="", help="one source alone")
    parser.add_argument("--held-out", type=int, default=3, metavar="N", help="one session in N is held out (default 3) for --split")
    parser.add_argument("--split", choices=("tune", "check"), default="", help="the sessions to tune by, or the held-out ones to check by")


def chosen(arguments: argparse.Namespace) -> list[Session]:
    """The sessions that the options ask for."""
    a = arguments
    return list(sessions(a.sessions, Choice(a.limit, a.max_turns, a.max_tokens, a.source, a.held_out, a.split)))


def sessions(folder: Path, choice: Choice) -> Iterator[Session]:
    """The sessions of `choice`, source by source in the order of the names."""
    for path in sorted(folder.glob("*.jsonl")):
        if choice.source and path.stem != choice.source:
            continue
        lines = [line for line in path.read_text().splitlines() if not choice.split or _held_out(line, choice) == (choice.split == "check")]
        wanted = choice.limit or len(lines)
        for line in lines[:: max(1, len(lines) // max(1, wanted))][:wanted]:
            document = json.loads(line)
            messages = _cut(document["messages"], choice.max_turns)
            if sum(len(judge.said(message)) for message in messages) <= choice.max_tokens * CHARACTERS_PER_TOKEN:
                yield Session(path.stem, str(document.get("name", "?")), messages)


def _held_out(line: str, choice: Choice) -> bool:
    """By content: the same sessions are held out whatever else is in the file, and neighbours are treated alike."""
    return int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big") % max(1, choice.held_out) == 0


def _cut(messages: list[Message], max_turns: int) -> list[Message]:
    turns = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    return messages[: turns[max_turns]] if len(turns) > max_turns else messages
