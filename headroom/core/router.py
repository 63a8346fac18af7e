"""Which compressor gets a text: the first in this table that claims it. Adding a kind is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import cast

from headroom.core.compressors.base import Compressor
from headroom.core.detect import Sample
from headroom.core.types import ContentKind

KINDS = (
    "json_records",  # before blob: a long minified document is JSON first
    "blob",
    "html",
    "source_code",  # early: the most frequent large output of coding agents, and surely recognised
    "diffs",
    "search_hits",
    "test_reports",
    "reprs",
    "tables",
    "key_values",
    "listings",
    "logs",
    "prose",
    "text",  # claims whatever is left
)
"""Most specific first. The kind `json_records` is the class `JsonRecords` of `compressors/json_records.py`."""

NEEDS: dict[ContentKind, Callable[[Sample], bool]] = {
    "json_records": lambda sample: sample.first in ("{", "["),
    "html": lambda sample: sample.first == "<",
    "diffs": lambda sample: sample.text.find("@@ -", 0, 30_100) >= 0,
    "reprs": lambda sample: sample.first in ("[", "(", "{") or "(" in sample.head[:60],
}
"""What a text of this kind never lacks: without it the kind is not even loaded, which costs some milliseconds each."""

NEVER_IN_USER_TEXT = frozenset(("key_values", "prose", "source_code", "text"))
"""Kinds that a person writes: left alone where they stand in a user's message."""


@cache
def compressor_of(kind: ContentKind) -> Compressor:
    """The one compressor of a kind. Loaded with the first text that may be of it."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    return cast(Compressor, getattr(import_module(f"headroom.core.compressors.{kind}"), name)())


def default_compressors() -> Iterator[Compressor]:
    """One compressor of each kind, in order."""
    return map(compressor_of, KINDS)


def candidates(sample: Sample) -> Iterator[Compressor]:
    """The compressors to ask about a text, in order: all whose kind it may be at all."""
    return (compressor_of(kind) for kind in KINDS if kind not in NEEDS or NEEDS[kind](sample))


def route_kind(text: str) -> str:
    """The kind of `text`: of the first compressor that claims it."""
    sample = Sample(text)
    return next(compressor.kind for compressor in candidates(sample) if compressor.claims(sample))
