"""The trained model in the test's own process: owners write, the worker takes their turns."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bot.channels.channel import Reply
from bot.dialogue.agent import load_agent
from bot.dialogue.model import model_path
from bot.dialogue.worker import Worker
from bot.followup import hours
from bot.settings import ROOT, Settings
from bot.storage import inbox, reminders
from bot.storage.addresses import AddressBook
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, InboxMessage, OutboxMessage, Reminder
from bot.storage.wakeup import make_wakeup

NUMBERS = itertools.count(1)
# A Monday, 14 h in Morocco.
START = datetime(2026, 11, 23, 14, 0, tzinfo=hours.MOROCCO).timestamp()


@dataclass
class Owner:
    """One owner on one channel, and the clock that both sides see."""

    worker: Worker
    sessions: sessionmaker[Session]
    addresses: AddressBook
    channel: str = "sms"
    address: str = "+212600000000"
    now: float = START
    replies: list[dict[str, Any]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    async def write(self, body: str, kind: str = "text") -> str:
        """Send a message and return the replies' text as a phone shows it."""
        message = Incoming(self.channel, self.address, f"m{next(NUMBERS)}", kind, body)
        with self.sessions() as session:
            accepted = inbox.accept(session, self.addresses, message, lambda _session: None)
        return await self._turn(accepted.inbox_id)

    async def wait(self, hours_later: float) -> str:
        """Let time pass in silence; return what is said unasked when it has passed, and nothing before."""
        self.now += hours_later * 3600
        with self.sessions() as session:
            due = session.execute(select(Reminder).where(Reminder.due_at <= self.now)).scalars().all()
            for row in due:
                row.due_at = 0.0
            session.commit()
            reminders.hand_over_due(session, lambda _session: None)
            last = session.execute(select(InboxMessage).order_by(InboxMessage.id.desc()).limit(1)).scalar_one()
            inbox_id = last.id if last.kind == reminders.CLOCK and last.status == "waiting" else None
        return await self._turn(inbox_id) if inbox_id else ""

    async def _turn(self, inbox_id: int) -> str:
        while await self.worker.take_next_turn():
            pass
        with self.sessions() as session:
            message = session.get(InboxMessage, inbox_id)
            assert message is None or message.status == "done", message.error
            rows = session.execute(select(OutboxMessage).filter_by(inbox_id=inbox_id).order_by(OutboxMessage.id))
            self.replies = [row.payload for row in rows.scalars()]
            self._set_back(session)
        texts = [_as_sms(Reply.from_payload(0, payload)) for payload in self.replies]
        self.sent += texts
        return "\n".join(texts)

    def _set_back(self, session: Session) -> None:
        """Date the last message by the test's clock."""
        conversation = session.execute(select(Conversation)).scalar_one()
        last = session.execute(select(InboxMessage.kind).order_by(InboxMessage.id.desc()).limit(1)).scalar_one_or_none()
        if last != reminders.CLOCK:
            conversation.last_message_at = self.now
        session.commit()

    def conversation(self, session: Session) -> Conversation:
        """Return the conversation's row."""
        return session.execute(select(Conversation)).scalar_one()

    def answers(self) -> dict[str, tuple[str, int | None]]:
        """Return what is kept of the test, by item."""
        with self.sessions() as session:
            firm = self.conversation(session).firm
            return {row.item: (row.status, row.value) for row in firm.assessments[-1].answers}


def _as_sms(reply: Reply) -> str:
    choices = [f"{number} {button.title}" for number, button in enumerate(reply.buttons, 1)]
    return "\n".join([reply.text, *choices])


@pytest.fixture(scope="session")
def agent():
    """Load the trained model, trained when it is stale."""
    subprocess.run([sys.executable, "-m", "bot.cli", "train"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return load_agent(model_path(Settings()))


@pytest.fixture
def owner(agent, engine, sessions, settings, addresses, monkeypatch):
    """Give an owner on SMS; `owner.channel` may be changed before the first message."""
    worker = Worker(agent, sessions, make_wakeup(engine), settings)
    owner = Owner(worker, sessions, addresses)
    monkeypatch.setattr(hours, "now", lambda: owner.now)
    return owner
