"""An installation of its own for measurements: gateway and workers as processes that can be killed and come back."""

from __future__ import annotations

import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.settings import ROOT

# How long a process must have lived before it may be killed: a worker takes that long to load its model.
YOUNGEST_VICTIM = {"gateway": 2.0, "worker": 20.0}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """Processes on one database, in a folder that goes with them; `kills` counts by kind."""

    folder: Path
    environment: Mapping[str, str]
    workers: int = 1
    port: int = field(default_factory=free_port)
    kills: dict[str, int] = field(default_factory=lambda: {"gateway": 0, "worker": 0})
    _running: dict[str, tuple[subprocess.Popen[bytes], float]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Return where the gateway listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Return the file that all processes log to."""
        return self.folder / "processes.log"

    def start(self) -> None:
        """Start everything that does not run; what was killed comes back."""
        for name in ["gateway", *(f"worker {number}" for number in range(self.workers))]:
            process, _ = self._running.get(name, (None, 0.0))
            if process is None or process.poll() is not None:
                self._running[name] = (self._spawn(name.split()[0]), time.monotonic())

    def _spawn(self, kind: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bot.cli", kind, *(["--checked"] if kind == "worker" else [])]
        own = {"DATA_DIR": str(self.folder), "PORT": str(self.port), "PUBLIC_URL": self.address}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=os.environ | dict(self.environment) | own, stdout=log, stderr=log
            )

    def cpu_seconds(self, name: str) -> float:
        """Return the processor time that a running process has used: other load on the machine does not change it."""
        fields = Path(f"/proc/{self._running[name][0].pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill_one(self, chance: random.Random) -> str | None:
        """Kill -9 a random process that is old enough, and start it again; None when all are too young."""
        now = time.monotonic()
        old = [name for name, (_, born) in self._running.items() if now - born >= YOUNGEST_VICTIM[name.split()[0]]]
        if not old:
            return None
        name = chance.choice(old)
        process, _ = self._running[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.kills[name.split()[0]] += 1
        self.start()
        return name

    def wait_ready(self, path: str = "/ready", seconds: float = 240.0) -> None:
        """Wait until the gateway answers 200 on a path; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.address + path, timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise TimeoutError(f"the bot is not ready; its log is {self.log}")

    def stop(self) -> None:
        """Stop everything as Ctrl-C does."""
        for process, _ in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in self._running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


@contextmanager
def empty_database(url: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty, migrated database: new on the PostgreSQL server of `url`, else an SQLite file."""
    from sqlalchemy import create_engine, text

    from bot.storage.database import make_engine, migrate

    if not url:
        url = f"sqlite:///{folder / 'rafiq.db'}"
        migrate(make_engine(url))
        yield url
        return
    name = f"rafiq_bench_{secrets.token_hex(6)}"
    server = create_engine(url, future=True, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    own = url.rsplit("/", 1)[0] + f"/{name}"
    try:
        engine = make_engine(own)
        migrate(engine)
        engine.dispose()
        yield own
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
