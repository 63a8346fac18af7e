"""Content-encodings of request bodies: what is inside, if that can be read here."""

from __future__ import annotations

import zlib
from collections.abc import Callable


def decoded(body: bytes, encoding: str, most_bytes: int) -> bytes | None:
    """`body` without its content-encoding; None if one is not known here, is broken, or unpacks to more than `most_bytes`."""
    for name in reversed([name.strip().lower() for name in encoding.split(",") if name.strip()]):
        if name == "identity":
            continue
        decode = _DECODERS.get(name)
        inner = decode(body, most_bytes) if decode is not None else None
        if inner is None:
            return None
        body = inner
    return body


def _inflated(body: bytes, most_bytes: int, wbits: int) -> bytes | None:
    machine = zlib.decompressobj(wbits)
    try:
        inner = machine.decompress(body, most_bytes + 1)
    except zlib.error:
        return None
    return inner if machine.eof and not machine.unused_data and len(inner) <= most_bytes else None


def _gzip(body: bytes, most_bytes: int) -> bytes | None:
    return _inflated(body, most_bytes, 16 + zlib.MAX_WBITS)


def _deflate(body: bytes, most_bytes: int) -> bytes | None:
    """With zlib's header, as the standard has it, or without, as some write it."""
    inner = _inflated(body, most_bytes, zlib.MAX_WBITS)
    return _inflated(body, most_bytes, -zlib.MAX_WBITS) if inner is None else inner


def _brotli(body: bytes, most_bytes: int) -> bytes | None:
    try:
        import brotli  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where it is installed: few clients send it
    except ImportError:
        return None
    machine, inner = brotli.Decompressor(), b""
    try:
        for start in range(0, len(body), 4096):  # step by step: a small body may unpack to a huge one
            inner += machine.process(body[start : start + 4096])
            if len(inner) > most_bytes:
                return None
    except brotli.error:
        return None
    return inner if machine.is_finished() else None


def _zstd(body: bytes, most_bytes: int) -> bytes | None:
    try:
        import zstandard  # only where it is installed, as above
    except ImportError:
        return None
    try:
        with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
            inner = reader.read(most_bytes + 1)
    except zstandard.ZstdError:
        return None
    return inner if len(inner) <= most_bytes else None


_DECODERS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
