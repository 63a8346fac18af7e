"""Search hits: a file and its hits stay together, every file is named, and what is left out is counted exactly."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core.compressors.search_hits import SearchHits
from headroom.core.detect import Sample
from headroom.core.tokens import count, estimate
from headroom.core.types import Request
from headroom.core.worth import Query

HITS = SearchHits()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def request(budget: int = 800, share: float = 0.08, **terms: float) -> Request:
    return Request(Query(tuple(terms.items())), budget, share)


def decode(text: str, *, implied: bool, plain: bool = False) -> str:
    """The reference decoder of the fold."""
    lines = text.split("\n")
    out: list[tuple[str, str, int]] = []  # line, path, number
    in_lines = False
    at = 0

    def is_row(line: str) -> bool:
        return line.startswith("  ") if plain else re.match(r"\d{1,9}[:\-]", line) is not None or line == "--"

    while at < len(lines):
        if at + 1 < len(lines) and not is_row(lines[at]) and is_row(lines[at + 1]):
            if in_lines:
                assert out.pop()[0] == ""
            path, at = lines[at], at + 1
            while at < len(lines) and is_row(lines[at]):
                row = lines[at]
                number = re.match(r"\d+", row)
                sign = ":" if plain or (number and row[number.end()] == ":") else "-"
                out.append(
                    ("--", "", 0) if row == "--" else (path + sign + (row[2:] if plain else row), path, int(number[0]) if number else 0)
                )
                at += 1
            if at < len(lines):
                assert lines[at] == ""
            at += 1
            in_lines = False
        else:
            flat = re.match(r"([^\s:]+?)[:\-](\d+)[:\-]", lines[at])
            out.append((lines[at], flat[1] if flat else "", int(flat[2]) if flat else 0))
            at += 1
            in_lines = True
    if implied:
        with_separators = out[:1]
        for earlier, later in pairwise(out):
            if earlier[1] != later[1] or later[2] != earlier[2] + 1:
                with_separators.append(("--", "", 0))
            with_separators.append(later)
        out = with_separators
    return "\n".join(line for line, _, _ in out)


GREP = """src/orders/service.py:12:class OrderService:
src/orders/service.py:40:    def cancel(self, order):
src/orders/service.py:77:        raise OrderError(order)
src/orders/views.py:8:from orders.service import OrderService
tests/test_orders.py:3:from orders.service import OrderService
tests/test_orders.py:19:    service = OrderService()
"""
FOLDED = """src/orders/service.py
12:class OrderService:
40:    def cancel(self, order):
77:        raise OrderError(order)

src/orders/views.py:8:from orders.service import OrderService

