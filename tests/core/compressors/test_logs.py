"""Logs: what an engineer looks for is visible, what is not is counted and found by its line numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core import tokens
from headroom.core.compressors.lines.labels import label
from headroom.core.compressors.lines.templates import TROUBLED, templates_of
from headroom.core.compressors.logs import Logs
from headroom.core.detect import Sample
from headroom.core.types import Request, Shortened
from headroom.core.worth import Query

GAP = re.compile(r"^\[… (?:line (\d+)|[\d,]+ lines, (\d+)-(\d+))\]$")


def request(budget: int = 800, share: float = 0.08, lossless: bool = False, **terms: float) -> Request:
    return Request(Query(tuple((term.replace("_", " "), weight) for term, weight in terms.items())), budget, share, lossless)


def compressed(text: str, **options: float) -> Shortened:
    result = Logs().compress(text, request(**options))  # type: ignore[arg-type]
    assert result is not None
    return result


def service_log(count: int = 1500, **special: str) -> str:
    lines = [
        f"2024-03-0{1 + i % 9}T10:{i % 60:02}:{i * 7 % 60:02}.{i:03}Z INFO web-{i % 4} GET /health/{i} 200 in {i % 37}ms id={i * 7919:08x}"
        for i in range(count)
    ]
    for place, line in special.items():
        lines[int(place[1:])] = line
    return "\n".join(lines)


def check_lines(original: str, text: str) -> int:
    """Every shown line is the original's own and in its place; every gap is marked. Returns the lines left out."""
    lines = original.split("\n")
    at = omitted = 0
    for shown in text.split("\n"):
        gap = GAP.match(shown)
        if gap is not None:
            first, last = int(gap[1] or gap[2]), int(gap[1] or gap[3])
            assert first == at + 1, "a gap begins behind the line before it"
            at = last
            omitted += last - first + 1
        elif not shown.startswith("[… left out: "):
            assert lines[at] == shown
            at += 1
    assert at == len(lines)
    return omitted


@pytest.mark.parametrize("needle", ["FATAL out of memory", "payment declined by issuer", "switching to replica set B"])
def test_the_one_line_that_differs_is_shown(needle: str) -> None:
    text = service_log(s777=f"2024-03-04T10:00:00.000Z INFO web-1 {needle}")
    assert needle in compressed(text).text


def test_the_one_line_that_differs_among_names_is_shown() -> None:
    names = ["".join(chr(97 + (i * k) % 26) for k in (3, 5, 7, 11, 13)) for i in range(1500)]
    lines = [f"10:00:{i % 60:02} INFO user {name} opened page {name[::-1]} of shop" for i, name in enumerate(names)]
    lines[700] = "10:00:01 INFO payment declined while charging card"
    assert lines[700] in compressed("\n".join(lines)).text


def test_what_the_query_names_is_shown() -> None:
    result = compressed(service_log(), **{f"id={900 * 7919:08x}": 6.0})
    assert "GET /health/900 " in result.text


def test_counts_of_zero_are_no_errors_and_others_are() -> None:
    lines = [f"10:00:{i % 60:02} batch {i} done, errors=0, 0 failed" for i in range(1200)]
    lines[600] = "10:00:00 batch 600 done, errors=3, 0 failed"
    assert lines[600] in compressed("\n".join(lines)).text
    assert templates_of(lines).trouble.count(TROUBLED) == 1


def test_errors_come_with_their_trace_and_context() -> None:
    trace = ["ERROR could not charge order 4711", "Traceback (most recent call last):", '  File "/srv/pay.py", line 12, in charge']
    trace += [
        "    gateway.charge(order)",
        '  File "/srv/gateway.py", line 88, in charge',
        "    raise Declined(code)",
        "gateway.Declined: code 51",
    ]
    java = [
        "ERROR handler failed",
        "\tat shop.Cart.total(Cart.java:41)",
        "\tat shop.Main.run(Main.java:7)",
        "Caused by: java.lang.NullPointerException",
    ]
    before = ["10:00:00 INFO starting to charge order 4711"]
    lines = service_log().split("\n")
    text = "\n".join(lines[:400] + before + trace + lines[400:900] + java + lines[900:])
    result = compressed(text).text
    assert "\n".join(before + trace) in result
    assert "\n".join(java) in result


def test_similar_errors_are_shown_by_their_first_and_last() -> None:
    text = "\n".join(f"10:{i // 60:02}:{i % 60:02} ERROR worker {i} failed: connection refused by 10.0.0.{i % 9}" for i in range(900))
    result = compressed(text, budget=300, share=0.0)
    assert "worker 0 failed" in result.text
    assert "worker 899 failed" in result.text
    assert re.search(r"\[… left out: \d+x .*worker <n> failed", result.text)


