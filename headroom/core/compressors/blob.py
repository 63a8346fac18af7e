"""Blobs: text that nobody reads. What it is, how large, how it begins and ends; the rest is in the store."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headroom.core import tokens
from headroom.core.compressors.lines.folds import Folded
from headroom.core.compressors.lines.units import choose_units, safe_cut, show, units_of
from headroom.core.compressors.lines.worths import BLOB, ends_and_hits
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

_LEAST_CHARACTERS = 500
_OPAQUE_WEIGHT = 2
"""Such text has about this many times the tokens that its length suggests, and says nothing for them."""
_READABLE_TOKENS = 350
"""The most that a dump or a minified file shows, and only if the allowance has room for it."""
_HEAD, _TAIL = 72, 40

_PREFIX = re.compile(r"\s*(?:data:[\w.+/\-;=]{0,100};base64,|b'|\"|')?")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s_\-\\]+")
_BASE64_UNBROKEN = re.compile(r"[A-Za-z0-9+/=_\-]{60}")
_ARMOR = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]{1,60}-----")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F\s:]+")
_DUMP_LINE = re.compile(r"(?:0x)?[0-9a-fA-F]{4,16}:?[ \t]+(?:[0-9a-fA-F]{2,8}[ \t]{1,2}){4,}")
_FLOAT = re.compile(r"[-+]?\d{0,4}\.\d{3,}(?:[eE][-+]?\d{1,4})?")
_FLOAT_FRAME = re.compile(r"(?:np\.|numpy\.|torch\.)?(?:array|tensor|Embedding|embedding|vector)?[\s(\[=:]*")
_JSON_NUMBERS = re.compile(r"\s*\[[\s\[]*[-+\d.eE]+\s*,")
_MINIFIED = re.compile(r"function\b|=>|\bvar |\breturn\b|\bconst |\{[a-z-]{2,40}:[^;{}]{1,200}[;}]")
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1b") + b"\x7f"
_MAGIC = (
    ("iVBORw0KGgo", "PNG image"), ("/9j/", "JPEG image"), ("R0lGOD", "GIF image"), ("UklGR", "RIFF (WebP, WAV or AVI)"), ("JVBERi0", "PDF"),
    ("UEsDB", "ZIP archive"), ("H4sI", "gzip"), ("eyJ", "JSON"), ("PD94bWw", "XML"), ("PHN2Zy", "SVG image"), ("f0VMRg", "ELF binary"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Finding:
    name: str
    readable: bool
    """Has lines or words that a query may name."""


class Blob:
    """Base64, hex, arrays of floats, minified JavaScript and CSS, binary shown as text."""

    kind: ContentKind = "blob"

    def claims(self, sample: Sample) -> bool:
        """Whether the text is a blob from beginning to end."""
        return len(sample.text) >= _LEAST_CHARACTERS and _find(sample) is not None

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Kind, size and both ends; of dumps and minified files also what the query names."""
        weight = tokens.estimate(text) * _OPAQUE_WEIGHT
        allowance = request.allowance(weight)
        if request.lossless or weight <= allowance // 2:
            return None
        finding = _find(Sample(text))
        if finding is None:
            return None
        return _regions(text, request, finding, allowance) if finding.readable else _ends(text, finding)


def _find(sample: Sample) -> _Finding | None:
    head = sample.head
    if _is_binary(head):
        return _Finding("binary data", readable=True)
    if " " not in head[:200] or _ARMOR.match(head):
        return _base64_or_hex(sample) or _minified(sample)
    if sum(_DUMP_LINE.match(line) is not None for line in sample.lines[:20]) >= 0.8 * min(len(sample.lines), 20):
        return _Finding("hex dump", readable=True)
    if _is_hex(sample):
        return _Finding("hex", readable=False)
    return _floats(sample) or _minified(sample)


