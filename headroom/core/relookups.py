"""Records looked up again: what the same record showed when it was last returned becomes a pointer, the rest stays.

    {"order_id":"#W12",[… 7 keys, user_id to payments, as in the last record with order_id=#W12],"status":"cancelled"}

A record is one JSON object, told from others by a value like an id in it. Only the latest record with that id is
pointed to, and only if nothing was left out of it, so "the last record" is one and all of it can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LEAST_CHARACTERS = 320
"""Shorter records are shown again: a pointer costs about 25 tokens, and a reader's jump."""
LARGEST = 60_000
"""Characters of a record above which it is not looked at."""
LEAST_GAIN = 60
"""Characters that pointers must spare, beyond what the best fold without them does: their marker names an original."""
LEAST_RUN = 30
"""Characters of neighbours that a pointer must stand for, beyond its own words."""
DEEPEST_ID = 3
DEEPEST = 6
MOST_IDS = 12
"""Values of one record by which it may be known: the first ones, so that a long record is read no more often."""
_NAMED = re.compile(r'\\?"([^"\\]{1,80})\\?"\s{0,8}:\s{0,8}\\?"([^\s"\\]{3,60})\\?"')
_ID = re.compile(r"(?=.*[\d_@#])[^\s\"\\]{3,60}\Z")


@dataclass(frozen=True, slots=True)
class FoldedRecord:
    """A record of which parts are pointers now."""

    text: str
    values: int
    """How many keys and items the pointers stand for."""


@dataclass(slots=True)
class VisibleRecords:
    """The records of all texts that the model can see so far, by what may be their ids."""

    _latest: dict[tuple[str, str], Any] = field(default_factory=dict)
    """(path of the key, value) -> the record, read; None if something is missing from its text, or it came again elsewhere."""
    _paths: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(key, value) -> the paths above that end in this key."""

    def add(self, text: str, *, lossy: bool) -> None:
        """Take in a text that leaves, as it came; `lossy` if something was left out of it."""
        self._forget_named_in(text)
        record = _record(text)
        if record is not None:
            for path, value in _ids(record):
                self._latest[path, value] = None if lossy else record
                for name in {path, path.rpartition(".")[2]}:
                    self._paths.setdefault((name, value), set()).add(path)

    def _forget_named_in(self, text: str) -> None:
        """A record may come again in a list, in another record or between words: then the one that is known is not the last."""
        if not self._latest:
            return
        for name, value in {(match[1], match[2]) for match in _NAMED.finditer(text)}:
            for path in self._paths.get((name, value), ()):
                self._latest[path, value] = None

    def forget(self) -> None:
        """Of a text that is a result of ours already nobody knows which record it was: none before it is the last."""
        self._latest.clear()

    def fold(self, text: str) -> FoldedRecord | None:
        """Point to what the last record with the same id shows; None where that would not be shorter."""
        if not self._latest or (record := _record(text)) is None:
            return None
        best: FoldedRecord | None = None
        tried: set[int] = set()
        for path, value in _ids(record):
            earlier = self._latest.get((path, value))
            if earlier is None or id(earlier) in tried:
                continue
            tried.add(id(earlier))
            writer = _Writer(path, value)
            folded = FoldedRecord(writer.write(record, earlier, ""), writer.values)
            if folded.values and (best is None or len(folded.text) < len(best.text)):
                best = folded
        return best


class _Writer:
    """Writes a record beside an earlier one; the id that both have is always written out."""

    def __init__(self, path: str, value: str) -> None:
        self.path = path
        self.where = f"as in the last record with {path}={value}"
        self.values = 0

    def write(self, value: Any, earlier: Any, path: str, depth: int = 0) -> str:
        """The value as minified JSON, with marks in place of what `earlier` shows alike."""
        if depth >= DEEPEST or type(value) is not type(earlier) or type(value) not in (dict, list):
            return _written(value)
        is_object = type(value) is dict
        parts: list[str] = []
        run: list[_Part] = []
        for part in _parts_beside(value, earlier):
            inner = path + "[]" if not is_object else f"{path}.{part.key}" if path else part.key
            text = _written(part.value)
            if part.place >= 0 and text == _written(part.earlier) and not f"{self.path}.".startswith(f"{inner}."):
                if run and part.place != run[-1].place + 1:
                    self._close(run, parts, is_object)
                run.append(part)
                continue
            self._close(run, parts, is_object)
            shown = text if part.place < 0 else self.write(part.value, part.earlier, inner, depth + 1)
            parts.append(part.label + shown)
        self._close(run, parts, is_object)
        return ("{" if is_object else "[") + ",".join(parts) + ("}" if is_object else "]")

    def _close(self, run: list[_Part], parts: list[str], is_object: bool) -> None:
        """A mark for the neighbours in `run`, if it is shorter than they are."""
        texts = [part.label + _written(part.value) for part in run]
        if sum(map(len, texts)) >= LEAST_RUN + len(self.where) and all(part.key.isprintable() for part in run):
            first, last, plural = run[0].key, run[-1].key, "s" * (len(run) > 1)
            which = "" if not is_object else f", {first} to {last}," if plural else f" {first}"
            parts.append(f"[… {len(run)} {'key' if is_object else 'item'}{plural}{which} {self.where}]")
            self.values += len(run)
            self.where = "as there"
        else:
            parts += texts
        run.clear()


class _Part(NamedTuple):
    """A member of an object or an item of a list, beside the one of the earlier record."""

    key: str
    value: Any
    place: int
    """Where the earlier one stands among its neighbours; -1: there is none."""
    earlier: Any
    label: str
    """The key as JSON writes it, with its colon."""


def _parts_beside(value: Any, earlier: Any) -> Iterator[_Part]:
    if isinstance(value, dict):
        places = {key: place for place, key in enumerate(earlier)}
        for key, item in value.items():
            yield _Part(key, item, places.get(key, -1), earlier.get(key), _written(key) + ":")
    else:
        for index, item in enumerate(value):
            known = index < len(earlier)
            yield _Part("", item, index if known else -1, earlier[index] if known else None, "")


def _record(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is; None if it is anything else, or cannot be kept exactly."""
    if not LEAST_CHARACTERS <= len(text) <= LARGEST or text[:1] != "{":
        return None
    from headroom.core.compressors.records.text import depth_within, read  # loads msgspec, which only JSON needs

    try:
        value = read(text)
    except ValueError:
        return None
    return value if type(value) is dict and depth_within(value) else None


def _ids(record: dict[str, Any]) -> list[tuple[str, str]]:
    """(path, value) of what looks like an id, outer ones first."""
    found: list[tuple[str, str]] = []
    level = [("", record)]
    for _ in range(DEEPEST_ID):
        inner: list[tuple[str, dict[str, Any]]] = []
        for path, members in level:
            for key, value in members.items():
                if type(value) is str and _ID.match(value) and key.isprintable():
                    found.append((path + key, value))
                elif type(value) is dict:
                    inner.append((f"{path}{key}.", value))
            if len(found) >= MOST_IDS:
                return found[:MOST_IDS]
        level = inner
    return found


def _written(value: Any) -> str:
    from headroom.core.compressors.records.text import write  # loads msgspec, which only JSON needs

    return write(value)
