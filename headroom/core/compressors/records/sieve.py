"""A large document, sieved: the few rows and members that a digest may show, and what is known about the rest.

The document is read once, run by run, and no run stays in memory. What stays of each large container is a `Sift`:
what its columns hold, and where rows stand that are asked for or tell of trouble. Then the best of its rows, some
more than fit the budget, are read again, and go the way of a small document, with their own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from headroom.core.compressors.records.columns import Column, lines_of
from headroom.core.compressors.records.parts import Part, key_of, lines, parts, stripped
from headroom.core.compressors.records.sift import Giant, Leaves, Run, Sift, Sifted, leaves_of
from headroom.core.compressors.records.sight import Sight
from headroom.core.compressors.records.text import depth_within, read
from headroom.core.tokens import CHARACTERS_PER_TOKEN, estimate
from headroom.core.types import Request

LARGE = 300_000
"""Characters from which a document is sieved."""
MAX_LEVELS = 16
"""Of large containers within each other."""
USUAL_TOKENS = 8_000
MOST_TOKENS = 10**9
"""Rows are taken out for so many tokens at least and at most, whatever the budget."""
SPARE = 1.5
"""How many more rows are taken out than are likely to fit."""
SPARE_ROWS = 20
RAW_LEAST = 60_000
RAW_SHARED = 600_000
"""Bytes of rows that may be read again: so many for each container, and so many shared by size."""
EDGE_WORTH = 2.0
PLACE_WORTH = 0.85
TROUBLE_WORTH = 3.0


@dataclass(slots=True)
class Document:
    """A document, or the part of it that a digest may show."""

    value: Any
    lines: bool
    """JSON Lines."""
    sifted: Sifted | None = None
    """What is known about the containers that are not whole; None if all are."""
    size: int = 0
    """If some are not: tokens (estimated) of all of the document, folded."""


class TooNestedError(ValueError):
    """Large containers within large containers: sieving would read the innermost one once for each."""


def sieve(text: str, request: Request) -> Document:
    """Sieve a document for one request. ValueError if it is not JSON that can be kept exactly; TooNestedError if it may be."""
    return _Sieve(text.encode(), request).run()


def _room(allowance: int) -> int:
    """Tokens' worth of rows to take out: the same for all ordinary budgets, so that more of it never shows less."""
    room = USUAL_TOKENS
    while room < allowance and room < MOST_TOKENS:
        room *= 2
    return room


