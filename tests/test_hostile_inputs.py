"""Inputs made to break things: nothing raises, nothing is lost, and each ends.

The limit of time is generous: it tells linear from quadratic, not fast from slow.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from headroom import MemoryStore, compress
from headroom.core import pipeline
from tests.conversations import call_and_output

SECONDS = 20.0
MILLION = 1_000_000
MARKER = "[412 of 500 rows left out; headroom_retrieve ref=k3v9x2m7qa-f3k]"
CHECK = "[500 rows as CSV; check=f3k]"
ROW = {"id": 1, "name": "x", "tags": ["a", "b"], "n": None}
BOXED = "+---+---+\n| a | b |\n+---+---+\n" + "| 1 | 2 |\n" * 5 + "+---+---+\n"

HOSTILE: dict[str, Callable[[], str]] = {
    "one line of 5 MB": lambda: "word " * MILLION,
    "one word of 5 MB": lambda: "x" * 5 * MILLION,
    "one line of 5 MB of digits": lambda: "1234567890" * 500_000,
    "200,000 blank lines": lambda: "\n" * 200_000,
    "200,000 lines of blanks": lambda: "    \t \n" * 200_000,
    "a million blanks": lambda: " " * MILLION,
    "10,000 open brackets": lambda: "[" * 10_000,
    "10,000 nested brackets": lambda: "[" * 10_000 + "]" * 10_000,
    "10,000 nested braces": lambda: '{"a":' * 10_000 + "1" + "}" * 10_000,
    "10,000 nested brackets in prose": lambda: "look:\n" + "[" * 10_000 + "]" * 10_000 + "\nend",
    "20,000 lines that open a bracket": lambda: "[\n" * 20_000,
    "20,000 lines of broken JSON": lambda: '{"a": [1, 2, {"b": \n' * 20_000,
    "unfinished strings": lambda: '\n["' * 50_000,
    "a JSON string that never ends": lambda: '{"text": "' + "\\n" * 500_000,
    "JSON cut in the middle": lambda: json.dumps([ROW] * 20_000)[:-5_000],
    "JSON lines, every tenth broken": lambda: "\n".join(json.dumps(ROW)[: -3 if i % 10 == 0 else None] for i in range(20_000)),
    "JSON with keys that repeat": lambda: "[" + ",".join('{"a": 1, "a": 2}' for _ in range(20_000)) + "]",
    "JSON rows of 5,000 different keys": lambda: json.dumps([{f"k{i}": i} for i in range(5_000)]),
    "numbers beyond all machines": lambda: "[" + ",".join("9" * 400 + "e" + "9" * 9 for _ in range(500)) + "]",
    "NaN and infinity": lambda: "[" + ",".join(["NaN", "Infinity", "-Infinity"] * 3_000) + "]",
    "marker look-alikes": lambda: (MARKER + "\n") * 100_000,
    "marker look-alikes in one line": lambda: (CHECK + MARKER) * 50_000,
    "marker beginnings": lambda: "; headroom_retrieve ref=" * 100_000,
    "gap marks": lambda: "[… 20 lines, 5-24]\n" * 50_000,
    "lone surrogates": lambda: "\ud800\udc00\udfff line\n" * 50_000,
    "lone surrogates in JSON": lambda: json.dumps([{"a": "\ud800", "b": i} for i in range(5_000)]),
    "raw surrogates in JSON": lambda: json.dumps([{"a": "\ud800", "b": i} for i in range(5_000)], ensure_ascii=False),
    "NUL bytes": lambda: "\x00" * MILLION,
    "NUL bytes in lines": lambda: "INFO a\x00b done\n" * 20_000,
    "a million backslashes": lambda: "\\" * MILLION,
    "a million backslashes in a string": lambda: '"' + "\\" * MILLION + '"',
    "a million double quotes": lambda: '"' * MILLION,
    "a million single quotes": lambda: "'" * MILLION,
    "a million backticks": lambda: "`" * MILLION,
    "50,000 fences": lambda: "```\n" * 50_000,
    "fences of growing length": lambda: "\n".join("`" * i + "\nx" for i in range(3, 1_000)),
    "a million angle brackets": lambda: "<" * MILLION,
    "50,000 tags": lambda: "<a><b>" * 50_000,
    "tags that never close": lambda: "<output>\n" * 50_000,
    "carriage returns": lambda: "progress 10%\r" * 100_000,
    "bare carriage returns": lambda: "\r" * MILLION,
    "CR LF CR": lambda: "a\r\n\rb\n\r" * 100_000,
    "colour codes": lambda: "\x1b[31m\x1b[0m" * 100_000,
    "broken escape codes": lambda: "\x1b[" * 300_000,
    "escape codes with endless numbers": lambda: "\x1b[" + "1;" * 500_000 + "x",
    "window titles that never end": lambda: "\x1b]0;title" * 50_000,
    "colons": lambda: ":" * MILLION,
    "equals signs and blanks": lambda: "= " * 500_000,
    "commas": lambda: "," * MILLION,
    "a table of commas": lambda: (",".join("x" * 200) + "\n") * 2_000,
    "pipes": lambda: "|" * MILLION,
    "a table of bars": lambda: "| a | b |\n|---|---|\n" * 20_000,
    "CSV tables that differ in width, apart by blank lines": lambda: "\n\n".join(
        f'name,b,c\n"x, {i}",1,2\n"y",3,4\n"z",5,{i}\n"z2",6,{i}' for i in range(60_000)
    ),
    "CSV tables whose last quote opens anew": lambda: 'a,b\n"x",1\n"y",2\n"z",3\n1,"x","y\n\n' * 20_000,
    "boxed tables apart by blank lines": lambda: (BOXED + "\n") * 20_000,
    "boxed tables one below the other": lambda: BOXED * 20_000,
    "tables of changing width in one block": lambda: "A LINE IN CAPITALS\na,b,c\n1,2,3\n4,5,6\n7,8,9\n" * 30_000,
    "dashes": lambda: ("-" * 500 + "\n") * 2_000,
    "diff headers": lambda: "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n" * 10_000,
    "plus and minus": lambda: "+\n-\n" * 100_000,
    "hunks beyond all files": lambda: "@@ -999999999999,9999999999 +1,1 @@\n" * 20_000,
    "search hits of one file": lambda: "src/main.py:12:hit\n" * 50_000,
    "paths of a thousand folders": lambda: ("a/" * 1_000 + "b.py:1:x\n") * 200,
    "stack frames": lambda: "    at a.b.C.d(C.java:1)\n" * 50_000,
    "tracebacks": lambda: 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n' * 20_000,
    "numbered lines": lambda: "".join(f"{i}\t\n" for i in range(100_000)),
    "numbered lines, all with one number": lambda: "1\tthe same line once more\n" * 50_000,
    "unicode line ends": lambda: "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei" * 20_000,
    "unicode blanks": lambda: "\u3000\u00a0\u2003\ufeff" * 100_000,
    "unicode digits": lambda: "١٢٣٤٥ ૧૨૩ ²³\n" * 20_000,
    "letters that grow when lowered": lambda: "İ" * 300_000,
    "combining marks": lambda: "e" + "\u0301" * 300_000,
    "base64": lambda: "QUJD" * 500_000,
    "hexadecimal": lambda: "deadbeef" * 300_000,
    "many different lines": lambda: "\n".join(f"{i * 2654435761 % 4294967296:x} {i * 40503 % 65536}" for i in range(60_000)),
    "Python that does not parse": lambda: "def f(:\n" * 30_000,
    "Python nested too deeply": lambda: "\n".join(" " * i + "if x:" for i in range(1_000)),
    "parentheses": lambda: "(" * 100_000,
    "operators": lambda: "x = " + "1 + " * 100_000 + "1",
    "YAML anchors": lambda: "a: &a [*a, *a]\n" * 20_000,
    "keys and values": lambda: "key = value\n" * 50_000,
    "times": lambda: "12:00:00 " * 100_000,
    "HTML that nests": lambda: "<div>" * 20_000,
    "an HTML comment that never ends": lambda: "<html><body><!--" + "-" * MILLION,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_tools_output_made_to_break_things(name: str) -> None:
    check(HOSTILE[name](), lambda text: call_and_output("openai", 1, "run", '{"q": "find x"}', [text], ""))


PASTED = [name for i, name in enumerate(HOSTILE) if i % 2]


@pytest.mark.parametrize("name", PASTED)
def test_the_same_pasted_by_a_user(name: str) -> None:
    check(HOSTILE[name](), lambda text: [{"role": "user", "content": f"Look:\n{text}\nWhat is it?"}])


@pytest.mark.parametrize(
    "name", ["one line of 5 MB", "marker look-alikes", "lone surrogates", "a million backslashes", "JSON cut in the middle"]
)
def test_the_same_wrapped_and_repeated(name: str) -> None:
    text = HOSTILE[name]()[:300_000]
    check(
        json.dumps({"type": "text", "text": text}), lambda wrapped: call_and_output("anthropic", 1, "run", "{}", [wrapped, wrapped], "") * 2
    )


def numbers_that_jump(lines: list[str]) -> str:
    return "\n".join(f"{i // 2 * 100 + i % 2}\t{line}" for i, line in enumerate(lines))


SEEN_BEFORE: dict[str, Callable[[list[str]], str]] = {
    "numbered, two by two": numbers_that_jump,
    "every other line another one": lambda lines: "\n".join(line + "!" * (i % 2) for i, line in enumerate(lines)),
    "backwards": lambda lines: "\n".join(reversed(lines)),
    "as JSON, backwards": lambda lines: json.dumps(lines[::-1]),
    "all marks of gaps": lambda lines: "\n".join(f"{line} [… 3 lines]" for line in lines),
}


@pytest.mark.parametrize("name", SEEN_BEFORE)
def test_a_long_text_that_was_shown_whole_comes_again_in_another_shape(name: str) -> None:
    lines = [f"line {i} of what was looked up" for i in range(40_000)]
    retrieved = call_and_output("openai", 1, "headroom_retrieve", '{"ref": "k3v9x2m7qa"}', ["\n".join(lines)], "")
    check(SEEN_BEFORE[name](lines), lambda text: retrieved + call_and_output("openai", 2, "read", "{}", [text], "")[1:])


def check(text: str, place: Callable[[str], list[Any]]) -> None:
    pipeline._remembered.clear()
    store, messages = MemoryStore(), place(text)
    start = time.process_time()
    result = compress(messages, "gpt-4o", store=store)
    spent = time.process_time() - start
    assert spent < SECONDS, f"{spent:.1f} s for {len(text):,} characters"
    for report in result.blocks:
        assert not report.failed, report.reason
        if report.reference is not None and report.changed:
            assert store.get(report.reference) == report.before
        assert len(report.after.encode("utf-8", "surrogatepass")) <= len(report.before.encode("utf-8", "surrogatepass"))
    pipeline._remembered.clear()
    assert compress(result.messages, "gpt-4o", store=store).messages == result.messages
