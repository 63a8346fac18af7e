"""Test runs and diagnostics: failures stay whole, every rule is named, what passed is counted."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.compressors.reports.diagnostics import diagnostic
from headroom.core.compressors.test_reports import TestReports
from headroom.core.detect import Sample
from headroom.core.types import Request, Shortened
from headroom.core.worth import Query

REPORTS = TestReports()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)


def request(budget: int = 600) -> Request:
    return Request(Query(), budget, 0.08)


def digest(text: str, budget: int = 600) -> Shortened:
    assert REPORTS.claims(Sample(text))
    shortened = REPORTS.compress(text, request(budget))
    assert shortened is not None
    return shortened


def pytest_run(count: int = 200, failing: tuple[int, ...] = (17, 120)) -> str:
    lines = ["=" * 29 + " test session starts " + "=" * 29, "platform linux -- Python 3.11.4, pytest-8.1.1", f"collected {count} items", ""]
    for n in range(count):
        name = f"tests/test_{('cart', 'orders', 'users', 'mail')[n * 4 // count]}.py::test_case_{n:03}"
        lines.append(f"{name} {'FAILED' if n in failing else 'PASSED'}{' ' * 20}[{100 * (n + 1) // count:3}%]")
    lines += ["", "=" * 35 + " FAILURES " + "=" * 35]
    for n in failing:
        lines += [f"{'_' * 30} test_case_{n:03} {'_' * 30}", "", "    def test_case():", f">       assert total({n}) == {n}.50"]
        lines += [f"E       assert {n}.49 == {n}.50", "", f"tests/test_cart.py:{n + 30}: AssertionError"]
        lines += ["-" * 28 + " Captured stdout call " + "-" * 28, f"loading order {n}"]
    lines += ["=" * 27 + " short test summary info " + "=" * 27]
    lines += [f"FAILED tests/test_cart.py::test_case_{n:03} - assert {n}.49 == {n}.50" for n in failing]
    return "\n".join([*lines, f"================== {len(failing)} failed, {count - len(failing)} passed in 4.02s ===================", ""])


def test_pytest_failures_are_whole_and_passes_counted() -> None:
    shortened = digest(pytest_run())
    for n in (17, 120):
        assert f"E       assert {n}.49 == {n}.50" in shortened.text
        assert f"loading order {n}" in shortened.text and f"tests/test_cart.py:{n + 30}: AssertionError" in shortened.text
    assert "2 failed, 198 passed in 4.02s" in shortened.text and "test_case_016 PASSED" not in shortened.text
    passed = "tests/test_mail.py 50, tests/test_orders.py 50, tests/test_cart.py 49, tests/test_users.py 49"
    assert f"[… passed, not shown: {passed}]" in shortened.text
    assert shortened.note == "198 of 228 lines left out" and shortened.lossy


def test_failures_that_another_program_prints_are_whole() -> None:
    """A tool that runs tests after an edit shows the failures alone: no banner of the runner's is above them."""
    lines = ["Running 85 tests in the following files:", " * tests/test_cart.py", ""]
    for n in range(4):
        lines += [f"* FAILED tests/test_cart.py test_case_{n}>", "```", "    def test_case(cart):"]
        lines += [f"        cart.add(item_{at}, amount={at}, note='as the customer asked')" for at in range(60)]
        lines += [f"tests/test_cart.py:{90 + n}:", "_ " * 20, "shop/cart.py:12: in total", "    return self.sum(self.items)"]
        lines += [f">       raise CartError('no price for item {n}')", f"E       shop.CartError: no price for item {n}", ""]
        lines += [f"shop/cart.py:{n + 30}: CartError", "```", ""]
    shortened = digest("\n".join([*lines, "81 passed. 4 failed. 0 errors."]))
    for n in range(4):
        assert f"* FAILED tests/test_cart.py test_case_{n}>" in shortened.text
        assert f">       raise CartError('no price for item {n}')\nE       shop.CartError: no price for item {n}\n" in shortened.text
    assert "81 passed. 4 failed. 0 errors." in shortened.text


