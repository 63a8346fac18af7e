"""Claude Code's session files: one entry a line, linked by `parentUuid` into threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

KINDS = ("user", "assistant")
"""Other types (summaries, system notes, snapshots of files) are links between these, and no part of a prompt."""
SYNTHETIC = "<synthetic>"
"""The model named in words that Claude Code itself put into the assistant's mouth."""


_NEEDED = ("type", "message", "uuid", "parentUuid", "sessionId", "agentId", "isSidechain")


@dataclass(slots=True)
class _Thread:
    sidechain: bool
    messages: list[dict[str, Any]] = field(default_factory=list)
    model: str = ""
    last_id: str = ""
    """Of the assistant's message that the last entry is a part of."""


def is_entry(item: Any) -> bool:
    """Whether a line is an entry of such a file."""
    return isinstance(item, dict) and isinstance(item.get("type"), str) and ("uuid" in item or isinstance(item.get("message"), dict))


def slim(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without what is no part of a prompt, above all the second copy of each tool's output."""
    return {key: entry[key] for key in _NEEDED if key in entry}


def conversations(entries: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]], str]]:
    """(name, messages in Anthropic's format, model) of every thread, in the order of the file.

    Entries that lead back to the same beginning are one thread: a sidechain (a subagent) has a beginning of its own,
    and so has what follows after a conversation was compacted. A prompt that was edited and sent again stands behind
    the first one.
    """
    roots = _roots(entries)
    threads: dict[str, _Thread] = {}
    for position, entry in enumerate(entries):
        if entry["type"] in KINDS and isinstance(entry.get("message"), dict):
            root = roots.get(str(entry.get("uuid") or position), "")
            thread = threads.setdefault(root, _Thread(bool(entry.get("isSidechain"))))
            _add(thread, entry["message"])
    found = [thread for thread in threads.values() if thread.messages]
    names = [""] if len(found) == 1 else [f"{'sidechain' if t.sidechain else 'thread'} {number}" for number, t in enumerate(found, 1)]
    return [(name, thread.messages, thread.model) for name, thread in zip(names, found, strict=True)]


def _roots(entries: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Entry -> where its chain of parents begins. A parent stands before its children; one that is not here is a beginning."""
    roots: dict[str, str] = {}
    for position, entry in enumerate(entries):
        own = str(entry.get("uuid") or position)
        parent = entry.get("parentUuid")
        agent = str(entry.get("agentId") or "")
        beginning = own if entry.get("uuid") else str(entry.get("sessionId") or "")
        roots[own] = roots.get(str(parent), f"{parent} {agent}") if parent else beginning
    return roots


def _add(thread: _Thread, message: dict[str, Any]) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in KINDS or message.get("model") == SYNTHETIC or not isinstance(content, (str, list)):
        return
    if role == "assistant":
        thread.model = thread.model or str(message.get("model") or "")
        same = thread.last_id and message.get("id") == thread.last_id
        thread.last_id = str(message.get("id") or "")
        if same and isinstance(content, list) and isinstance(thread.messages[-1]["content"], list):  # one answer is written block by block
            thread.messages[-1]["content"] += content
            return
    else:
        thread.last_id = ""
    thread.messages.append({"role": role, "content": list(content) if isinstance(content, list) else content})
