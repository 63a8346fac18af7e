"""Tables, the plot, and single outputs."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import outputs
import pytest
from peers import OURS, PEERS
from plot import Point, Series, scatter
from tables import clipped, markdown, percent, percentile, write_between


def test_a_table_escapes_and_aligns() -> None:
    assert markdown(["", "n", "words"], [["a|b", "1.0", "x"], ["c", "–", "y"]]) == (
        "|  | n | words |\n| --- | ---: | --- |\n| a\\|b | 1.0 | x |\n| c | – | y |"
    )


def test_numbers_in_words() -> None:
    assert percent(0.12345) == "12.3"
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
    assert str(percentile([], 0.5)) == "nan"
    assert clipped("a\n  b c", 4) == "a b…"


def test_a_page_is_written_between_its_marks_again_and_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- here -->\nold\n<!-- end of here -->\nafter\n")
    for text in ("one", "two"):
        write_between(page, "here", text)
    assert page.read_text() == "before\n<!-- here -->\n\ntwo\n\n<!-- end of here -->\nafter\n"
    with pytest.raises(ValueError, match="no place for elsewhere"):
        write_between(page, "elsewhere", "x")


def test_the_plot_is_sound_and_shows_every_label() -> None:
    joined = Series("ours & co", [Point(10, 99, "lossless"), Point(40, 95, "× 1"), Point(41, 95.2, "× 0.9")])
    text = scatter("A <title>", "saved", "recall", [joined, Series("dots", [Point(40, 95, "peer")], joined=False)])
    root = ElementTree.fromstring(text)
    words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"A <title>", "saved", "recall", "ours & co", "dots", "lossless", "× 1", "× 0.9", "peer", "100%"} <= words
    assert "110%" not in words
    assert text.count("<path") == 1 and text.count("<circle") == 4 + 2, "four points, and a legend of two"
    assert "prefers-color-scheme: dark" in text
    assert all(0 <= float(x) <= 860 for x in re.findall(r' c?x="([\d.]+)"', text))


def test_single_outputs(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text("\n".join(f"10:00:{i % 60:02d} INFO job {i} done" for i in range(800)))
    (tmp_path / "empty").mkdir()
    folders = outputs.read(tmp_path, 0)
    assert {name: len(texts) for name, texts in folders.items()} == {"empty": 0, "logs": 1}
    found = outputs.measure_all([OURS, PEERS["head-and-tail"]], folders)
    ours, cutting = found["logs"]
    assert 0 < ours.saved < 1 and 0 < cutting.saved < 1
    assert ours.before == cutting.before > 5_000
    assert sum(ours.taken_for.values()) == len(ours.milliseconds_a_10_kb) == 1
    assert outputs.row("logs", 1, [ours, ours, cutting])[:2] == ["logs", "1"]
