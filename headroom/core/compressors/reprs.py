"""What a Python program printed: rows of tuples, dicts or calls as comma-separated lines.

    [('Lima', 3, Decimal('1.10'), None), ('Cusco', 4, Decimal('2.00'), None)]

becomes

    all rows: c4=None
    c1,c2,c3 (Decimal)
    Lima,3,1.10
    Cusco,4,2.00

A cell is a literal as the source writes it, or a bare string that no reader could take for a literal; datetime calls
are dates and times in ISO form (a string that looks like one keeps its quotes). ` x3` behind a row says that it stands
there three times in a row. Rows without names and without constant columns need no header.
"""

from __future__ import annotations

import re
from itertools import groupby

from headroom.core.compressors.grids.repr_scanner import Rows, read
from headroom.core.compressors.grids.rows import Part, Sheet, shorten, whole
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import ContentKind, Request, Shortened

LEAST_ROWS = 3
MAX_COLUMNS = 100

_START = re.compile(r"[\[(]\s*(?:\(|\{\s*['\"}]|\[|['\"]|[^\W\d][\w.]*\(|None\b)|\(\s*-?\d|\{'|[^\W\d][\w.]*\(\w+=")
_PYTHON = re.compile(r"'|\bNone\b|\bTrue\b|\bFalse\b|\(")
_NUMBER = r"[-+]?\.?\d[\d._]*(?:[eE][-+]?\d+)?[jJ]?"
_WORD = r"None|True|False|[-+]?(?:nan|inf)"
_BARE = re.compile(r"(?! )[^,'\"()\[\]{}\\\n\r\t]+(?<! )")
_TAKEN = re.compile(rf"{_NUMBER}|{_WORD}|0[xXoObB]\w+|\d{{4}}-\d\d-\d\d(?: [\d:.]+)?|all rows:.*|….*|.* x\d+|c\d+|[bBuUrRfF]{{1,2}}")
"""Strings that keep their quotes, for a reader would take them for something else."""
_NOT_BARE = re.compile(rf"^[\W\d]|^$|[,'\"()\[\]{{}}\\\r\t]| $| x\d+$|^(?:all rows|{_WORD}|[bBuUrRfF]{{1,2}}$|c\d+$)", re.MULTILINE)
_LITERAL = re.compile(rf"{_NUMBER}|{_WORD}|0[xXoObB]\w+|[(\[{{].*|[^\W\d][\w.]*\(.*|[bBuUrRfF]{{1,2}}['\"].*", re.DOTALL)
_LITERALS = re.compile(rf"(?:(?:{_NUMBER}|None|True|False)\n)+")
_DECIMAL = re.compile(r"(?:decimal\.)?Decimal\('([-+]?[\d.]+(?:[eE][-+]?\d+)?)'\)")
_DATE = re.compile(r"datetime\.date\((\d{4}), (\d\d?), (\d\d?)\)")
_TIME = re.compile(r"datetime\.datetime\((\d{4}), (\d\d?), (\d\d?), (\d\d?), (\d\d?)(?:, (\d\d?)(?:, (\d{1,6}))?)?\)")