def test_what_went_wrong_comes_before_the_way_there() -> None:
    frames = [part for at in range(80) for part in (f"shop/step_{at}.py:{at + 10}: in step_{at}", f"    return step_{at + 1}(order)")]
    report = ["=" * 30 + " test session starts " + "=" * 30, "collected 1 item", "", "=" * 30 + " FAILURES " + "=" * 30]
    report += ["_" * 20 + " test_deep " + "_" * 20, "", ">       step_0(order)", "", *frames]
    report += [">       raise KeyError(order)", "E       KeyError: 'W4711'", "", "shop/step_80.py:90: KeyError"]
    shortened = digest("\n".join([*report, "=" * 20 + " 1 failed in 0.12s " + "=" * 20, ""]))
    assert ">       raise KeyError(order)\nE       KeyError: 'W4711'\n" in shortened.text


def test_a_test_that_was_asked_for_is_shown() -> None:
    shortened = REPORTS.compress(pytest_run(), Request(Query((("test_case_055", 6.0),)), 600, 0.08))
    assert shortened is not None and "test_case_055 PASSED" in shortened.text


def test_unittest() -> None:
    lines = [f"test_{n:03} (shop.tests.CartTest) ... {'FAIL' if n == 33 else 'ok'}" for n in range(150)]
    tail = "=" * 70 + "\nFAIL: test_033 (shop.tests.CartTest)\n" + "-" * 70 + "\nTraceback (most recent call last):\n"
    tail += '  File "/srv/tests.py", line 61, in test_033\n    self.assertEqual(total, 4)\nAssertionError: 3 != 4\n\n'
    shortened = digest("\n".join(lines) + "\n\n" + tail + "-" * 70 + "\nRan 150 tests in 0.412s\n\nFAILED (failures=1)\n")
    assert "AssertionError: 3 != 4" in shortened.text and "FAILED (failures=1)" in shortened.text and "Ran 150 tests" in shortened.text
    assert "shop.tests.CartTest 149" in shortened.text


def test_go() -> None:
    lines = []
    for n in range(120):
        lines += [f"=== RUN   TestStore{n}", *(["    store_test.go:88: got 3 rows, want 4"] if n == 70 else [])]
        lines += [f"--- {'FAIL' if n == 70 else 'PASS'}: TestStore{n} (0.00s)"]
    shortened = digest("\n".join([*lines, "FAIL", "FAIL\texample.com/shop\t0.412s", "FAIL", ""]))
    for wanted in ("got 3 rows, want 4", "--- FAIL: TestStore70", "FAIL\texample.com/shop", "tests 119"):
        assert wanted in shortened.text


def test_jest() -> None:
    lines = []
    for part in range(12):
        lines += [f"{'FAIL' if part == 5 else 'PASS'} src/part{part}.test.ts"]
        lines += [f"    {'✕' if (part, n) == (5, 3) else '✓'} does thing {n} of part {part}" for n in range(14)]
    lines += ["", "  ● part 5 › does thing 3", "", "    Expected: 4", "    Received: 5", ""]
    lines += ["Tests:       1 failed, 167 passed, 168 total", ""]
    shortened = digest("\n".join(lines))
    for wanted in ("Expected: 4", "Tests:       1 failed, 167 passed", "FAIL src/part5.test.ts", "src/part0.test.ts 14"):
        assert wanted in shortened.text


def test_cargo() -> None:
    lines = ["running 160 tests", *(f"test cart::case_{n} ... {'FAILED' if n == 44 else 'ok'}" for n in range(160)), "", "failures:", ""]
    lines += ["---- cart::case_44 stdout ----", "thread 'cart::case_44' panicked at src/cart.rs:88:9:", "  left: 3", " right: 4", ""]
    shortened = digest("\n".join([*lines, "test result: FAILED. 159 passed; 1 failed; 0 ignored; finished in 0.30s", ""]))
    assert "panicked at src/cart.rs:88:9" in shortened.text and "  left: 3\n right: 4" in shortened.text and "cart 159" in shortened.text


