"""A history as the model gets it: shorter texts, whole turns, and the same again in the next turn."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from headroom import CompressResult, FormatError, MemoryStore, compress, retrieve
from headroom.integrations.openclaw import Assembly, assemble
from headroom.integrations.openclaw.turns import size_of
from tests.integrations.openclaw.history import ORDERS, call, history, result, says, turn, user


def assembled(messages: list[Any], budget: int | None = None, **options: Any) -> Assembly:
    options.setdefault("store", MemoryStore())

    def shorter(readings: list[dict[str, Any]]) -> CompressResult:
        return compress(readings, "gpt-4o", **options)

    return assemble(messages, shorter, budget)


def test_outputs_are_shorter_and_everything_else_is_the_same_object() -> None:
    store, messages = MemoryStore(), turn(1)
    before = copy.deepcopy(messages)
    assembly = assembled(messages, store=store)
    assert messages == before
    assert [assembly.messages[index] is messages[index] for index in range(4)] == [True, True, False, True]
    shorter = assembly.messages[2]
    assert len(shorter["content"][0]["text"]) < len(ORDERS) / 2
    assert {**shorter, "content": None} == {**before[2], "content": None}
    (reference,) = assembly.result.references
    assert retrieve(reference, store=store) == ORDERS


def test_each_turn_repeats_the_one_before() -> None:
    messages = [*turn(1), *turn(2), *turn(3)]
    whole = assembled(messages).messages
    for count in range(len(messages)):
        assert assembled(messages[:count]).messages == whole[:count]


def test_what_was_shortened_at_birth_stays_as_it_is() -> None:
    born = assembled(turn(1)).messages
    assert assembled([*born, *turn(2)]).messages[:4] == born


def test_what_was_got_back_is_never_shortened_again() -> None:
    messages = [user("What failed?"), call(1, "headroom_retrieve"), result(1, ORDERS, "headroom_retrieve"), says("that")]
    assert assembled(messages).messages == messages


def test_turns_leave_when_the_budget_is_exceeded_and_the_model_is_told() -> None:
    messages = history(40)
    budget = sum(map(size_of, messages)) // 3
    assembly = assembled(messages, budget)
    start, end = assembly.left_out
    assert assembly.messages == [*messages[:start], *messages[end:]]
    assert messages[start - 1]["role"] == "user"
    assert assembly.estimated_tokens <= budget
    assert f"({end - start} messages)" in assembly.notice
    assert assembled(messages).notice == ""


def test_the_texts_that_stay_do_not_change_when_others_leave() -> None:
    messages = [message for number in range(12) for message in turn(number)]
    whole = assembled(messages).messages
    part = assembled(messages, sum(map(size_of, whole)) // 2)
    start, end = part.left_out
    assert end > start
    assert part.messages == [*whole[:start], *whole[end:]]


def test_openclaws_own_messages_and_odd_ones_pass() -> None:
    odd = [
        {"role": "compactionSummary", "summary": "so far " * 900, "tokensBefore": 9},
        {"role": "bashExecution", "command": "ls", "output": "x\n" * 4_000, "exitCode": 0},
        {"role": "custom", "customType": "note", "content": {"a": 1}},
        {"role": "user"},
        {"role": "assistant", "content": None},
    ]
    assembly = assembled([*odd, *turn(1)])
    assert all(mine is theirs for mine, theirs in zip(assembly.messages, odd, strict=False))
    assert len(assembly.messages[7]["content"][0]["text"]) < len(ORDERS) / 2


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(FormatError, match="messages\\[1\\]"):
        assembled([user("a"), "b"])
