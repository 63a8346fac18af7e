"""Descriptions: padding goes, trouble stays, and no line stands without the keys above it."""

from __future__ import annotations

import re
import time

import pytest

from headroom.core.compressors.key_values import KeyValues
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import Request
from headroom.core.worth import Query

KEY_VALUES = KeyValues()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)

POD = """\
Name:             cart-7d9f
Namespace:        shop
Labels:           app=cart
                  tier=backend
Annotations:      example.com/checksum: 0f3a
                  example.com/owner: payments
Status:           Running
Containers:
  cart:
    Image:          example.com/cart:1.4
    Port:           8080/TCP
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  12
    Limits:
      memory:  128Mi
    Mounts:
      /etc/cart from config (ro)
Conditions:
  Type              Status
  Initialized       True
  Ready             False
Volumes:
  config:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      cart-config
    Optional:  false
QoS Class:         Burstable
Tolerations:       node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                   node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Normal   Pulled   9m (x4 over 12m)   kubelet  Container image already present
  Warning  BackOff  2m (x26 over 12m)  kubelet  Back-off restarting failed container
"""


def request(budget: int, query: Query | None = None) -> Request:
    return Request(query or Query(), budget, 0.0)


def yaml(containers: int = 60) -> str:
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", "  name: cart", "  managedFields:"]
    for n in range(40):
        lines += [f"  - manager: tool-{n}", f"    operation: Update{n}"]
    lines += ["spec:", "  containers:"]
    for n in range(containers):
        lines += [f"  - name: part-{n}", f"    image: example.com/part:{n}", "    resources:", f"      memory: {n}Mi"]
    return "\n".join([*lines, "status:", "  phase: Failed", "  reason: Evicted", "  message: The node was low on memory"])


def test_padding_goes_and_tables_get_bars() -> None:
    shortened = KEY_VALUES.compress(POD, LOSSLESS)
    assert KEY_VALUES.claims(Sample(POD)) and shortened is not None and not shortened.lossy
    assert shortened.text.startswith("Name: cart-7d9f\nNamespace: shop\nLabels: app=cart\n  tier=backend\n")
    assert "      Exit Code: 137\n" in shortened.text
    assert shortened.text.endswith(
        "  Type|Reason|Age|From|Message\n  Normal|Pulled|9m (x4 over 12m)|kubelet|Container image already present\n"
        "  Warning|BackOff|2m (x26 over 12m)|kubelet|Back-off restarting failed container\n"
    )
    words = re.findall(r"[\w.:/=()-]*\w[\w.:/=()-]*", POD)
    kept = re.findall(r"[\w.:/=()-]*\w[\w.:/=()-]*", shortened.text)
    assert [word for word in words if word.strip("-")] == kept


@pytest.mark.parametrize("sign", ["|", ">", "|-", ">+2", "!!str |", "|  # as it is", "|\r"])
@pytest.mark.parametrize("above", ["data:\n  text: ", "data:\n- name:   cart\n- "])
def test_the_text_of_a_block_is_not_touched(sign: str, above: str) -> None:
    block = "    key:      two  spaces   \n\n      more:    of it  \n    Type     Reason\n    ----     ------\n    Normal   Pulled\n   \n"
    padded = "".join(f"  key{n}:             value {n}\n" for n in range(20))
    shortened = KEY_VALUES.compress(f"{above}{sign}\n{block}rest:\n{padded}", LOSSLESS)
    assert shortened is not None and f"{sign}\n{block}rest:\n  key0: value 0\n" in shortened.text


def test_the_note_counts_the_lines_of_the_text() -> None:
    events = "".join(f"  Normal   Pulled   9m{n:03} (x4 over 12m)   kubelet  Container image already present\n" for n in range(200))
    text = POD[: POD.index("  Normal   Pulled")] + events
    shortened = KEY_VALUES.compress(text, request(205))
    assert shortened is not None
    left = 0
    for mark in re.finditer(r"\[… (?:line \d+|([\d,]+) lines, )", shortened.text):
        left += int((mark[1] or "1").replace(",", ""))
    assert shortened.note == f"{left} of {text.count(chr(10))} lines left out"


