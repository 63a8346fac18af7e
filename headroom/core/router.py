"""Which compressor gets a text: the first in this table that claims it. Adding a kind is a file and a line here."""

from __future__ import annotations

from collections.abc import Iterator

from headroom.core.compressors.base import Compressor
from headroom.core.compressors.blob import Blob
from headroom.core.compressors.json_records import JsonRecords
from headroom.core.compressors.logs import Logs
from headroom.core.compressors.source_code import SourceCode
from headroom.core.compressors.text import Text
from headroom.core.detect import Sample

DEFAULT_COMPRESSORS: tuple[Compressor, ...] = (
    JsonRecords(),  # before Blob: a long minified document is JSON first
    Blob(),
    SourceCode(),
    Logs(),
    Text(),  # claims whatever is left
)

NEVER_IN_USER_TEXT = frozenset(("source_code", "text"))
"""Kinds that a person writes: left alone where they stand in a user's message."""


def route(text: str) -> Iterator[Compressor]:
    """The compressors that claim `text`, most specific first: where one declines, the next simpler one may try."""
    sample = Sample(text)
    return (compressor for compressor in DEFAULT_COMPRESSORS if compressor.claims(sample))


def route_kind(text: str) -> str:
    """The kind of `text`: of the first compressor that claims it."""
    return next(route(text)).kind
