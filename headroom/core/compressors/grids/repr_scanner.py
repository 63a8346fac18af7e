"""Reading what Python printed: rows as tuples, lists, dicts or calls, each field as the source writes it.

One pass of one pattern over the text; nothing is evaluated, so `datetime.datetime(2024, 5, 1, 8, 30)`, `Decimal('1.10')`
and whatever else a repr holds are fields like any other. A text that was cut off keeps its complete rows; the rest
is the tail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|[(\[{]|[)\]}]|[,:=]|['\"]",
)
_ATOM = r"""('[^'\\\n]*'|"[^"\\\n]*"|[^\s'"()\[\]{},:=]+(?:\((?:[^()'"]*|'[^'\\\n]*')\))?)"""
"""A field without brackets of its own, or one call: what most rows are made of, read by a pattern for the whole row."""
_CALL = re.compile(r"[^\W\d][\w.]*")
_NAME = re.compile(r"[^\W\d]\w*")
MAX_DEPTH = 50
OPEN = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Rows:
    """Rows of one shape."""

    form: str
    """"(", "[", "{", a class's name for calls with named arguments, or "" for bare values."""
    names: list[str]
    """Keys as written (dicts) or argument names (calls)."""
    fields: Sequence[Sequence[str]]
    """One sequence a row."""
    outer: str
    """"[" or "(" around all rows; "" if each stands on a line of its own."""
    tail: str
    """What stands behind the last row, verbatim: nothing, a cut row, words."""


class _BrokenError(Exception):
    """The text is not what this reader reads."""


def read(text: str) -> Rows | None:
    """The rows of `text`; None if they are not of one shape or there are fewer than two."""
    start = len(text) - len(text.lstrip())
    opening = text[start : start + 1]
    try:
        if opening in ("[", "("):
            rows = _bracketed(text, start)
            if rows is not None and not rows.tail.lstrip().startswith(opening):
                return rows
        return _line_by_line(text)
    except _BrokenError:
        return None


def _bracketed(text: str, start: int) -> Rows | None:
    """Rows inside one list or tuple."""
    outer = text[start]
    quick = _quick(text, start)
    if quick is not None:
        return quick
    items: list[tuple[int, int]] = []
    end = -1
    at = start + 1
    for first, last, closed in _items(text, start):
        if first < last:
            items.append((first, last))
        at = last
        if closed:
            end = last + 1
    shaped = _shape(text, items)
    if shaped is None:
        return None
    form, names, fields, used = shaped
    if used < len(items) and (end >= 0 or used < len(items) - 1):
        return None  # rows of different shapes
    if end >= 0:
        tail = text[end:]
    else:
        at = items[used - 1][1]
        tail = text[at:]
    return Rows(form, names, fields, outer, tail) if len(fields) > 1 else None


def _quick(text: str, start: int) -> Rows | None:
    """Rows of atoms, all written alike, up to the closing bracket: read by one pattern. None: look closer."""
    first = next(_items(text, start))
    shaped = _shape(text, [first[:2]]) if first[0] < first[1] else None
    if shaped is None:
        return None
    form, names, fields, _ = shaped
    match = _row_pattern(form, names, len(fields[0])).match
    rows: list[tuple[str, ...]] = []
    at = first[0]
    while (row := match(text, at)) is not None:
        rows.append(row.groups())
        at = row.end()
        if text.startswith(", ", at):
            at += 2
        else:
            break
    if text[at : at + 1] != OPEN[text[start]] or len(rows) < 2:
        return None
    return Rows(form, names, rows, text[start], text[at + 1 :])


def _row_pattern(form: str, names: list[str], width: int) -> re.Pattern[str]:
    if not form:
        return re.compile(_ATOM)
    binder = "=" if len(form) > 1 else ": "
    body = ", ".join(f"{re.escape(name)}{binder}{_ATOM}" for name in names) if names else ", ".join([_ATOM] * width)
    comma = ",?" if form == "(" else ""
    opening = form if form in OPEN else form + "("
    return re.compile(re.escape(opening) + body + comma + re.escape(OPEN[opening[-1]]))


