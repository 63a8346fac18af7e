"""The plots: XML that anyone can read, whatever the names, and no more of it than a page can bear."""

from __future__ import annotations

from xml.etree import ElementTree

from headroom.inspect.plots import MOST_BARS, MOST_RANKED, bars, ranked

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\x00\x1b[31m\ud800\u202e\ufffe]]>&\"'"


def _parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup[: markup.index("</svg>") + len("</svg>")])


def test_a_plot_has_a_name_and_no_script_whatever_the_tools_are_called() -> None:
    plot = _parsed(bars(HOSTILE, [(HOSTILE, 100, 50)]))
    assert plot.get("role") == "img" and plot.get("aria-label") == plot.findtext(f"{SVG}title")
    assert {element.tag.removeprefix(SVG) for element in plot.iter()} == {"svg", "title", "g", "text", "rect"}
    assert "\u202e" not in (plot.findtext(f"{SVG}title") or "")


def test_a_bar_is_as_long_as_its_tokens() -> None:
    plot = _parsed(bars("tools", [("one", 200, 50), ("two", 100, 0), ("none", 0, 0)]))
    widths = [(rect.get("class"), rect.get("width")) for rect in plot.iter(f"{SVG}rect")]
    assert widths == [("before", "100.00%"), ("saved", "25.00%"), ("before", "50.00%"), ("saved", "0.00%")]


def test_bars_that_are_not_shown_are_counted() -> None:
    markup = bars("tools", [(f"tool {number}", 100, 50) for number in range(40)])
    assert len(_parsed(markup).findall(f"{SVG}g")) == MOST_BARS
    assert f"and {40 - MOST_BARS} more" in markup
    assert "more" not in bars("tools", [("one", 100, 50)])


def test_many_sessions_are_drawn_as_so_many_bars_as_fit() -> None:
    plot = _parsed(ranked("sessions", [number / 5_000 for number in range(5_000)]))
    heights = [float(rect.get("height", "")) for rect in plot.findall(f"{SVG}rect")]
    assert len(heights) == MOST_RANKED
    assert heights == sorted(heights) and heights[0] < 2 and heights[-1] > 175


def test_nothing_to_show() -> None:
    assert "Nothing to show" in bars("tools", []) and "Nothing to show" in ranked("sessions", [])
