"""What the pages highlight: what is left out, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom import BlockReport, MemoryStore, compress
from headroom.inspect.cuts import Cuts
from headroom.inspect.differences import Comparer, Difference, matched
from tests import shop
from tests.conversations import OUTPUTS


def compared(text: str, **options: Any) -> tuple[BlockReport, Difference]:
    block = compress(shop.turn(text), store=MemoryStore(), **options).blocks[-1]
    points_back = "shown earlier" in block.note
    return block, Comparer().compare(block.before, block.after, lossy=block.lossy, points_back=points_back)


def of(difference: Difference, state: str) -> str:
    return "".join(piece.text for piece in difference.before if piece.state == state)


@pytest.mark.parametrize("layout", ["list", "pretty", "in a string", "lines"])
def test_exactly_the_rows_that_the_marker_counts_are_left_out(layout: str) -> None:
    rows = shop.orders(400)
    text = {
        "list": json.dumps(rows),
        "pretty": json.dumps({"page": 1, "items": rows}, indent=1),
        "in a string": json.dumps({"type": "text", "text": json.dumps(rows)}),
        "lines": "\n".join(map(json.dumps, rows)),
    }[layout]
    block, difference = compared(text)
    gone = [piece for piece in difference.before if piece.block and piece.state == "left out"]
    assert block.note.startswith(f"{len(gone)} of 400 rows")
    assert "ord_7301" in of(difference, "shown")  # the one that failed
    assert all(piece.text.count('"id"') == 1 for piece in gone)
    assert difference.unwrapped == (layout == "in a string")


def test_exactly_the_lines_that_the_marker_counts_are_left_out() -> None:
    block, difference = compared(shop.info_log({700: "ERROR disk full"}))
    gone = of(difference, "left out").count("\n")
    assert block.note.startswith(f"{gone:,} of 1,500 lines")
    assert "ERROR disk full" in of(difference, "shown")


def test_marks_are_told_from_what_the_tool_said() -> None:
    _, difference = compared(shop.info_log({700: "ERROR disk full"}))
    marks = [piece.text for piece in difference.after if piece.state == "mark"]
    assert any("headroom_retrieve ref=" in mark for mark in marks)
    assert not any("ERROR disk full" in mark for mark in marks)


def test_a_fold_leaves_nothing_out() -> None:
    block, difference = compared(json.dumps(shop.orders(40)), lossless=True)
    assert block.changed
    assert of(difference, "shown") == block.before


def test_what_an_earlier_output_shows_is_told_apart() -> None:
    code = shop.python_file(8)
    messages = [*shop.turn(code), *shop.turn(code, call="read", arguments='{"path": "billing.py"}')]
    first, second = (block for block in compress(messages, store=MemoryStore()).blocks if block.before == code)
    comparer = Comparer()
    for block in (first, second):
        difference = comparer.compare(block.before, block.after, lossy=block.lossy, points_back="shown earlier" in block.note)
    assert second.changed
    assert len(of(difference, "earlier")) > len(code) / 2


def test_lines_are_matched_in_order() -> None:
    before = ["a", "}", "b", "}", "c", "}"]
    assert matched(before, ["b", "}", "c"]) == {2, 3, 4}
    assert matched(before, []) == set()
    assert matched(["x"] * 5, ["x"] * 3) == {0, 1, 2}
    assert matched([], ["x"]) == set()


@given(st.lists(st.sampled_from("abcdef"), max_size=40), st.data())
def test_a_selection_of_lines_is_matched_whole(before: list[str], data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.integers(0, max(0, len(before) - 1)), max_size=len(before)))
    after = [before[number] for number in sorted(kept) if number < len(before)]
    found = matched(before, after)
    assert [before[number] for number in sorted(found)] == after


@given(OUTPUTS)
def test_no_character_of_the_original_is_lost_or_invented(text: str) -> None:
    block, difference = compared(text)
    if block.changed and not difference.unwrapped:
        assert "".join(piece.text for piece in difference.before) == block.before
        assert "".join(piece.text for piece in difference.after) == block.after


def test_of_a_line_that_is_cut_only_what_is_missing_is_left_out() -> None:
    before = "# Guide\n\nThe key says who pays. It also names the region. And that is all.\nEach team has one.\n"
    after = "# Guide\n\nThe key says who pays. [… 26 characters] And that is all.\n[… line 4]\n"
    after += "[2 of 5 lines left out; headroom_retrieve ref=k3v9x2m7qa-abc]"
    difference = Comparer().compare(before, after, lossy=True, points_back=False)
    assert of(difference, "left out") == " It also names the region. Each team has one.\n"
    assert next(piece.text for piece in difference.after if piece.state == "mark") == "[… 26 characters]"
    assert "".join(piece.text for piece in difference.before) == before
    assert "".join(piece.text for piece in difference.after) == after


def test_cuts_at_both_ends_and_lines_that_only_begin_alike() -> None:
    cuts = Cuts("one two three four [… 9 characters] the end\nall of it")
    assert cuts.of("one two three four five six the end") == [("one two three four", True), (" five six ", False), ("the end", True)]
    assert cuts.of("one two three seven") is None
    assert cuts.of("all of it") is None