class _Sieve:
    def __init__(self, data: bytes, request: Request) -> None:
        self.data = data
        self.request = request
        self.sight = Sight(request.query)
        self.sifts: list[Sift] = []
        self.sifted = Sifted()

    def run(self) -> Document:
        start, end = stripped(self.data, 0, len(self.data))
        root = self._lines(start, end) if self._is_lines(start, end) else self._container(start, end, 0)
        size = estimate("") + int(sum(sift.size for sift in self.sifts) / CHARACTERS_PER_TOKEN)
        self._rate()
        value = self._build(root, _room(self.request.allowance(size)))
        if not depth_within(value):
            raise ValueError("nested too deep")
        rows = sum(sift.total for sift in self.sifts)
        self.sifted.trouble = min(1.0, 0.3 * rows / max(1, self.sight.troubled))
        self.sifted.hits = dict(zip(self.sight.terms, self.sight.hits, strict=True))
        return Document(value, not root.bracket, self.sifted if self.sifted.partial else None, size)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _is_lines(self, start: int, end: int) -> bool:
        line = self.data.find(b"\n", start, end)
        if line < 0:
            return False
        first, last = stripped(self.data, start, line)
        return self.data[first : first + 1] + self.data[last - 1 : last] in (b"{}", b"[]")

    def _lines(self, start: int, end: int) -> Sift:
        sift = Sift(self.data, "")
        self.sifts.append(sift)
        for part in lines(self.data, start, end):
            self._read_run(sift, part)
        return sift

    def _container(self, start: int, end: int, depth: int) -> Sift:
        brackets = self.data[start : start + 1] + self.data[end - 1 : end]
        if brackets not in (b"{}", b"[]"):
            raise ValueError("no container")
        if depth > MAX_LEVELS:
            raise TooNestedError
        sift = Sift(self.data, brackets[:1].decode())
        self.sifts.append(sift)
        for part in parts(self.data, start + 1, end - 1, sift.bracket == "{"):
            if part.giant:
                self._read_giant(sift, part, depth)
            else:
                self._read_run(sift, part)
        return sift

    def _read_giant(self, sift: Sift, part: Part, depth: int) -> None:
        start, end = stripped(self.data, part.start, part.end)
        key = b""
        if sift.bracket == "{":
            key, start = key_of(self.data, start, end)
        sift.total += 1
        inner = self._container(start, end, depth + 1) if self.data[start : start + 1] in (b"{", b"[") else None
        sift.giants.append(Giant(sift.total, key, start, end, inner))

    def _read_run(self, sift: Sift, part: Part) -> None:
        keys, rows = sift.values(part.start, part.end)
        if not rows:
            if sift.total and sift.bracket:
                raise ValueError("a comma before nothing")
            return
        run = Run(part.start, part.end, sift.total + 1, len(rows))
        sift.runs.append(run)
        sift.total += len(rows)
        leaves = leaves_of(rows, bool(keys))
        if leaves is None:
            self._read_plain(sift, run, rows)
            return
        if keys:
            leaves.append(("", keys))
        self._read_columns(sift, run, leaves)

    def _read_plain(self, sift: Sift, run: Run, rows: list[Any]) -> None:
        """A run that makes no table: each part is one line, as a small document would show it."""
        kinds = set(map(type, rows))
        if sift.bracket == "{" or dict in kinds or list in kinds:
            text = b"\n".join([b":".join(pair) if pair[0] else pair[1] for pair in sift.texts(run)]).decode()
        else:
            text = lines_of(rows, kinds)
        sift.characters += len(text) + 1
        self.sight.look(text, run.first, sift.places, trouble=not kinds <= {int, msgspec.Raw} or sift.bracket == "{")

    def _read_columns(self, sift: Sift, run: Run, leaves: Leaves) -> None:
        seen = set()
        for path, values in leaves:
            seen.add(path)
            column = sift.columns.get(path)
            if column is None:
                column = sift.columns[path] = Column(run.first)
            text = column.add(values, run.first, self.sight.is_telling)
            if text is not None:
                self.sight.look(text, run.first, sift.places, trouble=column.numbers is None)
        if len(seen) != len(sift.columns):
            for path, column in sift.columns.items():
                if path not in seen:
                    column.miss(run.first)

    # --- choosing ---------------------------------------------------------------------------------------------------

    def _rate(self) -> None:
        for sift in self.sifts:
            for path, column in sift.columns.items():
                if path:
                    column.rate(sift.standing)
                if column.is_single and column.rows == sift.total:
                    continue
                for cell, rows in column.places.items():
                    if column.telling.get(cell):
                        count = column.counts[cell] if column.counts is not None else len(rows)
                        self.sight.note(cell, rows, count, sift.places)

    def _build(self, sift: Sift, room: int) -> Any:
        """The container again, with the best of its rows only."""
        giants = {giant.number: giant for giant in sift.giants}
        chosen = self._choose(sift, room)
        pieces = {number: (key, value) for number, key, value in sift.pick(chosen)}
        whole = read(self._join(sift, [pieces[number] for number in sorted(pieces)]))
        values: dict[int, Any] = dict(zip(sorted(pieces), whole.values() if sift.bracket == "{" else whole, strict=True))
        keys: dict[int, str] = dict(zip(sorted(pieces), whole, strict=True)) if sift.bracket == "{" else {}
        for number, giant in giants.items():
            if giant.sift is not None:
                values[number] = self._build(giant.sift, room)
            else:
                values[number] = read(self.data[giant.start : giant.end].decode())
            if giant.key:
                keys[number] = read(giant.key.decode())
        sift.numbers = sorted(values)
        made: Any = [values[number] for number in sift.numbers]
        if sift.bracket == "{":
            made = {keys[number]: values[number] for number in sift.numbers}
            if len(made) < len(values):
                raise ValueError("duplicate keys")
        self.sifted.note(made, sift if len(sift.numbers) < sift.total else None, [values[number] for number in giants])
        return made

    def _join(self, sift: Sift, pieces: list[tuple[bytes, bytes]]) -> str:
        if sift.bracket == "{":
            return (b"{" + b",".join(key + b":" + value for key, value in pieces) + b"}").decode()
        return (b"[" + b",".join(value for _, value in pieces) + b"]").decode()

    def _choose(self, sift: Sift, room: int) -> list[int]:
        """The rows to take out, in order: of those that stand in runs, the best."""
        count = sum(run.count for run in sift.runs)
        if not count:
            return []
        raw = sum(run.end - run.start for run in sift.runs) / count
        most = int(SPARE * room * CHARACTERS_PER_TOKEN / max(1.0, sift.size / count)) + SPARE_ROWS
        most = min(most, int((RAW_LEAST + RAW_SHARED * raw * count / len(self.data)) / max(1.0, raw)) + SPARE_ROWS)
        if count <= most:
            return [number for run in sift.runs for number in range(run.first, run.first + run.count)]
        worths = dict(sift.standing)
        worths[1] = worths[sift.total] = EDGE_WORTH
        for number in range(1, min(sift.total, most) + 1):
            worths.setdefault(number, 0.0)
        bonuses = self._bonuses(sift)
        for number in bonuses:
            worths.setdefault(number, 0.0)
        for number, standing in worths.items():
            worths[number] = max(standing, PLACE_WORTH * (1 - number / sift.total)) + bonuses.get(number, 0.0)
        for giant in sift.giants:
            worths.pop(giant.number, None)
        return sorted(sorted(worths, key=lambda number: (-worths[number], number))[:most])

    def _bonuses(self, sift: Sift) -> dict[int, float]:
        rows = sum(other.total for other in self.sifts)
        trouble = TROUBLE_WORTH * min(1.0, 0.3 * rows / max(1, self.sight.troubled))
        bonuses = dict.fromkeys(sift.places.troubled, trouble)
        for number, which in sift.places.hits:
            bonuses[number] = bonuses.get(number, 0.0) + self.sight.share(which)
        return bonuses
