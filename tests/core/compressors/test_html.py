"""Pages: the text that a reader sees, and nothing else."""

from __future__ import annotations

import random
import time

import pytest

from headroom.core.compressors.html import NOTE, Html
from headroom.core.compressors.pages.html_text import text_of
from headroom.core.detect import Sample
from headroom.core.types import Request
from headroom.core.worth import Query

HTML = Html()
LOSSLESS = Request(Query(), 800, 0.08, lossless=True)

PAGE = """<!DOCTYPE html>
<html><head><title>Ferry &amp; harbour</title>
<style>p { color: red }</style><script>var x = "<p>not text</p>";</script></head>
<body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/login">Log in</a></li></ul></nav>
<main>
<h1>The ferry</h1>
<p>It leaves at <b>eight</b>,<br>when the   tide
is high. See the <a href="/times?day=1">times</a> &lt;today&gt;.</p>
<!-- a comment <p>hidden</p> -->
<ul><li>blue tickets</li><li>warm clothes<ul><li>a hat</li></ul></li></ul>
<table><tr><th>Pier</th><th>Hour</th></tr><tr><td>North</td><td>8</td></tr></table>
<pre>ferry --go
  --now</pre>
<div style="display:none">secret</div>
<img src="a.png" alt="a map of the harbour">
</main>
<footer><p>All rights reserved</p></footer>
</body></html>
"""


def request(budget: int, query: Query | None = None) -> Request:
    return Request(query or Query(), budget, 0.0)


def long_page(sections: int = 40) -> str:
    body = "".join(
        f'<h2 class="c-{n}" id="s{n}">Part {n}</h2><p class="text text--body">Part {n} tells of the boat of pier {n}. '
        f"It is a story that is long. "
        f"Nobody knows the end of story {n}.</p><script>track({n})</script>"
        for n in range(sections)
    )
    return f"<!doctype html><html><head><title>Stories</title></head><body><main>{body}</main></body></html>"


def test_a_page_reads_as_text() -> None:
    assert HTML.claims(Sample(PAGE))
    assert text_of(PAGE).split("\n") == [
        "# Ferry & harbour",
        "",
        "# The ferry",
        "",
        "It leaves at eight,",
        "when the tide is high. See the [times](/times?day=1) <today>.",
        "",
        "- blue tickets",
        "- warm clothes",
        "  - a hat",
        "",
        "Pier | Hour",
        "North | 8",
        "",
        "```",
        "ferry --go",
        "  --now",
        "```",
        "[image: a map of the harbour]",
    ]


def test_a_short_page_is_shown_whole() -> None:
    shortened = HTML.compress(PAGE * 2, request(300))
    assert shortened is not None and shortened.lossy and shortened.note == NOTE
    assert "blue tickets" in shortened.text and "Log in" not in shortened.text


def test_a_long_page_keeps_its_headings_and_what_was_asked_for() -> None:
    shortened = HTML.compress(long_page(), request(500, Query((("story 33", 6.0),))))
    assert shortened is not None and shortened.lossy
    assert "Nobody knows the end of story 33." in shortened.text
    assert sum(f"## Part {n}" in shortened.text for n in range(40)) >= 25
    assert shortened.note.startswith("HTML as text; ") and " lines left out" in shortened.note


def test_long_runs_of_links_are_navigation() -> None:
    links = "".join(f'<li><a href="/chapter/{n}">Chapter {n}</a></li>' for n in range(30))
    text = text_of(f"<body><ul>{links}</ul><p>The story of the boat begins here.</p></body>")
    assert "[… 29 links]" in text and "The story of the boat begins here." in text and "Chapter 17" not in text


def test_more_budget_never_shows_less() -> None:
    shown: set[str] = set()
    for budget in range(60, 3_000, 140):
        shortened = HTML.compress(long_page(), request(budget))
        if shortened is None:
            break
        kept = {line for line in shortened.text.split("\n") if line.startswith("## ")}
        assert shown <= kept
        shown = kept
    assert len(shown) == 40


@pytest.mark.parametrize(
    "tag",
    [
        'div class="card overflow-hidden"', 'div style="overflow:hidden"', 'div class="hidden md:block"', 'div data-hidden="no"',
        'section style="overflow-x: hidden; display: block"', 'div data-role="navigation"', 'div title="display:none"',
        "p title='5\" disk'",
        'div aria-hidden="false"', 'div hidden="until-found"', "p hidden",  # the last: a block ends the paragraph
    ],
)  # fmt: skip
def test_what_only_looks_hidden_is_shown(tag: str) -> None:
    inner = "<p>The price is 42 EUR.</p>"
    assert "The price is 42 EUR." in text_of(f"<html><body><{tag}>{inner}</{tag.split()[0]}><p>More.</p></body></html>")


@pytest.mark.parametrize(
    "tag",
    [
        "p hidden", "span hidden=''", 'li style="color: red; DISPLAY : none !important"', "div style='visibility:hidden'",
        'tr aria-hidden="true"', "td hidden", 'section class="open" hidden', "tbody style=display:none",
    ],
)  # fmt: skip
def test_what_is_hidden_goes(tag: str) -> None:
    page = f"<html><body><p>Before.</p><{tag}>secret <b>word</b></{tag.split()[0]}>After.</body></html>"
    text = text_of(page)
    assert "secret" not in text and "word" not in text and "Before." in text and "After." in text


