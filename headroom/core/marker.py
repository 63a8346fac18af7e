"""The one line that stands for what was left out: written and read only here.

    [412 of 500 rows left out, all status=ok; headroom_retrieve ref=k3v9x2m7qa-f3k]      something is missing
    [500 rows as CSV; original: headroom_retrieve ref=k3v9x2m7qa-f3k]                    nothing is missing
    [500 rows as CSV; check=f3k]                                                         nothing is missing, no tool

The last three characters are a checksum of the whole text around them. They let any process recognise, without a
store, that a text is a result of ours as we wrote it, so compressing twice changes nothing. Text that merely looks
like a marker has no power: without the right checksum it is ordinary text, and with it, it is only left as it is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from headroom.core.retrieval_tool import RETRIEVE_TOOL
from headroom.core.store.base import REFERENCE_LENGTH

_REFERENCE_LABEL = f"; {RETRIEVE_TOOL} ref="
_ORIGINAL_LABEL = f"; original: {RETRIEVE_TOOL} ref="
_CHECK_LABEL = "; check="
_CHECK_LENGTH = 3
_BLANK = "?" * _CHECK_LENGTH
_TAIL = re.compile(
    rf"; (?:(?P<original>original: )?{RETRIEVE_TOOL} ref=(?P<reference>[a-z2-7]{{{REFERENCE_LENGTH},52}})-|check=)"
    rf"(?P<check>[a-z2-7]{{{_CHECK_LENGTH}}})\]"
)
_CANDIDATES = 4
_MOST_CANDIDATES = 64
_READ_AGAIN = 1_000_000
"""Characters: of a short text more candidates are tried, until so many have been read."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker found in a text, its checksum verified."""

    reference: str | None
    lossy: bool


def write(note: str, reference: str, lossy: bool, *, named: bool = True) -> str:
    """A marker line, not yet sealed. `named=False` writes the form without a tool, for folds only.

    Even then the reference holds the checksum's place: no text holds its own, so `seal` cannot mistake the place.
    """
    words = " ".join(note.split())
    label = _CHECK_LABEL if not named else _REFERENCE_LABEL if lossy else _ORIGINAL_LABEL
    return f"[{words}{label}{reference}-{_BLANK}]"


def seal(text: str, reference: str, *, named: bool = True) -> str:
    """Write the checksum into the marker of `text` that `write` left blank."""
    at = text.rindex(f"{reference}-{_BLANK}")
    end = at + len(reference) + 1
    before, after = text[: end if named else at], text[end + _CHECK_LENGTH :]
    return before + _checksum(before, after) + after


def readdress(text: str, reference: str, longer: str) -> str:
    """The same text with another reference in its marker, sealed anew."""
    at = text.rindex(f"ref={reference}-") + 4
    end = at + len(reference) + 1 + _CHECK_LENGTH
    return seal(f"{text[:at]}{longer}-{_BLANK}{text[end:]}", longer)


def find(text: str) -> Marker | None:
    """The marker by which `text` is a result of ours, unaltered; None for every other text.

    Prose behind a marker may speak of markers, so some of the last candidates are tried: 64, but in long texts 4,
    because each costs a checksum of the whole text.
    """
    end = len(text)
    for _ in range(max(_CANDIDATES, min(_MOST_CANDIDATES, _READ_AGAIN // (end + 1)))):
        end = max(text.rfind(_REFERENCE_LABEL, 0, end), text.rfind(_ORIGINAL_LABEL, 0, end), text.rfind(_CHECK_LABEL, 0, end))
        if end < 0:
            return None
        marker = _read(text, end)
        if marker is not None:
            return marker
    return None


def _read(text: str, start: int) -> Marker | None:
    match = _TAIL.match(text, start)
    if match is None:
        return None
    at = match.start("check")
    if _checksum(text[:at], text[at + _CHECK_LENGTH :]) != match["check"]:
        return None
    return Marker(match["reference"], lossy=match["reference"] is not None and match["original"] is None)


def _checksum(before: str, after: str) -> str:
    digest = hashlib.blake2s(digest_size=5, person=b"headroom")
    digest.update(before.encode("utf-8", "surrogatepass"))
    digest.update(b"\0")
    digest.update(after.encode("utf-8", "surrogatepass"))
    return base64.b32encode(digest.digest()).decode().lower()[:_CHECK_LENGTH]
