"""split() and join(): texts out of a message, and back to where they were. Everything else stays the same object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headroom.core.errors import FormatError
from headroom.core.formats import FORMATS, MessageParts
from headroom.core.formats.parts import as_dicts, can_be_replaced
from headroom.core.types import Message, Path

TOO_DEEP = "is nested too deeply to be read"


def split(index: int, message: object) -> MessageParts:
    """Read message `index`. FormatError names the index and the field if it is malformed."""
    plain = as_dicts(message)
    if not isinstance(plain, dict):
        raise FormatError(index, None, f"must be a dict, not {type(message).__name__}")
    reader = next(reader for reader in FORMATS if reader.recognises(plain))
    try:
        parts: MessageParts = reader.read(index, plain)
        if plain is not message:
            parts.blocks = [block for block in parts.blocks if can_be_replaced(message, block.path)]
        return parts
    except RecursionError:
        raise FormatError(index, None, TOO_DEEP) from None


def join(message: Message, replacements: Sequence[tuple[Path, str]]) -> Message:
    """A copy of `message` with other texts at some paths; untouched parts are shared with the original.

    A path starts with the message's index, which plays no part here.
    """
    out: Message = dict(message)
    if len(replacements) == 1 and len(replacements[0][0]) == 2:  # nearly always: one text, right in the message
        out[str(replacements[0][0][1])] = replacements[0][1]
        return out
    copied: set[Path] = set()
    for path, text in replacements:
        holder: Any = out
        for depth in range(1, len(path) - 1):
            step, prefix = path[depth], path[1 : depth + 1]
            if prefix not in copied:
                copied.add(prefix)
                inner = holder[step]
                holder[step] = list(inner) if isinstance(inner, list) else dict(inner)
            holder = holder[step]
        holder[path[-1]] = text
    return out
