"""Which sessions are measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded import Choice, sessions

from tests.benchmarks.small_session import small_session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sources: ten small sessions, one long one."""
    ten = [json.dumps({"name": f"s{number}", "messages": small_session()}) for number in range(10)]
    (tmp_path / "small.jsonl").write_text("\n".join(ten) + "\n")
    long = [*small_session(), {"role": "user", "content": "x" * 5_000}]
    (tmp_path / "long.jsonl").write_text(json.dumps({"name": "l", "messages": long}) + "\n")
    return tmp_path


def names(folder: Path, **choice: object) -> list[str]:
    return [session.name for session in sessions(folder, Choice(**choice))]  # type: ignore[arg-type]


def test_all_by_default_and_a_limit_spreads(folder: Path) -> None:
    assert names(folder) == ["l", *(f"s{number}" for number in range(10))]
    assert names(folder, limit=3, source="small") == ["s0", "s3", "s6"]
    assert names(folder, limit=50, source="small") == names(folder, source="small")


def test_long_sessions_are_cut_and_too_long_ones_skipped(folder: Path) -> None:
    assert names(folder, max_tokens=1_000, source="long") == []
    (cut,) = sessions(folder, Choice(max_turns=2, max_tokens=1_000, source="long"))
    assert cut.messages == small_session()[:6], "up to the third message of the assistant"


def test_the_split_divides_and_does_not_depend_on_the_rest(folder: Path) -> None:
    tune, check = names(folder, split="tune", source="small"), names(folder, split="check", source="small")
    assert sorted(tune + check) == names(folder, source="small")
    assert tune and check
    path = folder / "small.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[::-1]))
    assert sorted(names(folder, split="check", source="small")) == sorted(check)
    assert names(folder, split="tune", source="small", held_out=1) == []
