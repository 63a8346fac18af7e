"""What lines have in common: each line's template, how rare it is, and which lines report trouble.

Everything per character is done by the C functions of bytes and re over the whole text at once, and the words are
looked at once per distinct skeleton (a line without its digits), of which a log has few.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from math import log2

from headroom.core.worth import reports_trouble, trouble_in

NO_TROUBLE, SOME_TROUBLE, TROUBLED = 0, 1, 2
RAREST = 10.0
"""Bits: the most that rarity can say of a line (one in a thousand)."""

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_NINES = bytes.maketrans(b"12345678", b"99999999")
_IDENTIFIER = re.compile(r"(?<![A-Za-z])[A-Za-z]{0,40}0[A-Za-z0]*")
_SEVERE = (
    "error", "exception", "traceback", "fatal", "panic", "critical", "fail", "killed", "out of memory", "oom", "crash", "denied", "refused",
    "segfault", "segmentation", "abort",
)  # fmt: skip
_BEFORE, _BEHIND = 24, 48
"""Characters around a word of trouble that decide whether it is meant: "no errors", "error_count=0"."""
_SAMPLE = 3_000
_CHUNK = 10_000
_MANY = 120
"""Below this many lines, frequencies of words tell too little to be worth their time."""


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a list of lines."""

    ids: list[int]
    """The template of each line; equal lines and lines that differ in values only share one."""
    counts: list[int]
    """How many lines have template t."""
    rarity: list[float]
    """Bits by which template t is rarer than what is usual among these lines: 0 to RAREST."""
    trouble: bytearray
    """For each line NO_TROUBLE, SOME_TROUBLE (warnings and the like) or TROUBLED."""
    coarse: bool
    """Whether templates were reduced to common words: then one label does not describe all lines of a template."""


def templates_of(lines: Sequence[str]) -> Templates:
    """The templates of `lines` (none of which holds a newline). Linear."""
    skeletons, skeleton_of = _distinct(_skeletons(lines))
    masked = _masked(skeletons)
    names, template_of_skeleton = _distinct(masked)
    coarse = len(names) > len(lines) // 2 and len(lines) >= _MANY
    if coarse:
        names, coarser = _distinct(_without_rare_words(names))
        template_of_skeleton = [coarser[t] for t in template_of_skeleton]
    ids = [template_of_skeleton[s] for s in skeleton_of] if len(skeletons) < len(lines) else template_of_skeleton
    tally = Counter(ids)
    counts = [tally[t] for t in range(len(names))]
    blank = {t for t, name in enumerate(names) if not name or name.isspace()}
    rarity = _rarities(counts, len(lines), blank)
    return Templates(ids, counts, rarity, _trouble(lines, skeletons, skeleton_of), coarse)


def repeats_templates(lines: Sequence[str], share: float) -> bool:
    """Whether the lines have few templates: at most `share` of their number."""
    return len(set(_masked(list(set(_skeletons(lines)))))) <= share * len(lines)


def _skeletons(lines: Sequence[str]) -> list[bytes]:
    data = "\n".join(lines).encode("utf-8", "surrogatepass").translate(_DIGITS)
    while b"00" in data:
        data = data.replace(b"00", b"0")
    return data.split(b"\n")


def _masked(skeletons: list[bytes]) -> list[str]:
    """Skeletons with each word that holds a digit as 0."""
    masked: list[str] = []
    for start in range(0, len(skeletons), _CHUNK):  # a substitution holds all its pieces in memory
        chunk = b"\n".join(skeletons[start : start + _CHUNK]).decode("utf-8", "surrogatepass")
        masked += _IDENTIFIER.sub("0", chunk).split("\n")
    return masked


def _distinct(items: Sequence) -> tuple[list, list[int]]:  # type: ignore[type-arg]  # of str or of bytes
    numbers: defaultdict[object, int] = defaultdict(count().__next__)
    ids = list(map(numbers.__getitem__, items))
    return list(numbers), ids


def _without_rare_words(names: list[str]) -> list[str]:
    """Names of people and things vary as numbers do: templates reduced to the words that many of them share."""
    sample = names[:: max(1, len(names) // _SAMPLE)]
    frequency = Counter(chain.from_iterable(map(str.split, sample)))
    common = {word for word, times in frequency.items() if times > max(2, len(sample) // 100)}
    return [" ".join([word if word in common else "0" for word in name.split()]) for name in names]


def _rarities(counts: Sequence[int], total: int, blank: Iterable[int]) -> list[float]:
    """For each template the surprise of meeting one as rare: in a text where most lines are unique, unique is usual."""
    lines_with: Counter[int] = Counter()
    for occurrences in counts:
        lines_with[occurrences] += occurrences
    bits: dict[int, float] = {}
    lines_so_far = 0
    for occurrences in sorted(lines_with):
        lines_so_far += lines_with[occurrences]
        bits[occurrences] = min(RAREST, log2(total / lines_so_far))
    rarity = [bits[occurrences] for occurrences in counts]
    for template in blank:
        rarity[template] = 0.0
    return rarity


def _trouble(lines: Sequence[str], skeletons: list[bytes], skeleton_of: list[int]) -> bytearray:
    lowered = b"\n".join(skeletons).lower().decode("utf-8", "surrogatepass")
    verdicts = bytearray(len(skeletons))
    unsure: set[int] = set()
    number, start, end = -1, 0, -1
    for match in trouble_in(lowered):
        at = match.start()
        if at > end:
            number += lowered.count("\n", end, at) if end >= 0 else 1 + lowered.count("\n", 0, at)
            start, end = lowered.rfind("\n", 0, at) + 1, lowered.find("\n", at)
            end = len(lowered) if end < 0 else end
        level = TROUBLED if match[0].startswith(_SEVERE) else SOME_TROUBLE
        if verdicts[number] >= level:
            continue
        if reports_trouble(lowered[max(start, at - _BEFORE) : min(end, at + _BEHIND)]):
            verdicts[number] = level
        else:
            unsure.add(number)  # skeletons say "errors=0" for "errors=10" too: the digits decide
    unsure = {skeleton for skeleton in unsure if not verdicts[skeleton]}
    if len(skeletons) == len(lines) and not unsure:
        return verdicts
    trouble = bytearray(map(verdicts.__getitem__, skeleton_of))
    if unsure:
        _settle(lines, [index for index, skeleton in enumerate(skeleton_of) if skeleton in unsure], trouble)
    return trouble


def _settle(lines: Sequence[str], unsure: list[int], trouble: bytearray) -> None:
    """Judge the lines that only their digits decide: once for each pattern of zero and other numbers."""
    data = "\n".join([lines[index] for index in unsure]).encode("utf-8", "surrogatepass").translate(_NINES)
    for longer, shorter in ((b"00", b"0"), (b"09", b"9"), (b"90", b"9"), (b"99", b"9")):
        while longer in data:
            data = data.replace(longer, shorter)
    patterns, pattern_of = _distinct(data.split(b"\n"))
    verdicts = [reports_trouble(pattern.decode("utf-8", "surrogatepass")) for pattern in patterns]
    for index, pattern in zip(unsure, pattern_of, strict=True):
        if verdicts[pattern]:
            trouble[index] = TROUBLED