tests/test_orders.py
3:from orders.service import OrderService
19:    service = OrderService()
"""


def test_the_fold_writes_each_file_once() -> None:
    shortened = HITS.compress(GREP, LOSSLESS)
    assert shortened is not None
    assert shortened.text == FOLDED
    assert not shortened.lossy
    assert decode(shortened.text.rstrip("\n"), implied=False) + "\n" == GREP


def test_context_lines_keep_their_file_and_their_dash() -> None:
    text = "\n".join(f"--\nlib/a-b.c-{n - 1}-before {n}\nlib/a-b.c:{n}:hit {n}\nlib/a-b.c-{n + 1}-after {n}" for n in range(10, 60, 10))[3:]
    shortened = HITS.compress(text, LOSSLESS)
    assert shortened is not None
    assert shortened.text.startswith("lib/a-b.c\n9-before 10\n10:hit 10\n11-after 10\n19-before 20\n")
    assert shortened.note.endswith("-- left out")
    assert decode(shortened.text, implied=True) == text


def test_plain_hits_without_numbers() -> None:
    text = "\n".join(f"conf/site.d/{name}.conf:    listen {port} default_server;" for name in ("main", "alt") for port in (80, 443, 8080))
    assert HITS.claims(Sample(text))
    shortened = HITS.compress(text, LOSSLESS)
    assert shortened is not None
    assert shortened.text.startswith("conf/site.d/main.conf\n      listen 80 default_server;\n")
    assert decode(shortened.text, implied=False, plain=True) == text


PATHS = st.sampled_from(["a.py", "src/a.py", "src/b-1-x.py", "C:\\x\\y.c", "Makefile", "12-x/a.py", "src/[id]/p.tsx", "b.py"])
TEXTS = st.text(alphabet=st.sampled_from("ab: -1\t()x.py/\r\u00e9"), max_size=14)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(PATHS, st.integers(1, 99), st.booleans(), TEXTS), min_size=3, max_size=25), st.booleans())
def test_the_fold_decodes_to_equal_lines(hits: list[tuple[str, int, bool, str]], separated: bool) -> None:
    known = {path for path, _, hit, _ in hits if hit}
    rows = [f"{path}:{n}:{text}" if hit or path not in known else f"{path}-{n}-{text}" for path, n, hit, text in hits]
    text = ("\n--\n" if separated else "\n").join(rows)
    shortened = HITS.compress(text, LOSSLESS)
    if shortened is not None:
        implied = shortened.note.endswith("-- left out")
        if implied and any("-1-x" in path for path in known):
            return  # the decoder of this test cannot tell such a name from a context line
        assert decode(shortened.text, implied=implied) == text


def many(files: int, hits: int) -> str:
    return "\n".join(
        f"pkg/mod{f // 10}/file_{f}.py:{n * 7 + 1}:    value_{f}_{n} = compute(item, {n})" for f in range(files) for n in range(hits)
    )


def test_every_file_is_listed_and_the_counts_are_exact() -> None:
    text = many(40, 30)
    shortened = HITS.compress(text, request())
    assert shortened is not None and shortened.lossy
    for f in range(40):
        assert f"file_{f}.py" in shortened.text
    shown = len(set(re.findall(r"value_\d+_\d+ ", shortened.text)))
    assert shortened.note == f"{1200 - shown:,} of 1,200 hits left out, 40 files"
    assert count(shortened.note) < 35
    assert estimate(shortened.text) <= 1.1 * request().allowance(estimate(text))


def test_more_files_than_fit_are_counted_by_folder() -> None:
    text = many(900, 3)
    shortened = HITS.compress(text, request(400, 0.0))
    assert shortened is not None
    rest = re.search(r"\[… ([\d,]+) more files, ([\d,]+) hits; files \(hits\) by folder: (.*)\]", shortened.text)
    assert rest is not None
    named = len({*re.findall(r"file_\d+\.py", shortened.text)})
    assert int(rest[1].replace(",", "")) == 900 - named
    assert int(rest[2].replace(",", "")) == 3 * (900 - named)
    assert sum(int(n.replace(",", "")) for n in re.findall(r" ([\d,]+) \(", rest[3])) == 900 - named


def test_no_two_hits_are_fused() -> None:
    text = many(60, 20)
    originals = set(text.split("\n"))
    for budget in (50, 300, 900, 3000):
        shortened = HITS.compress(text, request(budget, 0.0))
        assert shortened is not None
        path = ""
        for line in shortened.text.split("\n"):
            if re.match(r"\d+:", line):
                assert f"{path}:{line}" in originals
            elif line and not line.startswith("[…") and line not in originals:
                path = line


def test_what_was_asked_for_and_definitions_come_first() -> None:
    text = (
        many(50, 20)
        .replace("value_33_11 = compute(item, 11)", "rollback_ledger(item)")
        .replace("    value_20_9 = compute(item, 9)", "def compute(item, n):")
    )
    shortened = HITS.compress(text, request(rollback_ledger=9.0))
    assert shortened is not None
    assert "78:    rollback_ledger(item)" in shortened.text
    assert "64:def compute(item, n):" in shortened.text


def test_more_budget_never_shows_less() -> None:
    text = many(45, 12) + "\nsrc/min.js:1:" + "x" * 5_000
    shown: set[str] = set()
    for budget in range(0, 6_000, 97):
        shortened = HITS.compress(text, request(budget, 0.0))
        body = text if shortened is None else shortened.text
        now = set(re.findall(r"value_\d+_\d+ |file_\d+\.py", body))
        assert shown <= now
        shown = now


def test_a_very_long_hit_is_cut_around_the_match() -> None:
    text = "\n".join(
        [f"web/app.js:1:{'x=1;' * 3_000}needle_here(){'y=2;' * 3_000}"] + [f"src/m{n}.js:{n}:  call(needle_here, {n})" for n in range(200)]
    )
    shortened = HITS.compress(text, request(needle_here=9.0))
    assert shortened is not None
    assert "needle_here()" in shortened.text
    assert re.search(r"^(web/app\.js:)?1:\[… [\d,]+ characters\].*\[… [\d,]+ characters\]$", shortened.text, re.MULTILINE)
    assert shortened.note.endswith("1 long line cut")


def test_a_little_over_the_allowance_is_folded_only() -> None:
    text = many(20, 5)
    shortened = HITS.compress(text, request(int(estimate(text) * 0.75), 0.0))
    assert shortened is not None and not shortened.lossy


def test_headings_of_ripgrep_are_read() -> None:
    text = "\n\n".join(
        f"src/part_{f}.rs\n" + "\n".join(f"{n}:    let value_{f}_{n} = read(source)?;" for n in range(5, 90, 4)) for f in range(30)
    )
    assert HITS.claims(Sample(text))
    assert HITS.compress(text, LOSSLESS) is None
    shortened = HITS.compress(text, request())
    assert shortened is not None
    assert all(f"part_{f}.rs" in shortened.text for f in range(30))
    assert re.search(r"[\d,]+ of 660 hits left out, 30 files$", shortened.note)


def test_counts_of_grep_c_are_listed_by_folder() -> None:
    text = "\n".join(f"src/core/file_{n}.py:{n % 4}" for n in range(30))
    assert HITS.claims(Sample(text))
    shortened = HITS.compress(text, LOSSLESS)
    assert shortened is not None
    assert shortened.text.startswith("src/core/: file_0.py:0, file_1.py:1, ")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{n}:    code line {n}" for n in range(1, 40)),
        "src/a.py\n" + "\n".join(f"{n}:    code line {n}" for n in range(1, 40)),
        "\n".join(f"src/a.c:{n}:5: error: expected ';' before token" for n in range(1, 20)),
        "\n".join(f"src/a.py:{n}: note: Revealed type is int" for n in range(1, 20)),
        "\n".join(f"src/a.py:{n}:1: E501 line too long" for n in range(1, 20)),
        "\n".join(f"lib/a.py:{n}: in call_{n}\n    run()" for n in range(1, 20)),
        "\n".join(f"main.go:{n}: connected to peer {n}" for n in range(1, 20)),
        "\n".join(f"12:30:{n}: started worker" for n in range(10, 40)),
        "\n".join(f"example.com/team/image:v1.{n}" for n in range(20)),
        "\n".join(f"app.kubernetes.io/name: part-{n}" for n in range(20)),
        "\n".join(f"https://example.com/a/{n}" for n in range(20)),
        "a: 1\nb: 2\nc: 3\nd: 4",
    ],
)
def test_other_things_are_left_to_other_kinds(text: str) -> None:
    assert not HITS.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", ":" * 100_000, "a.py:1:" * 50_000, "a.py:1:\n" * 50_000, "a.py:1:x\x00\ud800\n" * 2_000, "-1-" * 100_000,
        "a.py:1:x\n" + "a.py-1-" * 40_000 + "\na.py:2:y\nb.py:3:z", ("a/" * 400 + "x.py:9:text\n") * 3_000, "a.py:1:" + "x" * 5_000_000,
        "#" * 1_000 + " \n" * 1_000 + "1:x", "\n".join(f"a{n}-{n}-.py:{n}:{n}" for n in range(20_000)),
    ],
)  # fmt: skip
def test_nothing_raises_and_nothing_takes_long(text: str) -> None:
    started = time.process_time()
    HITS.claims(Sample(text))
    for asked in (request(x=1.0), request(0, 0.0), LOSSLESS):
        HITS.compress(text, asked)
    assert time.process_time() - started < 6


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from("a.py:/-1 2\n\r\ud800\x00"), max_size=300))
def test_any_text_is_survived(text: str) -> None:
    HITS.claims(Sample(text))
    HITS.compress(text, request(5, 0.0))


def test_a_test_run_is_no_search() -> None:
    text = "\n".join(f"tests/test_{i % 7}.py::test_case_{i} PASSED [{i:3}%]" for i in range(100))
    assert not SearchHits().claims(Sample(text))