def test_ends_and_summaries_are_shown() -> None:
    text = "$ make check\n" + service_log(800) + "\n5 failed, 1200 passed in 33.1s\nexit code 1"
    result = compressed(text).text
    assert result.startswith("$ make check\n")
    assert "5 failed, 1200 passed in 33.1s\nexit code 1" in result


def test_counts_in_note_and_marks_are_exact() -> None:
    text = service_log(s300="ERROR disk full", s301="    at mount /data")
    result = compressed(text)
    omitted = check_lines(text, result.text)
    assert result.note == f"{omitted:,} of 1,500 lines left out"
    assert result.lossy
    table = re.search(r"\[… left out: (.*)\]$", result.text)
    assert table is not None
    assert int(table[1].split("x ")[0].replace(",", "")) == omitted
    assert tokens.estimate(result.text) <= 1.15 * request().allowance(tokens.estimate(text))


def test_line_numbers_are_those_of_the_original_after_folding() -> None:
    lines = ["start"] + ["waiting for the database to accept connections"] * 40 + service_log(900).split("\n")
    result = compressed("\n".join(lines))
    assert result.text.startswith("start\nwaiting for the database to accept connections\n[… previous line 39 more times]\n")
    gap = re.search(r"\[… [\d,]+ lines, (\d+)-(\d+)\]\n(.*)", result.text)
    assert gap is not None
    assert lines[int(gap[2])] == gap[3]


def test_fold_keeps_every_line() -> None:
    text = "\x1b[32m10:00:01 INFO\x1b[0m ready   \n" + "poll: nothing to do, sleeping\n" * 40 + "10:00:02 INFO done\n\n"
    result = compressed(text)
    assert result.text == "10:00:01 INFO ready\npoll: nothing to do, sleeping\n[… previous line 39 more times]\n10:00:02 INFO done\n\n"
    assert not result.lossy
    assert result.note == "terminal codes removed, 39 repeated lines counted"


def test_overwritten_progress_keeps_its_last_state_and_all_else() -> None:
    bar = "\r".join(f"Fetching {i:3}%|{'#' * (i // 10):10}| {i}/100 [00:0{i % 9}]" for i in range(101))
    text = f"begin\n{bar}\n\rspinner lost connection\rspinner gave up after 3 tries\nend"
    result = compressed(text)
    assert result.text.split("\n") == ["begin", bar.split("\r")[-1], "\rspinner lost connection\rspinner gave up after 3 tries", "end"]
    assert not result.lossy
    assert "100 overwritten progress states left out" in result.note


def test_a_file_with_carriage_returns_for_line_ends_loses_nothing() -> None:
    text = "\r".join(f"user {i} logged in" for i in range(60))
    assert Logs().compress(text, request()) is None


def test_progress_by_lines_is_lossy_and_kept_if_lossless_is_asked() -> None:
    text = "\n".join(["begin"] + [f"Copying data: {i}% done" for i in range(101)] + ["end"])
    result = compressed(text)
    assert result.text == "begin\nCopying data: 100% done\n[… 100 earlier states of this line]\nend"
    assert result.lossy
    assert Logs().compress(text, request(lossless=True)) is None


def test_carriage_returns_at_line_ends_stay() -> None:
    text = service_log().replace("\n", "\r\n")
    result = compressed(text).text
    shown = [line for line in result.split("\n") if not line.startswith("[…")]
    assert all(line.endswith("\r") for line in shown[:-1])
    check_lines(text, result)


def test_long_lines_are_cut_in_place() -> None:
    long = "10:00:00 DEBUG payload " + "x1y2 " * 2000 + "customer=4711-abc " + "x1y2 " * 2000 + "tail-end"
    text = "\n".join([*service_log(40).split("\n"), long, "last"])
    line = next(line for line in compressed(text, budget=600, **{"customer=4711-abc": 9.0}).text.split("\n") if "DEBUG" in line)
    hidden = sum(int(n.replace(",", "")) for n in re.findall(r"\[… ([\d,]+) characters\]", line))
    shown = re.split(r"\[… [\d,]+ characters\]", line)
    assert "customer=4711-abc" in line
    assert len(shown) > 1
    assert hidden + sum(map(len, shown)) == len(long)
    assert all(part in long for part in shown)


def test_lossless_never_digests() -> None:
    assert Logs().compress(service_log(), request(lossless=True)) is None


