"""The reference decoder of folded JSON: turns a fold back into the values of the original, numerals as written.

Written from the description in the compressor's docstrings, sharing no code with it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Number:
    """A numeral as written: 1.10 is not 1.1."""

    text: str


@dataclass
class Placeholder:
    name: str
    count: int
    keyed: bool
    value: Any = None


@dataclass
class Twin:
    """The column whose cells a column repeats; no path: the keys."""

    path: list[Any]


def parse_json(text: str) -> Any:
    """Plain JSON, numerals as `Number`."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def decode(text: str) -> Any:
    """The values of a fold. JSON Lines come back as the list of their documents."""
    reader = _Reader()
    lines = text.split("\n")
    if reader.is_value(lines[0]):
        root = reader.value_of(lines[0])
        rest = lines[1:]
        if rest and not rest[0].startswith("table "):
            return [reader.value_of(line) for line in lines]
        while rest:
            rest = reader.take_table(rest)
        return _resolve(root)
    heading, rest = ("", lines) if not lines[0].startswith("all rows: ") else (lines[0], lines[1:])
    return _resolve(reader.table(heading, rest))


def _resolve(value: Any) -> Any:
    if isinstance(value, Placeholder):
        assert value.value is not None, f"no table {value.name}"
        return _resolve(value.value)
    if isinstance(value, dict):
        return {key: _resolve(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    return value


_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_PLACEHOLDER = re.compile(r"([\[{])table ([^:\s]+): (\d+) (rows|entries)[\]}]")
_BARE_KEY = re.compile(r"[^\W\d][\w\-$@/]*")
_MISSING = object()


class _Reader:
    def __init__(self) -> None:
        self.places: dict[str, Placeholder] = {}
        self.labels: dict[str, Any] = {}

    def is_value(self, text: str) -> bool:
        before = dict(self.places)
        try:
            _, end = self._value(text, 0)
        except (ValueError, IndexError):
            return False
        finally:
            self.places = before
        return end == len(text)

    def value_of(self, text: str) -> Any:
        value, end = self._value(text, 0)
        assert end == len(text), text
        return value

    def take_table(self, lines: list[str]) -> list[str]:
        match = re.match(r"table ([^:,\s]+)(?::$|, (all rows: .*))", lines[0])
        assert match, lines[0]
        place = self.places[match[1]]
        end = 2 + place.count + lines[1].startswith("repeated: ")
        place.value = self.table(match[2] or "", lines[1:end])
        assert len(place.value) == place.count
        return lines[end:]

    def table(self, heading: str, lines: list[str]) -> Any:
        self.labels = self._labels(lines[0]) if lines[0].startswith("repeated: ") else {}
        header, *rows = lines[bool(self.labels) :]
        constants = self._constants(heading.removeprefix("all rows: ")) if heading else []
        keyed = header.startswith("(key)")
        paths = self._paths(header.removeprefix("(key)").removeprefix(",") if keyed else header)
        records: list[tuple[Any, Any]] = []
        for line in rows:
            cells = self._cells(line)
            key = cells.pop(0) if keyed else None
            assert len(cells) == len(paths), (header, line)
            tree: dict[Any, Any] = {}
            own = [(path, cell) for path, cell in zip(paths, cells, strict=True) if cell is not _MISSING]
            for path, cell in [*constants, *own]:
                if isinstance(cell, Twin):
                    found = [key] if not cell.path else [value for other, value in own if other == cell.path]
                    for value in found:
                        _put(tree, path, value)
                else:
                    _put(tree, path, cell)
            records.append((key, _as_lists(tree)))
        return dict(records) if keyed else [record for _, record in records]

    def _labels(self, line: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        at = len("repeated: ") - 1
        while at < len(line):
            label = re.compile(r"\[[a-z]{1,2}\]=").match(line, at + 1)
            assert label, line[at:]
            found[label[0][:-1]], at = self._cell(line, label.end())
        return found

    def _constants(self, text: str) -> list[tuple[list[Any], Any]]:
        found = []
        at = 0
        while True:
            path, at = self._path(text, at)
            assert text[at] == "="
            if text.startswith("=[same as (key)]", at):
                cell, at = Twin([]), at + len("=[same as (key)]")
            elif text.startswith("=[same as ", at):
                twin, at = self._path(text, at + len("=[same as "), stop="]")
                cell, at = Twin(twin), at + 1
            else:
                cell, at = self._cell(text, at + 1)
            found.append((path, cell))
            if at == len(text):
                return found
            at += 1

    def _paths(self, text: str) -> list[list[Any]]:
        found: list[list[Any]] = []
        at = 0
        while at < len(text):
            path, at = self._path(text, at)
            found.append(path)
            at += 1
        return found

    @staticmethod
    def _path(text: str, at: int, stop: str = ",=") -> tuple[list[Any], int]:
        path: list[Any] = []
        while at < len(text) and text[at] not in stop:
            if text[at] == "[":
                end = text.index("]", at)
                path.append(int(text[at + 1 : end]))
                at = end + 1
                continue
            if text[at] == ".":
                at += 1
            if text[at] == '"':
                key, at = json.JSONDecoder().raw_decode(text, at)
            else:
                match = _BARE_KEY.match(text, at)
                assert match, text[at:]
                key, at = match[0], match.end()
            path.append(key)
        return path, at

    def _cells(self, line: str) -> list[Any]:
        cells = []
        at = 0
        while True:
            cell, at = self._cell(line, at)
            cells.append(cell)
            if at == len(line):
                return cells
            assert line[at] == ",", (line, at)
            at += 1

    def _cell(self, line: str, at: int) -> tuple[Any, int]:
        if at == len(line) or line[at] == ",":
            return _MISSING, at
        end = line.find("]", at) + 1
        if line[at:end] in self.labels:
            return self.labels[line[at:end]], end
        if line[at] in '"[{':
            return self._value(line, at)
        end = line.find(",", at)
        end = len(line) if end < 0 else end
        bare = line[at:end]
        words = {"null": None, "true": True, "false": False}
        if bare in words:
            return words[bare], end
        return (Number(bare) if _NUMBER.fullmatch(bare) else bare), end

    def _value(self, text: str, at: int) -> tuple[Any, int]:
        match = _PLACEHOLDER.match(text, at)
        if match:
            place = Placeholder(match[2], int(match[3]), match[1] == "{")
            assert match[2] not in self.places
            self.places[match[2]] = place
            return place, match.end()
        first = text[at]
        if first == '"':
            return json.JSONDecoder().raw_decode(text, at)
        if first == "[":
            return self._list(text, at + 1)
        if first == "{":
            return self._object(text, at + 1)
        for word, value in (("null", None), ("true", True), ("false", False)):
            if text.startswith(word, at):
                return value, at + len(word)
        match = _NUMBER.match(text, at)
        if not match:
            raise ValueError(text[at : at + 20])
        return Number(match[0]), match.end()

    def _list(self, text: str, at: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        while text[at] != "]":
            if items:
                if text[at] != ",":
                    raise ValueError(text[at:])
                at += 1
            item, at = self._value(text, at)
            items.append(item)
        return items, at + 1

    def _object(self, text: str, at: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        while text[at] != "}":
            if members:
                if text[at] != ",":
                    raise ValueError(text[at:])
                at += 1
            key, at = json.JSONDecoder().raw_decode(text, at)
            if text[at] != ":":
                raise ValueError(text[at:])
            members[key], at = self._value(text, at + 1)
        return members, at + 1


def _put(tree: dict[Any, Any], path: list[Any], value: Any) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    tree[path[-1]] = _Leaf(value)


@dataclass
class _Leaf:
    value: Any


def _as_lists(tree: Any) -> Any:
    if isinstance(tree, _Leaf):
        return tree.value
    if tree and all(isinstance(key, int) for key in tree):
        return [_as_lists(tree[index]) for index in range(len(tree))]
    return {key: _as_lists(value) for key, value in tree.items()}