def test_what_was_skipped_has_not_passed() -> None:
    cargo = [
        "running 201 tests",
        *(f"test mod::test_{n} ... {'ignored' if n % 2 else 'ok'}" for n in range(200)),
        "test mod::bad ... FAILED",
    ]
    shortened = digest("\n".join([*cargo, "", "test result: FAILED. 100 passed; 1 failed; 100 ignored", ""]), 100)
    assert "[… passed, not shown: mod 100]\n[… skipped, not shown: mod 100]" in shortened.text
    tap = ["1..200", *(f"ok {n} - case number {n}{' # SKIP no network' if n % 4 == 0 else ''}" for n in range(1, 200)), "not ok 200 - bad"]
    shortened = digest("\n".join(tap), 100)
    assert "[… passed, not shown: tests 150]\n[… skipped, not shown: tests 49]" in shortened.text


def test_letters_are_counted_one_by_one() -> None:
    lines = ["=" * 29 + " test session starts " + "=" * 29, "collected 900 items", "", *(f"tests/area/test_{n}.py ..s" for n in range(200))]
    lines += [
        "tests/test_skips.py sssss",
        "tests/test_known.py xx.",
        "tests/test_bad.py F",
        "=" * 20 + " 1 failed, 401 passed in 1.00s " + "=" * 20,
        "",
    ]
    shortened = digest("\n".join(lines), 100)
    told = dict(re.findall(r"\[… ([a-z ]+), not shown: (.*)\]", shortened.text))
    totals = {
        word: sum(int(number.replace(",", "")) for number in re.findall(r" (\d[\d,]*)(?: in [\d,]+ others)?(?=, |$)", table))
        for word, table in told.items()
    }
    assert totals["skipped"] == 205 and totals["failed as expected"] == 2


def test_a_package_is_no_test() -> None:
    lines = [part for n in range(150) for part in (f"=== RUN   TestStore{n}", f"--- PASS: TestStore{n} (0.00s)")]
    lines += [
        "PASS",
        *(f"ok  \texample.com/shop/part{n}\t0.412s" for n in range(9)),
        "--- FAIL: TestLast (0.00s)",
        "FAIL\texample.com/last\t0.1s",
        "FAIL",
        "",
    ]
    shortened = digest("\n".join(lines), 60)
    assert "[… passed, not shown: tests 150]" in shortened.text


def test_a_class_of_maven_counts_its_tests() -> None:
    lines = [
        f"[INFO] Tests run: 9, Failures: 0, Errors: 0, Skipped: 2, Time elapsed: 0.01 s -- in shop.cart.Part{n}Test" for n in range(100)
    ]
    lines += ["[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.02 s <<< FAILURE! -- in shop.cart.BadTest"]
    shortened = digest("\n".join([*lines, "[INFO] BUILD FAILURE", ""]), 100)
    assert "[… passed, not shown: shop.cart 700]\n[… skipped, not shown: shop.cart 200]" in shortened.text


def warnings(count: int = 300) -> str:
    lines = [f"src/a{n // 30}.c:{n + 1}:5: warning: unused variable 'x{n}' [-Wunused-variable]" for n in range(count)]
    lines[40] = "src/a1.c:41:9: error: expected ';' before 'return'"
    lines[200] = "src/a6.c:201:9: warning: comparison of integers [-Wsign-compare]"
    return "\n".join(lines)


def test_errors_before_warnings_and_every_rule_once() -> None:
    shortened = digest(warnings(), 300)
    assert "41:9: error: expected ';'" in shortened.text and "-Wsign-compare" in shortened.text and "-Wunused-variable" in shortened.text
    shown = len(re.findall(r"^  \d.*unused-variable", shortened.text, re.MULTILINE))
    assert f"warnings, not shown: {298 - shown}x -Wunused-variable]" in shortened.text


