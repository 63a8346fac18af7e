"""Conversations out of a seed: generated ones of every kind of output, and mutations of those and of recorded ones."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from tests.conversations import FORMATS, call_and_output, texts_at

PIECES = (
    *("[", "]", "{", "}", '"', "'", "\\", "\n", "\r", "\r\n", "\t", "\0", "\x1b[31m", "\x1b[", "`" * 3, "~~~", "<a ", "<!--", "\ud800"),
    *("\u2028", "\ufeff", "é", "数据", "0", "-0", "1e999", "NaN", "null", ",,", "|", "---", "@@ -1,2 +3,4 @@\n", "diff --git a/x b/x\n"),
    *("ref=k3v9x2m7qa-f3k]", "[412 of 500 rows left out; headroom_retrieve ref=k3v9x2m7qa-f3k]", "[… 20 lines, 5-24]", "; check=f3k]"),
    *("=" * 40, " " * 200, "    at a.b(C.java:1)\n", "Traceback (most recent call last):\n", "src/a.py:12: error: x  [misc]\n", "12\t"),
)
ROWS = ("id", "name", "status", "note", "price", "tags", "a b", "")


def records(dice: random.Random) -> str:
    count = dice.randrange(2, 60)
    rows = [
        {key: dice.choice((i, f"x{i}", "ok", None, 1.5, [i], {"k": "v"}, "")) for key in ROWS[: dice.randrange(1, 8)]} for i in range(count)
    ]
    layout = dice.randrange(4)
    if layout == 0:
        return json.dumps(rows)
    if layout == 1:
        return json.dumps({"items": rows, "count": count}, indent=2)
    if layout == 2:
        return "\n".join(map(json.dumps, rows))
    return repr(rows) if dice.random() < 0.5 else json.dumps({"type": "text", "text": json.dumps(rows)})


def log(dice: random.Random) -> str:
    level = ("INFO", "INFO", "INFO", "WARN", "ERROR", "DEBUG")
    return "\n".join(
        f"2026-01-05 10:{i % 60:02}:{dice.randrange(60):02} {dice.choice(level)} worker-{i % 5} handled {dice.randrange(9999)}"
        for i in range(dice.randrange(5, 150))
    )


def code(dice: random.Random) -> str:
    lines = [
        "import os",
        "",
        *(f"def f_{i}(a):" if i % 6 == 0 else f"    v_{i} = a + {dice.randrange(99)}" for i in range(dice.randrange(10, 150))),
    ]
    return "\n".join(f"{i + 1:6}\t{line}" for i, line in enumerate(lines)) if dice.random() < 0.5 else "\n".join(lines)


def patch(dice: random.Random) -> str:
    files = []
    for i in range(dice.randrange(1, 8)):
        size = dice.randrange(2, 20)
        body = "\n".join(dice.choice(" +-") + f"line {n} of {i}" for n in range(size))
        files.append(f"diff --git a/f{i}.py b/f{i}.py\n--- a/f{i}.py\n+++ b/f{i}.py\n@@ -1,{size} +1,{size} @@\n{body}")
    return "\n".join(files)


def hits(dice: random.Random) -> str:
    return "\n".join(f"src/part_{i % 7}/file.py:{i * 3 + 1}:    value = call({dice.randrange(99)})" for i in range(dice.randrange(5, 120)))


def tests(dice: random.Random) -> str:
    lines = [f"tests/test_a.py::test_{i} {'FAILED' if dice.random() < 0.1 else 'PASSED'}" for i in range(dice.randrange(5, 100))]
    return "\n".join(["=== test session starts ===", *lines, "E   AssertionError: 1 != 2", "=== 1 failed, 9 passed in 1.0s ==="])


def grid(dice: random.Random) -> str:
    mark = dice.choice((",", "\t", " | "))
    return "\n".join(
        mark.join(("name", "cpu", "state") if i == 0 else (f"pod-{i}", str(dice.randrange(99)), "Running"))
        for i in range(dice.randrange(4, 90))
    )


def keys(dice: random.Random) -> str:
    return "\n".join("  " * dice.randrange(3) + f"key_{i}: value {dice.randrange(9)}" for i in range(dice.randrange(5, 120)))


def page(dice: random.Random) -> str:
    rows = "".join(
        f"<p class='x'>Paragraph {i} says {dice.randrange(99)}.</p><a href='/l{i}'>link</a>" for i in range(dice.randrange(3, 80))
    )
    return f"<!doctype html><html><head><title>t</title><script>var a=1</script></head><body><nav>menu</nav>{rows}</body></html>"


def listing(dice: random.Random) -> str:
    return "\n".join(f"-rw-r--r-- 1 root root {dice.randrange(9999):6} Jan  5 10:00 file_{i}.py" for i in range(dice.randrange(5, 100)))


def prose(dice: random.Random) -> str:
    words = [
        "the",
        "order",
        "failed",
        "because",
        "payment",
        "of",
        "a",
        "card",
        "was",
        "declined",
        "and",
        "nobody",
        "asked",
        "again",
        "for",
        "it",
    ]
    lines = [" ".join(dice.choices(words, k=12)).capitalize() + "." for _ in range(dice.randrange(3, 80))]
    return "# Report\n\n" + "\n\n".join(lines)


def blob(dice: random.Random) -> str:
    return dice.choice((dice.randbytes(2_000).hex(), "QUJD" * 900, json.dumps([dice.random() for _ in range(200)])))


def calls(dice: random.Random) -> str:
    rows = [f"Order(id={i}, status='{dice.choice(('ok', 'failed'))}', note=None)" for i in range(dice.randrange(3, 60))]
    return f"[{', '.join(rows)}]"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "json_records": records,
    "blob": blob,
    "html": page,
    "source_code": code,
    "diffs": patch,
    "search_hits": hits,
    "test_reports": tests,
    "reprs": calls,
    "tables": grid,
    "key_values": keys,
    "listings": listing,
    "logs": log,
    "prose": prose,
    "text": lambda dice: "\n".join(" ".join(dice.choices((*PIECES[-8:], "word", "other"), k=5)) for _ in range(dice.randrange(1, 60))),
}
"""Something of each kind, small enough that thousands take seconds."""


def mutated(dice: random.Random, text: str) -> str:
    """The text after one to four changes: pieces put in, cut out, doubled, swapped, or the end cut off."""
    for _ in range(dice.randrange(1, 5)):
        way, at = dice.randrange(6), dice.randrange(len(text) + 1)
        end = min(len(text), at + dice.choice((1, 5, 80, 1_000)))
        if way == 0:
            text = text[:at] + dice.choice(PIECES) * dice.choice((1, 1, 3, 60)) + text[at:]
        elif way == 1:
            text = text[:at] + text[end:]
        elif way == 2:
            text = text[:end] + text[at:end] * dice.choice((1, 3, 20)) + text[end:]
        elif way == 3:
            text = text[:at]
        elif way == 4:
            lines = text.split("\n")
            dice.shuffle(lines)
            text = "\n".join(lines)
        else:
            text = text[:at] + chr(dice.choice((0, 10, 34, 92, 127, 8232, 55_296, 128_578))) + text[at + 1 :]
    return text[:40_000]


def output(dice: random.Random) -> str:
    """Of any kind; half of them mutated, some a mixture of two."""
    text = dice.choice(list(KINDS.values()))(dice)
    if dice.random() < 0.15:
        text += dice.choice(("\n", "\n\n", "")) + dice.choice(list(KINDS.values()))(dice)
    return mutated(dice, text) if dice.random() < 0.5 else text


def conversation(dice: random.Random) -> list[Any]:
    """A user, one to four calls with their outputs, in one of the wire formats."""
    dialect = dice.choice(FORMATS)
    messages: list[Any] = [{"role": "user", "content": dice.choice(("why did ord_7 fail?", f"Look:\n{output(dice)}\nWhat is it?"))}]
    for number in range(dice.randrange(1, 5)):
        outputs = [output(dice) for _ in range(dice.choice((1, 1, 2)))]
        messages += call_and_output(
            dialect, number, dice.choice(("read", "bash", "search")), '{"q": "worker-3 failed"}', outputs, "Let me look."
        )
    return messages


def mutated_conversation(dice: random.Random, messages: list[Any]) -> list[Any]:
    """A copy, up to 16 messages long, in which some of the long texts are mutated."""
    start = dice.randrange(max(1, len(messages) - 15))
    changed = copy.deepcopy(messages[start : start + 16])
    long: list[tuple[Any, ...]] = []
    texts_at(changed, lambda path, text: long.append(path) if len(text) > 80 else None)
    for path in dice.sample(long, min(len(long), dice.randrange(1, 4))):
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = mutated(dice, holder[path[-1]])
    return changed
