"""Diffs: every file is named, signs and headers stay as they are, and the counts are exact."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core.compressors.diffs import Diffs
from headroom.core.compressors.patches.parts import FileDiff, read_parts
from headroom.core.detect import Sample
from headroom.core.tokens import count, estimate
from headroom.core.types import Request
from headroom.core.worth import Query

DIFFS = Diffs()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def request(budget: int = 800, share: float = 0.08, **terms: float) -> Request:
    return Request(Query(tuple(terms.items())), budget, share)


def file_diff(path: str, hunks: int = 2, changes: int = 3, tag: str = "") -> str:
    tag = tag or path
    lines = [f"diff --git a/{path} b/{path}", "index 1111111..2222222 100644", f"--- a/{path}", f"+++ b/{path}"]
    for h in range(hunks):
        start = 40 * h + 10
        lines.append(f"@@ -{start},{6 + changes} +{start},{6 + changes} @@ def part_{h}():")
        lines += [f" before {tag} {h} {n} of the change" for n in range(3)]
        lines += [f"-old {tag} {h} {n};" for n in range(changes)]
        lines += [f"+new {tag} {h} {n};" for n in range(changes)]
        lines += [f" after {tag} {h} {n} of the change" for n in range(3)]
    return "\n".join(lines) + "\n"


def changed(text: str) -> list[str]:
    return [line for line in text.split("\n") if re.match(r"[+-](?:old|new) ", line)]


def test_sixty_files_are_all_named_and_counted() -> None:
    text = "".join(file_diff(f"src/area_{n % 7}/file_{n}.py") for n in range(60))
    shortened = DIFFS.compress(text, request())
    assert shortened is not None and shortened.lossy
    assert all(f"file_{n}.py" in shortened.text for n in range(60))
    left = 720 - len(changed(shortened.text))
    assert shortened.note.startswith(f"{left:,} of 720 changed lines left out, 60 file diffs")
    assert count(shortened.note) < 35
    assert estimate(shortened.text) <= 1.1 * request().allowance(estimate(text))
    stated = sum(int(a) + int(b) for a, b in re.findall(r"\+(\d+) -(\d+)(?= left out|;|\])", shortened.text))
    assert stated == left


def test_changed_lines_of_code_stay_while_context_and_lock_files_pay() -> None:
    code = file_diff("src/app.py", hunks=8)
    text = file_diff("package-lock.json", hunks=60) + code + file_diff("static/app.min.js", hunks=40)
    shortened = DIFFS.compress(text, request(900, 0.0))
    assert shortened is not None
    assert set(changed(code)) <= set(changed(shortened.text))
    assert "package-lock.json" in shortened.text and "app.min.js" in shortened.text


def test_signs_headers_and_names_are_never_altered() -> None:
    text = "".join(file_diff(f"lib/mod_{n}.c", hunks=5) for n in range(12))
    originals = text.split("\n")
    for budget in (100, 500, 2_000):
        shortened = DIFFS.compress(text, request(budget, 0.0))
        assert shortened is not None
        shown = [line for line in shortened.text.split("\n") if not line.startswith("[…")]
        at = 0
        for line in shown:  # in order, and each one verbatim
            at = originals.index(line, at) + 1


def test_context_is_thinned_to_one_line_and_the_gap_before_a_change_is_marked() -> None:
    shortened = DIFFS.compress(file_diff("a/b.py", hunks=30), request())
    assert shortened is not None
    assert "[… 2 unchanged]\n before a/b.py 0 2 of the change\n-old a/b.py 0 0;" in shortened.text
    assert "context thinned" in shortened.note


def counted(body: list[str]) -> tuple[int, int]:
    """The (old, new) lines that a reader of a shown hunk can count."""
    old = new = 0
    for line in body:
        mark = re.match(r"\[… (?:\+(\d+) -(\d+)(?:, (\d+) unchanged)? left out|(\d+) unchanged)\]", line)
        if mark is not None:
            same = int(mark[3] or mark[4] or 0)
            old, new = old + int(mark[2] or 0) + same, new + int(mark[1] or 0) + same
        else:
            old, new = old + (line[:1] in " -"), new + (line[:1] in " +")
    return old, new


def test_the_lines_of_a_hunk_can_be_counted_over_its_gaps() -> None:
    lines = ["diff --git a/x.py b/x.py", "--- a/x.py", "+++ b/x.py"]
    for h in range(60):
        lines.append(f"@@ -{h * 100 + 1},40 +{h * 100 + 1},40 @@")
        for n in range(20):
            lines += [f"-    old value {h} {n} is here and so on", f"+    new value {h} {n} is here and so on", f"     context {h} {n}"]
    shortened = DIFFS.compress("\n".join(lines) + "\n", request())
    assert shortened is not None and re.search(r"\[… \+\d+ -\d+, \d+ unchanged left out\]", shortened.text)
    hunks = re.split(r"^@@ .* @@\n", shortened.text, flags=re.MULTILINE)[1:]
    assert hunks
    for hunk in hunks:
        assert counted([line for line in hunk.rstrip("\n").split("\n") if "hunk" not in line]) == (40, 40)


def test_a_removed_line_that_looks_like_a_file_name() -> None:
    text = "--- a/x.sql\n+++ b/x.sql\n@@ -1,3 +1,3 @@\n select 1\n--- a comment\n+++ another\n from t\n"
    (part, words) = read_parts(text.split("\n"))
    assert isinstance(part, FileDiff) and (part.added, part.removed, part.path) == (1, 1, "x.sql")
    assert words == [""]


def test_the_fold_leaves_out_only_what_the_names_repeat() -> None:
    text = "".join(file_diff(f"some/quite/long/folder/for/a/file_{n}.py", hunks=1, changes=1) for n in range(3))
    shortened = DIFFS.compress(text, LOSSLESS)
    assert shortened is not None and not shortened.lossy and shortened.note == "diff --git lines folded"
    assert shortened.text == re.sub(r"diff --git .*\n", "", text)
    renamed = (
        "diff --git a/x.py b/y.py\nsimilarity index 90%\nrename from x.py\nrename to y.py\n--- a/x.py\n+++ b/y.py\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert DIFFS.compress(renamed, LOSSLESS) is None


def test_commit_words_stay_in_front() -> None:
    head = "commit 0a1b2c3d\nAuthor: Ann <ann@example.com>\nDate:   Mon Jan 1\n\n    Fix the ledger rounding\n\n"
    text = head + "".join(file_diff(f"src/f{n}.py", hunks=6) for n in range(20))
    shortened = DIFFS.compress(text, request())
    assert shortened is not None
    assert shortened.text.startswith("commit 0a1b2c3d\nAuthor: Ann")
    assert "    Fix the ledger rounding" in shortened.text


def test_the_query_brings_its_hunk() -> None:
    text = "".join(file_diff(f"src/f{n}.py", hunks=6) for n in range(30)).replace("+new src/f22.py 4 1;", "+new rounding_mode = HALF_EVEN;")
    shortened = DIFFS.compress(text, request(rounding_mode=9.0))
    assert shortened is not None and "+new rounding_mode = HALF_EVEN;" in shortened.text


def test_renames_and_binaries_are_named() -> None:
    moved = "".join(
        f"diff --git a/o{n}.png b/n{n}.png\nsimilarity index 100%\nrename from o{n}.png\nrename to n{n}.png\n" for n in range(5)
    )
    binary = "diff --git a/p.png b/p.png\nindex 1..2 100644\nBinary files a/p.png and b/p.png differ\n"
    shortened = DIFFS.compress(moved + binary + file_diff("src/a.py", hunks=60), request())
    assert shortened is not None
    assert "rename from o3.png\nrename to n3.png" in shortened.text and "Binary files a/p.png and b/p.png differ" in shortened.text


def test_merges_with_two_columns() -> None:
    body = "\n".join(f"++both {n} of them\n -ours {n} line\n- theirs {n} line\n  context {n}" for n in range(150))
    text = f"diff --cc src/m.py\nindex 1,2..3\n--- a/src/m.py\n+++ b/src/m.py\n@@@ -1,9 -1,9 +1,9 @@@ def merge():\n{body}\n"
    assert DIFFS.claims(Sample(text))
    shortened = DIFFS.compress(text, request())
    assert shortened is not None and " of 450 changed lines left out, 1 file diff" in shortened.note


def test_more_budget_never_shows_less() -> None:
    text = "".join(file_diff(f"src/f{n}.py", hunks=4) for n in range(15)) + file_diff("yarn.lock", hunks=20)
    shown: set[str] = set()
    for budget in range(0, 5_000, 83):
        shortened = DIFFS.compress(text, request(budget, 0.0))
        body = text if shortened is None else shortened.text
        now = {*changed(body), *re.findall(r"f\d+\.py", body)}
        assert shown <= now
        shown = now


def test_a_little_over_the_allowance_is_left_whole() -> None:
    text = file_diff("src/a.py", hunks=10)
    assert DIFFS.compress(text, request(int(estimate(text) * 0.85), 0.0)) is None


@pytest.mark.parametrize(
    "text",
    ["@@ -1 +1 @@\n-a\n+b", "- a\n+ b\n- c\n", "a report\n" * 20 + "+++ x\n", "```\ncode\n```", "--- \ntitle: x\n---\n"],
)
def test_other_things_are_left_to_other_kinds(text: str) -> None:
    assert not DIFFS.claims(Sample(text))


def test_a_report_that_quotes_a_diff_is_no_diff() -> None:
    assert (
        DIFFS.compress("\n".join(f"Sentence {n} of a long report." for n in range(300)) + "\n" + file_diff("a.py"), request(10, 0.0))
        is None
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "@@ -1,999999999 +1,999999999 @@\n" * 20_000, "--- a\n+++ b\n@@ -1,9 +1,9 @@\n" * 20_000, "diff --git a/x b/x\n" * 9_000,
        "--- a\n+++ b\n@@ -0,0 +1,9 @@\n+" + "x" * 5_000_000, "--- a\n+++ b\n@@ -1 +1 @@\n-\ud800\x00\n+\r\n" * 2_000, "index 1\n" * 90_000,
        "diff --git a/x b/x\nGIT binary patch\n" * 10_000, "diff --cc x\n@@@ -1 -1 +1 @@@\n++a\n" * 10_000,
        "--- a/x\n+++ b/x\n@@ -1,99999 +1,99999 @@\n" + "".join(f"-{n}\n {n}\n+{n}\n" for n in range(30_000)), " a |" + "| " * 100_000,
    ],
)  # fmt: skip
def test_nothing_raises_and_nothing_takes_long(text: str) -> None:
    started = time.process_time()
    DIFFS.claims(Sample(text))
    for asked in (request(x=1.0), request(0, 0.0), LOSSLESS):
        DIFFS.compress(text, asked)
    assert time.process_time() - started < 6


DIFF_LINES = ["diff --git a/x b/x", "--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@", "@@@ -1 -1 +1 @@@", "+a", "-b", " c", "", "\\ No newline", "w"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(DIFF_LINES)))
def test_every_line_is_read_into_one_part(lines: list[str]) -> None:
    read: list[str] = []
    for part in read_parts(lines):
        if isinstance(part, FileDiff):
            read += part.heading
            for hunk in part.hunks:
                read += [hunk.header, *hunk.body]
        else:
            read += part
    assert read == lines
    DIFFS.compress("\n".join(lines), request(5, 0.0))
