"""Getting originals back: `retrieve` for programs, `call` for agents.

`retrieve` returns the original exactly and raises when it cannot. `call` takes a model's tool call as it came and
always returns words that the model can act on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headroom.core.config import CompressConfig
from headroom.core.errors import ConfigError, HeadroomError, UnknownReferenceError
from headroom.core.retrieval_tool import RETRIEVE_TOOL, is_retrieve_tool
from headroom.core.store import default_store
from headroom.core.store.base import CompressionStore
from headroom.core.tokens import CHARACTERS_PER_TOKEN

PAGE_TOKENS = 10_000
USAGE = f'{RETRIEVE_TOOL}(ref="...", query="words to find" | lines="120-180" | offset=0)'

_LABEL = re.compile(r"\bref(?:erence)?\s{0,4}[=:]\s{0,4}[\"'`]?", re.IGNORECASE)
_KEY = re.compile(r"([a-z0-9]+)(?:-[a-z0-9]{3})?(?![a-z0-9])")
_SURROUNDINGS = " \t\r\n[](){}<>\"'`.,;:"


def retrieve(
    reference: str,
    query: str | None = None,
    lines: str | None = None,
    offset: int | None = None,
    *,
    store: CompressionStore | None = None,
    namespace: str | None = None,
) -> str:
    """The original behind `reference`, whole and exact; or the part of it that one of the other arguments asks for.

    `reference` may be written as in a marker ("k3v9x2m7qa-f3k", "ref=..."). `query` gives the best-matching rows,
    lines or sections in about 1,500 tokens; else `lines` ("120-180", "120", "120-", "-50") those lines; else `offset`
    the text from that character on. `store` defaults to the user's, `namespace` to HEADROOM_NAMESPACE or "default".

    UnknownReferenceError if nothing is stored under it, StoreError if the store fails, ValueError for lines or an
    offset that cannot be.
    """
    original = _original(reference, store, namespace)
    if query is not None:
        return _search(original, query)
    if lines is not None:
        return _lines_of(original, lines)
    if offset is None:
        return original
    _check_offset(original, offset)
    return original[offset:]


def call(
    name_or_tool_call: Any,
    arguments: Mapping[str, Any] | str | None = None,
    *,
    store: CompressionStore | None = None,
    namespace: str | None = None,
    page_tokens: int = PAGE_TOKENS,
) -> str:
    """Answer a model's call of `headroom_retrieve`: a tool's name with its arguments (dict or JSON), or the call itself.

    Tool calls of OpenAI chat, Anthropic and OpenAI Responses are understood, as dicts or as their SDKs' objects. An
    original longer than `page_tokens` (estimated) comes in pages that end at line ends, each with a last line saying
    how to go on. Never raises on anything a model may write, nor when the store fails: the answer says what to do.
    """
    name, given = _read_call(name_or_tool_call, arguments)
    if not isinstance(name, str) or not is_retrieve_tool(name):
        return f"{name if isinstance(name, str) else 'This'} is not {RETRIEVE_TOOL}: call {USAGE}."
    asked = _read_arguments(given)
    if isinstance(asked, str):
        return asked
    try:
        original = _original(asked.ref, store, namespace)
    except UnknownReferenceError:
        return (
            f'No original is stored under ref="{asked.ref[:80]}": it has expired, or the reference is miswritten. '
            "Do not ask for it again: run the tool that gave the output once more."
        )
    except Exception as broken:  # a store is somebody's code and somebody's settings, as in keep()
        trouble = str(broken) if isinstance(broken, HeadroomError) else f"{type(broken).__name__}: {broken}"
        return f"The original could not be read ({trouble}). Run the tool that gave the output once more."
    try:
        answer = _answer(original, asked, max(int(page_tokens * CHARACTERS_PER_TOKEN), 1))
    except ValueError as error:
        return f"{error}."
    return answer + (f"\n[{asked.note}]" if asked.note else "")


# --- the original -------------------------------------------------------------------------------------------------------


def _original(reference: str, store: CompressionStore | None, namespace: str | None) -> str:
    if not isinstance(reference, str):
        raise ConfigError(f"reference must be a str, not {type(reference).__name__}")
    space = CompressConfig.from_env().namespace if namespace is None else namespace
    opened = default_store() if store is None else store
    for candidate in _candidates(reference):
        original = opened.get(candidate, space)
        if original is not None:
            return original
    raise UnknownReferenceError(reference, space)


def _candidates(reference: str) -> list[str]:
    """What `reference` may mean: the key as a marker writes it, with the check characters and what a model put around."""
    label = _LABEL.search(reference[:10_000])
    written = (reference[label.end() :] if label else reference).strip(_SURROUNDINGS)[:200]
    match = _KEY.match(written.lower())
    return list(dict.fromkeys(candidate for candidate in (match[1] if match else "", written, reference[:200]) if candidate))


def _search(original: str, query: str) -> str:
    from headroom.core.store.search import search  # its patterns take 10 ms to compile, and most imports never search

    return search(original, query)


def _lines_of(original: str, lines: str) -> str:
    from headroom.core.store.search import lines_of  # as above

    return lines_of(original, lines)


def _check_offset(original: str, offset: int) -> None:
    if not isinstance(offset, int) or isinstance(offset, bool):
        raise ValueError(f"offset={offset!r} must be a whole number of characters")
    if offset < 0 or offset > len(original):
        raise ValueError(f"offset={offset} is outside of this original: it has {len(original)} characters")


# --- the agent's call ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    ref: str
    query: str | None = None
    lines: str | None = None
    offset: int | None = None
    note: str = ""


def _read_call(call: Any, arguments: Any) -> tuple[Any, Any]:
    """Name and arguments of a call in any of the known shapes."""
    if isinstance(call, str):
        return call, arguments
    function = _field(call, "function")
    holder = call if function is None or isinstance(function, str) else function
    for key in ("arguments", "input", "args"):
        given = _field(holder, key)
        if given is not None:
            return _field(holder, "name"), given
    return _field(holder, "name"), arguments


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _read_arguments(given: Any) -> _Asked | str:
    """The arguments with their types mended where the meaning is plain; else the answer that says what is wrong."""
    if isinstance(given, (str, bytes)):
        try:
            given = json.loads(given) if given.strip() else {}
        except (ValueError, RecursionError) as error:
            return f"The arguments are not valid JSON ({error}): call {USAGE}."
    if not isinstance(given, Mapping):
        return f"The arguments must be a JSON object: call {USAGE}."
    values = {str(key): value for key, value in given.items() if value is not None and value != ""}
    ref = values.pop("ref", None) or values.pop("reference", None)
    if not isinstance(ref, (str, int)) or isinstance(ref, bool):
        return f"ref is missing: write the characters that follow ref= in the output that was shortened, as in {USAGE}."
    query, lines, offset = (values.pop(name, None) for name in ("query", "lines", "offset"))
    notes = [f"unknown and ignored: {', '.join(sorted(values))[:200]}"] if values else []
    if isinstance(query, (list, tuple)):
        query = " ".join(map(str, query))
    if isinstance(query, (dict, bool)):
        return f"query must be words to find: call {USAGE}."
    lines = _as_range(lines)
    offset = _as_number(offset)
    if isinstance(offset, str):
        return f"offset={offset[:80]} must be a whole number of characters: call {USAGE}."
    if (query is not None) + (lines is not None) + bool(offset) > 1:
        notes.append(f"{'query' if query is not None else 'lines'} was used alone: give one of query, lines and offset")
    return _Asked(str(ref), None if query is None else str(query), lines, offset, "; ".join(notes))


def _as_range(lines: Any) -> str | None:
    if isinstance(lines, (list, tuple)) and 1 <= len(lines) <= 2:
        return "-".join(map(str, lines))
    return None if lines is None else str(lines)


def _as_number(offset: Any) -> int | str | None:
    """A whole number; the value as text if it is none."""
    if offset is None or (isinstance(offset, int) and not isinstance(offset, bool)):
        return offset
    if isinstance(offset, float) and offset.is_integer():
        return int(offset)
    if isinstance(offset, str) and len(offset) < 20:
        digits = offset.strip().replace(",", "").replace("_", "")
        if digits.isascii() and digits.isdigit():
            return int(digits)
    return str(offset)


def _answer(original: str, asked: _Asked, page_characters: int) -> str:
    if asked.query is not None:
        return _search(original, asked.query)
    if asked.lines is not None:
        found = _lines_of(original, asked.lines)
        if len(found) <= page_characters:
            return found
        end = _page_end(found, 0, page_characters)
        shown = found.count("\n", 0, end)
        rest = f"after {shown:,} of {found.count(chr(10)) + 1:,} lines" if shown else f"after {end:,} of {len(found):,} characters"
        return _with_last_line(found[:end], f"cut {rest}: ask for fewer lines, or use query or offset")
    start = asked.offset or 0
    _check_offset(original, start)
    end = _page_end(original, start, page_characters)
    if start == 0 and end == len(original):
        return original
    onward = f"go on with offset={end}" if end < len(original) else "the end"
    return _with_last_line(original[start:end], f"characters {start}-{end} of {len(original)}: {onward}")


def _page_end(text: str, start: int, size: int) -> int:
    """The end of a page of at most `size` characters: a line end, unless that would waste half of the page."""
    if len(text) - start <= size:
        return len(text)
    newline = text.rfind("\n", start + size // 2, start + size)
    return newline + 1 if newline >= 0 else start + size


def _with_last_line(page: str, words: str) -> str:
    return f"{page}\n[{words}]"
