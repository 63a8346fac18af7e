"""What a report counts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headroom import CompressConfig
from headroom.inspect import figures_of_folder
from headroom.inspect.examined import examine
from headroom.inspect.figures import INSTRUCTIONS, NO_TOOL, USER, Figures, Sum
from headroom.inspect.transcripts import Transcript
from tests import shop
from tests.inspect.recordings import claude_session, jsonl

CONFIG = CompressConfig()


def _counted(messages: list[object]) -> Figures:
    figures = Figures()
    figures.add(examine(Transcript("one", messages), config=CONFIG))
    return figures


def test_kinds_and_tools_each_add_up_to_the_whole() -> None:
    messages = [{"role": "system", "content": "Be kind. " * 50}, *shop.conversation(), {"role": "assistant", "content": "ord_7301"}]
    examined = examine(Transcript("one", messages), config=CONFIG)
    figures = Figures()
    figures.add(examined)
    kinds, tools = dict(figures.by_kind()), dict(figures.by_tool())
    assert set(kinds) == {"json_records", INSTRUCTIONS, "left alone (small, retrieved)"}
    assert sum(part.before for part in kinds.values()) == figures.total.before == examined.result.tokens_before
    assert figures.total.saved == examined.result.tokens_saved == kinds["json_records"].saved == tools["list_orders"].saved
    assert set(tools) == {"list_orders", USER, NO_TOOL}
    for parts in (kinds.values(), tools.values()):
        assert figures.total.without(parts) == Sum(requests=figures.total.requests), "nothing is left over"


def test_a_text_counts_in_every_request_it_was_a_part_of() -> None:
    messages = shop.conversation()  # a question, a call, 400 orders
    answers = [{"role": "assistant", "content": "First."}, {"role": "user", "content": "And?"}, {"role": "assistant", "content": "Second."}]
    figures = _counted([*messages, *answers])
    (kind,) = [part for name, part in figures.by_kind() if name == "json_records"]
    assert figures.total.requests == 3
    assert (kind.sent_before, kind.sent_saved) == (2 * kind.before, 2 * kind.saved), "the output was there for the last two"


def test_a_single_request_counts_once() -> None:
    figures = _counted([{"role": "user", "content": shop.info_log({3: "ERROR"})}])
    assert figures.total.sent_before == figures.total.before > 0
    assert figures.total.requests == 1, "and is one, though nobody answered"


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "claude.jsonl").write_bytes(jsonl(claude_session()) + b"broken\n")
    (tmp_path / "openai.json").write_text(json.dumps(shop.conversation()), encoding="utf-8")
    (tmp_path / "bad.json").write_text('[{"role": "user", "content": 5}]', encoding="utf-8")
    (tmp_path / "settings.json").write_text('{"theme": "dark"}', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not looked at", encoding="utf-8")
    figures = figures_of_folder(tmp_path, config=CONFIG)
    assert [name for name, _ in figures.sessions] == ["deep/claude.jsonl, thread 1", "deep/claude.jsonl, sidechain 2", "openai.json"]
    assert {"list_orders", "Bash", "Read"} <= dict(figures.by_tool()).keys()
    assert figures.total.saved > figures.total.before / 2
    assert [problem.partition(":")[0] for problem in figures.problems] == ["bad.json", "deep/claude.jsonl", "settings.json"]
    assert not figures.exact, "nobody publishes Claude's vocabulary"
    assert json.loads(json.dumps(figures.as_dict()))["total"]["saved"] == figures.total.saved


def test_what_else_lies_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "A.JSON").write_text(json.dumps(shop.conversation()), encoding="utf-8")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "closed").mkdir()
    look = os.scandir

    def scandir(place: str) -> Iterator[os.DirEntry[str]]:
        if str(place).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(place))
        return look(place)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "walk", os.walk)
    figures = figures_of_folder(tmp_path, config=CONFIG)
    assert [name for name, _ in figures.sessions] == ["A.JSON"]
    assert figures.problems == ["closed: cannot be read: Permission denied", "gone.jsonl: cannot be read: No such file or directory"]
