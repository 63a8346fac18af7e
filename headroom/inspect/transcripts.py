"""Files that hold conversations: one, a list of them, one a line, or an agent's own log."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from headroom.documents import LIST_KEYS, is_message, parse, read_document
from headroom.inspect import claude_code

MOST_BROKEN = 5
"""Broken lines that are told one by one."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How files begin that were written with ">" in Windows PowerShell."""


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
    plain = _without_mark(data)
    reading = _lines(plain, name) if _is_in_lines(plain) else None
    if reading is not None:
        return reading
    document = read_document(plain)
    if not document.is_text:
        return Reading([Transcript(name, document.messages, _model_of(document.holder))])
    listed = _sessions_in(parse(str(document.messages[0]["content"])), name)
    return Reading(listed) if listed else _lines(plain, name) or Reading([Transcript(name, document.messages, is_text=True)])


def _without_mark(data: bytes) -> bytes:
    """UTF-8 without a byte order mark."""
    if data.startswith(_UTF_16):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(codecs.BOM_UTF8)


def _is_in_lines(data: bytes) -> bool:
    """Whether the first line is an object of its own and not the last: then no look at the whole is needed, which may be huge."""
    lines = _numbered(data)
    first = next(lines, None)
    return first is not None and first[1].lstrip()[:1] == b"{" and _parsed(first[1]) is not None and next(lines, None) is not None


def _numbered(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank. One at a time: a session may take hundreds of megabytes."""
    start, number = 0, 1
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        if line.strip():
            yield number, line
        start, number = end + 1, number + 1


def _parsed(line: bytes) -> Any:
    """None if it is no JSON; `null` tells as little."""
    try:
        return json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


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


def _lines(data: bytes, name: str) -> Reading | None:
    """JSON, line by line; None if no line holds what a transcript would."""
    reading, broken, entries, messages = Reading(), [], [], []
    for number, line in _numbered(data):
        item = _parsed(line)
        if item is None:
            if line.strip() != b"null":
                broken.append(number)
            continue
        session = _session(item, f"{name}, line {number}")
        if session is not None:
            reading.transcripts.append(session)
        elif claude_code.is_entry(item):
            entries.append(claude_code.slim(item))
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
