"""Agno's messages: read as plain dicts for compress(), and written back as copies in which only texts differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agno.models.message import Message

from headroom.tools.definitions import RETRIEVE_TOOL

Json = dict[str, Any]

AGNOS_READERS = ("read_result", "search_result")
"""The tools with which Agno reads back what it offloaded. Only both together are Agno's: users name tools as they like."""

_OFFLOADED = ("Full result stored; read with read_result(", "Full result was NOT stored.")


def read(messages: Sequence[Message], *, compressed: bool = False, agno_offloads: bool = False) -> list[Json]:
    """One dict a message, in OpenAI's chat form; never changes a message.

    `compressed`: `compressed_content` is sent where it is set. `agno_offloads`: Agno's own reading tools are at hand.
    What Agno has shortened by itself, and what its tools read back, counts as retrieved: it is sent as it is.
    """
    ids: dict[str, str] = {}
    return [_read_one(message, ids, compressed, agno_offloads) for message in messages]


def write(messages: Sequence[Message], before: Sequence[Json], after: Sequence[Json], *, compressed: bool = False) -> list[Message]:
    """The same messages; those whose text differs between `before` and `after` as copies with the new text.

    ValueError if a hook of the caller's gave back another number of messages.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} messages went in, {len(after)} came out: hooks must keep their number and order here")
    return [
        message if old is new or old.get("content") == new.get("content") else _with_text(message, old, new, compressed)
        for message, old, new in zip(messages, before, after, strict=True)
    ]


def sent_in_short(message: Message, compressed: bool) -> bool:
    """Whether `compressed_content` goes out in place of `content`."""
    return compressed and message.compressed_content is not None


def _read_one(message: Message, ids: dict[str, str], compressed: bool, agno_offloads: bool) -> Json:
    content: Any = message.compressed_content if sent_in_short(message, compressed) else message.content
    if message.role in ("tool", "function"):
        if _handled_by_agno(message, content, compressed, agno_offloads):
            return {"role": "tool", "name": RETRIEVE_TOOL, "content": _plain(content)}
        call_id = message.tool_call_id or ""
        return {"role": "tool", "tool_call_id": ids.get(call_id, call_id), "name": message.tool_name or "", "content": _plain(content)}
    if message.role == "assistant":
        return {"role": "assistant", "content": _plain(content), "tool_calls": [_call(call, ids) for call in message.tool_calls or ()]}
    return {"role": message.role, "content": _plain(content)}


def _handled_by_agno(message: Message, content: Any, compressed: bool, agno_offloads: bool) -> bool:
    if message.tool_calls:  # several results in one message, as old Gemini sessions hold them: not ours to take apart
        return True
    if agno_offloads and message.tool_name in AGNOS_READERS:
        return True
    if not isinstance(content, str):
        return False
    if sent_in_short(message, compressed):
        return f"{RETRIEVE_TOOL} ref=" not in content  # shortened by another manager, or a fold of ours: final either way
    return content.startswith("<result ") and any(words in content[-400:] for words in _OFFLOADED)


def _call(call: Json, ids: dict[str, str]) -> Json:
    """A call under one id: OpenAI Responses gives each two, and outputs may name either."""
    given = str(call.get("id") or call.get("call_id") or "")
    if call.get("call_id"):
        ids[str(call["call_id"])] = given
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = {"name": str(function.get("name") or ""), "arguments": function.get("arguments") or ""}
    return {"id": given, "type": "function", "function": arguments}


def _plain(content: Any) -> Any:
    """The content as compress() takes it: a string, or a list in which whatever is not text is only a place."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, (list, tuple)):
        return [part if isinstance(part, str) or _is_text(part) else {"type": "other"} for part in content]
    return ""


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _with_text(message: Message, old: Json, new: Json, compressed: bool) -> Message:
    field = "compressed_content" if sent_in_short(message, compressed) else "content"
    content: Any = new["content"]
    if isinstance(content, list):
        parts: Any = getattr(message, field)
        content = [part if b is a or b == a else b for part, a, b in zip(parts, old["content"], content, strict=True)]
    return message.model_copy(update={field: content})
