"""Large JSON documents: cut at the right places, read run by run, digested like small ones."""

from __future__ import annotations

import json
import random
import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from headroom.core.compressors import json_records
from headroom.core.compressors.json_records import JsonRecords
from headroom.core.compressors.records import parts as json_parts
from headroom.core.compressors.records import sieve as json_sieve
from headroom.core.types import Request, Shortened
from headroom.core.worth import Query

MARK = re.compile(r"\[… (?:(\d+) (?:row|item|key)s?\b|row|item|key)")


def within(tokens: int, *terms: str) -> Request:
    return Request(Query(tuple((term, 6.0) for term in terms)), tokens, 0.08)


def shorten(text: str, request: Request) -> Shortened:
    result = JsonRecords().compress(text, request)
    assert result is not None
    return result


def events(count: int) -> list[dict[str, Any]]:
    chance = random.Random(4)
    rows: list[dict[str, Any]] = [
        {
            "id": number,
            "level": chance.choice(["info"] * 300 + ["debug"]),
            "message": f"event {number} " + chance.choice(["done"] * 400 + ["connection refused"]),
            "load": {"value": round(chance.gauss(50, 5), 3), "unit": "%"},
            "service": "checkout",
        }
        for number in range(count)
    ]
    rows[count // 2]["load"]["value"] = 999.5
    rows[count * 3 // 4]["hint"] = {"why": "late"}
    return rows


def documents() -> dict[str, str]:
    rows = events(5_000)
    return {
        "rows": json.dumps(rows),
        "lines": "\n".join(map(json.dumps, rows)),
        "wrapped": json.dumps(
            {"total": 5_000, "events": rows, "users": [{"name": f"u{n}", "age": n % 90} for n in range(9_000)]}, indent=1
        ),
        "keyed": json.dumps({f"key-{n}": {"a": n, "b": {"c": n % 5}} for n in range(12_000)}),
        "unlike": json.dumps([{f"kind_{n % 40}": n, "o": {f"x{n % 13}": "m" * (n % 50)}} for n in range(7_000)]),
        "numbers": json.dumps(list(range(70_000))),
        "words": json.dumps([f"word {n}" for n in range(30_000)]),
        "pairs": json.dumps([[n, n % 7] for n in range(40_000)]),
        "members": json.dumps({f"key-{n}": n for n in range(25_000)}),
        "non-ASCII": json.dumps([{"id": n, "city": f"Łódź {n % 9} “{n}”"} for n in range(9_000)], ensure_ascii=False),
    }


def nested(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(7)
    if kind == 0 or depth > 5:
        return chance.choice([1, -2.5, None, True, "a,b]", "\\", '\\"', '"x"', 'q"{', "é,", "long " * 30, "\\\\"])
    if kind < 4:
        return [nested(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {chance.choice(["a", "b,", "\\", '"', "é"]) + str(n): nested(chance, depth + 1) for n in range(chance.randrange(5))}


@pytest.mark.parametrize("seed", range(8))
def test_containers_are_cut_at_their_own_commas(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(150):
        is_object = chance.random() < 0.5
        items = [nested(chance, 0) for _ in range(chance.randrange(1, 30))]
        value: Any = {f"k{n},": item for n, item in enumerate(items)} if is_object else items
        data = json.dumps(value, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1])).encode()
        monkeypatch.setattr(json_parts, "WINDOW", chance.choice([8, 20, 50, 200, 1_000]))
        monkeypatch.setattr(json_parts, "STEP", chance.choice([3, 10, 60]))
        found: list[Any] = []
        for part in json_parts.parts(data, 1, len(data) - 1, is_object):
            body = data[part.start : part.end]
            inner = json.loads(b"{" + body + b"}" if is_object else b"[" + body + b"]")
            assert len(inner) == 1 or not part.giant
            found += inner.items() if is_object else inner
        assert found == (list(value.items()) if is_object else value)


@pytest.mark.parametrize("name", documents())
def test_a_large_document_is_digested_like_a_small_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text = documents()[name]
    request = within(800, "event 4321", "key-777", "word 20202", "u8000")
    monkeypatch.setattr(json_records, "LARGE", 10**9)
    ordinary = shorten(text, request)
    monkeypatch.setattr(json_records, "LARGE", 1)
    monkeypatch.setattr(json_parts, "WINDOW", 20_000)
    sieved = shorten(text, request)
    # a word that stands everywhere is looked for in 200 places only, and those may be other ones
    before, after = (set(re.split(r"\n|(?<=[\d\"]),", result.text)) for result in (ordinary, sieved))
    assert len(before & after) > 0.9 * len(before)
    assert re.sub(r"\d+", "", sieved.note) == re.sub(r"\d+", "", ordinary.note)
    if name in ("rows", "lines", "wrapped"):
        for wanted in ("event 4321 ", "999.5", "late", "connection refused", "debug"):
            assert wanted in sieved.text


@pytest.mark.parametrize("name", documents())
def test_marks_and_note_count_what_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(json_records, "LARGE", 1)
    for budget in (60, 400, 3_000):
        result = shorten(documents()[name], within(budget))
        assert result.lossy
        marked = sum(int(match[1]) if match[1] else 1 for match in MARK.finditer(result.text))
        said = sum(int(number) for number in re.findall(r"(\d+) of \d+ (?:rows|items|keys)\b", result.note))
        assert marked == said or name == "wrapped"


@pytest.mark.parametrize("name", documents())
def test_more_budget_never_shows_less(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(json_records, "LARGE", 1)
    text = documents()[name]
    before: set[str] = set()
    for budget in (0, 100, 400, 1_600, 6_000):
        shown = re.sub(r"\[… [^\]]*\]", "\n", shorten(text, Request(Query(), budget, 0.0)).text)
        pieces = {piece for piece in re.split(r"[\n,]+", shown) if "event" in piece or "word" in piece or "key-" in piece}
        assert before <= pieces
        before = pieces


def test_a_constant_holds_for_every_row() -> None:
    rows = events(9_000)
    rows[8_111]["service"] = "billing"
    result = shorten(json.dumps(rows), within(800))
    assert "service=checkout" not in result.text.split("\n")[0]
    assert ",billing," in result.text
    assert "load.unit=%" in result.text.split("\n")[0]


def test_facts_about_the_rest_are_exact() -> None:
    rows = [{"id": n + 10, "state": "open" if n % 3 else "shut", "size": (n * 7919) % 10_007} for n in range(12_000)]
    result = shorten(json.dumps(rows), within(800))
    lines = result.text.split("\n")[1:]
    shown = {int(line.split(",")[0]) for line in lines if line[0].isdigit()}
    rest = [row for row in rows if row["id"] not in shown]
    opened = sum(row["state"] == "open" for row in rest)
    ids, sizes = [row["id"] for row in rest], [row["size"] for row in rest]
    assert result.note == (
        f"{len(rest)} of 12000 rows left out, state: {opened} open, {len(rest) - opened} shut; "
        f"id {min(ids)} to {max(ids)}; size {min(sizes)} to {max(sizes)}"
    )


BROKEN: dict[str, Callable[[str], str]] = {
    "cut off": lambda body: "[" + body,
    "a comma too many": lambda body: f"[{body},]",
    "a comma at the start": lambda body: f"[,{body}]",
    "a bracket too many": lambda body: f"[{body}]]",
    "the wrong bracket": lambda body: f"[{body}, {{]]",
    "a repeated key": lambda body: f'[{body}, {{"id": 1, "id": 2}}]',
    "a lone surrogate": lambda body: f'[{body}, "\ud800"]',
    "not a number": lambda body: f"[{body}, NaN]",
    "two documents": lambda body: f"[{body}][{body}]",
}


@pytest.mark.parametrize("harm", BROKEN)
def test_what_cannot_be_kept_exactly_is_refused(harm: str) -> None:
    body = json.dumps(events(4_000))[1:-1]
    assert len(body) > json_sieve.LARGE
    assert JsonRecords().compress(BROKEN[harm](body), within(800)) is None


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000 + "]" * 500_000,
        "[" * 500_000,
        '{"text": "' + "\\\\" * 300_000 + '"}',
        '{"text": "' + '\\"{[' * 200_000 + '", "b": [1, 2]}',
        '{"a": [1, 2, {"b":\n' * 40_000,
        '{"a": [1, ' * 30 + json.dumps(list(range(80_000))) + "]}" * 30,
        json.dumps([[{"x": n, "y": "abc"} for n in range(30_000)] for _ in range(3)]),
        "[" + '"\\u0000",' * 90_000 + "1]",
        '{"' + "k" * 400_000 + '": 1}',
        "[" + " " * 400_000 + "]",
        "9" * 400_000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_any_large_text_is_dealt_with(text: str) -> None:
    result = JsonRecords().compress(text, within(800))
    assert result is None or len(result.text) < len(text)


@pytest.mark.parametrize("name", ["rows", "lines", "keyed", "pairs"])
def test_memory_stays_below_ten_times_the_input(name: str) -> None:
    text = documents()[name]
    text = "[" + ",".join([text] * (1_000_000 // len(text))) + "]" if name != "lines" else "\n".join([text] * 3)
    request = within(800)
    JsonRecords().compress(text[:1], request)
    tracemalloc.start()
    JsonRecords().compress(text, request)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(text)
