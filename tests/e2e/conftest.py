"""One running bot for each kind of database; the model is trained when it is stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from bot.storage.database import make_engine, migrate
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.e2e.bot_process import ROOT, RunningBot, Talk


@pytest.fixture(scope="session")
def model() -> None:
    """Train the model when it is stale."""
    subprocess.run([sys.executable, "-m", "bot.cli", "train"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def bot(request: pytest.FixtureRequest, model: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    """Give a bot that is ready, once on each database."""
    data_dir = tmp_path_factory.mktemp(f"bot-{request.param}")
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{data_dir / 'rafiq.db'}" if sqlite else new_postgres_database()
    migrate(make_engine(url))
    running = RunningBot(data_dir, url)
    try:
        running.start("gateway")
        running.start("worker")
        running.wait_until_ready()
        yield running
    finally:
        running.stop()
        if not sqlite:
            drop_postgres_database(url)


@pytest.fixture
def talk(bot: RunningBot) -> Talk:
    """Give a new owner's conversation."""
    return Talk(bot.address)


# Not for the session: while it is open, its event loop keeps asynchronous tests from running.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give the system's Chromium; a newcomer without one gets a visible skip, CI must have it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        assert not os.environ.get("CI"), "CI needs Chromium"
        pytest.skip("no Chromium on this machine: the page was not tried in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
