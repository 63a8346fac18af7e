"""Templates in words: what the lines of one template have in common, its values masked.

A value that is the same in all the lines stays as it is, for that is the fact that a reader wants ("all 200"): a label
says nothing that does not hold for every line it counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_VALUE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{0,40}[0-9][A-Za-z0-9]*")
"""What `templates` masks: between these, all lines of a template are equal."""
_TIME = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?![\d:])"
)
_PARTS = re.compile(r"([A-Za-z]*)[0-9]+([A-Za-z]*)")
_CHAINS = re.compile(r"(?<!\d\.)(?<!>\.)<n>(?:\.<n>)+|<(?:n|id)>(?:-<(?:n|id)>){2,}")
_SAMPLE = 12
_LONGEST = 600
"""Characters of a line that a label looks at: it shows 72."""


def label(lines: Sequence[str], limit: int = 72) -> str:
    """The template of `lines`, all of which have it: of a long one the beginning and, where messages stand, the end."""
    named = _named([line.strip() for line in lines])
    return named if len(named) <= limit else named[: limit // 3].rstrip() + "…" + named[len(named) - limit // 2 :].lstrip()


def _named(lines: Sequence[str]) -> str:
    example = lines[0]
    if len(example) > _LONGEST:
        return _VALUE.sub("<n>", example[:_LONGEST])
    values = list(_VALUE.finditer(example))
    ends = [value.end() for value in values]
    starts = [value.start() for value in values]
    between = [re.sub("[0-9]+", "<n>", example[a:b]) for a, b in zip([0, *ends], [*starts, len(example)], strict=True)]
    sample = [_VALUE.findall(line) for line in lines[:: max(1, len(lines) // _SAMPLE)]]
    times = [time.span() for time in _TIME.finditer(example)]
    named = [between[0]]
    for index, value in enumerate(values):
        column = [found[index] for found in sample if len(found) == len(values)]
        inside = any(a <= value.start() < b for a, b in times)
        named.append("\0" if inside else _value(column, index, between, lines))
        named.append(between[index + 1])
    return _CHAINS.sub(_chain, _timed("".join(named)))


def _chain(match: re.Match[str]) -> str:
    return "<n>" if match[0].startswith("<n>.") else "<id>"


_MASKED_TIME = re.compile(r"\0(?:[-/:., ]?\0)*(?:[ ]?[+-]\0(?::\0)?)?")


def _timed(named: str) -> str:
    return _MASKED_TIME.sub("<time>", named) if "\0" in named else named


def _value(column: Sequence[str], index: int, between: Sequence[str], lines: Sequence[str]) -> str:
    """What to write for the value `index` of each line, of which `column` is a sample."""
    parts = [_PARTS.fullmatch(value) for value in column]
    alike = {(part[1], part[2]) if part else ("", "?") for part in parts}
    if len(alike) != 1 or None in parts:
        return "<n>" if all(part is not None and not part[1] for part in parts) else "<id>"
    prefix, suffix = alike.pop()
    if not _unique(between, index):
        return "<n>"
    if len(set(column)) == 1 and _in_all(re.escape(column[0]), index, between, lines):
        return column[0]
    if (prefix or suffix) and not _in_all(f"{prefix}[0-9]+{suffix}", index, between, lines):
        return "<n>"
    return f"{prefix}<n>{suffix}"


def _unique(between: Sequence[str], index: int) -> bool:
    """Whether no other value stands between the same texts: then these tell where it is in every line."""
    if index in (0, len(between) - 2):
        return True
    left, right = between[index], between[index + 1]
    return not any(
        between[other].endswith(left) and between[other + 1].startswith(right) for other in range(len(between) - 1) if other != index
    )


def _in_all(value: str, index: int, between: Sequence[str], lines: Sequence[str]) -> bool:
    start = "" if index else r"\A"
    end = "" if index < len(between) - 2 else r"\Z"
    found = re.compile(start + re.escape(between[index]) + value + re.escape(between[index + 1]) + end).search
    return all(map(found, lines))
