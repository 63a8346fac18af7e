"""How many tokens a text has: exactly, roughly, and "surely fewer than that one".

Exact counts come from toktok (the vocabularies of o200k_base and cl100k_base are in its wheel, so nothing is
fetched). Loading it takes about half a second, so it happens on first need, and `estimate` and
`surely_smaller` exist to make that need rare.
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
    unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in _counted}
    fresh = dict(zip(unknown, _count(list(unknown.values()), encoding), strict=True))
    total = sum(fresh[key] if key in fresh else _counted[key] for key in keys)
    _remember(fresh)
    return total


_MOST_REMEMBERED = 20_000
_counted: dict[bytes, int] = {}


def _key(text: str, encoding: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=encoding.encode()[:16]).digest()


def _remember(fresh: dict[bytes, int]) -> None:
    if len(_counted) + len(fresh) > _MOST_REMEMBERED:
        _counted.clear()
    _counted.update(fresh)


def _count(texts: list[str], encoding: str) -> list[int]:
    if not texts:
        return []
    import toktok  # loads a vocabulary of half a second: never at import time

    try:
        return list(toktok.batch_count(texts, encoding))
    except (UnicodeError, ValueError, TypeError):
        return list(toktok.batch_count([text.encode("utf-8", "replace").decode() for text in texts], encoding))


def surely_smaller(original: str, shortened: str, *, same_words: bool = False) -> bool:
    """Whether `shortened` has fewer tokens than `original`, decided by bounds where they suffice, else by counting.

    Never True when it is not so: a bound that cannot decide gives way to the exact count. `same_words` says that
    only blanks between words were removed (minified JSON), which never adds a token.
    """
    if len(shortened) >= 3 * len(original) + 64:
        return False
    if same_words and len(shortened) < 0.97 * len(original):
        return True
    return _least_saving(original, shortened) > _MARGIN or count(shortened) < count(original)


_MARGIN = 12
_RUN = re.compile(r"[A-Za-z]+|[0-9]+")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")
_BLANKS = re.compile(r"[ \t]{2,}")
_ENOUGH_CHARACTERS = 200_000


def _least_saving(original: str, shortened: str) -> int:
    """About the fewest tokens that can have been saved; 0 or less where this cannot tell.

    Lines that both texts have cancel out, and so do runs of letters or digits. Every other run was at least one
    token, and a new one costs at most a token a character. Punctuation runs are a token each, long ones more. Kept
    runs in new surroundings (" status" against ",status") are given a tenth of a token each: measured, it is less.
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
    added = "\n".join(added_lines).replace("…", "...")
    gone = "\n".join(removed)
    if not gone.isascii() or not added.isascii():
        return 0
    gone_runs = Counter(_RUN.findall(gone))
    floor = sum(gone_runs.values()) + len(_PUNCTUATION.findall(gone))
    ceiling = len(added_lines) + sum((len(run) + 2) // 3 for run in _PUNCTUATION.findall(added)) + len(_BLANKS.findall(added))
    for run, times in Counter(_RUN.findall(added)).items():
        shared = min(times, gone_runs.get(run, 0))
        ceiling += 1.1 * shared + (times - shared) * len(run)
    return int(floor - ceiling)
