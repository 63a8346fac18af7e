"""Request bodies come out of their content-encoding, or stay as they are: never half, never more than allowed."""

from __future__ import annotations

import gzip
import importlib.util
import sys
import zlib
from types import ModuleType

import pytest

from headroom.wire.encodings import decoded

BODY = b'{"messages": []}' * 50
BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED_BARE = BARE.compress(BODY) + BARE.flush()


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", gzip.compress(BODY)),
        ("X-GZip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", DEFLATED_BARE),
        ("identity", BODY),
        ("", BODY),
        ("deflate, gzip", gzip.compress(zlib.compress(BODY))),
    ],
    ids=["gzip", "gzip's older name", "deflate", "deflate without a header", "identity", "none", "one in the other"],
)
def test_known_encodings(encoding: str, raw: bytes) -> None:
    assert decoded(raw, encoding, 10_000) == BODY


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY)[:-5]),
        ("gzip", gzip.compress(BODY) + b"more"),
        ("gzip", gzip.compress(b"x" * 20_000)),
        ("deflate", b"\xff\xff"),
        ("compress", BODY),
    ],
    ids=["no gzip", "cut", "more behind it", "too large", "no deflate", "unknown"],
)
def test_what_cannot_be_decoded_stays_as_it_is(encoding: str, raw: bytes) -> None:
    assert decoded(raw, encoding, 10_000) is None


def test_a_small_body_that_unpacks_to_a_huge_one_is_never_held() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert decoded(bomb, "gzip", 1_000) is None


class _FakeBrotli(ModuleType):
    """What the brotli package looks like to us: it takes pieces, and here it doubles every byte."""

    class error(Exception):
        pass

    class Decompressor:
        def __init__(self) -> None:
            self.seen = b""

        def process(self, piece: bytes) -> bytes:
            if b"!" in piece:
                raise _FakeBrotli.error
            self.seen += piece
            return piece * 2

        def is_finished(self) -> bool:
            return self.seen.endswith(b".")


def test_brotli_where_its_package_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", _FakeBrotli("brotli"))
    assert decoded(b"ab.", "br", 100) == b"ab.ab."
    assert decoded(b"ab", "br", 100) is None
    assert decoded(b"a!.", "br", 100) is None
    assert decoded(b"a" * 9_000 + b".", "br", 10_000) is None


@pytest.mark.skipif(importlib.util.find_spec("brotli") is not None, reason="it is installed here")
def test_brotli_stays_as_it_is_without() -> None:
    assert decoded(b"whatever", "br", 100) is None
