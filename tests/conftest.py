"""Databases for the tests: the same tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker

from bot.settings import Settings
from bot.storage.addresses import AddressBook
from bot.storage.database import make_engine, make_sessions, migrate

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432")


def _server(statement: str) -> None:
    connection = psycopg2.connect(f"{SERVER}/postgres", connect_timeout=3)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def new_postgres_database(template: str = "template1") -> str:
    """Make a database, empty or a copy, and return its URL; skip visibly where there is no server, except in CI."""
    name = f"rafiq_{uuid.uuid4().hex[:12]}"
    try:
        _server(f"CREATE DATABASE {name} TEMPLATE {template}")
    except psycopg2.OperationalError:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL server at {SERVER.rpartition('@')[2]}: the SQLite half of this test ran alone")
    return f"{SERVER}/{name}"


def drop_postgres_database(url: str) -> None:
    """Remove a database made by new_postgres_database."""
    _server(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated SQLite file to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "rafiq.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_template() -> Iterator[str]:
    """Give the name of a migrated PostgreSQL database to copy."""
    url = new_postgres_database()
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    yield url.rpartition("/")[2]
    drop_postgres_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a migrated database without rows, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "rafiq.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"
        return
    url = new_postgres_database(request.getfixturevalue("migrated_template"))
    yield url
    drop_postgres_database(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an engine on a migrated database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Give the session factory of the program."""
    return make_sessions(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Give one session."""
    with sessions() as session:
        yield session


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Give settings of their own: nothing of the developer's environment, nothing written outside tmp_path."""
    return Settings(database_url=database_url, data_dir=tmp_path, secret_key="k" * 40, reply_wait_seconds=1.0)


@pytest.fixture
def addresses() -> AddressBook:
    """Give an address book with fixed keys."""
    return AddressBook(b"h" * 32, b"ZmFrZWZha2VmYWtlZmFrZWZha2VmYWtlZmFrZWZha2U=")