def decode_places(text: str) -> list[str]:
    """The reference decoder of diagnostics grouped by file."""
    out: list[str] = []
    path, left = "", 0
    for line in text.split("\n"):
        heading = re.fullmatch(r"(\S.*): (\d+) lines", line)
        if heading and not left:
            path, left = heading[1], int(heading[2])
            continue
        if not left:
            out.append(line)
            continue
        places = re.match(r"  ((?:\(\d+(?:,\d+)?\)|\d+(?::\d+)?)(?: (?:\(\d+(?:,\d+)?\)|\d+(?::\d+)?))*)", line)
        assert places is not None
        for place in places[1].split(" "):
            out.append(path + (place if place[0] == "(" else ":" + place) + line[places.end() :])
            left -= 1
    return out


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.c", "src/b.py", "C:\\x\\c.cpp"]),
            st.sampled_from([":1", ":2:3", "(4)", "(5,6)"]),
            st.sampled_from([": error: bad", ": warning: 1 of 2 (3) [W1]", ":  x", "] y"]),
        ),
        max_size=30,
    )
)
def test_grouped_places_decode(found: list[tuple[str, str, str]]) -> None:
    text = "\n".join("".join(parts) for parts in found)
    shortened = REPORTS.compress(text, LOSSLESS)
    if shortened is not None:
        assert not shortened.lossy and decode_places(shortened.text) == text.split("\n")


def test_places_with_one_complaint_stand_together() -> None:
    text = "\n".join(f"a.cpp({n}):  Tab found  [whitespace/tab] [1]" for n in range(824, 828)) + "\n"
    shortened = REPORTS.compress(text, LOSSLESS)
    assert shortened is not None
    assert shortened.text == "a.cpp: 4 lines\n  (824) (825) (826) (827):  Tab found  [whitespace/tab] [1]\n"


@pytest.mark.parametrize(
    ("line", "severity", "rule"),
    [
        ("src/a.c:12:5: error: expected ';'", "error", "expected …"),
        ("a.py:3: error: bad type  [arg-type]", "error", "arg-type"),
        ("a.py:3:80: E501 line too long (88 > 79)", "error", "E501"),
        ("  12:5  warning  'x' is never used  no-unused-vars", "warning", "no-unused-vars"),
        ("C:\\a.cpp(12,5): warning C4267: conversion", "warning", "C4267"),
    ],
)
def test_complaints(line: str, severity: str, rule: str) -> None:
    found = diagnostic(line)
    assert found is not None and (found.severity, found.rule) == (severity, rule)


def test_more_budget_never_shows_less() -> None:
    text = pytest_run(120, tuple(range(0, 120, 6)))
    shown: set[str] = set()
    for budget in range(150, 3_000, 170):
        shortened = REPORTS.compress(text, Request(Query(), budget, 0.0))
        lines = set(text.split("\n")) if shortened is None else {line for line in shortened.text.split("\n") if not line.startswith("[… ")}
        assert shown <= lines
        shown = lines


@pytest.mark.parametrize(
    "text",
    [
        "",
        "src/a.py:12: def error(self):\nsrc/a.py:40: raise ValueError\nsrc/b.py:1: import os\n" * 4,
        "2024-01-01 10:00:00 INFO Running\n2024-01-01 10:00:01 ERROR failed\n" * 5,
        "# Tests\n\nRun the tests with pytest. They passed yesterday.\n\nAll of them.\n",
        "ok\nfine\nPASS the salt\nfour\nfive\n",
    ],
)
def test_other_texts_are_not_claimed(text: str) -> None:
    assert not REPORTS.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "=" * 500_000 + "\n" + "= " * 5_000,
        "1 " * 200_000,
        "a::" * 100_000 + " PASSED",
        "FAILED " * 50_000,
        ("a.c:1: error: " + "[" * 300 + "\n") * 2_000,
        "a.c:1:1: warning: " + " " * 200_000 + "x\n",
        "a.c:1: error: '" * 20_000,
        "___ " * 50_000 + "x",
        "\ud800.py:1: error: \x00\n" * 50,
        "x" * 3_000_000,
    ],
)
def test_hostile_texts_never_raise(text: str) -> None:
    started = time.process_time()
    REPORTS.claims(Sample(text))
    for limits in (LOSSLESS, request(10)):
        REPORTS.compress(text, limits)
    assert time.process_time() - started < 2
