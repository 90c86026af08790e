"""One process at a time: what several gateways on one PostgreSQL may not do at once."""

from __future__ import annotations

from hashlib import blake2b

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker


class OnlyOne:
    """An advisory lock of PostgreSQL on a connection of its own; it ends with the process, however that ends.

    On SQLite there is one gateway, which always holds it. Behind a pooler that shares connections between
    transactions the lock proves nothing: whoever uses it must survive a second holder.
    """

    def __init__(self, sessions: sessionmaker[Session], purpose: str) -> None:
        self._sessions = sessions
        self._key = int.from_bytes(blake2b(purpose.encode(), digest_size=8).digest(), "big", signed=True)
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Say whether this process holds the lock, taking it when it is free."""
        with self._sessions() as session:
            engine = session.get_bind()
        if engine.dialect.name != "postgresql":
            return True
        if self._connection is not None:
            return self._still_held()
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # closing it really closes it, and with it goes the lock
        if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one():
            self._connection = connection
            return True
        connection.close()
        return False

    def _still_held(self) -> bool:
        try:
            self._connection.execute(text("SELECT 1"))  # type: ignore[union-attr]
            return True
        except SQLAlchemyError:
            self.release()
            return False

    def release(self) -> None:
        """Let another process have it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
