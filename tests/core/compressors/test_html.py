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
    ],
)
def test_hostile_pages_never_raise(text: str) -> None:
    started = time.process_time()
    HTML.claims(Sample(text))
    HTML.compress(text, request(10))
    text_of(text)
    assert time.process_time() - started < 2


def test_broken_pages_never_raise() -> None:
    chance = random.Random(7)
    for _ in range(300):
        page = list(PAGE)
        for _ in range(chance.randrange(1, 30)):
            page[chance.randrange(len(page))] = chance.choice(["<", ">", '"', "'", "/", "&", "", "-->", "</", "\n"])
        text_of("".join(page))