def test_what_stands_behind_a_hidden_element_is_shown() -> None:
    assert text_of('<div hidden><!-- <div> --><script>"<div>"</script><p title="<div>">a</p></div>visible') == "visible"
    assert text_of("<ul><li hidden>a<li>visible</ul>").strip() == "- a\n- visible"
    assert "visible" in text_of("<p>a <div hidden>b<div>c</div> visible")


def test_every_value_of_a_row_stands_in_its_column() -> None:
    rows = (
        "<tr><th>name</th><th>old</th><th>new</th></tr><tr><td></td><td>10</td><td>20</td></tr><tr><td></td><td></td><td>5</td></tr>"
        "<tr><td rowspan=3>a|b<td><p>1</p><p>2</p><td>x<tr><td>3<td>4<tr><td colspan=2>wide<tr><td colspan=2>w<td>9<tr><td>e<td>f<td></td>"
    )
    assert text_of(f"<table>{rows}</table>").strip().split("\n") == [
        "name | old | new",
        "| | 10 | 20 |",
        "| | | 5 |",
        "a\\|b | 1 <br> 2 | x",
        "〃 | 3 | 4",
        "〃 | wide",
        "w | | 9",
        "| e | f | |",
    ]


def test_cells_too_long_for_a_line_are_blocks_between_bars() -> None:
    words = "many words " * 60
    text = text_of(f"<table><tr><td>a</td><td>{words}</td><td></td><td>b</td></tr></table>after")
    assert [line[:9] for line in text.split("\n") if line] == ["a |", "many word", "| | b", "after"]


def test_the_form_of_a_text_is_part_of_what_it_says() -> None:
    assert text_of("10<sup>5</sup> H<sub>2</sub>O x<sup>n+1</sup> y<sup>[1]</sup>") == "10⁵ H₂O x^(n+1) y[1]"
    assert text_of("<s>100</s> 80, <del>not</del> allowed") == "~~100~~ 80, ~~not~~ allowed"
    assert text_of("<ol start=5><li>a<li>b<ol type=i><li>x<li>y</ol><li value=9>c</ol>").strip() == "5. a\n6. b\n  i. x\n  ii. y\n9. c"


def test_a_letter_whose_small_form_is_longer_shifts_nothing() -> None:
    assert text_of("İstanbul<SCRIPT>var x</SCRIPT><P HIDDEN>secret</P> here") == "İstanbul\nhere"


def test_lossless_leaves_a_page_as_it_is() -> None:
    assert HTML.compress(long_page(), LOSSLESS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        '<?xml version="1.0"?><project><groupId>a</groupId><version>1</version></project>',
        "<observation>\nThe page says <b>no</b>\n</observation>",
        "<!doctype html><html><body>{% for x in y %}<p>{{ x }}</p>{% endfor %}</body></html>",
        "<div className={x}>" + "<p>a</p>" * 20 + "</div>",
        "<Error> a < b and c > d </Error>" * 9,
        "plain text with <b>a tag</b>",
    ],
)
def test_other_texts_are_not_claimed(text: str) -> None:
    assert not HTML.claims(Sample(text))


@pytest.mark.parametrize(
    "text",
    [
        "<!doctype html>" + "<" * 300_000,
        "<html>" + "<nav>" * 50_000,
        "<html>" + "<select>" * 50_000,
        "<html>" + '<a href="' * 50_000,
        "<html>" + "<div hidden>" * 50_000 + "</div>" * 49_999,
        "<html>" + "<!--" * 50_000,
        "<html>" + "<script>" * 20_000,
        "<html>" + "<ul><li>" * 30_000 + "x",
        "<html>" + "<pre>" * 9_000 + "\ud800\x00",
        "<html>" + "&" * 200_000 + "&#x110000;&#99999999999;",
        "<html><p>" + "İ" * 50_000,
        "<html>" + "<p " + "a=\"b'" * 50_000,
        "<html>" + "<a href=x>" * 40_000,
        "<html>" + "<code>" * 40_000,
        "<html>" + "<li hidden><ul>" * 20_000 + "</ul>" * 20_000,
        "<html>" + "<p hidden>" * 40_000,
        "<html>" + "<table><tr><td>x<td>" * 10_000,
        "<html><table>" + "<td rowspan=0 colspan=99>" * 5_000 + "<tr><td>" * 5_000,
        "<html>" + "<p a='" + "=" * 100_000,
        "<html>" + "<nav " * 50_000,
        "<html>" + "<sup>" * 30_000 + "x" + "</sup>" * 30_000,
    ],
)
def test_hostile_pages_never_raise(text: str) -> None:
    started = time.process_time()
    HTML.claims(Sample(text))
    HTML.compress(text, request(10))
    text_of(text)
    assert time.process_time() - started < 10  # tells linear from quadratic, on a busy machine too


def test_broken_pages_never_raise() -> None:
    chance = random.Random(7)
    for _ in range(300):
        page = list(PAGE)
        for _ in range(chance.randrange(1, 30)):
            page[chance.randrange(len(page))] = chance.choice(["<", ">", '"', "'", "/", "&", "", "-->", "</", "\n"])
        text_of("".join(page))
