"""Which compressor gets a text: the first in this table that claims it. Adding a kind is a file and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import cast

from headroom.core.compressors.base import Compressor
from headroom.core.detect import Sample

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

NEVER_IN_USER_TEXT = frozenset(("key_values", "prose", "source_code", "text"))
"""Kinds that a person writes: left alone where they stand in a user's message."""


@cache
def default_compressors() -> tuple[Compressor, ...]:
    """One compressor of each kind, in order.

    Loaded with the first text: the kinds and their patterns take longer to load than all the rest, and a program
    that imports headroom may never compress anything.
    """
    return tuple(_load(kind) for kind in KINDS)


def _load(kind: str) -> Compressor:
    name = "".join(word.capitalize() for word in kind.split("_"))
    return cast(Compressor, getattr(import_module(f"headroom.core.compressors.{kind}"), name)())


def route(text: str) -> Iterator[Compressor]:
    """The compressors that claim `text`, most specific first: where one declines, the next simpler one may try."""
    sample = Sample(text)
    return (compressor for compressor in default_compressors() if compressor.claims(sample))


def route_kind(text: str) -> str:
    """The kind of `text`: of the first compressor that claims it."""
    return next(route(text)).kind
