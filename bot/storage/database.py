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
from sqlalchemy.pool import QueuePool

# The session of the turn under way. The worker sets it; tracker store and actions write into it, and it is
# flushed and committed once, at the end of the turn.
current_session: ContextVar[Session] = ContextVar("current_session")


def make_engine(url: str, durable: bool = False) -> Engine:
    """Return an engine; on SQLite with a write-ahead log, so that readers never wait for the writer.

    A durable SQLite engine waits for the disk at each commit, so that a power cut loses nothing it wrote; the
    others survive the death of any process, and after a power cut fall back to an earlier, consistent state,
    where a message is simply waiting again. PostgreSQL decides for itself.

    No error quotes what was to be written: it may be an owner's words, and errors end up in logs.
    """
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            future=True,
            hide_parameters=True,
            # SQLAlchemy 1.4 would open and close the file at each use.
            poolclass=QueuePool,
            pool_size=10,
            max_overflow=10,
            connect_args={"timeout": 15, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_durable if durable else _prepare)
        return engine
    return create_engine(url, future=True, hide_parameters=True, pool_size=10, max_overflow=10, pool_pre_ping=True)


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _prepare_durable(connection: Any, record: Any) -> None:
    _prepare(connection, record)
    connection.execute("PRAGMA synchronous=FULL")


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
