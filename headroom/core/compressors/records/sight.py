"""Looking for the words of the query, and for words of trouble, in a document that is read run by run."""

from __future__ import annotations

from dataclasses import dataclass, field

from headroom.core.worth import MAX_HITS_PER_TERM, Query, reports_trouble, trouble_in

MAX_TROUBLED = 3_000
"""Rows of trouble that are remembered; more are only counted, and their words tell little."""


@dataclass(slots=True)
class Places:
    """What was found in one container: its rows, counted from 1."""

    hits: list[tuple[int, int]] = field(default_factory=list)
    """(row, which term)"""
    troubled: list[int] = field(default_factory=list)


class Sight:
    """What was found in a document so far, over all of its containers."""

    def __init__(self, query: Query) -> None:
        self.terms = [term for term, _ in query.terms]
        self.weights = [weight for _, weight in query.terms]
        self.hits = [0] * len(self.terms)
        self.troubled = 0

    def is_telling(self, cell: str) -> bool:
        """Whether a value is asked for, or tells of trouble."""
        lowered = cell.lower()
        return any(term in lowered for term in self.terms) or reports_trouble(cell)

    def look(self, text: str, first: int, places: Places, trouble: bool = True) -> None:
        """Search rows, one a line; the first line is row `first`."""
        lowered = text.lower()
        if len(lowered) != len(text):
            lowered = text
        for which, term in enumerate(self.terms):
            if self.hits[which] < MAX_HITS_PER_TERM:
                self._look_for(term, which, lowered, first, places)
        if trouble:
            self._look_for_trouble(text, lowered, first, places)

    def note(self, cell: str, rows: list[int], count: int, places: Places) -> None:
        """Take in a value that `count` rows have, some of which are known."""
        lowered = cell.lower()
        for which, term in enumerate(self.terms):
            if term in lowered:
                left = MAX_HITS_PER_TERM - self.hits[which]
                places.hits += [(row, which) for row in rows[:left]]
                self.hits[which] += min(left, count)
        if reports_trouble(cell):
            places.troubled += rows
            self.troubled += count

    def share(self, which: int) -> float:
        """What one hit of a term weighs."""
        return float(self.weights[which] / max(1, self.hits[which]) ** 0.5)

    def _look_for(self, term: str, which: int, lowered: str, first: int, places: Places) -> None:
        at = lowered.find(term)
        row, counted = first, 0
        while at >= 0 and self.hits[which] < MAX_HITS_PER_TERM:
            row += lowered.count("\n", counted, at)
            counted = at
            places.hits.append((row, which))
            self.hits[which] += 1
            at = lowered.find(term, at + len(term))

    def _look_for_trouble(self, text: str, lowered: str, first: int, places: Places) -> None:
        row, counted, end = first, 0, 0
        for match in trouble_in(lowered):
            at = match.start()
            if at < end:
                continue  # the line has been judged
            end = lowered.find("\n", at)
            end = len(lowered) if end < 0 else end
            if self.troubled >= MAX_TROUBLED:
                self.troubled += 1
            elif reports_trouble(text[lowered.rfind("\n", 0, at) + 1 : end]):
                row += lowered.count("\n", counted, at)
                counted = at
                places.troubled.append(row)
                self.troubled += 1
