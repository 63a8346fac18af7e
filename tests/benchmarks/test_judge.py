"""The definitions, on a session whose every answer is known."""

from __future__ import annotations

import pytest
from judge import Replay, Tally, Turn, message_tokens, prepare, readable, text_of, values_in

from tests.benchmarks.small_session import ORDERS, small_session

HIDDEN = {"role": "tool", "tool_call_id": "call_1", "content": "order ord-2222 is shipped"}


def no_originals(reference: str) -> str:
    raise AssertionError(f"asked for {reference}")


def replayed(shortened: dict | None = None, references: list[str] | None = None, retrieve=no_originals) -> Replay:
    """The small session, with one tool output replaced from the start; None: as it is."""
    messages = small_session()
    prepared = prepare(messages)
    sent = [shortened if shortened and message.get("content") == ORDERS else message for message in messages]
    replay = Replay(prepared)
    same = 0
    for turn in prepared.turns:
        replay.turn(turn, same, sent[same : turn.at], 1.0, references or [], retrieve)
        same = turn.at
    return replay


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("plain words and Names stay out", set()),
        ("id 4711, not 471", {"4711"}),
        ("see src/app/main.py.", {"src/app/main.py"}),
        ("call getUser(userId) for user_id", {"getUser", "userId", "user_id"}),
        ("-- a-b-c --", {"a-b-c"}),
        ("https://host/x", {"https://host/x"}),
        ("#$@ ## $100", {"$100"}),
        ("x1" * 61, set()),
        ("v1.2.3; v1.2.3", {"v1.2.3"}),
    ],
)
def test_what_counts_as_a_value(text: str, values: set[str]) -> None:
    assert values_in(text) == values


def test_a_path_may_stand_as_its_folder_and_its_name() -> None:
    assert readable("src/shop/orders.py", "src/shop/orders.py:12")
    assert readable("src/shop/orders.py", "src/shop:\n  orders.py")
    assert readable("src/shop/orders.py", "shop/\n  orders.py")
    assert not readable("src/shop/orders.py", "orders.py")
    assert not readable("ord-1", "ord-2")


def test_texts_of_every_shape() -> None:
    assert text_of(None) == ""
    assert text_of("a") == "a"
    assert text_of(["a", {"type": "text", "text": "b"}, {"content": [{"text": "c"}]}, {"type": "image"}]) == "a\nb\nc"


def test_only_what_a_tool_alone_has_taught_is_wanted() -> None:
    turns = prepare(small_session()).turns
    assert turns == [Turn(2, []), Turn(4, ["ord-2222"]), Turn(6, ["ord-3333", "src/shop/orders.py"])]


def test_escapes_of_json_strings_hide_no_value() -> None:
    messages = small_session()
    messages[3]["content"] = '{"text": "x\\nord-2222\\n\\"src\\/shop\\/orders.py\\" ord-3333"}'
    prepared = prepare(messages)
    assert [turn.wanted for turn in prepared.turns] == [[], ["ord-2222"], ["ord-3333", "src/shop/orders.py"]]


def test_nothing_done_saves_nothing_and_loses_nothing() -> None:
    tally = replayed().tally
    assert (tally.saved, tally.cost, tally.net, tally.recall, tally.reachable) == (0, 0, 0, 1, 1)
    assert (tally.turns, tally.wanted, tally.kept, tally.turns_that_miss, tally.broke, tally.touched) == (3, 3, 3, 0, 0, 0)


def test_a_hidden_value_is_missed_and_paid_for() -> None:
    replay = replayed(HIDDEN)
    tally = replay.tally
    messages = small_session()
    sizes = [message_tokens(message) for message in messages]
    gone = sizes[3] - message_tokens(HIDDEN)
    assert tally.before == sum(sum(sizes[:at]) for at in (2, 4, 6))
    assert tally.before - tally.after == 2 * gone, "the output stands in two prompts"
    assert tally.cost_before == pytest.approx(1.25 * sum(sizes[:6]) + 0.1 * (sum(sizes[:2]) + sum(sizes[:4])))
    assert tally.cost_before - tally.cost_after == pytest.approx(1.35 * gone), "new once, cached once"
    assert (tally.wanted, tally.kept, tally.turns_that_miss) == (3, 1, 1)
    assert tally.recall == pytest.approx(1 / 3) == tally.reachable
    assert [(loss.turn, loss.value, loss.reached) for loss in replay.lost] == [(6, "ord-3333", False), (6, "src/shop/orders.py", False)]
    last_prompt = sum(sizes[:6]) - gone
    assert tally.cost_of_asking == pytest.approx(0.1 * last_prompt + 60 * 5 + 400 * 1.25), "no later turn carries the answer"
    assert tally.net < tally.cost


