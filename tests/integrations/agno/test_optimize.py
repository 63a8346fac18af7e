"""optimize_messages: compress() for a list of Agno's messages."""

from __future__ import annotations

import pytest
from agno.models.message import Message

from headroom import ConfigError, MemoryStore, retrieve
from headroom.integrations.agno import optimize_messages
from tests.integrations.agno.playing import ORDERS
from tests.integrations.agno.test_messages import output, turn


def test_messages_and_metrics() -> None:
    messages, store = turn(output()), MemoryStore()
    shorter, metrics = optimize_messages(messages, model="gpt-4o", store=store)
    assert messages[-1].content == ORDERS
    assert all(isinstance(message, Message) for message in shorter)
    assert [short is message for short, message in zip(shorter, messages, strict=True)] == [True, True, False]
    assert metrics["tokens_before"] - metrics["tokens_after"] == metrics["tokens_saved"] > 10_000
    assert metrics["savings_percent"] == pytest.approx(100 * metrics["tokens_saved"] / metrics["tokens_before"], abs=0.01)
    assert metrics["transforms_applied"][0].startswith("router:json_records:")
    assert retrieve(metrics["references"][0], store=store) == ORDERS


def test_optimized_messages_are_not_optimized_again() -> None:
    once, _ = optimize_messages(turn(output()))
    twice, metrics = optimize_messages(once)
    assert twice == once
    assert metrics["tokens_saved"] == 0


def test_lossless_leaves_nothing_out() -> None:
    shorter, metrics = optimize_messages(turn(output()), lossless=True)
    assert all(f"ord_{7000 + row}" in str(shorter[-1].content) for row in range(300))
    assert metrics["references"] == []


def test_a_mistyped_option() -> None:
    with pytest.raises(ConfigError):
        optimize_messages([], modle="gpt-4o")
