"""Blobs: recognised without taking readable text for one; both ends shown, sizes true."""

from __future__ import annotations

import base64
import random
import re

import pytest

from headroom.core.compressors.blob import Blob
from headroom.core.detect import Sample
from headroom.core.types import Request
from headroom.core.worth import Query

NOISE = random.Random(7).randbytes(12_000)
B64 = base64.b64encode(NOISE).decode()
WRAPPED = base64.encodebytes(NOISE).decode()
DUMP = "\n".join(
    f"{i:08x}: " + " ".join(NOISE[i + k : i + k + 2].hex() for k in range(0, 16, 2)) + "  ................" for i in range(0, 8_000, 16)
)
FLOATS = "[" + " ".join(f"{value / 997 - 0.5:.6f}" for value in NOISE[:1536]) + "]"
MINIFIED = "".join(f"function f{i}(a,b){{var c=a+b;return c>{i}?f{i + 1}(c,a):[a,b,c]}}" for i in range(300))
STYLE = "".join(f".c{i}{{margin:0 {i}px;color:#fff}}" for i in range(300))


def request(budget: int = 800, lossless: bool = False, **terms: float) -> Request:
    return Request(Query(tuple(terms.items())), budget, 0.08, lossless)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (B64, "base64"),
        (WRAPPED, "base64"),
        ("data:image/png;base64,iVBORw0KGgo" + B64, "base64 (PNG image)"),
        ("-----BEGIN CERTIFICATE-----\n" + WRAPPED + "-----END CERTIFICATE-----\n", "base64 (certificate)"),
        (NOISE.hex(), "hex"),
        (DUMP, "hex dump"),
        (FLOATS, "array of 1,536 floats"),
        ("array(" + FLOATS.replace(" ", ", ") + ")", "array of 1,536 floats"),
        (MINIFIED, "minified code"),
        (STYLE, "minified code"),
        (NOISE.decode("latin-1"), "binary data"),
        (NOISE.decode("utf-8", "replace"), "binary data"),
    ],
)
def test_kinds(text: str, name: str) -> None:
    assert Blob().claims(Sample(text))
    result = Blob().compress(text, request())
    assert result is not None
    assert result.lossy
    assert result.note.startswith(f"{name} of {len(text):,} characters, ")
    assert len(result.text) < 1_800
    assert text.startswith(result.text.split("[…")[0])
    assert text.endswith(result.text.split("]")[-1])


def test_the_sizes_add_up() -> None:
    result = Blob().compress(B64, request())
    assert result is not None
    head, hidden, tail = re.split(r"\[… ([\d,]+) characters\]", result.text)
    count = int(hidden.replace(",", ""))
    assert head + B64[len(head) : len(head) + count] + tail == B64
    assert result.note == f"base64 of {len(B64):,} characters, {count:,} left out"


def test_the_query_finds_its_place_in_minified_code() -> None:
    result = Blob().compress(MINIFIED, request(f150=9.0))
    assert result is not None
    assert "function f150(" in result.text


@pytest.mark.parametrize(
    "text",
    [
        "[" + ", ".join(str(value / 997) for value in NOISE[:1000]) + "]",
        '{"data": "' + B64 + '"}',
        "\n".join(f"src/module_{i}/handlers/file_{i}.py" for i in range(200)),
        "\n".join(f"AbstractFactoryBean{i}Configuration" for i in range(200)),
        "\n".join(NOISE[i : i + 20].hex() for i in range(0, 4_000, 20)),
        "\n".join(f"{NOISE[i : i + 4].hex()} fix the build of module {i}" for i in range(300)),
        "\n".join(f"{i} {i * 17}" for i in range(500)),
        "1234567890" * 200,
        "word " * 500,
        "名前" * 500,
        "",
        "{" + MINIFIED + "}",
        "<html><body>" + MINIFIED,
        "a,b,c\n" + "\n".join(f"{i},{i * 0.5},{i * 0.25}" for i in range(300)),
    ],
)
def test_readable_text_is_no_blob(text: str) -> None:
    assert not Blob().claims(Sample(text))


def test_room_enough_or_lossless_leaves_it_whole() -> None:
    assert Blob().compress(B64, request(budget=50_000)) is None
    assert Blob().compress(B64, request(lossless=True)) is None
    assert Blob().compress("plain words, not a blob at all " * 200, request()) is None


@pytest.mark.parametrize(
    "text", ["\ud83d" * 9_000, "\0" * 9_000, "A1" * 300_000, "f" * 300_000 + "g1", "0x" * 9_000, "0.1234 " * 90_000, "=" * 90_000]
)
def test_hostile_texts(text: str) -> None:
    Blob().claims(Sample(text))
    result = Blob().compress(text, request(f=1.0))
    assert result is None or len(result.text) < len(text)
