"""The chat page in a real browser: an owner takes the express test in Arabic letters; screenshots are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.bot_process import ROOT, RunningBot

ARTEFACTS = ROOT / "artefacts"
PHONE = {"width": 360, "height": 740}
WAIT_MS = 30_000
ARABIC = re.compile(r"[\u0600-\u06ff]")


@pytest.fixture
def page(browser: Browser, bot: RunningBot) -> Iterator[Page]:
    """Give an open chat page on a phone's screen; any error on the page's console fails the test."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, locale="fr-MA")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{bot.address}/chat")
    page.set_default_timeout(WAIT_MS)
    yield page
    assert problems == []
    context.close()


def press(page: Page, choice: str) -> None:
    """Press the newest button whose choice starts so."""
    button = page.locator(f'button[data-choice^="{choice}"]').last
    button.wait_for()
    button.click()


def answer(page: Page, item: str, value: int) -> None:
    """Press an answer of the open question."""
    button = page.locator(f'button[data-choice^="answer:"][data-choice$=":{item}:{value}"]').last
    button.wait_for()
    button.click()


def keep(page: Page, name: str) -> Path:
    """Keep a screenshot as an artefact of the run."""
    ARTEFACTS.mkdir(exist_ok=True)
    path = ARTEFACTS / f"{name}.png"
    page.wait_for_timeout(400)
    page.screenshot(path=str(path))
    return path


def begin(page: Page, language: str) -> None:
    press(page, f"change_language:{language}")
    press(page, "affirm:consent")
    for choice in ("sector:crafts", "size:s2_9", "region:MA-03", "goal:sell"):
        press(page, f"set_profile:{choice}")


def test_an_express_test_in_arabic_letters_ends_with_picture_and_next_step(page, bot):
    begin(page, "ary-Arab")
    for number, (item, value) in enumerate(
        zip(("P1", "C1", "V1", "G1", "E1", "D1", "S1"), (1, 1, 2, 1, 0, 1, 0), strict=True)
    ):
        if number == 3:
            keep(page, f"question-{bot.database_url.partition(':')[0]}")
        answer(page, item, value)
    page.locator('button[data-choice^="choose_step:"]').last.wait_for()
    assert page.locator("html").get_attribute("dir") == "rtl"
    picture = page.locator("a.picture img").last
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1080
    last = page.locator(".message.rafiq").last
    assert last.get_attribute("dir") == "rtl"
    assert ARABIC.search(last.inner_text())
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    assert page.evaluate("document.querySelector('header').getBoundingClientRect().top") == 0
    picture.scroll_into_view_if_needed()
    assert keep(page, f"result-{bot.database_url.partition(':')[0]}").stat().st_size > 20_000


def test_a_page_that_is_reloaded_comes_back_with_the_whole_conversation(page):
    begin(page, "fr")
    answer(page, "P1", 2)
    expect(page.locator(".message.owner .bubble").last).to_contain_text("Un plan simple")
    page.locator('button[data-choice$=":C1:1"]').last.wait_for()
    before = page.locator(".message").count()
    page.reload()
    page.locator('button[data-choice$=":C1:1"]').last.wait_for()
    assert page.locator(".message").count() == before
    answer(page, "C1", 1)
    page.locator('button[data-choice$=":V1:0"]').last.wait_for()


def test_an_answer_is_typed_with_the_keyboard_alone(page):
    begin(page, "fr")
    page.locator('button[data-choice$=":P1:0"]').last.wait_for()
    page.locator("#message").focus()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    page.locator('button[data-choice$=":C1:0"]').last.wait_for()


def test_html_in_a_message_stays_text(page):
    begin(page, "fr")
    page.locator("#message").fill("<img src=x onerror=alert(1)><b>gras</b>")
    page.locator("#send").click()
    page.locator(".message.owner .bubble", has_text="onerror").wait_for()
    assert page.locator(".bubble b, .bubble img[src=x]").count() == 0
