"""What is remembered of earlier calls: a shortcut that changes no result, whatever the caller does with its objects."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom import CompressionHooks, FormatError, MemoryStore, compress
from headroom.core import pipeline
from headroom.core.conversation import Conversation
from headroom.core.remembered import RememberedConversations
from tests.conversations import FORMATS, call_and_output, conversations, texts_at

MODEL = "gpt-4o"


def rows(salt: int) -> str:
    return json.dumps([{"id": f"o{salt}_{i}", "status": "ok", "note": f"note {i * 37 % 101}"} for i in range(200)])


def conversation(dialect: str, turns: int = 3) -> list[Any]:
    messages: list[Any] = [{"role": "user", "content": "find the failed order"}]
    for turn in range(turns):
        messages += call_and_output(dialect, turn + 1, "list", json.dumps({"page": turn}), [rows(turn)], "")
    return messages


def fresh(messages: list[Any], **options: Any) -> Any:
    pipeline._remembered.clear()
    return compress(messages, MODEL, **{"store": MemoryStore(), **options})


def scribble(messages: list[Any]) -> None:
    """Overwrite every text in place, as deep as it lies, and add and remove things."""
    paths: list[tuple[Any, ...]] = []
    texts_at(messages, lambda path, _: paths.append(path))
    for path in paths:
        holder: Any = messages
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = "overwritten"
    for message in messages:
        message["added"] = 1
        if isinstance(message.get("content"), list):
            message["content"].append({"type": "text", "text": "added"})
    messages.pop()


@given(conversations())
def test_scribbling_over_the_input_after_the_call_poisons_nothing(messages: list[Any]) -> None:
    expected = fresh(copy.deepcopy(messages)).messages
    pipeline._remembered.clear()
    theirs, store = copy.deepcopy(messages), MemoryStore()
    compress(theirs, MODEL, store=store)
    scribble(theirs)
    assert compress(messages, MODEL, store=store).messages == expected


@given(conversations())
def test_scribbling_over_the_result_poisons_nothing(messages: list[Any]) -> None:
    expected = fresh(copy.deepcopy(messages)).messages
    pipeline._remembered.clear()
    store = MemoryStore()
    result = compress(copy.deepcopy(messages), MODEL, store=store)
    scribble(result.messages)
    result.blocks.clear()
    result.references.clear()
    result.transforms_applied.clear()
    again = compress(messages, MODEL, store=store)
    assert again.messages == expected and len(again.blocks) == len(fresh(messages).blocks)


def test_counts_are_those_of_the_messages_as_they_came() -> None:
    messages = conversation("anthropic")
    expected = fresh(copy.deepcopy(messages)).tokens_before
    result = fresh(messages)
    scribble(messages)
    assert result.tokens_before == expected and result.tokens_after == expected - result.tokens_saved


@pytest.mark.parametrize("dialect", FORMATS)
def test_an_edited_old_message_is_read_anew(dialect: str) -> None:
    messages, store = conversation(dialect), MemoryStore()
    compress(messages, MODEL, store=store)
    edited = copy.deepcopy(messages)
    edited[0]["content"] = "find o1_77"
    assert compress(edited, MODEL, store=store).messages == fresh(edited).messages
    assert compress(messages, MODEL, store=store).messages == fresh(messages).messages


LOG = "\n".join(f"2026-01-01T10:{i // 60:02}:{i % 60:02} INFO job {i} flag {'true' if i % 2 else '1.0'} code {i * 3}" for i in range(400))


def asked_with(*inputs: dict[str, Any]) -> list[Any]:
    messages: list[Any] = [{"role": "user", "content": "x"}]
    for number, values in enumerate(inputs):
        messages.append({"role": "assistant", "content": [{"type": "tool_use", "id": f"t{number}", "name": "q", "input": values}]})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": LOG}]})
    return messages


@pytest.mark.parametrize(
    ("one", "other"),
    [({"v": 1.0}, {"v": 1}), ({"v": True}, {"v": 1}), ({"v": [0.0]}, {"v": [-0.0]})],
)
def test_messages_that_only_compare_equal_are_not_taken_for_each_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    expected = fresh(asked_with(one, other)).messages
    fresh(asked_with(one, one))
    assert compress(asked_with(one, other), MODEL, store=MemoryStore()).messages == expected


@pytest.mark.parametrize("dialect", FORMATS)
def test_branches_of_one_beginning_do_not_mix(dialect: str) -> None:
    trunk, store = conversation(dialect, 2), MemoryStore()
    branches = [trunk + call_and_output(dialect, 9, "list", f'{{"branch": {i}}}', [rows(i % 2)], "") for i in range(4)]
    pipeline._remembered.clear()
    for branch in (trunk, *branches, *reversed(branches), trunk[:3], *branches):
        mine = compress(branch, MODEL, store=store)
        assert mine.messages == compress(branch, MODEL, store=store).messages
    expected = [fresh(branch) for branch in branches]
    pipeline._remembered.clear()
    for branch, theirs in zip(branches, expected, strict=True):
        mine = compress(branch, MODEL, store=store)
        assert (mine.messages, mine.references, len(mine.blocks)) == (theirs.messages, theirs.references, len(theirs.blocks))


def test_settings_models_and_biases_are_kept_apart() -> None:
    class Keep(CompressionHooks):
        def compute_biases(self, messages: list[Any], ctx: object) -> dict[int, float]:
            return {2: float("inf")}

    messages, store = conversation("openai"), MemoryStore()
    variants: list[dict[str, Any]] = [{}, {"lossless": True}, {"min_tokens": 10_000}, {"namespace": "tenant"}, {"hooks": Keep()}]
    expected = [fresh(messages, **variant).messages for variant in variants]
    pipeline._remembered.clear()
    for _ in range(2):
        for variant, one in zip(variants, expected, strict=True):
            assert compress(messages, MODEL, store=store, **variant).messages == one
    assert expected[0] != expected[1] != expected[2] != expected[4]


def test_a_later_bias_rereads_what_was_remembered_without_it() -> None:
    class Biased(CompressionHooks):
        def __init__(self) -> None:
            self.biases: dict[int, float] = {}

        def compute_biases(self, messages: list[Any], ctx: object) -> dict[int, float]:
            return self.biases

    hooks, messages, store = Biased(), conversation("openai"), MemoryStore()
    for biases in ({}, {2: float("inf")}, {4: 0.1}, {}, {2: float("inf"), 4: 0.1}):
        hooks.biases = biases
        assert compress(messages, MODEL, hooks=hooks, store=store).messages == fresh(messages, hooks=hooks).messages


@given(st.data())
def test_any_order_of_calls_gives_what_fresh_calls_give(data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from(FORMATS))
    whole, store = conversation(dialect, 3), MemoryStore()
    expected = fresh(whole).messages
    pipeline._remembered.clear()
    for n in data.draw(st.lists(st.integers(0, len(whole)), max_size=6)):
        assert compress(whole[:n], MODEL, store=store).messages == expected[:n]


def test_a_malformed_message_leaves_what_came_before_sound() -> None:
    messages, store = conversation("openai"), MemoryStore()
    with pytest.raises(FormatError, match=r"messages\[7\]"):
        compress([*messages, {"role": "user"}], MODEL, store=store)
    assert compress(messages, MODEL, store=store).messages == fresh(messages).messages


def test_an_interrupted_call_leaves_nothing_half_read(monkeypatch: pytest.MonkeyPatch) -> None:
    messages, store = conversation("openai"), MemoryStore()
    expected = fresh(messages).messages
    for sound in range(len(messages) - 3):
        pipeline._remembered.clear()
        compress(messages[:3], MODEL, store=store)
        calls = 0
        original = Conversation.remember

        def interrupted(self: Conversation, *arguments: Any) -> None:
            nonlocal calls
            calls += 1
            if calls > sound:  # noqa: B023
                self.messages.append(arguments[0])
                raise KeyboardInterrupt
            original(self, *arguments)  # noqa: B023

        with monkeypatch.context() as patch:
            patch.setattr(Conversation, "remember", interrupted)
            with pytest.raises(KeyboardInterrupt):
                compress(messages, MODEL, store=store)
        assert compress(messages, MODEL, store=store).messages == expected


def test_the_number_of_conversations_is_bounded_and_the_oldest_go_first() -> None:
    known = RememberedConversations(most=3)
    made = [Conversation(messages=[{"role": "user", "content": str(i)}], biases=[1.0]) for i in range(5)]
    for conversation_ in made:
        known.give("s", conversation_)
    assert [known.take("s", c.messages, {}) is not None for c in made] == [False, False, True, True, True]


def test_the_characters_are_bounded_and_a_huge_conversation_is_not_kept_at_all() -> None:
    known = RememberedConversations(most_characters=100)
    small = [Conversation(messages=[{"role": "user", "content": str(i)}], biases=[1.0], characters=40) for i in range(3)]
    for conversation_ in (*small, Conversation(messages=[{"role": "user", "content": "huge"}], biases=[1.0], characters=101)):
        known.give("s", conversation_)
    assert sum(c.characters for _, c in known._entries) <= 100
    assert known.take("s", [{"role": "user", "content": "huge"}], {}) is None
    assert known.take("s", small[2].messages, {}) is not None


def test_a_conversation_is_taken_out_while_it_is_worked_on() -> None:
    known = RememberedConversations()
    conversation_ = Conversation(messages=[{"role": "user", "content": "a"}], biases=[1.0])
    known.give("s", conversation_)
    assert known.take("other settings", conversation_.messages, {}) is None
    first = known.take("s", conversation_.messages, {})
    assert first is not None and first.conversation is conversation_
    assert known.take("s", conversation_.messages, {}) is None
    assert known.take("s", [], {}) is None


def test_threads_with_one_beginning_get_what_each_would_get_alone() -> None:
    trunk = conversation("openai", 2)
    branches = [trunk + call_and_output("openai", 9, "list", f'{{"branch": {i}}}', [rows(i)], "") for i in range(6)]
    expected = [fresh(branch).messages for branch in branches]
    pipeline._remembered.clear()
    store, failures = MemoryStore(), []

    def work(start: int) -> None:
        for turn in range(24):
            i = (start + turn) % len(branches)
            if compress(branches[i], MODEL, store=store).messages != expected[i]:
                failures.append(i)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
