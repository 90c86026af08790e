"""One running bot for each kind of database; the model is trained when it is stale."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

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
