"""Wait for the replies to a message without polling the database: the worker's wake-up names the message."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from bot.gateway.links import MediaLinks
from bot.storage import outbox
from bot.storage.models import InboxMessage, OutboxMessage

# Woken by the worker; this is the net under it.
POLL_SECONDS = 1.0
ENDED_KEPT = 1000
BOOKS_SECONDS = 0.5


class Replies:
    """Hand out the replies to accepted messages as soon as the worker has committed them."""

    def __init__(self, sessions: sessionmaker[Session], links: MediaLinks) -> None:
        self._sessions = sessions
        self._links = links
        self._waiting: dict[int, asyncio.Event] = {}
        # Turns that ended before anybody waited for them: a fast worker overtakes the request that accepted.
        self._ended: deque[int] = deque(maxlen=ENDED_KEPT)
        self._delivered: list[int] = []

    def announce(self, about: str) -> None:
        """Wake whoever waits for the replies to this inbox message."""
        inbox_id = int(about or 0)
        waiter = self._waiting.get(inbox_id)
        if waiter is not None:
            waiter.set()
        else:
            self._ended.append(inbox_id)

    async def wait_for(self, inbox_id: int, seconds: float, new: bool) -> list[dict[str, Any]] | None:
        """Return the replies to a message in order; None when its turn is not done in time."""
        deadline = time.monotonic() + seconds
        news = self._waiting.setdefault(inbox_id, asyncio.Event())
        may_be_done = not new or inbox_id in self._ended
        try:
            while True:
                replies = await run_in_threadpool(self._look, inbox_id) if may_be_done else None
                left = deadline - time.monotonic()
                if replies is not None or left <= 0:
                    return replies
                may_be_done = True
                try:
                    await asyncio.wait_for(news.wait(), min(left, POLL_SECONDS))
                except asyncio.TimeoutError:
                    continue
        finally:
            self._waiting.pop(inbox_id, None)

    def _look(self, inbox_id: int) -> list[dict[str, Any]] | None:
        with self._sessions() as session:
            rows = outbox.replies_to(session, inbox_id)
        if rows is None:
            return None
        self._note_delivered(rows)
        return [self.as_message(row) for row in rows]

    def _note_delivered(self, rows: Sequence[OutboxMessage]) -> None:
        self._delivered += [row.id for row in rows if row.status == "waiting"]

    async def keep_books(self) -> None:
        """Record now and then, for many replies at once, that they were handed over; never returns."""
        while True:
            await asyncio.sleep(BOOKS_SECONDS)
            with suppress(SQLAlchemyError):  # the database may be away for a while: the next round tries again
                await run_in_threadpool(self._write_books)

    def _write_books(self) -> None:
        ids = self._delivered[:]
        with self._sessions() as session:
            outbox.mark_sent(session, ids)
        del self._delivered[: len(ids)]

    def history(self, conversation_id: str, after: int, seconds_back: float) -> list[dict[str, Any]]:
        """Return the conversation's messages of both sides after an outbox id, oldest first."""
        since = time.time() - seconds_back
        with self._sessions() as session:
            said = session.execute(
                select(InboxMessage)
                .where(InboxMessage.conversation_id == conversation_id, InboxMessage.received_at >= since)
                .order_by(InboxMessage.id.desc())
                .limit(100)
            ).scalars()
            replied = (
                session.execute(
                    select(OutboxMessage)
                    .where(OutboxMessage.conversation_id == conversation_id, OutboxMessage.id > after)
                    .where(OutboxMessage.created_at >= since)
                    .order_by(OutboxMessage.id.desc())
                    .limit(200)
                )
                .scalars()
                .all()
            )
            entries = [(row.created_at, 1, row.id, self.as_message(row)) for row in replied]
            if after == 0:
                entries += [(row.received_at, 0, row.id, _as_said(row)) for row in said if row.body]
            messages = _with_titles([message for *_, message in sorted(entries, key=lambda entry: entry[:3])])
            self._note_delivered(replied)
            return messages

    def as_message(self, row: OutboxMessage) -> dict[str, Any]:
        """Return a reply as the web chat shows it, media as signed paths."""
        message = {"id": row.id, "from": "rafiq", "text": "", "buttons": [], "image": None, "document": None}
        message |= row.payload
        for key in ("image", "document"):
            if message[key]:
                message[key] = self._links.path(message[key])
        return message


def _as_said(row: InboxMessage) -> dict[str, Any]:
    return {"id": f"in-{row.id}", "from": "owner", "kind": row.kind, "text": row.body}


def _with_titles(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Show a choice as the title of the button that was pressed; a choice never offered shows nothing."""
    titles: dict[str, str] = {}
    shown = []
    for message in messages:
        titles |= {button["choice"]: button["title"] for button in message.get("buttons", ())}
        if message["from"] == "owner" and message["kind"] != "text":
            message["text"] = titles.get(message["text"], "")
        if message["text"] or message["from"] == "rafiq":
            shown.append(message)
    return shown