def _line_by_line(text: str) -> Rows | None:
    """Rows on lines of their own."""
    lines = text.split("\n")
    tail_at = len(lines)
    while tail_at and not lines[tail_at - 1].strip():
        tail_at -= 1
    items: list[tuple[int, int]] = []
    at = 0
    for line in lines[:tail_at]:
        items.append((at + len(line) - len(line.lstrip()), at + len(line.rstrip())))
        at += len(line) + 1
    if len(items) < 2 or any(text[first] not in "([{" and _CALL.match(text, first) is None for first, _ in items if first < len(text)):
        return None
    shaped = _shape(text, items)
    if shaped is None or not shaped[0] or shaped[3] < len(items):
        return None
    form, names, fields, _ = shaped
    return Rows(form, names, fields, "", "\n" * (len(lines) - tail_at))


def _items(text: str, start: int) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether the bracket closes there) of what stands between the commas of the bracket at `start`."""
    stack = [OPEN[text[start]]]
    first = start + 1
    for token in _TOKEN.finditer(text, start + 1):
        mark = text[token.start()]
        if mark in OPEN:
            stack.append(OPEN[mark])
            if len(stack) > MAX_DEPTH:
                raise _BrokenError
        elif mark == ",":
            if len(stack) == 1:
                yield (*_strip(text, first, token.start()), False)
                first = token.end()
        elif mark in ")]}":
            if stack.pop() != mark:
                raise _BrokenError
            if not stack:
                yield (*_strip(text, first, token.start()), True)
                return
        elif mark in "'\"" and token.end() - token.start() == 1:
            break  # a string without an end: the text was cut off here
    yield (first, first, False)


def _strip(text: str, first: int, last: int) -> tuple[int, int]:
    while first < last and text[first] in " \n\r\t":
        first += 1
    while last > first and text[last - 1] in " \n\r\t":
        last -= 1
    return first, last


def _shape(text: str, items: list[tuple[int, int]]) -> tuple[str, list[str], list[list[str]], int] | None:
    """(form, names, fields, rows read) of rows that all look like the first one."""
    if not items:
        return None
    first = text[items[0][0]]
    called = _CALL.match(text, items[0][0])
    named_call = called is not None and text[called.end() : called.end() + 1] == "(" and "=" in text[called.end() : items[0][1]]
    if first not in OPEN and not named_call:
        return "", [], [[text[a:b]] for a, b in items], len(items)
    form = called[0] if called is not None and named_call else first
    skip = len(form) if named_call else 0
    names: list[str] = []
    fields: list[list[str]] = []
    for start, end in items:
        if not text.startswith(form, start):
            break
        row = _fields(text, start + skip, end, "=" if named_call else ":" if first == "{" else "")
        if row is None:
            break
        keys, values = row
        if not fields:
            names = keys
        elif keys != names or len(values) != len(fields[0]):
            break
        fields.append(values)
    return (form, names, fields, len(fields)) if fields and fields[0] else None


def _fields(text: str, start: int, end: int, binder: str) -> tuple[list[str], list[str]] | None:
    """(names, values) of the row whose bracket opens at `start` and must close at `end`."""
    if text[start : start + 1] not in OPEN:
        return None
    names: list[str] = []
    values: list[str] = []
    for first, last, closed in _items(text, start):
        if first == last:
            if closed and values and last + 1 == end:
                return names, values  # a comma behind the last value
            return None
        value = text[first:last]
        if binder:
            name, bound, value = _bound(value, binder)
            if not bound:
                return None
            names.append(name)
        values.append(value)
        if closed:
            return (names, values) if last + 1 == end else None
    return None


def _bound(item: str, binder: str) -> tuple[str, bool, str]:
    """`'a': 1` or `a=1` as name and value."""
    if binder == "=":
        name = _NAME.match(item)
        if name is None or item[name.end() : name.end() + 1] != "=":
            return "", False, ""
        return name[0], True, item[name.end() + 1 :]
    key = _TOKEN.match(item)
    if key is None or item[0] not in "'\"" or item[key.end() : key.end() + 1] != ":":
        return "", False, ""
    return key[0], True, item[key.end() + 1 :].lstrip(" ")
