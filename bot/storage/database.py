"""Engine and sessions for SQLite (default) and PostgreSQL."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker

# The session of the turn under way. The worker sets it; tracker store and actions write into it, and it is
# flushed and committed once, at the end of the turn.
current_session: ContextVar[Session] = ContextVar("current_session")


def make_engine(url: str) -> Engine:
    """Return an engine; on SQLite with a write-ahead log, so that readers never wait for the writer."""
    if url.startswith("sqlite"):
        engine = create_engine(url, future=True, connect_args={"timeout": 15, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return create_engine(url, future=True, pool_size=10, max_overflow=10, pool_pre_ping=True)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a session factory; sessions flush only on commit, so nothing is locked while a turn thinks."""
    return sessionmaker(engine, future=True, autoflush=False, expire_on_commit=False)


def _alembic_config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; does nothing when it is there already."""
    command.upgrade(_alembic_config(engine), "head")


def is_migrated(engine: Engine) -> bool:
    """Say whether the schema is at the newest revision."""
    head = ScriptDirectory.from_config(_alembic_config(engine)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
