"""One owner and the trained model in the test's own process: what is written, what comes back, what is kept."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bot.dialogue.worker import Worker
from bot.storage import inbox
from bot.storage.addresses import AddressBook
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, OutboxMessage

NUMBERS = itertools.count(1)


@dataclass
class Talk:
    """A conversation on one channel."""

    worker: Worker
    sessions: sessionmaker[Session]
    addresses: AddressBook
    channel: str = "web"
    replies: list[dict[str, Any]] = field(default_factory=list)

    async def write(self, body: str, kind: str = "text") -> str:
        """Send a message and return the texts of the replies."""
        message = Incoming(self.channel, "somebody", f"t{next(NUMBERS)}", kind, body)
        with self.sessions() as session:
            accepted = inbox.accept(session, self.addresses, message, lambda _session: None)
        while await self.worker.take_next_turn():
            pass
        with self.sessions() as session:
            rows = session.execute(
                select(OutboxMessage).filter_by(inbox_id=accepted.inbox_id).order_by(OutboxMessage.id)
            )
            self.replies = [row.payload for row in rows.scalars()]
        return "\n".join(reply.get("text", "") for reply in self.replies)

    async def press(self, start: str) -> str:
        """Press the first button of the last replies whose choice starts like this."""
        fitting = [choice for choice in self.choices if choice.startswith(start)]
        assert fitting, f"no button {start} among {self.choices}"
        return await self.write(fitting[0], "choice")

    @property
    def choices(self) -> list[str]:
        """Return the choices of the last replies' buttons."""
        return [button["choice"] for reply in self.replies for button in reply.get("buttons", ())]

    @property
    def titles(self) -> list[str]:
        """Return the titles of the last replies' buttons."""
        return [button["title"] for reply in self.replies for button in reply.get("buttons", ())]

    @property
    def profile(self) -> dict[str, Any]:
        """Return what is kept of the firm."""
        with self.sessions() as session:
            firm = session.execute(select(Conversation)).scalar_one().firm
            return dict(firm.profile) if firm else {}
