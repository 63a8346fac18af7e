"""Whatever a file holds, a page comes of it, or an error that says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headroom import CompressConfig, HeadroomError
from headroom.inspect import conversation_page, figures_of_folder, report_page
from headroom.inspect.figures import Figures
from headroom.inspect.folder import _add
from headroom.inspect.transcripts import read_transcripts
from tests.conversations import conversations

KEYS = st.sampled_from(
    ["role", "content", "type", "message", "messages", "input", "uuid", "parentUuid", "tool_calls", "id", "model", "text", "isSidechain"]
)
WORDS = st.sampled_from(["user", "assistant", "tool", "tool_result", "tool_use", "text", "system", "a", "b", "", "\ud800", "<b>"])
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False))
VALUES: st.SearchStrategy[Any] = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))
ENTRIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "system"]), "uuid": WORDS, "parentUuid": WORDS, "message": VALUES}
)


def _shown(data: bytes) -> None:
    try:
        page, _ = conversation_page(data, "file")
    except HeadroomError as error:
        assert str(error)
    else:
        assert page.endswith("</html>\n")
        page.encode()
    figures = Figures()
    for transcript in read_transcripts(data, "file").transcripts:
        _add(figures, transcript, "", CompressConfig(), False)
    assert report_page(figures, "folder").encode()


@given(st.lists(VALUES | ENTRIES, max_size=6), st.booleans())
def test_any_json(items: list[Any], in_lines: bool) -> None:
    _shown("\n".join(map(json.dumps, items)).encode() if in_lines else json.dumps(items).encode())


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    _shown(data)


@given(conversations())
def test_any_conversation(messages: list[dict[str, Any]]) -> None:
    page, problems = conversation_page(json.dumps(messages).encode(), "file")
    assert not problems
    assert "another text than this one" not in page and "finds nothing" not in page


def test_a_folder_that_is_a_file_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere.json")
    assert figures_of_folder(tmp_path, config=CompressConfig()).sessions == []
