"""What a progress line is: states of one thing, each written over the one before it, that only ever go on.

A state is taken for progress where its words are those of its neighbours and a share, a counter, a bar or a spinner
says how far it is. Rows that merely look alike ("user 17 logged in") are not, whatever separates them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SIZE = r"(?:[kKMGTPE]i?)?(?:B|b|bytes)?"
_SHARE = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,4})?) ?%")
_COUNTER = re.compile(
    rf"(?<![\w/.:,-])(\d{{1,15}}(?:\.\d{{1,9}})?) ?({_SIZE}) ?(?:/|of) ?(\d{{1,15}}(?:\.\d{{1,9}})?) ?({_SIZE})(?![\w/]|[.:-]\d)"
)
_MEASURE = re.compile(r"(?<![\w.])(\d{1,15}(?:\.\d{1,9})?) ?([kKMGTPE]i?B|[kKMGTPE]|B|bytes|s|sec|seconds)\b")
_CLOCK = re.compile(r"(?<![\w:])(?:\d{1,3}|--):(?:\d\d|--)(?::(?:\d\d|--))?(?![\w:])")
_DRAWN = re.compile(
    "[\u2800-\u28ff\u2500-\u25ff]+"  # braille spinners, lines, blocks, circles
    r"|[#=>]{2,}|[-~*]{3,}|(?<=[\[|])[-#=>.* ]+(?=[\]|])|^\s*[|/\\-](?=\s)|(?<=\s)[|/\\-]\s*$"
)
"""Bars and spinners."""
_DOTS = re.compile(r"(?<!\.)\.+\s*$")
_FIRST_NUMBER = re.compile(rf"(?<![\w.])(\d{{1,15}}(?:\.\d{{1,9}})?) ?({_SIZE})(?!\w)")
_NUMBER = re.compile(r"(?<!\w)\d[\d.,:]*")
_WORD = re.compile(r"\w[\w.\-]*")
_VERDICT = re.compile(r"\[ {0,3}\d{1,3}%\]\s*$")
"""A share in brackets behind a line that reports something of its own, as test runners write it."""
_DOTTED_VERDICT = re.compile(r"[.FEsxX] +\[ {0,3}\d{1,3}%\]\s*$")
_BEHIND = frozenset(
    """
    b kb mb gb tb kib mib gib tib k m g t bytes byte bps kbps mbps it its s ms us ns sec secs second seconds min mins minutes h d
    eta elapsed remaining left per done complete completed of in at
    """.split()  # noqa: SIM905  (forty lines otherwise)
)
"""Words that come and go beside a share: units and times."""
_LONGEST = 400
"""Characters: no terminal is so wide that a longer text is one line of progress."""


@dataclass(frozen=True, slots=True)
class _State:
    key: tuple[str, ...]
    """What the states of one progress line have in common."""
    value: float
    """How far it is."""
    end: float
    """Where it ends."""
    sure: bool
    """Whether this is progress for certain; if not, leaving it out is a loss."""


def overwritten(states: Sequence[str], *, sure: bool) -> tuple[list[str], bool]:
    """The states of one line without those that a later one supersedes, and whether any of these was a loss.

    `sure`: leave out what is progress for certain, and nothing else.
    """
    kept: list[str] = []
    lossy = False
    read = [_read(state) for state in states]
    start = 0
    while start < len(states):
        end = start + 1
        first = read[start]
        while first is not None and end < len(states) and (following := read[end]) is not None and following.key == first.key:
            end += 1
        run = [state for state in read[start:end] if state is not None]
        lasting = None if end - start == 1 or (sure and not _all_sure(run)) else _lasting(run)
        if lasting is None:
            kept += states[start:end]
        else:
            kept += [states[start + place] for place in lasting]
            lossy = lossy or not _all_sure(run)
        start = end
    return kept, lossy


def progress_end(lines: Sequence[str], start: int) -> int:
    """The end of the run of lines from `start` that are states of one share that only grows; `start` + 1 if there is none."""
    first = _line_state(lines[start])
    end = start + 1
    before = first
    while before is not None and end < len(lines):
        state = _line_state(lines[end])
        if state is None or state.key != before.key or state.value < before.value:
            break
        before = state
        end += 1
    return end


def _line_state(line: str) -> _State | None:
    if "%" not in line or len(line) > _LONGEST or _VERDICT.search(line) is not None:
        return None
    return _share(line)


def _all_sure(run: Sequence[_State]) -> bool:
    return all(state.sure for state in run)


def _lasting(run: Sequence[_State]) -> list[int] | None:
    """Which states of a run stay: the last, and those that reached their end. None if it falls back: then it is no progress."""
    lasting = []
    for place in range(1, len(run)):
        before = run[place - 1]
        if run[place].value < before.value:
            if before.value < before.end:
                return None
            lasting.append(place - 1)
    return [*lasting, len(run) - 1]


def _read(state: str) -> _State | None:
    if len(state) > _LONGEST or _DOTTED_VERDICT.search(state) is not None:
        return None
    return _share(state) or _counter(state) or _drawing(state) or _measure(state)


def _share(state: str) -> _State | None:
    match = _SHARE.search(state)
    if match is None or (value := float(match[1])) > 100:
        return None
    return _State(("share", _label(state[: match.start()]), *_words(state[match.end() :])), value, 100.0, sure=True)


def _counter(state: str) -> _State | None:
    match = _COUNTER.search(state)
    if match is None:
        return None
    done, total = _amount(match[1], match[2] or match[4]), _amount(match[3], match[4])
    if done > total:
        return None
    key = ("counter", match[3], match[4], _label(state[: match.start()]), *_words(state[match.end() :]))
    return _State(key, done, total, sure=True)


def _drawing(state: str) -> _State | None:
    """A spinner or a bar beside words that stay."""
    bare, dots = _DOTS.subn("", _DRAWN.sub(" ", state))
    if not dots and bare == state:
        return None
    bare = _CLOCK.sub(" ", bare)
    number = _FIRST_NUMBER.search(bare)
    if number is None:
        return _State(("drawing", " ".join(bare.split())), 0.0, 0.0, sure=True)
    key = ("drawing", _label(bare[: number.start()]), *_words(bare[number.end() :]))
    return _State(key, _amount(number[1], number[2]), float("inf"), sure=True)


def _measure(state: str) -> _State | None:
    """A size or a time that grows, or nothing but numbers and clocks: most likely progress, but rows may look so too."""
    words = _words(state)
    if not words:
        return _State(("clocks",), 0.0, 0.0, sure=False) if len(_CLOCK.findall(state)) > 1 else None
    match = _MEASURE.search(state)
    if match is None or not (label := _label(state[: match.start()])):
        return None
    return _State(("measure", label, *_words(state[match.end() :])), _amount(match[1], match[2]), float("inf"), sure=False)


def _amount(number: str, unit: str) -> float:
    power = "kMGTPE".find(unit[:1].replace("K", "k")) + 1 if unit else 0
    return float(number) * 1_000.0**power


def _label(text: str) -> str:
    """What stands before a value, without what is drawn there."""
    return " ".join(_DRAWN.sub(" ", text).split())


def _words(text: str) -> list[str]:
    """The words of `text` that do not belong to a value: names, and names with numbers in them."""
    plain = _NUMBER.sub(" ", text)
    return [word for word in _WORD.findall(plain) if word.lower().rstrip(".-") not in _BEHIND]
