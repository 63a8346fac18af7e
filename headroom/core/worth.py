"""How much a line, a row or a section is worth to the agent: judged by what was known when the output arrived.

`Query` is the causal question: the tool call's arguments, the assistant's words beside it, the user messages
before it. `reports_trouble` reads error words in their context. Every compressor ranks with these two, so that
"relevant" means one thing in this house.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from headroom.core.types import ToolCall

CALL_WEIGHT = 3.0
WORDS_WEIGHT = 1.5
LATEST_USER_WEIGHT = 1.5
EARLIER_USER_WEIGHT = 1.0
MAX_TERMS = 40
LONGEST_TERM = 200
PIECE = 500_000
MAX_HITS_PER_TERM = 200
"""A term that hits everywhere ranks nothing: past this many hits the rest are not looked for."""

_TERM = re.compile(r"[^\W_][\w$@#]*(?:[./:\-][\w$@#]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_ARGUMENT_NAME = re.compile(r"[\"'][\w\-]{1,60}[\"']\s?:")
_TELLING = re.compile(r"[\d_./:\-$@#]")
_STOP = frozenset(
    """
    the and for with that this from are was were you your have has had not but all any can will would should could what when
    where which who how why then than them they there their been being into onto over under about also please need want use
    using get let make sure file files line lines code run find look show list search view null none true false def class
    return self import string type path name query command tool call args value thoughts thought action observation function
    test tests error errors http https www com out off its our his her first last new now see one two more most some such
    only very just like does did done per via
    """.split()  # noqa: SIM905  (sixty lines otherwise)
)

TROUBLE = re.compile(
    r"error|exception|traceback|fail(?:ed|ures?|s|ing)?\b|fatal|panic|critical|denied|refused|timed?[ -]?out|unable to|cannot|can't"
    r"|could not|not found|no such|undefined|unexpected|invalid|corrupt|abort|killed|segfault|segmentation|oom|out of memory"
    r"|crash|unreachable|unhealthy|backoff|evicted|violation|conflict|rejected|missing|assert|warning|warn\b",
    re.IGNORECASE,
)
_TROUBLE_LOWERED = re.compile(TROUBLE.pattern)  # on lowered text: 20 times faster than ignoring case
_NO_TROUBLE = re.compile(
    r"\b(?:0|no|zero|without(?: any)?)\s+(?:errors?|failures?|failed|warnings?|exceptions?)\b"
    r"|\b(?:errors?|failures?|failed|warnings?|exceptions?|crit\w*)(?:[_ -]?(?:count|total|rate|num\w*))?[\"']?"
    r"\s*[:=]\s*[\"']?(?:0(?:\.0+)?\b|null\b|none\b|false\b|\[\]|\"\")",
    re.IGNORECASE,
)


_TROUBLE_STEMS = (
    "error", "exception", "traceback", "fail", "fatal", "panic", "critical", "denied", "refused", "timeout", "timedout",
    "time out", "timed out", "time-out", "timed-out", "unable to", "cannot", "can't", "could not", "not found",
    "no such", "undefined", "unexpected", "invalid", "corrupt", "abort", "killed", "segfault", "segmentation", "oom",
    "out of memory", "crash", "unreachable", "unhealthy", "backoff", "evicted", "violation", "conflict", "rejected",
    "missing", "assert", "warn",
)  # fmt: skip
"""How each alternative of TROUBLE begins: looked for one by one with `str.find`, six times as fast as the pattern."""


def trouble_in(lowered: str) -> Iterator[re.Match[str]]:
    """What TROUBLE finds in a lowered text, in order, without overlaps."""
    places: list[int] = []
    for stem in _TROUBLE_STEMS:
        at = lowered.find(stem)
        while at >= 0:
            places.append(at)
            at = lowered.find(stem, at + len(stem))
    end = 0
    for at in sorted(places):
        match = _TROUBLE_LOWERED.match(lowered, at) if at >= end else None
        if match is not None:
            end = match.end()
            yield match


def reports_trouble(line: str) -> bool:
    """Whether a line tells of something that went wrong. `error_count=0` and "no errors" do not."""
    if _TROUBLE_LOWERED.search(line.lower()) is None:
        return False
    if _NO_TROUBLE.search(line) is None:
        return True
    return _TROUBLE_LOWERED.search(_NO_TROUBLE.sub(" ", line).lower()) is not None


def terms_of(text: str, limit: int = 400) -> list[str]:
    """The words of `text` worth looking for: lowercased, without stop words, in order, each once."""
    seen: dict[str, None] = {}
    for term in _TERM.findall(text[:20_000]):
        lowered = term.lower()
        if 3 <= len(lowered) <= LONGEST_TERM and lowered not in _STOP:
            seen[lowered] = None
        if len(seen) >= limit:
            break
    return list(seen)


def specificity(term: str) -> float:
    """How telling a term is: identifiers, paths and numbers above plain words, long above short."""
    return min(len(term), 16) / 8 + (1.0 if _TELLING.search(term) else 0.0)


@dataclass(frozen=True, slots=True)
class Query:
    """Weighted terms, most telling first. Looked for term by term, at the speed of `str.find`."""

    terms: tuple[tuple[str, float], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def hits(self, text: str) -> list[tuple[int, float]]:
        """(offset, weight) of every place where a term stands in `text`, ignoring case; unordered.

        A term that stands everywhere tells little: each hit of a term weighs its weight divided by
        the square root of the number of its hits.
        """
        places: dict[str, list[int]] = {}
        for start in range(0, len(text), PIECE):  # piece by piece: a lowered copy of 10 MB may take four times as much
            self._look(text[start : start + PIECE + LONGEST_TERM], start, places)
        found: list[tuple[int, float]] = []
        for term, weight in self.terms:
            offsets = places.get(term)
            if offsets:
                share = weight / len(offsets) ** 0.5
                found.extend((offset, share) for offset in offsets)
        return found

    def _look(self, piece: str, start: int, places: dict[str, list[int]]) -> None:
        lowered = piece.lower()
        if len(lowered) != len(piece):  # rare: "İ".lower() is two characters long, and offsets would shift
            lowered = piece
        for term, _ in self.terms:
            at = lowered.find(term)
            if at < 0:
                continue
            offsets = places.setdefault(term, [])
            while 0 <= at < PIECE and len(offsets) < MAX_HITS_PER_TERM:
                offsets.append(start + at)
                at = lowered.find(term, at + len(term))

    def score(self, text: str) -> float:
        """The summed weight of the terms that stand in `text` (each counted once)."""
        lowered = text.lower()
        return sum(weight for term, weight in self.terms if term in lowered)


Weighted: TypeAlias = list[tuple[str, float]]


@dataclass(slots=True)
class QueryBuilder:
    """Collects what was known so far; `build` adds one call to it. Costs the new words, not the conversation."""

    _first_user: Weighted = field(default_factory=list)
    _latest_user: Weighted = field(default_factory=list)

    def hear(self, user_words: str) -> None:
        """Take in a user message."""
        ranked = sorted(_weighted(terms_of(user_words, 200)), key=lambda pair: (-pair[1], pair[0]))
        if not self._first_user:
            self._first_user = ranked[:MAX_TERMS]
        self._latest_user = ranked[:MAX_TERMS]

    def build(self, call: ToolCall | None) -> Query:
        """The question that this call's output answers."""
        sources: list[tuple[Weighted, float]] = [(self._first_user, EARLIER_USER_WEIGHT), (self._latest_user, LATEST_USER_WEIGHT)]
        if call is not None:
            values = _ARGUMENT_NAME.sub(" ", call.arguments)  # what was asked is in the values: "view_range" asks nothing
            asked = terms_of(values.replace("\\n", " ").replace("\\", " "), 60)
            sources.append((_weighted(terms_of(call.words, 60)), WORDS_WEIGHT))
            sources.append((_weighted(part for term in asked for part in _parts(term)), CALL_WEIGHT / 2))
            sources.append((_weighted(asked), CALL_WEIGHT))
        weights: dict[str, float] = {}
        for terms, factor in sources:
            for term, worth in terms:
                if worth * factor > weights.get(term, 0.0):
                    weights[term] = worth * factor
        ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
        return Query(tuple(ranked[:MAX_TERMS]))


def _weighted(terms: Iterable[str]) -> Weighted:
    return [(term, specificity(term)) for term in terms]


def _parts(term: str) -> list[str]:
    """ "user_service.py" -> user, service: what a compound name is made of."""
    return [part for part in (p.lower() for p in _PART.findall(term)) if len(part) >= 4 and part not in _STOP and part != term]
