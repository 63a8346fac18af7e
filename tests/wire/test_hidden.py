"""What the client never saw is found again by what it sends back, and by nothing else."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from headroom import CompressionService, MemoryStore
from headroom.wire.hidden import LAST_ONE, MOST_CALLS_AT_ONCE, Before, HiddenTurns, OurCall, Round, hidden_turns_of, look_of, texts_of
from tests.wire.talks import new_service


def _round(text: str = "x") -> Round:
    return Round([{"type": "text", "text": text}])


def test_a_turn_is_found_by_its_look_and_by_what_came_before() -> None:
    turns = HiddenTurns()
    rounds = [_round()]
    turns.keep("look", "before", rounds)
    assert turns.may_know("look")
    assert not turns.may_know("other")
    found = turns.find("look", "before")
    assert found is not None and found.rounds is rounds
    assert turns.find("look", "another conversation") is None


def test_the_ids_of_calls_are_the_look_and_words_only_without_them() -> None:
    assert look_of(["call_1", "call_2"], ["hi"]) == look_of(["call_1", "call_2"], ["trimmed by the client"])
    assert look_of(["call_1"], []) != look_of(["call_2"], [])
    assert look_of([], ["Hello ", "world"]) == look_of([], ["Hello", "\n\nworld\n"])
    assert look_of([], ["Hello"]) != look_of([], ["Hallo"])
    assert look_of([], [" "]) == look_of([""], []) == ""


def test_a_client_may_move_marks_and_write_texts_as_blocks() -> None:
    plain: list[Any] = [{"role": "user", "content": "hi"}, {"role": "tool", "tool_call_id": "c", "content": "out"}]
    marked = [
        {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]},
        {"content": [{"text": "out", "type": "text"}], "role": "tool", "tool_call_id": "c", "name": "f"},
    ]
    assert Before(plain).upto(1) == Before(marked[:1]).upto(1)
    assert list(texts_of(plain[0])) == list(texts_of(marked[0]))
    assert Before([{"role": "user", "content": "ho"}]).upto(1) != Before(plain).upto(1)


def test_the_fingerprint_grows_with_the_conversation() -> None:
    messages = [{"role": "user", "content": str(number)} for number in range(9)]
    before = Before(messages)
    assert [before.upto(index) for index in (0, 3, 3, 9)] == [Before(messages[:index]).upto(index) for index in (0, 3, 3, 9)]
    assert Before([{"role": "user", "content": "ab"}]).upto(1) != Before([{"role": "user", "content": ["a", "b"]}]).upto(1)


def test_bounded_in_number_the_newest_and_the_used_stay() -> None:
    turns = HiddenTurns(most=3)
    for number in range(3):
        turns.keep(f"look {number}", "", [_round()])
    turns.find("look 0", "")
    turns.keep("look 3", "", [_round()])
    assert [turns.may_know(f"look {number}") for number in range(4)] == [True, False, True, True]
    for number in range(9):
        turns.rename(f"first {number}", f"last {number}")
    assert turns.renamed("first 0") is None
    assert turns.renamed("first 8") == "last 8"
    assert turns.renamed(None) is None


def test_bounded_in_size() -> None:
    turns = HiddenTurns(most_characters=200_000)
    for number in range(50):
        turns.keep(str(number), "", [_round("x" * 1_000)])
    assert 0 < len(turns) < 6
    turns.keep("huge", "", [_round("x" * 1_000_000)])
    assert not turns.may_know("huge")
    assert turns._characters == 0


def test_the_same_turn_again_takes_the_place_of_the_old_one() -> None:
    turns = HiddenTurns()
    for _ in range(3):
        turns.keep("look", "", [_round()])
    assert len(turns) == 1


def test_services_do_not_share_and_are_not_kept_alive() -> None:
    one, other = new_service(), new_service()
    assert hidden_turns_of(one) is hidden_turns_of(one)
    assert hidden_turns_of(one) is not hidden_turns_of(other)
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


def test_calls_are_answered_once_and_not_too_many_at_a_time() -> None:
    store = MemoryStore()
    [reference] = store.put_many(["one\ntwo\n" * 400])
    service = CompressionService(store=store)
    said = Round([], [OurCall(f"call_{number}", {"ref": reference, "lines": "1"}) for number in range(MOST_CALLS_AT_ONCE + 3)], last=True)
    answers = said.answered(service)
    assert answers["call_0"].endswith(LAST_ONE) and "one" in answers["call_0"]
    assert "too many" in answers[f"call_{MOST_CALLS_AT_ONCE}"]
    assert service.savings.retrievals == MOST_CALLS_AT_ONCE
    assert said.answered(service) == answers
    assert service.savings.retrievals == MOST_CALLS_AT_ONCE
