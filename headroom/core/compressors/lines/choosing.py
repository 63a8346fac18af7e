"""Choosing among units in order (lines, rows, sections) and writing what was chosen, gaps marked.

Shared by every digest that shows a subset of the original's own lines. `choose` is nested: what it keeps within
a small budget it keeps within every larger one, so a bias above 1 never shows less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

POINTER_TOKENS = 25
_SEEN = 1_000.0
GAP_TOKENS = 12
"""About what a gap's mark costs; shorter gaps are cheaper to show than to mark."""

_SAYS_NOTHING = " \t\r\"'()[]{},;"


def choose(worths: Sequence[float], costs: Sequence[int], budget: int, gap_tokens: int = 0) -> bytearray:
    """Which units to keep: 1 for each kept, best worth first until the first that would break the budget.

    `worths[i]` and `costs[i]` (tokens) belong to unit i; ties go to the earlier unit. With `gap_tokens`, the marks of
    the gaps that a choice leaves count too. Linear apart from one sort. Stops at the first unit that does not fit,
    never skipping to a cheaper one: that keeps the choice nested.
    """
    length = len(worths)
    keep = bytearray(length)
    spent = gap_tokens
    for index in sorted(range(length), key=worths.__getitem__, reverse=True):  # stable also in reverse: earlier first
        joins = (index == 0 or keep[index - 1]) + (index == length - 1 or keep[index + 1])
        spent += costs[index] + 1 + gap_tokens * (1 - joins)
        if spent > budget:
            break
        keep[index] = 1
    return keep


def bridge(keep: bytearray, costs: Sequence[int], gap_tokens: int = GAP_TOKENS) -> int:
    """Show gaps that cost less than their mark; returns the number of units still left out."""
    start = 0
    omitted = 0
    length = len(keep)
    while True:
        start = keep.find(0, start)
        if start < 0:
            return omitted
        end = keep.find(1, start)
        if end < 0:
            end = length
        if end - start <= gap_tokens and sum(costs[start:end]) <= gap_tokens:
            keep[start:end] = b"\x01" * (end - start)
        else:
            omitted += end - start
        start = end


def sink(keep: bytearray, lines: Sequence[str], numbers: Sequence[int] = ()) -> None:
    """Leave out lines that say nothing between two gaps (blank ones, lone brackets): one mark instead of two.

    `numbers`: where lines are numbered, those without one head sections and stay.
    """
    start = keep.find(0)
    while start >= 0:
        end = keep.find(1, start)
        if end < 0:
            return
        start = keep.find(0, end)
        if start >= 0 and all(not lines[at].strip(_SAYS_NOTHING) and (not numbers or numbers[at]) for at in range(end, start)):
            keep[end:start] = bytes(start - end)


def charge_pointers(costs: list[int], seen: bytearray) -> None:
    """Lines that an earlier output shows will be left as pointers: one for each run, at its first line's cost."""
    start = seen.find(1)
    while start >= 0:
        end = seen.find(0, start)
        end = len(seen) if end < 0 else end
        costs[start:end] = [0] * (end - start)
        costs[start] = POINTER_TOKENS
        start = seen.find(1, end)


def prefer_seen(worths: list[float], seen: bytearray) -> None:
    """Pointers before all else: they cost little, and say more than a gap's mark."""
    start = seen.find(1)
    while start >= 0:
        worths[start] += _SEEN
        start = seen.find(1, start + 1)


def gap_mark(first: int, last: int, unit: str = "line") -> str:
    """The mark of a gap: units `first` to `last`, counted from 1, both left out."""
    if first == last:
        return f"[… {unit} {first}]"
    return f"[… {last - first + 1} {unit}s, {first}-{last}]"


def render(lines: Sequence[str], keep: bytearray, mark: Callable[[int, int], str] = gap_mark) -> str:
    """The kept lines, verbatim and in order, with a mark of its own in place of each gap. Lines carry no newline."""
    parts: list[str] = []
    start = 0
    length = len(keep)
    while start < length:
        if keep[start]:
            end = keep.find(0, start)
            end = length if end < 0 else end
            parts.extend(lines[start:end])
        else:
            end = keep.find(1, start)
            end = length if end < 0 else end
            parts.append(mark(start + 1, end))
        start = end
    return "\n".join(parts)
