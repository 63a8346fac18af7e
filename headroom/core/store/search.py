"""Finding something in an original: by words (`search`) or by line numbers (`lines_of`).

A query is plain words, never a pattern. Units are the original's own: JSON rows, lines, paragraphs, or stretches of
one endless line. They are ranked in three tiers (the words as they were written, all of the words, some of them) and
shown verbatim with their positions. Looking with `in` through lowercased units takes 0.3 s for 10 MB, building an
index over them several times that, and an original is seldom searched twice: so there is no index.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from headroom.core import tokens
from headroom.core.compressors.code.views import numbering_of, read_view
from headroom.core.store.rows import RowList, row_lists
from headroom.core.store.units import Body, Units, body_of, occurrences_of, plainer_units_of, units_of

DEFAULT_BUDGET_TOKENS = 1_500
CONTEXT_LINES = 2
ENOUGH_BETTER = 5
"""With this many better ones found, units that hold only some of the words are noise."""
MAX_QUERY_CHARACTERS = 2_000
MAX_WORDS = 24
MAX_SHOWN = 2_000
"""Candidates that are ranked for showing; more never fit."""
SHORTEST_PART_WORD = 3
"""Shorter words are in every line as a part of others: they count only where they stand alone."""
COMMON = 50_000
"""A word in more units than this tells so little that it is not asked how it stands there."""
LABEL_CHARACTERS = 30
SHORTEST_CUT = 300
"""Characters: a unit is not cut down to less than this."""

_WORD = re.compile(r"\w+(?:[.$@#/:+\-]+\w+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_SMALL = frozenset((
    "a", "all", "an", "and", "any", "are", "at", "by", "did", "do", "does", "find", "for", "from", "get", "give", "how", "i", "in", "is",
    "it", "its", "me", "of", "on", "or", "please", "show", "that", "the", "this", "to", "was", "were", "what", "which", "who", "with",
))  # fmt: skip
"""They ask; what they ask for is in the other words."""
_TIGHT = str.maketrans(dict.fromkeys(" \t\r\n\"'=:"))
"""Under this, `order_id = 4711` and "order_id 4711" are found in `"order_id":4711`."""
_RANGE = re.compile(r"(\d*)\s*(?:-|–|\.\.|:|to)\s*(\d*)")
_MARK = re.compile(r"…?\s{0,4}[\d,]{1,15} (lines|rows|values|items), (\d{1,15}-\d{1,15})")
"""What stands in a gap, copied whole: [… 153 rows, 47-199]."""
_RANGE_WORDS = re.compile(r"…?\s*(lines?|rows?|values?|items?)?\s*", re.IGNORECASE)
MOST_LISTS = 3
"""So many lists answer one range; of more only the outermost does."""

_QUOTES = "\"'`"

EXACT, ALL, SOME = 3, 2, 1
_TIER_NAMES = {EXACT: "as written", ALL: "with all words", SOME: "with some words"}


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the query: found whole, or by all of its parts ("user_service.py": user, service, py; "jobs": job)."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Findings:
    """What matched: how many units in each tier, and the best of them as (tier, unit), best first."""

    units: Units
    counts: dict[int, int]
    best: list[tuple[int, int]]

    @property
    def better(self) -> int:
        return self.counts[EXACT] + self.counts[ALL]


def search(text: str, query: str, budget_tokens: int = DEFAULT_BUDGET_TOKENS) -> str:
    """The parts of `text` that answer `query`, best first, in about `budget_tokens` estimated tokens.

    Begins with a line saying how much matched and how much of it is shown. Never raises: without a match, or without
    a word in the query, the answer says so and how to ask otherwise.
    """
    asked = " ".join(query[:MAX_QUERY_CHARACTERS].split())
    units = units_of(text)
    if not asked:
        return _nothing(text, asked, units)
    findings = _look(units, asked)
    if not findings.better and (plainer := plainer_units_of(text, units)) is not None:
        # Beside the rows, or outside of the envelope, may stand what the rows do not have.
        outside = _look(plainer, asked)
        findings = outside if outside.better or not findings.best else findings
    if not findings.counts[EXACT] and (literal := _literal(text, query[:MAX_QUERY_CHARACTERS])) is not None:
        asked, findings = query[:MAX_QUERY_CHARACTERS], literal
    if not findings.best:
        return _nothing(text, asked, units)
    return _answer(asked, findings, int(budget_tokens * tokens.CHARACTERS_PER_TOKEN))


def _literal(text: str, query: str) -> _Findings | None:
    """Where the query stands exactly, across the ends of units and with all of its blanks; None if nowhere."""
    body = body_of(text)
    found = occurrences_of(body, query)
    if found is None and len(body.text) < len(text):
        found = occurrences_of(Body(text, lambda at: at), query)
    if found is None:
        return None
    return _Findings(found, {EXACT: len(found.lowered), ALL: 0, SOME: 0}, [(EXACT, unit) for unit in range(len(found.lowered))])


# --- ranking ----------------------------------------------------------------------------------------------------------


def _words(asked: str) -> list[_Word]:
    words: dict[str, _Word] = {}
    for whole in _WORD.findall(asked):
        parts = tuple(dict.fromkeys(part.lower() for part in _PART.findall(whole)))
        lowered = whole.lower()
        if len(parts) < 2:
            parts = (lowered[:-1],) if len(lowered) > 4 and lowered.endswith("s") and lowered.isalpha() else ()
        words.setdefault(lowered, _Word(lowered, parts))
    telling = [word for word in words.values() if word.whole not in _SMALL]
    return (telling or list(words.values()))[:MAX_WORDS]


def _look(units: Units, asked: str) -> _Findings:
    """Every unit that holds a word of the query is counted; the best are named."""
    haystacks = units.lowered
    number = len(haystacks)
    scores = [0.0] * number
    held = bytearray(number)
    words = _words(asked)
    for word in words:
        for unit, weight in _hits(word, haystacks):
            scores[unit] += weight
            held[unit] += 1
    holding_all = [unit for unit, count in enumerate(held) if count == len(words)] if words else []
    exact = _exact(asked, haystacks, holding_all)
    rest = [unit for unit in holding_all if unit not in exact]
    some = number - held.count(0) + sum(not held[unit] for unit in exact) - len(exact) - len(rest)
    counts = {EXACT: len(exact), ALL: len(rest), SOME: some}
    average = sum(map(len, haystacks)) / number + 1

    def rank(unit: int) -> tuple[int, float, int]:
        tier = EXACT if unit in exact else ALL if words and held[unit] == len(words) else SOME
        standing = tier == EXACT and _stands_in(phrase, haystacks[unit])
        return -tier, -scores[unit] / (0.7 + 0.3 * len(haystacks[unit]) / average) - 100.0 * standing, unit

    phrase = asked.lower().strip(_QUOTES)
    better = len(exact) + len(rest)
    enough = better >= ENOUGH_BETTER or (exact and len(words) > 1)
    others = [] if enough else [unit for unit, count in enumerate(held) if count]
    candidates = {unit for tier in (exact, rest, others) for unit in _top(tier, scores)}
    ranked = heapq.nsmallest(MAX_SHOWN if enough or not better else ENOUGH_BETTER, map(rank, candidates))
    return _Findings(units, counts, [(-tier, unit) for tier, _, unit in ranked])


def _top(candidates: Collection[int], scores: list[float]) -> Collection[int]:
    """Those worth ranking with care; of equals the first."""
    if len(candidates) <= 4 * MAX_SHOWN:
        return candidates
    return heapq.nlargest(4 * MAX_SHOWN, sorted(candidates), key=scores.__getitem__)


def _hits(word: _Word, haystacks: Sequence[str]) -> list[tuple[int, float]]:
    """(unit, weight) of the units that hold `word`: rare words weigh more, words standing for themselves most."""
    whole = word.whole
    units = [unit for unit, haystack in enumerate(haystacks) if whole in haystack]
    standing = re.compile(rf"(?<!\w){re.escape(whole)}(?!\w)")
    if len(whole) < SHORTEST_PART_WORD:
        units = [unit for unit in units if standing.search(haystacks[unit])]
    weight = _rarity(len(units), len(haystacks))
    if len(units) <= COMMON:
        hits = [(unit, weight if standing.search(haystacks[unit]) else 0.7 * weight) for unit in units]
    else:
        hits = [(unit, weight) for unit in units]
    if not word.parts:
        return hits
    known = set(units)
    first, *others = sorted(word.parts, key=len, reverse=True)
    apart = [unit for unit, haystack in enumerate(haystacks) if first in haystack and unit not in known]
    apart = [unit for unit in apart if all(part in haystacks[unit] for part in others)]
    weight = 0.5 * _rarity(len(apart), len(haystacks))
    return hits + [(unit, weight) for unit in apart]


def _rarity(hits: int, units: int) -> float:
    return math.log(1 + (units - hits + 0.5) / (hits + 0.5))


def _exact(asked: str, haystacks: Sequence[str], holding_all: Sequence[int]) -> set[int]:
    """The units in which the query stands as it was written, or but for its blanks and quotes."""
    phrase = asked.lower()
    sought = phrase.strip(_QUOTES) or phrase
    exact = {unit for unit, haystack in enumerate(haystacks) if sought in haystack}
    tight = phrase.translate(_TIGHT)
    if tight and len(holding_all) <= COMMON:
        exact.update(unit for unit in holding_all if unit not in exact and _stands_in(tight, haystacks[unit].translate(_TIGHT)))
    return exact


def _stands_in(sought: str, text: str) -> bool:
    """Whether `sought` is in `text` and not a part of a longer word or number there."""
    at = text.find(sought)
    while at >= 0:
        end = at + len(sought)
        if not text[end : end + 1].isalnum() and not text[max(at - 1, 0) : at].isalnum():
            return True
        at = text.find(sought, end)
    return False


# --- showing ----------------------------------------------------------------------------------------------------------


def _answer(asked: str, findings: _Findings, room: int) -> str:
    units = findings.units
    room -= len(_header(asked, findings, 0)) + 70  # the names of the tiers come on top
    opening = []
    if units.heading is not None and len(units.shown(units.heading)) < room // 4:
        opening.append(units.label(units.heading) + units.shown(units.heading))
        room -= len(opening[0])
    chosen = _choose(units, findings.best, room)
    if not chosen:
        tier, unit = findings.best[0]
        body = _cut(units, unit, asked, max(room, SHORTEST_CUT))
        return "\n".join([_header(asked, findings, 1), units.label(unit) + body])
    parts = [_header(asked, findings, len(chosen)), *(opening if units.heading not in {unit for _, unit in chosen} else [])]
    for tier, name in _TIER_NAMES.items():
        of_tier = sorted(unit for of, unit in chosen if of == tier)
        if of_tier and len({of for of, _ in chosen}) > 1:
            parts.append(f"-- {name}:")
        parts.extend(_shown(units, of_tier))
    return "\n".join(parts)


def _choose(units: Units, candidates: list[tuple[int, int]], room: int) -> list[tuple[int, int]]:
    """The best candidates, up to the first that does not fit any more."""
    chosen: list[tuple[int, int]] = []
    for tier, unit in candidates:
        room -= sum(len(units.shown(near)) + LABEL_CHARACTERS for near in _around(units, unit))
        if room < 0:
            break
        chosen.append((tier, unit))
    return chosen


def _around(units: Units, unit: int) -> range:
    reach = CONTEXT_LINES if units.with_context else 0
    return range(max(0, unit - reach), min(len(units.lowered), unit + reach + 1))


def _shown(units: Units, chosen: list[int]) -> list[str]:
    parts: list[str] = []
    hits = set(chosen)
    last = -1
    for unit in chosen:
        around = _around(units, unit)
        if units.with_context and last >= 0 and around.start > last + 1:
            parts.append("--")
        parts.extend(units.label(near, near in hits) + units.shown(near) for near in around if near > last)
        last = around.stop - 1
    return parts


def _cut(units: Units, unit: int, asked: str, limit: int) -> str:
    """A stretch of a long unit around its first match, marked at both ends with where the rest is."""
    body = units.shown(unit)
    lowered = units.lowered[unit]
    limit = max(limit - 120, SHORTEST_CUT)  # the marks' share
    places = [lowered.find(sought) for sought in (asked.lower(), *(word.whole for word in _words(asked)))]
    at = next((place for place in places if place >= 0), 0)
    start = max(0, min(at - limit // 4, len(body) - limit))
    end = min(len(body), start + limit)
    before = f"[… {start:,} characters before this, from offset={units.offset(unit, 0)}] " if start else ""
    after = f" [… {len(body) - end:,} more characters, from offset={units.offset(unit, end)}]" if end < len(body) else ""
    return f"{before}{body[start:end]}{after}"


def _header(asked: str, findings: _Findings, shown: int) -> str:
    number = len(findings.units.lowered)
    total = sum(findings.counts.values())
    named = ", ".join(f"{findings.counts[tier]:,} {name}" for tier, name in _TIER_NAMES.items() if findings.counts[tier])
    more = ", the best: add words to narrow it down" if shown < findings.better else ", the best" if shown < total else ""
    units = findings.units.name + ("s" if number != 1 else "")
    return f"{total:,} of {number:,} {units} match {_quoted(asked)} ({named}); {shown:,} shown{more}:"


def _nothing(text: str, asked: str, units: Units) -> str:
    lines = _line_count(body_of(text).text)
    rows = f", {len(units.lowered):,} rows" if units.name == "row" else ""
    what = f"Nothing in this original matches {_quoted(asked)}" if asked else "The query is empty"
    return (
        f"{what}. It has {len(text):,} characters, {lines:,} line{'s' if lines != 1 else ''}{rows}. "
        f'Try other or fewer words, read a part with lines="1-{min(max(lines, len(units.lowered) if rows else 0), 200)}" '
        "or offset=0, or leave query out to get all of it."
    )


def _quoted(asked: str) -> str:
    return '"' + (asked if len(asked) <= 120 else asked[:117] + "...") + '"'


# --- by numbers -------------------------------------------------------------------------------------------------------


def lines_of(text: str, lines: str) -> str:
    """The lines "120-180", "120", "120-" or "-50" (the first 50) of `text`, verbatim, counted from 1.

    They are counted inside an envelope, as the compressors count them. "rows 5-9", or a gap copied whole, gives rows as
    a digest counts them (of each list that has them, named, if there are several), and so does a range without a word
    where JSON records stand on fewer lines than there are rows. ValueError, with words for the asker, for any other
    form and for a range outside of the text.
    """
    wanted = lines.strip().strip("\"'`[]()").strip()
    mark = _MARK.match(wanted)
    wanted = f"{mark[1]} {mark[2]}" if mark else wanted
    word = _RANGE_WORDS.match(wanted)
    unit = (word[1] or "").lower().rstrip("s") if word else ""
    first, last = _range(wanted[word.end() :] if word else wanted, lines)
    body = body_of(text)
    number = body.text.count("\n") + 1
    if unit in ("row", "value", "item"):
        return _rows(body.text, first, last)
    if unit == "" and last > number and (units := units_of(text)).name == "row" and len(units.lowered) > number:
        return _rows(body.text, first, last)
    numbered = _by_margin(body.text, first, last)
    if numbered is not None:
        return numbered
    if first > number:
        held = f"{_line_count(body.text):,} line{'s' if number > 1 else ''}"
        raise ValueError(f"lines={lines[:80]!r} is outside of this original: it has {held}")
    return _nth_lines(body.text, first, last)


def _line_count(text: str) -> int:
    """Lines as people count them: a newline at the end begins no other."""
    return max(1, text.count("\n") + (not text.endswith("\n")))


def _by_margin(text: str, first: int, last: int) -> str | None:
    """The lines with these numbers in their own margin, where a view of a file has one; None if it has none."""
    lines = text.split("\n")
    if numbering_of(lines[:600]) is None:
        return None
    numbers = read_view(lines).numbers
    found = [line for line, number in zip(lines, numbers, strict=True) if first <= number <= last] if numbers else []
    if numbers and not found:
        shown = [number for number in numbers if number]
        raise ValueError(f"no line of this view has such a number: it shows the file's lines {min(shown):,} to {max(shown):,}")
    return "\n".join(found) if found else None


def _range(wanted: str, given: str) -> tuple[int, int]:
    problem = f'lines={given[:80]!r} is not understood: write "120-180", "120", "120-" or "-50" (counted from 1)'
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 16:
        first = last = int(wanted)
    else:
        match = _RANGE.fullmatch(wanted)
        if match is None or not (match[1] or match[2]) or max(len(match[1]), len(match[2])) > 15:
            raise ValueError(problem)
        first, last = max(int(match[1] or 1), 1), int(match[2] or 10**15)
    if first < 1 or last < first:
        raise ValueError(problem)
    return first, last


def _rows(text: str, first: int, last: int) -> str:
    """Rows by number; where several lists have them, of each, under a line that names it."""
    lists = row_lists(text, first)
    if not lists:
        known = max((len(found.rows) for found in row_lists(text)), default=0)
        if known:
            raise ValueError(f"row {first:,} is outside of this original: it has {known:,} rows")
        raise ValueError("the rows of this original cannot be counted from here: ask with query, or for lines")
    # the gap of a digest ends within its list
    lists = [found for found in lists if len(found.rows) >= last] or lists
    if len(lists) == 1:
        return "\n".join(lists[0].rows[first - 1 : last])
    shown = lists if len(lists) <= MOST_LISTS else lists[:1]
    parts = [f"[{len(lists):,} lists of this original have such rows{_not_shown(lists, shown)}]"]
    for found in shown:
        parts.append(f"[rows {first}-{min(last, len(found.rows))} of {len(found.rows):,} in {found.name or 'the whole'}:]")
        parts.extend(found.rows[first - 1 : last])
    return "\n".join(parts)


def _not_shown(lists: Sequence[RowList], shown: Sequence[RowList]) -> str:
    if len(shown) == len(lists):
        return ""
    named = ", ".join(found.name[:LABEL_CHARACTERS] for found in lists[1:4])
    return f": the first is shown; for the others ({named}, …) ask with query"


def _nth_lines(text: str, first: int, last: int) -> str:
    start = 0
    for _ in range(first - 1):
        start = text.index("\n", start) + 1
    end = start - 1
    for _ in range(last - first + 1):
        end = text.find("\n", end + 1)
        if end < 0:
            return text[start:]
    return text[start:end]
