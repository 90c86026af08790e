"""Wake the other processes at once: LISTEN/NOTIFY on PostgreSQL, local sockets on SQLite. Polling stays as a net."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

_NOTIFY = text("SELECT pg_notify(:topic, :about)")
# Longer than any announcement; a datagram is read whole or cut.
LONGEST_ANNOUNCEMENT = 64
LISTEN_AGAIN_SECONDS = 2.0
# Nothing else runs meanwhile.
CONNECT_SECONDS = 2


class Wakeup(Protocol):
    """Say that there is work under a topic ("inbox" or "outbox"), and hear it."""

    def notify(self, session: Session, topic: str, about: str = "") -> None:
        """Announce work; call it inside the transaction that makes the work (PostgreSQL sends on commit)."""

    def notify_committed(self, topic: str, about: str = "") -> None:
        """Announce work that is committed already (the sockets of SQLite know no transaction)."""

    def listen(self, topic: str, heard: Callable[[str], None]) -> None:
        """Call heard(about) in the running event loop whenever the topic is announced."""

    def close(self) -> None:
        """Stop listening."""


def make_wakeup(engine: Engine) -> Wakeup:
    """Return the wake-up that fits the database."""
    if engine.dialect.name == "postgresql":
        return PostgresWakeup(engine)
    return SocketWakeup(engine)


class PostgresWakeup:
    """LISTEN/NOTIFY; the announcement becomes visible with the commit of the transaction that made it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connections: list[Any] = []
        self._closed = False

    def notify(self, session: Session, topic: str, about: str = "") -> None:
        session.execute(_NOTIFY, {"topic": f"rafiq_{topic}", "about": about})

    def notify_committed(self, topic: str, about: str = "") -> None:
        """Nothing to do: the notification went out with the commit."""

    def listen(self, topic: str, heard: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        connection = self._connect(topic)
        self._connections.append(connection)
        number = connection.fileno()  # a connection that broke does not tell it any more

        def ready() -> None:
            try:
                connection.poll()
            except psycopg2.Error:  # the server went away: polling carries on until it is back
                loop.remove_reader(number)
                self._connections.remove(connection)
                loop.call_later(LISTEN_AGAIN_SECONDS, self._listen_again, topic, heard)
                return
            while connection.notifies:
                heard(connection.notifies.pop(0).payload)

        loop.add_reader(number, ready)

    def _listen_again(self, topic: str, heard: Callable[[str], None]) -> None:
        if self._closed:
            return
        try:
            self.listen(topic, heard)
        except psycopg2.Error:
            asyncio.get_running_loop().call_later(LISTEN_AGAIN_SECONDS, self._listen_again, topic, heard)
            return
        heard("")  # what was announced meanwhile

    def _connect(self, topic: str) -> Any:
        url = self._engine.url
        connection = psycopg2.connect(
            host=url.host,
            port=url.port,
            user=url.username,
            password=url.password,
            dbname=url.database,
            **{"connect_timeout": CONNECT_SECONDS} | dict(url.query),
        )
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        connection.cursor().execute(f"LISTEN rafiq_{topic}")
        return connection

    def close(self) -> None:
        self._closed = True
        for connection in self._connections:
            with suppress(Exception):
                asyncio.get_running_loop().remove_reader(connection.fileno())
            connection.close()
        self._connections.clear()


class SocketWakeup:
    """One datagram socket a listener, in a folder named after the database file; dead listeners are removed."""

    def __init__(self, engine: Engine) -> None:
        # Socket paths are limited to 107 bytes, so the folder is a short one, readable by this user only.
        name = blake2b(os.path.abspath(engine.url.database or "").encode(), digest_size=8).hexdigest()
        self._folder = Path(tempfile.gettempdir()) / f"rafiq-{os.getuid()}-{name}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._folder} belongs to another user")
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._listeners: list[tuple[socket.socket, Path]] = []

    def notify(self, session: Session, topic: str, about: str = "") -> None:
        """Nothing to do before the commit."""

    def notify_committed(self, topic: str, about: str = "") -> None:
        for path in self._folder.glob(f"{topic}-*"):
            try:
                self._sender.sendto(about.encode(), str(path))
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)
            except BlockingIOError:
                pass  # its buffer is full of announcements: it looks at everything soon

    def listen(self, topic: str, heard: Callable[[str], None]) -> None:
        path = self._folder / f"{topic}-{os.getpid()}-{len(self._listeners)}"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.setblocking(False)
        listener.bind(str(path))
        self._listeners.append((listener, path))

        def ready() -> None:
            with suppress(BlockingIOError):
                while True:
                    heard(listener.recv(LONGEST_ANNOUNCEMENT).decode())

        asyncio.get_running_loop().add_reader(listener.fileno(), ready)

    def close(self) -> None:
        for listener, path in self._listeners:
            with suppress(Exception):
                asyncio.get_running_loop().remove_reader(listener.fileno())
            listener.close()
            path.unlink(missing_ok=True)
        self._listeners.clear()
        self._sender.close()