def test_an_answer_is_carried_by_every_later_prompt() -> None:
    tally = replayed({**HIDDEN, "content": "gone"}).tally
    assert tally.turns_that_miss == 2
    one_asking = 60 * 5 + 400 * 1.25
    assert tally.cost_of_asking > 2 * one_asking + 0.1 * 460


def test_what_a_reference_leads_to_is_reachable() -> None:
    asked = []

    def retrieve(reference: str) -> str:
        asked.append(reference)
        return ORDERS

    tally = replayed(HIDDEN, ["r1"], retrieve).tally
    assert (tally.recall, tally.reachable) == (pytest.approx(1 / 3), 1)
    assert asked == ["r1"], "each original once a session"
    assert replayed(HIDDEN, ["r1"], lambda _: "ord-3333 alone").tally.reached == 1


def test_a_changed_prefix_is_broken_and_costs() -> None:
    messages = small_session()
    prepared = prepare(messages)
    steady, changing = Replay(prepared), Replay(prepared)
    for replay, at_last in ((steady, messages[3]), (changing, {**messages[3], "content": ORDERS + " "})):
        replay.turn(prepared.turns[0], 0, messages[:2], 1.0, [], no_originals)
        replay.turn(prepared.turns[1], 2, messages[2:4], 1.0, [], no_originals)
        replay.turn(prepared.turns[2], 3, [at_last, *messages[4:6]], 1.0, [], no_originals)
    assert (steady.tally.broke, changing.tally.broke) == (0, 1)
    assert steady.tally.cost == 0, "equal messages are cached, whoever says so"
    assert changing.tally.cost_after > steady.tally.cost_after + 1.1 * message_tokens(messages[3])


@pytest.mark.parametrize(("index", "counts"), [(0, True), (1, True), (2, True), (3, False)])
def test_instructions_are_sacred(index: int, counts: bool) -> None:
    messages = small_session()
    prepared = prepare(messages)
    replay = Replay(prepared)
    sent = [dict(message) for message in messages]
    if index == 2:
        sent[2] = {**sent[2], "tool_calls": [{"function": {"name": "list_orders", "arguments": '{"page":2}'}}]}
    else:
        sent[index]["content"] += " Or not."
    for turn in prepared.turns:
        replay.turn(turn, 0, sent[: turn.at], 1.0, [], no_originals)
    prompts = sum(turn.at > index for turn in prepared.turns)
    assert replay.tally.touched == (prompts if counts else 0), "once for each prompt"


def test_long_user_messages_may_be_shortened() -> None:
    messages = small_session()
    messages[1]["content"] = "log line\n" * 1_000
    prepared = prepare(messages)
    replay = Replay(prepared)
    replay.turn(prepared.turns[0], 0, [messages[0], {"role": "user", "content": "log"}], 1.0, [], no_originals)
    assert replay.tally.touched == 0


def test_a_missing_message_is_an_error() -> None:
    prepared = prepare(small_session())
    with pytest.raises(ValueError, match="2 messages went in, 1 came out"):
        Replay(prepared).turn(prepared.turns[0], 0, prepared.messages[:1], 1.0, [], no_originals)


def test_tallies_add_up() -> None:
    whole = Tally()
    whole.add(replayed().tally)
    whole.add(replayed(HIDDEN).tally)
    assert (whole.sessions, whole.turns, whole.wanted, whole.kept, whole.milliseconds) == (2, 6, 6, 4, [1.0] * 6)
    assert Tally().recall == Tally().reachable == 1
