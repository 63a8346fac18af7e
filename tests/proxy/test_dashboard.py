"""The dashboard in a real browser: Chromium, headless, light and dark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.proxy.running import Proxy, question
from tests.redis_server import free_port
from tests.scripted_model import ScriptedModel
from tests.shop import info_log

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of the page, for whoever wants to look."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "there is no Chromium here: apt-get install -y chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def used() -> Iterator[Proxy]:
    """A proxy through which a few conversations have gone, one of them with markup in it."""
    with ScriptedModel() as model, Proxy(model, show_texts=True) as proxy:
        for dialect in ("anthropic", "openai", "responses"):
            proxy.post(dialect, question(dialect))
        proxy.post("openai", question("openai", info_log({0: "<img src=x onerror=alert(1)> ERROR"}), model="<b>model</b>"))
        yield proxy


def _opened(browser: Browser, proxy: Proxy, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: problems.append(request.url) if not request.url.startswith((proxy.url, "data:")) else None)
    page.goto(proxy.url)
    page.wait_for_selector("#totals dd")
    return page, problems


def _shown(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_what_was_saved(browser: Browser, used: Proxy, scheme: str) -> None:
    page, problems = _opened(browser, used, color_scheme=scheme, viewport={"width": 1200, "height": 900})
    stats = used.http.get("/stats").json()
    totals = page.locator("#totals").inner_text()
    assert f"{stats['tokens_saved']:,}" in totals and f"{stats['savings_percent']:.1f}%" in totals
    assert page.locator("#time svg g").count() >= 20
    assert "json_records" in page.locator("#kinds").inner_text()
    assert page.locator("#latest tbody tr").count() == 4
    assert "/v1/responses" in page.locator("#latest").inner_text()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(246, 247, 249)" if scheme == "light" else "rgb(16, 19, 22)")
    _shown(page, scheme)
    assert problems == []


def test_it_keeps_up(browser: Browser, used: Proxy) -> None:
    page, problems = _opened(browser, used)
    used.post("openai", question("openai"))
    page.locator("#latest tbody tr").nth(4).wait_for(timeout=10_000)
    assert problems == []


def test_texts_before_and_after_are_shown_as_text(browser: Browser, used: Proxy) -> None:
    page, problems = _opened(browser, used)
    page.get_by_role("button", name="texts").first.click()
    page.wait_for_selector("#texts pre")
    assert "<img src=x onerror=alert(1)>" in page.locator("#texts pre").first.inner_text()
    assert "<b>model</b>" in page.locator("#latest").inner_text()
    assert page.locator("#texts img").count() == 0
    _shown(page, "texts")
    assert problems == []


def test_it_fits_a_narrow_screen(browser: Browser, used: Proxy) -> None:
    page, _ = _opened(browser, used, viewport={"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    _shown(page, "narrow")


def test_an_unused_proxy_says_so(browser: Browser) -> None:
    with Proxy() as proxy:
        page, problems = _opened(browser, proxy)
        assert "No conversation has come through yet." in page.locator("#time").inner_text()
        assert "texts not kept" in page.locator("#state").inner_text()
    assert problems == []


def test_a_proxy_that_has_gone_is_noticed(browser: Browser) -> None:
    with Proxy() as proxy:
        page, _ = _opened(browser, proxy)
    page.wait_for_selector("#state.bad", timeout=10_000)
    assert "not up to date" in page.locator("#state").inner_text()


def test_the_browser_asks_for_the_token(browser: Browser) -> None:
    with Proxy(token="secret") as proxy:
        page, problems = _opened(browser, proxy, http_credentials={"username": "", "password": "secret"})
        assert page.locator("#totals dd").count() == 6
    assert problems == []


def test_a_keyboard_keeps_its_place_while_the_page_keeps_up(browser: Browser, used: Proxy) -> None:
    page, problems = _opened(browser, used)
    page.get_by_role("button", name="texts of request 2", exact=True).focus()
    used.post("openai", question("openai"))
    page.locator("#latest tbody tr").nth(4).wait_for(timeout=10_000)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "texts of request 2"
    assert problems == []


def test_words_keep_their_shape_on_a_narrow_screen(browser: Browser, used: Proxy) -> None:
    sizes = []
    for width in (380, 1200):
        page, _ = _opened(browser, used, viewport={"width": width, "height": 800})
        box = page.locator("#time svg text").first.bounding_box()
        assert box
        sizes.append((round(box["width"]), round(box["height"])))
    assert sizes[0] == sizes[1]


def test_a_request_of_which_nothing_was_shortened_has_a_page_too(browser: Browser, used: Proxy) -> None:
    used.post("openai", question("openai", "short"))
    page, _ = _opened(browser, used)
    newest = page.locator("#latest tbody tr").first
    assert newest.get_by_role("button").count() == 0
    with page.context.expect_page() as opened:
        newest.get_by_role("link").click()
    assert "left alone: small" in opened.value.locator("body").inner_text()


def test_a_proxy_that_comes_back_is_noticed_too(browser: Browser) -> None:
    port = free_port()
    with Proxy(port=port) as proxy:
        page, _ = _opened(browser, proxy)
    page.wait_for_selector("#state.bad", timeout=10_000)
    with ScriptedModel() as model, Proxy(model, port=port, show_texts=True) as again:
        again.post("openai", question("openai"))
        page.wait_for_selector("#state:not(.bad)", timeout=10_000)
        page.locator("#latest tbody tr").first.wait_for(timeout=10_000)
        look = page.get_by_role("button", name="texts of request 1")
    look.click()
    page.get_by_text("not shown:").wait_for(timeout=10_000)