class Reprs:
    """Lists of rows as Python writes them."""

    kind: ContentKind = "reprs"

    def claims(self, sample: Sample) -> bool:
        """A list or tuple of tuples, dicts, strings or calls begins here, in Python's writing and not in JSON's."""
        if sample.first not in ("[", "(", "{") and not sample.head[:60].partition("(")[0].isidentifier():
            return False
        start = _START.match(sample.head)
        return start is not None and _PYTHON.search(sample.head, 0, 400) is not None and '"' not in sample.head[:3]

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; digest by rows if the fold is over the allowance. See `Compressor.compress`."""
        rows = read(text)
        if rows is None or len(rows.fields) < LEAST_ROWS or not 1 <= len(rows.fields[0]) <= MAX_COLUMNS:
            return None
        if any("" in fields for fields in rows.fields):  # `Order(id=)` is no repr, whatever cut it so
            return None
        note = _fold_note(rows)
        sheet = sheet_of(rows)
        if sheet is None:
            return None
        parts: list[Part] = [sheet]
        if rows.tail:
            tail = rows.tail.removeprefix("\n")
            if len(tail) > 2_000:
                return None
            parts.append(tail)
        allowance = None if request.lossless else request.allowance(estimate(whole(parts)))
        return shorten(parts, text, note, request.query, allowance)


def _fold_note(rows: Rows) -> str:
    form = {"(": "tuples", "[": "lists", "{": "dicts", "": "values"}.get(rows.form, f"{rows.form[:40]} objects")
    return f"{len(rows.fields):,} {form} as CSV" if rows.form else f"{len(rows.fields):,} values, one a line"


def sheet_of(rows: Rows) -> Sheet | None:
    """The rows as lines; None if a field spans lines."""
    columns = [list(column) for column in zip(*rows.fields, strict=True)]
    count = len(rows.fields)
    rows.fields = ()  # a large text's rows and columns would be in memory twice
    names = [_cell(name, False) if rows.form == "{" else name for name in rows.names]
    labels = names or [f"c{number}" for number in range(1, len(columns) + 1)]
    constant = [index for index, column in enumerate(columns) if column.count(column[0]) == count]
    constant = constant[1:] if len(constant) == len(columns) else constant
    decimals = {index for index, column in enumerate(columns) if _all_decimals(column)}
    quoted = not all(map(_plain, columns))
    texts = []
    for index in range(len(columns)):
        texts.append(_written(columns[index], quoted, index in decimals))
        columns[index] = []
    lines = list(map(",".join, zip(*texts, strict=True)))
    joined = "\n".join(lines)
    if joined.count("\n") != count - 1 or "\r" in joined:
        return None
    labels = [f"{label} (Decimal)" if index in decimals else label for index, label in enumerate(labels)]
    heading = []
    if constant:
        heading.append("all rows: " + ",".join(f"{labels[index]}={texts[index][0]}" for index in constant))
    varying = [index for index in range(len(columns)) if index not in set(constant)]
    if names or constant or decimals:
        header = ",".join(labels[index] for index in varying)
        heading.append(f"{rows.form}({header})" if len(rows.form) > 1 else header)
    if constant:
        texts = [texts[index] for index in varying]
        lines = list(map(",".join, zip(*texts, strict=True)))
    return _counted(Sheet(heading, lines, [labels[index] for index in varying], texts, ",", "row" if rows.form else "value"))


def _counted(sheet: Sheet) -> Sheet:
    """The sheet with rows that follow themselves written once, with their number."""
    runs = [(line, sum(1 for _ in run)) for line, run in groupby(sheet.rows)]
    if len(runs) > 0.8 * len(sheet.rows):
        return sheet
    firsts = []
    at = 0
    for _, times in runs:
        firsts.append(at)
        at += times
    columns = [[column[first] for first in firsts] for column in sheet.columns]
    lines = [line if times == 1 else f"{line} x{times}" for line, times in runs]
    return Sheet(sheet.heading, lines, sheet.header, columns, sheet.separator, sheet.unit, [times for _, times in runs])


def _all_decimals(column: list[str]) -> bool:
    return "Decimal(" in column[0] + column[-1] and all(cell == "None" or _DECIMAL.fullmatch(cell) is not None for cell in column)


def _plain(column: list[str]) -> bool:
    """Whether every field is a string or a literal: a name without quotes could be taken for a bare string."""
    if column[0][0] not in "'\"" and _LITERALS.fullmatch("\n".join(column) + "\n") is not None:
        return True
    return all(cell[0] in "'\"" or _LITERAL.fullmatch(cell) is not None for cell in set(column))


def _written(column: list[str], quoted: bool, decimals: bool) -> list[str]:
    if decimals:
        return [cell if cell == "None" else _DECIMAL.sub(r"\1", cell) for cell in column]
    if column[0][0] not in "'\"d" and _LITERALS.fullmatch("\n".join(column) + "\n") is not None:
        return column
    if not quoted and column[0][0] in "'\"":
        bare = [cell[1:-1] for cell in column]
        if _NOT_BARE.search("\n".join(bare)) is None and all(cell[0] in "'\"" for cell in column):
            return bare
    known = {source: _cell(source, quoted) for source in set(column)}
    return [known[source] for source in column]


def _cell(source: str, quoted: bool) -> str:
    """A field as it stands in a line."""
    if source[0] in "'\"":
        bare = source[1:-1]
        if not quoted and _NOT_BARE.search(bare) is None:
            return bare
        free = not quoted and _BARE.fullmatch(bare) is not None and _TAKEN.fullmatch(bare) is None
        return bare if free and source[-1] == source[0] else source
    if source.startswith("datetime."):
        return _iso(source)
    return source


def _iso(source: str) -> str:
    moment = _TIME.fullmatch(source)
    if moment is not None:
        year, month, day, hour, minute, second, micro = moment.groups()
        date = f"{year}-{int(month):02}-{int(day):02} {int(hour):02}:{int(minute):02}"
        if second is None:
            return date
        return f"{date}:{int(second):02}" if micro is None else f"{date}:{int(second):02}.{int(micro):06}"
    day_only = _DATE.fullmatch(source)
    if day_only is None:
        return source
    return f"{day_only[1]}-{int(day_only[2]):02}-{int(day_only[3]):02}"
