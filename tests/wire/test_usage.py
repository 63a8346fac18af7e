"""What several round trips cost together."""

from __future__ import annotations

from headroom.wire.usage import added


def test_numbers_are_added_nested_ones_too() -> None:
    first = {"input_tokens": 10, "cost": 0.5, "details": {"cached": 3}, "service_tier": "standard", "none": None}
    second = {"input_tokens": 1, "cost": 0.25, "details": {"cached": 4, "audio": 1}, "service_tier": "priority", "none": 2}
    total = added(first, second)
    assert total == {
        "input_tokens": 11,
        "cost": 0.75,
        "details": {"cached": 7, "audio": 1},
        "service_tier": "priority",
        "none": 2,
    }
    assert first["details"] == {"cached": 3}, "nothing is changed in place"


def test_nothing_takes_nothing_away() -> None:
    assert added({"a": 1, "b": {"c": 2}}, {"a": None, "b": None}) == {"a": 1, "b": {"c": 2}}
    assert added(None, {"a": 1}) == {"a": 1}
    assert added({"flag": True}, {"flag": True}) == {"flag": True}, "no number"
