"""Which turns leave a history that is too long: whole ones, the oldest, many at a time."""

from __future__ import annotations

from itertools import pairwise

from headroom.integrations.openclaw.turns import left_out, rounded, size_of, turn_starts
from tests.integrations.openclaw.history import call, history, result, says, user

LONG = history(60)
SIZES = [size_of(message) for message in LONG]
BUDGET = sum(SIZES) // 3


def kept(count: int, budget: int = BUDGET) -> list[int]:
    start, end, _ = left_out(LONG[:count], SIZES[:count], budget)
    return [*range(start), *range(end, count)]


def test_what_fits_stays() -> None:
    start, end, turns = left_out(LONG, SIZES, sum(SIZES) * 2)
    assert (start, turns) == (end, 0)


def test_the_rest_is_within_the_budget_and_whole_turns() -> None:
    for count in range(4, len(LONG) + 1, 4):
        indices = kept(count)
        assert sum(SIZES[index] for index in indices) <= BUDGET
        assert indices[0] == 0  # the first user's message
        assert len(indices) == 1 or LONG[indices[1]]["role"] in ("user", "assistant")
        assert indices[-4:] == list(range(count - 4, count))  # the newest turn


def test_turns_leave_rarely_and_many_at_a_time() -> None:
    lefts = [left_out(LONG[:count], SIZES[:count], BUDGET)[2] for count in range(4, len(LONG) + 1, 4)]
    changes = [(before, after) for before, after in pairwise(lefts) if before != after]
    assert 2 <= len(changes) <= 6
    assert all(after - before >= 5 for before, after in changes)


def test_between_two_departures_the_prefix_stays() -> None:
    for count in range(4, len(LONG), 4):
        before, after = kept(count), kept(count + 4)
        same_head = left_out(LONG[:count], SIZES[:count], BUDGET) == left_out(LONG[: count + 4], SIZES[: count + 4], BUDGET)
        assert not same_head or after[: len(before)] == before


def test_a_budget_that_changes_a_little_changes_nothing() -> None:
    step = rounded(BUDGET)
    assert {tuple(kept(240, budget)) for budget in (step, step + 1, step + step // 20)} == {tuple(kept(240))}
    assert all(budget * 7 // 8 <= rounded(budget) <= budget for budget in range(1, 5_000))


def test_a_result_that_comes_after_a_word_of_the_user_stays_with_its_call() -> None:
    messages = [user("a"), call(1), user("hurry"), result(1), says("done"), user("b"), says("c")]
    assert turn_starts(messages) == [0, 5]


def test_calls_without_results_end_with_their_turn() -> None:
    assert turn_starts([user("a"), call(1), user("b"), says("c")]) == [0, 2]


def test_what_stands_before_the_first_user_stays() -> None:
    messages = [{"role": "compactionSummary", "summary": "so far"}, *LONG]
    start, end, _ = left_out(messages, [size_of(message) for message in messages], BUDGET)
    assert (start, end > start) == (2, True)


def test_where_nothing_may_leave_nothing_does() -> None:
    assert left_out([], [], 10)[2] == 0
    assert left_out([user("a")], [50], 10)[2] == 0
    assert left_out([says("a"), says("b")], [50, 50], 10) == (0, 0, 0)


def test_sizes() -> None:
    picture = {"type": "image", "data": "A" * 100_000, "mimeType": "image/png"}
    assert 1_400 < size_of({"role": "user", "content": [picture]}) < 1_700
    assert size_of({"role": "compactionSummary", "summary": "x" * 3_300}) > 1_000
    assert size_of({"role": "user", "content": "数" * 100}) > 90
    assert size_of({"role": "toolResult", "content": [], "details": {"rows": "x" * 9_999}}) < 10  # the model never sees those
