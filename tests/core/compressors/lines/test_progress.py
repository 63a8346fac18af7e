"""Progress: what was written over goes, whatever else stands between carriage returns stays."""

from __future__ import annotations

import pytest

from headroom.core.compressors.lines.folds import Folded, fold_lines

SPIN = "⠋⠙⠹⠸⠼"
PROGRESS = {
    "a bar with a share": [f"{i:3}%|{'#' * (i // 10):10}| {i}/100 [00:{i % 60:02}<00:09, {i * 1.1:.2f}it/s, loss={i}]" for i in range(101)],
    "a share that gets a speed": [f"Receiving objects: {i:3}% ({i}/100)" + f", {i / 9:.2f} MiB | {i} KiB/s" * (i > 3) for i in range(101)],
    "a drawn bar": ["   " + "━" * i + "╸" + " " * (40 - i) + f" {i / 10:.1f}/4.0 MB 9.1 MB/s eta 0:00:0{i % 9}" for i in range(41)],
    "a spinner": [f"{SPIN[i % 5]} Installing packages" for i in range(40)],
    "an old spinner": [f"{'|/-'[i % 3]} Installing packages" for i in range(40)],
    "a spinner with a number": [f"{SPIN[i % 5]} Fetching {i} packages" for i in range(40)],
    "a counter": [f"Linking {i} of 300" for i in range(1, 301)],
    "sizes": [f"layer 3f4a: Downloading [{'=' * i}>{' ' * (50 - i)}] {i * 10}kB/500kB" for i in range(50)],
    "dots": ["Waiting" + "." * i for i in range(1, 40)],
}
LIKELY = {
    "a size that grows": [f"Downloading model {i * 1.1:.1f} MB" for i in range(40)],
    "times": [f" {i:2} 1000k   {i:2}  {i}k  0  0  1.2M  0  0:00:01 --:--:--  0:00:01 1.2M" for i in range(40)],
}
ROWS = {
    "sentences": [f"user {i} logged in" for i in range(60)],
    "values": [f"{i},ok,{i * 3.5}" for i in range(60)],
    "equal rows": ["ok"] * 60,
    "shares of different things": [f"disk {i} {i}%" for i in range(60)],
    "shares behind names": [f"srv{i} {i}% used" for i in range(60)],
    "shares of names": [f"{i}% of volume{i}" for i in range(60)],
    "shares that rise and fall": [f"{i * 37 % 100}% used" for i in range(60)],
    "dates": [f"05/{i}/2024 paid" for i in range(10, 30)],
    "times of different things": [f"test_{i} took {i} ms" for i in range(60)],
    "counters of different things": [f"shard{i} {i}/60 done" for i in range(60)],
}


def folded(states: list[str], lossless: bool) -> Folded:
    return fold_lines("begin\n" + "\r".join(states) + "\nend", formatting=True, lossless=lossless)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("states", PROGRESS.values(), ids=PROGRESS)
def test_progress_keeps_its_last_state(states: list[str], lossless: bool) -> None:
    result = folded(states, lossless)
    assert result.text() == f"begin\n{states[-1]}\nend" and not result.lossy
    assert result.done == (f"{len(states) - 1} overwritten progress states left out",)


@pytest.mark.parametrize("states", LIKELY.values(), ids=LIKELY)
def test_what_is_not_certain_is_a_loss_and_stays_if_nothing_may_be_lost(states: list[str]) -> None:
    assert folded(states, lossless=False).lossy
    assert folded(states, lossless=False).text() == f"begin\n{states[-1]}\nend"
    assert folded(states, lossless=True).text() == "begin\n" + "\r".join(states) + "\nend"


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("states", ROWS.values(), ids=ROWS)
def test_rows_are_no_progress(states: list[str], lossless: bool) -> None:
    result = folded(states, lossless)
    assert result.text() == "begin\n" + "\r".join(states) + "\nend" and not result.done


def test_a_bar_that_starts_again_keeps_how_the_first_ended() -> None:
    states = [f"{i}% step" for i in range(0, 101, 5)]
    assert folded(states * 2, lossless=True).text() == "begin\n100% step\r100% step\nend"


@pytest.mark.parametrize(
    "lines",
    [
        [f"tests/test_{i}.py ........... [{i:3}%]" for i in range(100)],
        ["." * 72 + f" [{i:3}%]" for i in range(100)],
        [f"tests/test_a.py::test_it PASSED [{i:3}%]" for i in range(100)],
        [f"[{i:3}%] Building object file{i}.o" for i in range(100)],
        [f"/dev/sd{i} {i}% /mnt" for i in range(60)],
        [f"{i * 37 % 100}% of requests" for i in range(60)],
    ],
    ids=["files", "dots", "one test", "build steps", "disks", "rising and falling"],
)
def test_lines_with_a_share_that_say_something_of_their_own_stay(lines: list[str]) -> None:
    result = fold_lines("\n".join(lines), formatting=True, lossless=False)
    assert result.text() == "\n".join(lines) and not result.lossy


@pytest.mark.parametrize("state", ["[=>" * 130, "[---|" * 79, "." * 398 + "x", "F" + " " * 390, "1/" * 199, "0:00:" * 79, "9" * 399])
def test_linear(state: str) -> None:
    text = "\n" + (state + "\r") * 2_000
    assert fold_lines(text, formatting=True, lossless=True).text()