def _is_binary(head: str) -> bool:
    odd = head.count("\ufffd")
    if head.isascii():
        data = head.encode()
    else:
        data = head.encode("utf-8", "replace")
        odd += sum("\ud800" <= character <= "\udfff" for character in head)
    return odd + len(data) - len(data.translate(None, _CONTROL)) > max(8, len(head) // 20)


def _base64_or_hex(sample: Sample) -> _Finding | None:
    if _is_hex(sample):
        return _Finding("hex", readable=False)
    text = sample.text
    armored = _ARMOR.match(sample.head)
    if armored is not None:
        text = _ARMOR.sub("", text)
        return _Finding(f"base64 ({armored[0].strip('-')[6:].lower()})", readable=False) if _BASE64.fullmatch(text) else None
    prefix = _PREFIX.match(text)
    start = prefix.end() if prefix else 0
    first = text[start : start + 200]
    if _BASE64_UNBROKEN.match(first) is None or not _mixed(sample.head):
        return None
    body_end = len(text.rstrip("'\" \t\r\n"))
    if _BASE64.fullmatch(text, start, body_end) is None:
        return None
    what = next((name for magic, name in _MAGIC if first.startswith(magic)), "")
    return _Finding(f"base64{f' ({what})' if what else ''}", readable=False)


def _mixed(head: str) -> bool:
    """Whether letters of both cases and digits are mixed as in base64: a list of words or of paths is not."""
    upper = sum(map(str.isupper, head))
    digits = sum(map(str.isdigit, head))
    return upper > len(head) // 8 and digits > len(head) // 40 and head.count("/") + head.count("_") + head.count("-") < len(head) // 12


def _is_hex(sample: Sample) -> bool:
    start = sample.head[:400]
    if _HEX.fullmatch(start) is None or sum(map(str.isdigit, start)) > 0.85 * len(start.replace(" ", "")):
        return False  # digits only are numbers
    words = start.split()
    if any(len(word) % 2 and ":" not in word for word in words[:-1]) or (len(words) > 3 and len({len(word) for word in words[1:-1]}) > 1):
        return False
    if "\n" in start and 7 <= len(words[0]) <= 64 and len(words) > 3:
        return False  # a list of hashes or ids: each line is a value of its own
    return _HEX.fullmatch(sample.text) is not None


def _floats(sample: Sample) -> _Finding | None:
    if _JSON_NUMBERS.match(sample.head) or sample.first == "{":
        return None
    frame = _FLOAT_FRAME.match(sample.head)
    head = sample.head[frame.end() if frame else 0 :][:2_000]
    words = head.replace(",", " ").replace("[", " ").replace("]", " ").split()[:-1]
    if len(words) < 64 or len(words) < 4 * (head.count("\n") + 1):
        return None
    if not any(map(_FLOAT.fullmatch, words[:8])) or sum(_FLOAT.fullmatch(word) is not None for word in words) < 0.95 * len(words):
        return None
    numbers = sum(1 for _ in _FLOAT.finditer(sample.text))
    return _Finding(f"array of {numbers:,} floats", readable=False)


def _minified(sample: Sample) -> _Finding | None:
    head = sample.head
    if sample.first in "[<\"'" or (sample.first == "{" and sample.last == "}"):
        return None
    longest = max(map(len, sample.lines), default=0)
    if longest < 500 or longest < 0.8 * len(head) or head[:300].count(" ") > 45:
        return None
    punctuation = sum(map(head.count, "{};:,()="))
    if punctuation < 0.08 * len(head) or head.count(" ") > 0.1 * len(head) or len(_MINIFIED.findall(head)) < 5:
        return None
    return _Finding("minified code", readable=True)


def _ends(text: str, finding: _Finding) -> Shortened | None:
    head = text[: safe_cut(text, min(_HEAD, len(text)))]
    tail_from = safe_cut(text, max(len(text) - _TAIL, len(head)))
    hidden = tail_from - len(head)
    if hidden <= 0:
        return None
    body = f"{head}[… {hidden:,} characters]{text[tail_from:]}"
    return Shortened(body, _note(finding, text, hidden), True)


def _regions(text: str, request: Request, finding: _Finding, allowance: int) -> Shortened | None:
    lines = text.split("\n")
    units = units_of(Folded(lines, range(1, len(lines) + 1), range(1, len(lines) + 1)))
    worths = ends_and_hits(units.texts, request.query, BLOB)
    keep = choose_units(units, worths, min(allowance, _READABLE_TOKENS))
    shown = show(units, keep)
    return Shortened(shown.text, _note(finding, text, shown.hidden), True) if shown.hidden else None


def _note(finding: _Finding, text: str, hidden: int) -> str:
    return f"{finding.name} of {len(text):,} characters, {hidden:,} left out"
