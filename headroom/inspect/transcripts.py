"""Files that hold conversations: one, a list of them, one a line, or an agent's own log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from headroom.documents import LIST_KEYS, is_message, parse, read_document
from headroom.inspect import claude_code

MOST_BROKEN = 5
"""Broken lines that are told one by one."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One conversation: messages in any known wire format, and the model that it was held with ("" if not said)."""

    name: str
    messages: list[Any]
    model: str = ""
    is_text: bool = False
    """Whether the file held no messages, and is taken as the output of one tool."""


@dataclass(slots=True)
class Reading:
    """What a file held, and what in it could not be read."""

    transcripts: list[Transcript] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_transcripts(data: bytes, name: str) -> Reading:
    """Every conversation in a file. Never raises: a text without messages is one tool output, a broken line a problem."""
    document = read_document(data)
    if not document.is_text:
        return Reading([Transcript(name, document.messages, _model_of(document.holder))])
    text = str(document.messages[0]["content"])
    listed = _sessions_in(parse(text), name)
    if listed:
        return Reading(listed)
    return _lines(text, name) or Reading([Transcript(name, document.messages, is_text=True)])


def _sessions_in(parsed: Any, name: str) -> list[Transcript]:
    found = [_session(item, f"{name}, {number}") for number, item in enumerate(parsed, 1)] if isinstance(parsed, list) else []
    return [session for session in found if session is not None]


def _session(item: Any, name: str) -> Transcript | None:
    """An object that holds a list of messages, or such a list."""
    if isinstance(item, list) and any(map(is_message, item)):
        return Transcript(name, item)
    for key in LIST_KEYS if isinstance(item, dict) else ():
        inner = item.get(key)
        if isinstance(inner, list) and any(isinstance(part, dict) and ("role" in part or is_message(part)) for part in inner):
            return Transcript(name, inner, _model_of(item))
    return None


def _lines(text: str, name: str) -> Reading | None:
    """JSON, line by line; None if no line holds what a transcript would."""
    reading, broken, entries, messages = Reading(), [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            broken.append(number)
            continue
        session = _session(item, f"{name}, line {number}")
        if session is not None:
            reading.transcripts.append(session)
        elif claude_code.is_entry(item):
            entries.append(item)
        elif is_message(item):
            messages.append(item)
    if messages:
        reading.transcripts.append(Transcript(name, messages))
    reading.transcripts += [
        Transcript(f"{name}{', ' if threads else ''}{threads}", said, model) for threads, said, model in claude_code.conversations(entries)
    ]
    if not reading.transcripts:
        return None
    reading.problems = [f"{name}: line {number} is not JSON, and was skipped" for number in broken[:MOST_BROKEN]]
    if len(broken) > MOST_BROKEN:
        reading.problems.append(f"{name}: {len(broken) - MOST_BROKEN:,} more lines are not JSON, and were skipped")
    return reading


def _model_of(holder: Any) -> str:
    model = holder.get("model") if isinstance(holder, dict) else None
    return model if isinstance(model, str) else ""