def test_claims() -> None:
    assert Logs().claims(Sample(service_log(20)))
    assert Logs().claims(Sample("\n".join(f"sent order {i:x} to queue:{i % 3}" for i in range(30))))
    assert Logs().claims(Sample("\x1b[1mok\x1b[0m\n"))
    assert not Logs().claims(Sample("Dear all,\n\nplease find the minutes below.\n\nWe met.\nWe talked.\n"))
    assert not Logs().claims(Sample(""))


def test_labels_say_what_all_their_lines_have_in_common() -> None:
    lines = [
        f"2024-03-01T10:00:{i % 60:02}.{i:03}Z INFO web-{i % 4}: GET /v1/orders/{i} 200 in {i}.{i % 10}ms id=ab{i}f{i}c" for i in range(99)
    ]
    assert label(lines) == "<time> INFO web-<n>: GET /v1/orders/<n> 200 in <n>ms id=<id>"
    lines[50] = lines[50].replace(" 200 ", " 404 ").replace("/v1/", "/v2/")
    assert label(lines) == "<time> INFO web-<n>: GET /v<n>/orders/<n> <n> in <n>ms id=<id>"
    assert label(["worker 17: done in 5s", "worker 18: done in 12ms"]) == "worker <n>: done in <n>"
    assert label(["10.0.0.1 up", "10.0.0.2 up", "10.0.0.1 up"]) == "10.<n>.<n>.<n> up"
    assert label(["10:00:01 tick 7", "10:00:02 tick 7"]) == "<time> tick 7"
    assert label(["1 1", "1 2", "2 1"]) == "<n> <n>"
    assert len(label(["word " * 100])) <= 72


LONG = " ".join(f"w{index}" for index in range(300))
words = st.sampled_from(
    ["INFO ok 17", "INFO ok 99", "ERROR bad id=7f", "  at x.y(z.c:3)", "", "done", LONG, "50% \r60% ", "\x1b[1mé\x1b[0m"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=1, max_size=120), st.integers(0, 400), st.integers(1, 600))
def test_more_budget_never_shows_less(lines: list[str], small: int, more: int) -> None:
    text = "\n".join(f"{index} {line}" if index % 3 else line for index, line in enumerate(lines))
    little = Logs().compress(text, request(budget=small, bad=3.0))
    much = Logs().compress(text, request(budget=small + more, bad=3.0))
    if little is None:
        assert much is None
    elif much is not None:
        larger = "\0".join(shown(much.text))
        assert all(piece in larger for piece in shown(little.text))


def shown(text: str) -> list[str]:
    return [piece for line in text.split("\n") if not GAP.match(line) for piece in re.split(r"\[… [^\]]*\]", line) if piece]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n" * 200_000,
        "x" * 1_000_000,
        "\r" * 100_000,
        "\0" * 100_000,
        "\ud83d" * 100_000,
        "\ud83d\ude00" * 60_000,
        "\x1b[" * 100_000,
        "\x1b]" * 50_000,
        "[" * 100_000,
        "error\n" * 50_000,
        "a\u0301" * 60_000,
        "\f\v\x85\u2028" * 30_000,
        "1%\r" * 60_000,
        "%\n" * 60_000,
        " \n" * 60_000,
        "0" * 300_000,
    ],
)
def test_hostile_texts(text: str) -> None:
    for lossless in (False, True):
        result = Logs().compress(text, request(lossless=lossless, error=2.0))
        assert result is None or len(result.text) < len(text)
        assert not (lossless and result is not None and result.lossy)


def test_graphemes_stay_whole() -> None:
    family = "👩‍👩‍👧"
    result = compressed(family * 3_000, budget=300, share=0.0).text
    pieces = re.split(r"\[… [\d,]+ characters\]", result.split("\n")[0])
    assert len(pieces) > 1
    assert all(piece == family * (len(piece) // len(family)) for piece in pieces)


def test_a_mark_is_no_template() -> None:
    trace = "Traceback (most recent call last):\n" + "\n".join(f'  File "/srv/app/mod{n}.py", line {n * 7}, in call_{n}' for n in range(14))
    lines = []
    for n in range(240):
        lines.append(f"2024-01-01 10:{n // 60:02}:{n % 60:02} INFO request {n} took {n * 37 % 99} ms")
        if n % 12 == 5:
            lines.append(trace)
    text = "\n".join(lines)
    fold, result = Logs().compress(text, Request(Query(), 300, 0.0, lossless=True)), Logs().compress(text, Request(Query(), 300, 0.0))
    assert fold is not None and " lines as in lines " in fold.text and result is not None
    table = re.search(r"\[… left out: (.*)\]$", result.text)
    assert table is not None and "INFO request <n> took" in table[1] and "as in" not in table[1] and "[…" not in table[1]
