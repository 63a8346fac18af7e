"""The pages in a real browser, from file://: Chromium, headless, light and dark."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from headroom import CompressConfig
from headroom.inspect import conversation_page, figures_of_folder, live_page, report_page
from tests import shop
from tests.inspect.recordings import claude_session, jsonl
from tests.proxy.running import Proxy, question
from tests.scripted_model import ScriptedModel

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of the pages, for whoever wants to look."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "there is no Chromium here: apt-get install -y chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def _opened(browser: Browser, url: str, scheme: str = "light", width: int = 1200) -> tuple[Page, list[str]]:
    page = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}).new_page()  # type: ignore[arg-type]
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda request: problems.append(request.url) if request.url != url and request.url != "data:," else None)
    page.goto(url)
    return page, problems


def _written(folder: Path, name: str, html: str) -> str:
    path = folder / f"{name}.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


def _crossing(page: Page, selector: str) -> list[tuple[int, int]]:
    """Pairs of elements that lie over each other."""
    boxes = list(page.locator(selector).evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())"))
    return [
        (one, other)
        for one, a in enumerate(boxes)
        for other, b in enumerate(boxes[:one])
        if min(a["right"], b["right"]) - max(a["left"], b["left"]) > 1 and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 3
    ]


def _shown(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"))


@pytest.mark.parametrize(("scheme", "width", "background"), [("light", 1200, "rgb(246, 247, 249)"), ("dark", 380, "rgb(16, 19, 22)")])
def test_a_conversation(browser: Browser, tmp_path: Path, scheme: str, width: int, background: str) -> None:
    messages = [*shop.conversation(), *shop.turn(shop.info_log({7: "<img src=x onerror=alert(1)> ERROR"}))]
    html, _ = conversation_page(json.dumps(messages).encode(), "talk.json")
    page, problems = _opened(browser, _written(tmp_path, "talk", html), scheme, width)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("article.changed").count() == 2
    assert page.locator("del.row").first.is_visible()
    highlight = page.locator("del.row").first.evaluate("element => getComputedStyle(element).backgroundColor")
    assert highlight not in ("rgba(0, 0, 0, 0)", background)
    answer = page.locator("details", has_text="headroom_retrieve(ref=").first
    assert not answer.locator("pre").is_visible()
    answer.locator("summary").click()
    assert answer.locator("pre").is_visible()
    assert "ord_7000" in answer.locator("pre").inner_text()
    assert page.locator("img").count() == 0
    _shown(page, f"inspect-{scheme}")
    assert problems == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 380)])
def test_a_report(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    (tmp_path / "log.jsonl").write_bytes(jsonl(claude_session()))
    figures = figures_of_folder(tmp_path, config=CompressConfig())
    page, problems = _opened(browser, _written(tmp_path, "report", report_page(figures, "logs")), scheme, width)
    assert f"{figures.total.before:,}" in page.locator(".totals").inner_text()
    assert page.locator("svg").count() == 3
    assert page.locator("svg rect.saved").first.bounding_box()["width"] > 10  # type: ignore[index]
    for name in ("json_records", "list_orders", "Bash", "log.jsonl, sidechain 2"):
        assert page.get_by_role("rowheader", name=name, exact=True).count() == 1
    words = page.locator("svg text").first.bounding_box()
    assert words and words["height"] > 12, "words of a plot keep their size on a narrow screen"
    assert not _crossing(page, "svg text"), "labels stay clear of each other"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    _shown(page, f"report-{scheme}")
    assert problems == []


def test_from_the_dashboard(browser: Browser) -> None:
    with ScriptedModel() as model, Proxy(model, show_texts=True) as proxy:
        proxy.post("anthropic", question("anthropic"))
        page = browser.new_page()
        page.goto(proxy.url)
        page.wait_for_selector("#latest a")
        with page.context.expect_page() as opened:
            page.locator("#latest a").click()
        report = opened.value
        report.wait_for_load_state()
        assert "request 1, /v1/messages" in report.locator("h1").inner_text()
        assert "byte for byte" in report.locator("body").inner_text(), "the caller's own namespace is asked"
        assert report.evaluate("getComputedStyle(document.querySelector('del')).backgroundColor") != "rgba(0, 0, 0, 0)"
        assert live_page(proxy.url).count("<article") == report.locator("article").count()


def test_forty_tools_on_a_narrow_screen(browser: Browser, tmp_path: Path) -> None:
    for number in range(40):
        name = f"mcp__company_tools_server__look_up_number_{number:02}_of_forty"
        messages = [{"role": "user", "content": "Go"}, *shop.turn(json.dumps(shop.orders(60 + number)), call=name)[1:]]
        (tmp_path / f"{number}.json").write_text(json.dumps(messages), encoding="utf-8")
    figures = figures_of_folder(tmp_path, config=CompressConfig())
    assert len(figures.by_tool()) == 42
    page, problems = _opened(browser, _written(tmp_path, "many", report_page(figures, "many")), width=380)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert not _crossing(page, "svg text")
    _shown(page, "forty")
    assert problems == []


def test_from_the_list_to_the_text_to_what_was_left_out_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    rows = shop.orders(400)
    html, _ = conversation_page(json.dumps(shop.turn(shop.info_log({7: "ERROR x"})) + shop.turn(json.dumps(rows))).encode(), "talk.json")
    page, problems = _opened(browser, _written(tmp_path, "talk", html))
    names = [heading.inner_text() for heading in page.get_by_role("heading").all()]
    levels = page.get_by_role("heading").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in itertools.pairwise(levels)), names
    page.get_by_role("region", name="Shortened texts").get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(":target").wait_for()
    assert page.locator("del:target").evaluate("one => one.getBoundingClientRect().top < innerHeight")
    assert problems == []
