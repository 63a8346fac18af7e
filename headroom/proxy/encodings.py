"""Request bodies in a content-encoding: what they hold, if that can be read here."""

from __future__ import annotations

import zlib
from collections.abc import Callable


def decoded(body: bytes, encoding: str, most_bytes: int) -> bytes | None:
    """`body` without its content-encoding (perhaps several); None if one is unknown here, broken, or grows over the limit."""
    for name in reversed([part.strip().lower() for part in encoding.split(",") if part.strip()]):
        if name == "identity":
            continue
        decode = _DECODERS.get(name)
        inner = None if decode is None else decode(body, most_bytes)
        if inner is None:
            return None
        body = inner
    return body


def reader_of(encoding: str) -> Callable[[bytes], bytes] | None:
    """What takes the content-encoding off a response piece by piece; None if it cannot be read here."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda piece: piece
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress
    return None


def _zlib_decoder(wbits: int) -> Callable[[bytes, int], bytes | None]:
    def decode(body: bytes, most: int) -> bytes | None:
        machine = zlib.decompressobj(wbits)
        try:
            inner = machine.decompress(body, most + 1)
        except zlib.error:
            return None
        return inner if machine.eof and not machine.unused_data and len(inner) <= most else None

    return decode


def _deflate(body: bytes, most: int) -> bytes | None:
    wrapped = _zlib_decoder(zlib.MAX_WBITS)(body, most)  # as the standard says
    return _zlib_decoder(-zlib.MAX_WBITS)(body, most) if wrapped is None else wrapped  # as some write it


def _brotli(body: bytes, most: int) -> bytes | None:
    try:
        import brotli  # type: ignore[import-not-found,import-untyped,unused-ignore]  # where it is installed: few clients send it
    except ImportError:
        return None
    machine = brotli.Decompressor()
    pieces: list[bytes] = []
    try:
        for start in range(0, len(body), _PIECE):
            pieces.append(machine.process(body[start : start + _PIECE]))
            if sum(map(len, pieces)) > most:
                return None
    except brotli.error:
        return None
    return b"".join(pieces) if machine.is_finished() else None


_PIECE = 1 << 16


def _zstd(body: bytes, most: int) -> bytes | None:
    try:
        import zstandard  # as above
    except ImportError:
        return None
    try:
        with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
            inner = reader.read(most + 1)
    except zstandard.ZstdError:
        return None
    return inner if len(inner) <= most else None


_DECODERS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _zlib_decoder(16 + zlib.MAX_WBITS),
    "x-gzip": _zlib_decoder(16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
