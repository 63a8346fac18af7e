"""The shared chooser: nested in the budget, true marks, verbatim lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headroom.core.compressors.lines.choosing import GAP_TOKENS, bridge, choose, gap_mark, render, sink

units = st.lists(st.tuples(st.floats(0, 9, allow_nan=False), st.integers(1, 40)), min_size=1, max_size=60)


def test_best_worth_first_and_ties_to_the_earlier() -> None:
    assert choose([1, 5, 1, 5], [1, 1, 1, 1], 4) == bytearray([0, 1, 0, 1])
    assert choose([1, 1, 1], [1, 1, 1], 2) == bytearray([1, 0, 0])


def test_stops_at_the_first_unit_that_does_not_fit() -> None:
    assert choose([3, 2, 1], [1, 50, 1], 10) == bytearray([1, 0, 0])


def test_gap_marks_count_if_asked() -> None:
    worths, costs = [0, 9, 0, 8, 0], [20, 5, 20, 5, 20]
    assert sum(choose(worths, costs, 30)) == 2
    assert sum(choose(worths, costs, 30, GAP_TOKENS)) == 1


@given(units, st.integers(0, 300), st.integers(0, 300), st.sampled_from([0, GAP_TOKENS]))
def test_more_budget_keeps_all_that_less_kept(items: list[tuple[float, int]], small: int, more: int, gap: int) -> None:
    worths, costs = [worth for worth, _ in items], [cost for _, cost in items]
    little, much = choose(worths, costs, small, gap), choose(worths, costs, small + more, gap)
    lines = ["" if cost % 3 == 0 else "a line" for cost in costs]
    sink(little, lines)
    sink(much, lines)
    bridge(little, costs)
    bridge(much, costs)
    assert all(b for a, b in zip(little, much, strict=True) if a)


def test_what_says_nothing_between_two_gaps_joins_them() -> None:
    lines = ["a", "", "b", "  )", "c", "", "d", ""]
    keep = bytearray([0, 1, 0, 1, 0, 1, 1, 1])
    sink(keep, lines)
    assert render(lines, keep) == "[… 5 lines, 1-5]\n\nd\n"


def test_what_heads_a_section_stays_between_two_gaps() -> None:
    keep = bytearray([0, 1, 0])
    sink(keep, ["a", "", "b"], [7, 0, 31])
    assert keep == bytearray([0, 1, 0])
    sink(keep, ["a", "```", "b"])
    assert keep == bytearray([0, 1, 0])


@given(units, st.integers(0, 300))
def test_bridge_counts_what_is_left_out(items: list[tuple[float, int]], budget: int) -> None:
    costs = [cost for _, cost in items]
    keep = choose([worth for worth, _ in items], costs, budget)
    assert bridge(keep, costs) == keep.count(0)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_render_accounts_for_every_line(kept: list[bool]) -> None:
    lines = [f"line number {index}" for index in range(1, len(kept) + 1)]
    seen: list[int] = []
    for line in render(lines, bytearray(kept)).split("\n"):
        if line.startswith("line number"):
            seen.append(int(line.split()[-1]))
            assert kept[seen[-1] - 1]
        elif " lines, " in line:
            first, last = line.rstrip("]").split(", ")[1].split("-")
            assert line == gap_mark(int(first), int(last))
            seen.extend(range(int(first), int(last) + 1))
        else:
            seen.append(int(line.rstrip("]").split()[-1]))
    assert seen == list(range(1, len(kept) + 1))
