"""Reference decoders of folded tables and reprs: they read what a fold wrote, and know nothing of how."""

from __future__ import annotations

import ast
import csv
import datetime
import re
from decimal import Decimal
from typing import Any


def decode_table(text: str) -> tuple[list[str], list[list[str]], dict[str, str]]:
    """(names, rows, constants) of a folded table with a header."""
    constants: dict[str, str] = {}
    if text.startswith("all rows: "):
        first, text = text.split("\n", 1)
        for cell in next(csv.reader([first.removeprefix("all rows: ")])):
            name, _, value = cell.partition("=")
            constants[name] = value
    header = text.split("\n", 1)[0]
    lines = text.split("\n")
    if "|" in header:
        read = [line.split("|") for line in lines]
    elif "," in header:
        read = list(csv.reader([line + "\n" for line in lines]))
    else:
        width = len(header.split(" "))
        read = [line.split(" ", width - 1) for line in lines]
    return read[0], read[1:], constants


_TOKEN = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\"|[(\[{]|[)\]}]|,")


def split_cells(line: str) -> list[str]:
    """The cells of a line: commas inside quotes and brackets are not between cells."""
    cells: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(line):
        mark = token[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "," and depth == 0:
            cells.append(line[start : token.start()])
            start = token.end()
    return [*cells, line[start:]]


_NUMBER = re.compile(r"[-+]?\.?\d[\d._]*(?:[eE][-+]?\d+)?[jJ]?")
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d)(?::(\d\d)(?:\.(\d{6}))?)?)?")


def decode_cell(cell: str, decimal: bool = False) -> Any:
    """The value of a cell."""
    if cell in ("None", "True", "False"):
        return {"None": None, "True": True, "False": False}[cell]
    if decimal:
        return Decimal(cell)
    if cell[:1] in ("'", '"', "(", "[", "{") or re.match(r"[bB]['\"]", cell):
        return ast.literal_eval(cell)
    if cell.startswith("datetime."):
        return eval(cell, {"datetime": datetime})
    if cell in ("nan", "inf", "-inf"):
        return float(cell)
    if _NUMBER.fullmatch(cell):
        return ast.literal_eval(cell)
    moment = _MOMENT.fullmatch(cell)
    if moment is None:
        return cell
    numbers = [int(group) for group in moment.groups() if group is not None]
    return datetime.date(*numbers) if len(numbers) == 3 else datetime.datetime(*numbers)


def decode_rows(text: str, *, named: bool = False) -> list[list[Any]]:
    """The rows of folded tuples, constants put back where they stood; `named`: the rows had names."""
    lines = text.split("\n")
    constants: dict[str, str] = {}
    names: list[str] = []
    if lines[0].startswith("all rows: "):
        for cell in split_cells(lines.pop(0).removeprefix("all rows: ")):
            name, _, value = cell.partition("=")
            constants[name] = value
    if constants or named or re.match(r"c\d+(?: \(Decimal\))?(?:,|$)", lines[0]):
        names = split_cells(lines.pop(0))
    rows = []
    for line in lines:
        repeated = re.fullmatch(r"(.*) x(\d+)", line)
        times = int(repeated[2]) if repeated else 1
        cells = split_cells(repeated[1] if repeated else line)
        values = dict(zip(names or [f"c{n}" for n in range(1, len(cells) + 1)], cells, strict=True)) | constants
        order = sorted(values, key=lambda name: int(re.match(r"c(\d+)", name)[1])) if not named else list(values)  # type: ignore[index]
        rows += [[decode_cell(values[name], name.endswith(" (Decimal)")) for name in order]] * times
    return rows
