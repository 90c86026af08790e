"""`rafiq run --simulate` as a newcomer uses it: four phones in a real browser, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.bot_process import READY_SECONDS, ROOT, free_port
from tests.e2e.test_page import keep

LAPTOP = {"width": 1366, "height": 768}
WAIT_MS = 30_000


@pytest.fixture(scope="module")
def phones_address(model: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address that the command prints; afterwards it must have stopped cleanly."""
    folder = tmp_path_factory.mktemp("simulate")
    port = free_port()
    # What is set for a real installation must not be used.
    environment = os.environ | {"DATA_DIR": str(folder), "PORT": str(port), "PUBLIC_URL": "https://rafiq.example"}
    command = [sys.executable, "-m", "bot.cli", "run", "--simulate"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield _announced(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(40)
        process.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health")


def _announced(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"phones: (http://\S+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"no address was printed:\n{log.read_text()[-3000:]}")


@pytest.fixture
def page(browser: Browser, phones_address: str) -> Iterator[Page]:
    """Give the page with the phones; any error on its console fails the test."""
    context = browser.new_context(viewport=LAPTOP, locale="fr-MA")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.set_default_timeout(WAIT_MS)
    page.goto(phones_address)
    yield page
    assert problems == []
    context.close()


def phone(page: Page, channel: str) -> Locator:
    return page.locator(f'section[data-channel="{channel}"]')


def write(phone: Locator, text: str) -> None:
    phone.locator("textarea").fill(text)
    phone.locator("textarea").press("Enter")


def press(phone: Locator, title: str) -> None:
    """Press the newest choice with this title, once it is there."""
    button = phone.locator(".choices button, details.list button", has_text=title).last
    button.wait_for()
    button.click()


@pytest.mark.parametrize("channel", ["whatsapp", "telegram", "web"])
def test_an_owner_comes_to_the_first_question_by_pressing(page, channel):
    owner = phone(page, channel)
    if channel == "telegram":
        press(owner, "START")
    if channel == "whatsapp":
        write(owner, "السلام عليكم")
    else:
        press(owner, "الدارجة")
    press(owner, "واخا")
    owner.locator(".message.bot", has_text="الخدمة ديالكم").last.wait_for()
    assert owner.locator("details.list button, .choices button").count() >= 5
    expect(owner.locator(".refused, .failed")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    keep(page, f"phones-{channel}")


def test_an_sms_is_answered_in_plain_text_with_its_cost(page):
    owner = phone(page, "sms")
    write(owner, "bonjour")
    answer = owner.locator(".message.bot .meta", has_text="GSM-7").last
    answer.wait_for()
    expect(owner.locator(".ticks.delivered").last).to_be_visible()
    expect(owner.locator(".refused, .failed")).to_have_count(0)


def test_a_new_owner_starts_on_an_empty_phone(page):
    owner = phone(page, "sms")
    write(owner, "bonjour")
    owner.locator(".message.bot").last.wait_for()
    before = owner.locator("input.number").input_value()
    owner.locator("button.new").click()
    expect(owner.locator(".message")).to_have_count(0)
    assert owner.locator("input.number").input_value() != before
