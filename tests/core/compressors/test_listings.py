"""Listings: names stay with their folder, counts are exact, and what was asked for is shown."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core.compressors.listings import Listings
from headroom.core.detect import Sample
from headroom.core.tokens import count, estimate
from headroom.core.types import Request
from headroom.core.worth import Query

LISTINGS = Listings()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def request(budget: int = 800, share: float = 0.08, **terms: float) -> Request:
    return Request(Query(tuple(terms.items())), budget, share)


def decode_paths(text: str) -> str:
    """The reference decoder of folded path lists."""
    out: list[str] = []
    for line in text.split("\n"):
        row = re.match(r"(.*?[/\\]): (.*)", line, re.DOTALL)
        out += [row[1] + name for name in row[2].split(", ")] if row else [line]
    return "\n".join(out)


def test_paths_are_listed_by_folder() -> None:
    text = "README.md\nsrc/app/main.py\nsrc/app/views.py\nsrc/app/urls.py\nsrc/setup.cfg\ntests/test_app.py\ntests/conftest.py\n"
    shortened = LISTINGS.compress(text, LOSSLESS)
    assert shortened is not None and not shortened.lossy
    assert shortened.text == "README.md\nsrc/app/: main.py, views.py, urls.py\nsrc/setup.cfg\ntests/: test_app.py, conftest.py\n"
    assert decode_paths(shortened.text) == text


NAME = st.text(alphabet=st.sampled_from("ab._- ,:c\r"), min_size=1, max_size=6)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "src/", "./", "/", "a/b c/", "src/x:/", "C:\\t\\"]), NAME), max_size=30))
def test_folded_paths_decode_to_equal_lines(parts: list[tuple[str, str]]) -> None:
    text = "\n".join(["src/one.py", "src/two.py", "lib/three.py", "lib/four.py", *(folder + name for folder, name in parts)])
    shortened = LISTINGS.compress(text, LOSSLESS)
    if shortened is not None and shortened.note == "names listed by folder":
        assert decode_paths(shortened.text) == text


def test_columns_that_repeat_are_stated_once() -> None:
    text = "total 24\ndrwxr-xr-x 4 ann staff  128 Jan  3 10:00 .\n"
    text += "".join(f"-rw-r--r-- 1 ann staff {n}00 Jan  4 11:0{n} part{n}.txt\n" for n in range(1, 7))
    shortened = LISTINGS.compress(text, LOSSLESS)
    assert shortened is not None
    assert shortened.text.split("\n")[:4] == [
        "[every entry: owner ann, group staff; -rw-r--r-- 1 unless shown]",
        "total 24",
        "drwxr-xr-x 4 128 Jan 3 10:00 .",
        "100 Jan 4 11:01 part1.txt",
    ]


def test_what_is_staged_is_told_from_what_is_not() -> None:
    text = "".join(f"{status} src/module/file{n}.py\n" for n, status in enumerate(["M ", " M", "D ", " D", "MM", "??", "A "] * 6))
    shortened = LISTINGS.compress(text, LOSSLESS)
    assert shortened is not None and not shortened.lossy
    assert shortened.text.startswith(
        "src/module/: M. file0.py, .M file1.py, D. file2.py, .D file3.py, MM file4.py, ?? file5.py, A. file6.py"
    )
    assert shortened.note == "entries listed by folder, . for a blank status"
    digest = LISTINGS.compress(text * 9, request(60, 0.0))
    assert digest is not None and digest.lossy and "M. file0.py, .M file1.py" in digest.text


def test_one_status_for_all_is_said_once() -> None:
    text = "".join(f" M src/module/file{n}.py\n" for n in range(20))
    shortened = LISTINGS.compress(text, LOSSLESS)
    assert shortened is not None and shortened.text.startswith("[every entry: .M]\nsrc/module/: file0.py, file1.py")
    mixed = LISTINGS.compress(text.replace(" M", "M\t"), LOSSLESS)
    assert mixed is not None and mixed.text.startswith("[every entry: M]\n") and mixed.note == "entries listed by folder"


def test_the_sign_of_a_binary_checksum_stays() -> None:
    text = "".join(f"{n:032x} {' *'[n % 2]}some/quite/long/folder/file_{n}.bin\n" for n in range(30))
    shortened = LISTINGS.compress(text, LOSSLESS)
    assert shortened is not None
    assert f"{2:032x} file_2.bin" in shortened.text and f"{3:032x}* file_3.bin" in shortened.text


def test_a_tree_is_indented() -> None:
    text = ".\n├── docs\n│   ├── a.md\n│   └── b.md\n└── src\n    └── core\n        └── x.py\n\n3 directories, 3 files\n"
    assert LISTINGS.claims(Sample(text))
    shortened = LISTINGS.compress(text, LOSSLESS)
    assert shortened is not None
    assert shortened.text == ".\n docs\n  a.md\n  b.md\n src\n  core\n   x.py\n\n3 directories, 3 files\n"


def big(folders: int = 30, files: int = 40) -> str:
    lines = [f"src/area_{d}/module_{d}_{n}.{'py' if n % 4 else 'json'}" for d in range(folders) for n in range(files)]
    return "\n".join(["README.md", "pyproject.toml", *lines, *(f"node_modules/dep_{n}/index.js" for n in range(400))])


def test_counts_add_up() -> None:
    text = big()
    shortened = LISTINGS.compress(text, request())
    assert shortened is not None and shortened.lossy
    left = re.match(r"([\d,]+) of 1,602 entries left out, 431 folders$", shortened.note)
    assert left is not None and count(shortened.note) < 35
    shown = len(set(re.findall(r"module_\d+_\d+\.\w+|README\.md|pyproject\.toml|index\.js", shortened.text)))
    assert int(left[1].replace(",", "")) == 1602 - shown
    counted = 0
    for mark in re.findall(r"\[… ([^\]]*)\]", shortened.text):
        counted += int(re.search(r"([\d,]+) (?:more|entries|\.)", mark)[1].replace(",", ""))  # type: ignore[index]
    assert counted == 1602 - shown
    assert estimate(shortened.text) <= 1.1 * request().allowance(estimate(text))


def test_folders_telling_names_and_the_query_are_kept_and_dependencies_counted() -> None:
    shortened = LISTINGS.compress(big(), request(module_17_23=9.0))
    assert shortened is not None
    assert "README.md" in shortened.text and "pyproject.toml" in shortened.text
    assert "module_17_23.py" in shortened.text
    assert all(f"src/area_{d}/: " in shortened.text for d in range(30))
    assert "node_modules/ 400" in shortened.text


def test_more_budget_never_shows_less() -> None:
    text = big(20, 12)
    shown: set[str] = set()
    for budget in range(0, 4_000, 61):
        shortened = LISTINGS.compress(text, request(budget, 0.0))
        now = set(re.findall(r"module_\d+_\d+\.\w+", text if shortened is None else shortened.text))
        assert shown <= now
        shown = now


def test_names_under_headings_belong_to_their_folder() -> None:
    text = "\n\n".join(f"./part_{d}:\n" + "\n".join(f"file_{d}_{n}.txt" for n in range(60)) for d in range(20))
    assert LISTINGS.claims(Sample(text))
    assert LISTINGS.compress(text, LOSSLESS) is None
    shortened = LISTINGS.compress(text, request(file_13_44=9.0))
    assert shortened is not None and shortened.note.endswith(" of 1,200 entries left out, 20 folders")
    assert re.search(r"^\./part_13/: .*file_13_44\.txt", shortened.text, re.MULTILINE)


def test_a_log_that_begins_with_names_is_no_listing() -> None:
    text = "".join(f"part_{n}.cpp\n" for n in range(60)) + "".join(f"part_{n}.cpp compiled in {n} ms\nnext {n}\n" for n in range(60))
    assert LISTINGS.compress(text, request(10, 0.0)) is None


def test_hashes_go_before_names() -> None:
    text = "\n".join(f"100644 blob {n:040x} {n * 11}\tsrc/part_{n % 9}/file_{n}.py" for n in range(200))
    folded = LISTINGS.compress(text, LOSSLESS)
    assert folded is not None and f"{199:040x} 2189 file_199.py" in folded.text.replace("src/part_1/", "")
    shortened = LISTINGS.compress(text, request())
    assert shortened is not None and shortened.note.endswith("hashes, modes, sizes left out")
    assert "0" * 30 not in shortened.text


def test_a_long_listing_keeps_rows_whole() -> None:
    text = "\n".join(f"-rw-r--r-- 1 root root {n * 37} Mar  {n % 9 + 1} 12:00 record_{n}.csv" for n in range(600))
    shortened = LISTINGS.compress(text, request(record_411=9.0))
    assert shortened is not None
    assert f"{411 * 37} Mar {411 % 9 + 1} 12:00 record_411.csv" in shortened.text
    assert re.search(r"\[… ([\d,]+) more \.csv\]", shortened.text)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"word{n}" for n in range(30)),
        "\n".join(f"https://example.com/a/b{n}" for n in range(30)),
        "\n".join(f"def function_{n}(a/b):" for n in range(30)),
        "\n".join(f"The cat and/or dog number {n} sat." for n in range(30)),
        "\n".join(f"{n} some words here" for n in range(30)),
        "\n".join(f"id_{n}\tname\tvalue" for n in range(30)),
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20,
    ],
)
def test_other_things_are_left_to_other_kinds(text: str) -> None:
    assert not LISTINGS.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "", "/" * 200_000, "a/\n" * 100_000, "a/b\x00\ud800\n" * 5_000, "a/" * 500_000, ("d/" * 300 + "x.py\n") * 999, "a/b.py\n" * 90_000,
        "".join(f"{'│   ' * n}├── d{n}\n" for n in range(120)), "├── " + "x" * 500_000 + "\n" + "│   ├── y\n" * 20_000, "│" * 9_000,
        "-rw-r--r-- 1 a b 1 Jan 1 10:00 " * 20_000, "\n".join(f"{'a/' * (n % 90)}f{n}.py" for n in range(20_000)), "x/" + "y" * 5_000_000,
    ],
)  # fmt: skip
def test_nothing_raises_and_nothing_takes_long(text: str) -> None:
    started = time.process_time()
    LISTINGS.claims(Sample(text))
    for asked in (request(x=1.0), request(0, 0.0), LOSSLESS):
        LISTINGS.compress(text, asked)
    assert time.process_time() - started < 6


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from("a.py/: ,\\-1 2\n\r│├─└\ud800\x00"), max_size=300))
def test_any_text_is_survived(text: str) -> None:
    LISTINGS.claims(Sample(text))
    LISTINGS.compress(text, request(5, 0.0))
