"""Nothing saved where it is easy: kinds and wrappings that other compressors leave whole.

The floors of savings are a little below what is measured, so that a change that loses them is noticed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

import pytest

from headroom import MemoryStore, compress
from headroom.core import pipeline
from headroom.core.tokens import count
from tests.shop import WORDS, info_log, orders, phrase, python_file, shortened, turn


@pytest.fixture(autouse=True)
def forget() -> None:
    pipeline._remembered.clear()


def pytest_log() -> str:
    lines = [
        "============================= test session starts ==============================",
        "platform linux -- Python 3.12.3, pytest-8.3.4",
    ]
    lines += ["rootdir: /srv/shop", "collected 302 items", ""]
    for number in range(302):
        verdict = "FAILED" if number in (77, 201) else "PASSED"
        lines.append(f"tests/test_{WORDS[number // 20]}.py::test_{WORDS[number % 90]}_{number} {verdict} [{number * 100 // 302:3}%]")
    lines += ["", "=================================== FAILURES ==================================="]
    for number in (77, 201):
        name = f"test_{WORDS[number % 90]}_{number}"
        lines += [
            f"_______________________________ {name} _______________________________",
            "",
            f"    def {name}():",
            "        ledger = make_ledger()",
        ]
        lines += [
            f">       assert ledger.total() == {number}",
            f"E       assert {number + 1} == {number}",
            "",
            f"tests/test_{WORDS[number // 20]}.py:{number}: AssertionError",
        ]
    lines += ["=========================== short test summary info ============================"]
    lines += [f"FAILED tests/test_{WORDS[n // 20]}.py::test_{WORDS[n % 90]}_{n} - assert {n + 1} == {n}" for n in (77, 201)]
    return "\n".join([*lines, "======================== 2 failed, 300 passed in 12.34s ========================"]) + "\n"


def file_listing() -> str:
    dice = random.Random(41)
    rows = ["total 51234"]
    for i in range(300):
        when = f"Jan {dice.randrange(1, 29):2} {dice.randrange(24):02}:{dice.randrange(60):02}"
        name = f"{dice.choice(WORDS)}_{dice.choice(WORDS)}_{i}.{dice.choice(['py', 'json', 'md', 'sql'])}"
        rows.append(f"-rw-r--r--  1 deploy deploy {dice.randrange(200, 900_000):8} {when} {name}")
    return "\n".join(rows) + "\n"


def markdown() -> str:
    dice = random.Random(43)
    parts = ["# Operating the shop", ""]
    while sum(map(len, parts)) < 12_000:
        parts += [f"## {phrase(dice, 3).capitalize()}", ""]
        for _ in range(3):
            sentences = (
                f"The {phrase(dice, 2)} is kept in the {phrase(dice, 2)} until the {phrase(dice, 1)} has seen it." for _ in range(3)
            )
            parts += [" ".join(sentences), ""]
        parts += [f"- use `{dice.choice(WORDS)}` for the {phrase(dice, 2)}" for _ in range(3)] + [""]
    return "\n".join(parts)


def csv_table() -> str:
    dice = random.Random(47)
    rows = [
        f"{1000 + i},{phrase(dice, 2)},{dice.choice(['open', 'paid'])},{dice.randrange(99_999) / 100:.2f},2026-01-{i % 28 + 1:02}"
        for i in range(400)
    ]
    return "\n".join(["id,customer,status,amount,date", *rows]) + "\n"


def html_page() -> str:
    dice = random.Random(53)
    items = "".join(
        f'<div class="card card--wide" data-id="{i}"><a class="card__link" href="/p/{i}?ref=list&amp;pos={i}"><h3 class="card__title">'
        f'{phrase(dice, 3)}</h3></a><p class="card__text">{phrase(dice, 16)}</p><span class="badge badge--new">{i}.99 EUR</span></div>\n'
        for i in range(70)
    )
    head = '<head><meta charset="utf-8"><title>Shop</title><style>.card{margin:1px}</style><script>window.x=1;</script></head>'
    return (
        f'<!DOCTYPE html>\n<html lang="en">{head}<body><nav><ul><li><a href="/">Home</a></li></ul></nav><main>{items}</main></body></html>'
    )


def pod_list() -> str:
    dice = random.Random(59)
    pods = []
    for i in range(25):
        name = f"{dice.choice(WORDS)}-{i:04x}"
        ready = i != 13
        status = {
            "phase": "Running",
            "podIP": f"10.2.{i}.7",
            "startTime": f"2026-01-{i % 28 + 1:02}T03:04:05Z",
            "conditions": [
                {"type": kind, "status": str(ready), "lastProbeTime": None} for kind in ("Initialized", "Ready", "PodScheduled")
            ],
            "containerStatuses": [
                {
                    "name": "app",
                    "ready": ready,
                    "restartCount": 0 if ready else 41,
                    "image": "registry.example/shop:1.4",
                    "state": {"running": {}},
                }
            ],
        }
        container = {
            "name": "app",
            "image": "registry.example/shop:1.4",
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets", "readOnly": True}],
        }
        metadata = {
            "name": name,
            "namespace": "shop",
            "uid": f"{i:08x}-1111-2222",
            "labels": {"app": name.partition("-")[0], "tier": "web"},
        }
        spec = {"containers": [container], "nodeName": f"node-{i % 4}", "restartPolicy": "Always", "tolerations": [{"operator": "Exists"}]}
        pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}, indent=4)


def alike_texts() -> str:
    text = (
        "The courier could not deliver the parcel because the address was incomplete; the customer was told by mail on day {} of the month."
    )
    return json.dumps([{"ticket": 9000 + i, "text": text.format(i % 28), "agent": WORDS[i % 30]} for i in range(150)])


ROWS = orders(150)
EASY: dict[str, tuple[Callable[[], str], float]] = {
    "a Python file": (python_file, 0.75),
    "a test run": (pytest_log, 0.9),
    "ls -la": (file_listing, 0.85),
    "Markdown": (markdown, 0.7),
    "CSV": (csv_table, 0.75),
    "an HTML page": (html_page, 0.85),
    "JSON in a text block": (lambda: json.dumps({"type": "text", "text": json.dumps(ROWS)}), 0.8),
    "JSON in tags": (lambda: f"<output>\n{json.dumps(ROWS)}\n</output>", 0.8),
    "JSON in a fence": (lambda: f"```json\n{json.dumps(ROWS)}\n```", 0.8),
    "JSON behind a line of words": (lambda: f"Found 150 orders:\n{json.dumps(ROWS)}", 0.8),
    "nested JSON": (pod_list, 0.85),
    "JSON lines": (lambda: "\n".join(map(json.dumps, ROWS)), 0.8),
    "texts that are nearly alike": (alike_texts, 0.8),
    "JSON without a blank": (lambda: json.dumps([{**row, "customer": row["id"][::-1]} for row in ROWS], separators=(",", ":")), 0.6),
}


@pytest.mark.parametrize("name", EASY)
def test_an_easy_saving_is_made(name: str) -> None:
    """Kinds of output that agents read all day are shortened by at least this share."""
    make, floor = EASY[name]
    text = make()
    after = shortened(text)
    assert 1 - count(after) / count(text) >= floor


@pytest.mark.parametrize("name", EASY)
def test_content_in_blocks_saves_what_a_string_saves(name: str) -> None:
    """A list of blocks is content like any other, and a block that cannot be shortened does not hold the others back."""
    text = EASY[name][0]()
    grows = " ".join(f"{i * 7919 % 100_003:x}" for i in range(200))
    result = compress(turn([grows, text]), store=MemoryStore())
    blocks = [block["text"] for block in result.messages[-1]["content"]]
    assert blocks == [grows, shortened(text)]


@pytest.mark.parametrize(
    "question", ["Analyze these errors thoroughly.", "Do not leave anything out!", "Review the code, explain why it failed."]
)
def test_protections_do_not_pile_up(question: str) -> None:
    """The last output, full of words of trouble, asked about by an analyst, is shortened all the same."""
    text = info_log({i: f"2026-02-03T08:00:00Z ERROR api-1 exception: payment {i} failed" for i in range(0, 1_500, 9)})
    assert count(shortened(text, question=question)) < 0.3 * count(text)


def test_the_failures_of_a_test_run_are_whole() -> None:
    """The saving on a test run is made on what passed."""
    text = shortened(pytest_log())
    for number in (77, 201):
        assert f"E       assert {number + 1} == {number}" in text
        assert f">       assert ledger.total() == {number}" in text
    assert "2 failed, 300 passed" in text


def test_the_one_sick_pod_is_shown() -> None:
    """What is unlike the others is not among what was left out."""
    assert re.search(r"restartCount\W+41|\b41\b", shortened(pod_list()))
