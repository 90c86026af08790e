"""The real bot for the tests: gateway and worker as processes of their own, the trained model, HTTP."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 180.0
# One client for all: making one takes longer than a turn of the bot.
CLIENT = httpx.Client(timeout=60)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningBot:
    """Gateway and worker on one database; each can be killed and started again."""

    data_dir: Path
    database_url: str
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data_dir / "bot.log"

    def start(self, name: str) -> None:
        """Start `gateway` or `worker`."""
        environment = os.environ | {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "PORT": str(self.port),
            "SECRET_KEY": "for-tests-only-" + "k" * 30,
            **self.extra,
        }
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", name], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """Kill -9."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Stop everything as Ctrl-C does."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()
        self.processes.clear()

    def wait_until_ready(self) -> None:
        """Wait until an owner who writes now gets an answer."""
        self._wait("/ready")

    def wait_until_up(self) -> None:
        """Wait until the gateway accepts messages."""
        self._wait("/health")

    def _wait(self, path: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(self.address + path, timeout=2).status_code == 200:
                    return
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} stopped:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)
        raise AssertionError(f"not ready after {READY_SECONDS} s:\n{self.log.read_text()[-3000:]}")


@dataclass
class Talk:
    """One owner's conversation; keeps the transcript for whoever reads a failure."""

    address: str
    conversation: str = field(default_factory=lambda: f"test-{secrets.token_hex(12)}")
    messages: list[dict[str, Any]] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)

    def send(self, message_id: str | None = None, **content: str) -> list[dict[str, Any]]:
        """Send one message and return its replies."""
        body = {"conversation": self.conversation, "message_id": message_id or secrets.token_hex(8), **content}
        self.transcript.append("> " + " ".join(content.values()))
        for _ in range(30):
            answer = CLIENT.post(f"{self.address}/api/chat/messages", json=body)
            answer.raise_for_status()
            if answer.status_code == 200:
                break
        self.messages = answer.json()["messages"]
        for message in self.messages:
            self.transcript.append(message["text"])
            self.transcript += [f"    [{button['title']}] {button['choice']}" for button in message["buttons"]]
        return self.messages

    def say(self, text: str) -> list[dict[str, Any]]:
        """Type a message."""
        return self.send(text=text)

    def press(self, choice: str) -> list[dict[str, Any]]:
        """Press the offered button whose choice starts so; fail when it was not offered."""
        offered = [button["choice"] for button in self.buttons]
        matching = [c for c in offered if c.startswith(choice)]
        assert matching, f"{choice} was not offered, only {offered}\n" + "\n".join(self.transcript[-30:])
        return self.send(choice=matching[0])

    def answer(self, value: int) -> list[dict[str, Any]]:
        """Press the open question's option of this value."""
        choice = next(b["choice"] for b in self.buttons if b["choice"].startswith("answer:"))
        return self.send(choice=choice.rpartition(":")[0] + f":{value}")

    @property
    def buttons(self) -> list[dict[str, str]]:
        """Return the buttons of the last reply."""
        return [button for message in self.messages for button in message["buttons"]]

    @property
    def text(self) -> str:
        """Return the last reply's texts."""
        return "\n".join(message["text"] for message in self.messages)

    @property
    def open_item(self) -> str | None:
        """Return the item of the question that the last reply asks."""
        answers = [b["choice"] for b in self.buttons if b["choice"].startswith("answer:")]
        return answers[-1].split(":")[2] if answers else None

    def begin(self, language: str = "fr", sector: str = "grocery", goal: str = "sell") -> None:
        """Go from hello to the first question, with consent and a profile."""
        self.send(choice="greet")
        self.press(f"change_language:{language}")
        self.press("affirm:consent")
        self.press(f"set_profile:sector:{sector}")
        self.press("set_profile:size:s2_9")
        self.press("set_profile:region:MA-06")
        self.press(f"set_profile:goal:{goal}")