def test_what_went_wrong_outlives_how_it_was_set_up() -> None:
    shortened = KEY_VALUES.compress(POD, request(205))
    assert shortened is not None and shortened.lossy
    for wanted in ("OOMKilled", "CrashLoopBackOff", "Exit Code: 137", "BackOff", "Ready: False"):
        assert wanted in shortened.text
    for boring in ("op=Exists", "cart-config", "checksum"):
        assert boring not in shortened.text
    assert "Tolerations" in shortened.text  # named in the gap's mark


def test_lines_keep_their_keys() -> None:
    text = yaml()
    shortened = KEY_VALUES.compress(text, request(300))
    assert shortened is not None
    lines = shortened.text.splitlines()
    assert lines.index("status:") < lines.index("  reason: Evicted")
    for line in lines:
        if line.startswith("    ") and not line.startswith("[…"):
            assert any(above.startswith("  - ") for above in lines[: lines.index(line)])


def test_the_note_and_the_marks_are_exact() -> None:
    text = yaml()
    shortened = KEY_VALUES.compress(text, request(300))
    assert shortened is not None
    original = text.split("\n")
    shown = 0
    left_out = 0
    for line in shortened.text.split("\n"):
        mark = re.match(r"\[… (?:line (\d+)|(\d+) lines, (\d+)-(\d+))", line)
        if mark is None:
            shown += 1
            assert line in original
        elif mark[1]:
            left_out += 1
        else:
            left_out += int(mark[2])
            assert int(mark[2]) == int(mark[4]) - int(mark[3]) + 1
    assert shown + left_out == len(original)
    assert shortened.note == f"{left_out} of {len(original)} lines left out"


def test_what_was_asked_for_is_shown_with_its_keys() -> None:
    query = Query((("part-47", 6.0),))
    shortened = KEY_VALUES.compress(yaml(), request(200, query))
    assert shortened is not None and "  - name: part-47" in shortened.text and "  containers:" in shortened.text


def test_more_budget_never_shows_less() -> None:
    shown: set[int] = set()
    text = "\n".join(f"{line} {n}" if ":" in line and not line.endswith(":") else line for n, line in enumerate(yaml().split("\n")))
    numbers = {line: n for n, line in enumerate(text.split("\n"))}
    for budget in range(40, 2_000, 90):
        shortened = KEY_VALUES.compress(text, request(budget))
        rows = set(numbers.values()) if shortened is None else {numbers[line] for line in shortened.text.split("\n") if line in numbers}
        assert shown <= rows
        shown = rows


def test_a_little_over_the_budget_is_left_whole() -> None:
    assert KEY_VALUES.compress(yaml(), request(estimate(yaml()) * 9 // 10)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def main():\n    if ready:\n        return {\n            'a': 1,\n        }\n    else:\n        raise ValueError\n" * 3,
        "INFO: started\nINFO: loading 1\nINFO: loading 2\nINFO: loading 3\nINFO: loading 4\nINFO: done\nINFO: bye\n",
        "Archive:  a.zip\n" + "".join(f"  inflating: part/{n}.txt\n" for n in range(30)),
        "Dear Ann: here is the news.\nIt rains: we stay.\nThe end of the story is near.\n" * 4,
        '{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  "d": 4,\n  "e": 5\n}',
        "src/a.py:12: x\nsrc/a.py:13: y\nsrc/a.py:14: z\nsrc/b.py:1: x\nsrc/b.py:2: q\nsrc/b.py:3: q\n",
    ],
)
def test_other_texts_are_not_claimed(text: str) -> None:
    assert not KEY_VALUES.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "a:\n" * 50_000,
        "\n".join(" " * n + f"k{n}:" for n in range(3_000)),
        "a: " + "b" * 3_000_000,
        "a:" + " " * 300_000 + "b\n" + "c: d\n" * 20,
        "k\ud800: v\x00\n" * 500,
        "- " * 100_000,
        "a: b\n----\n" * 5_000,
        "A  B\n-----\n" * 5_000,
    ],
)
def test_hostile_texts_never_raise(text: str) -> None:
    started = time.process_time()
    KEY_VALUES.claims(Sample(text))
    for limits in (LOSSLESS, request(10)):
        KEY_VALUES.compress(text, limits)
    assert time.process_time() - started < 2
