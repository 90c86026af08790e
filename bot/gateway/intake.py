"""What a channel received goes into the inbox, and what a provider reports into the deliveries."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from bot import metrics
from bot.channels.channel import OptedOut, Received, Report, Retryable, SendError, WindowClosed, error_as_text
from bot.knowledge.keywords import Keywords
from bot.storage import deliveries, inbox, outbox
from bot.storage.addresses import AddressBook
from bot.storage.inbox import Accepted, Incoming
from bot.storage.models import Conversation, InboxMessage, OutboxMessage
from bot.storage.reminders import forget
from bot.storage.wakeup import Wakeup

logger = logging.getLogger(__name__)

# A message that a provider took and failed to deliver for a passing reason is tried again after this long.
LATE_RETRY_SECONDS = 60.0
MOST_AT_ONCE = 200
OPT_OUT_CHOICE = "opt_out:yes"


@dataclass
class Intake:
    """Takes in messages and reports; when a method returns, nothing of it can be lost."""

    accepting: sessionmaker[Session]
    """Sessions that wait for the disk."""
    sessions: sessionmaker[Session]
    addresses: AddressBook
    wakeup: Wakeup
    keywords: Keywords
    _waiting: list[tuple[Incoming, asyncio.Future[None]]] = field(default_factory=list)
    _writer: asyncio.Task[None] | None = None

    async def take(self, channel: str, received: Received) -> None:
        """Keep messages first, then reports."""
        if received.messages:
            await asyncio.gather(*[self._enter(message) for message in received.messages])
        for report in received.reports:
            await run_in_threadpool(self.note, report.channel or channel, report)

    def _enter(self, message: Incoming) -> asyncio.Future[None]:
        """Wait with the messages that come while others are being written: they are written together."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((message, kept))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        return kept

    async def _write_waiting(self) -> None:
        while self._waiting:
            entered, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                await run_in_threadpool(self.accept_all, [message for message, _ in entered])
            except Exception as error:  # each sender is told, and the provider sends again
                failed: Exception | None = error
            else:
                failed = None
            for _, kept in entered:
                if kept.done():
                    continue
                if failed is None:
                    kept.set_result(None)
                else:
                    kept.set_exception(failed)

    def accept_all(self, messages: Sequence[Incoming]) -> None:
        """Put messages into the inbox, with one wait for the disk where none of them changes more than that."""
        if len(messages) > 1 and not any(self._is_special(message) for message in messages):
            with self.accepting() as session, suppress(IntegrityError):
                new = inbox.accept_many(
                    session,
                    self.addresses,
                    messages,
                    lambda under_way: self.wakeup.notify(under_way, "inbox"),
                    outbox.release_held,
                )
                self.wakeup.notify_committed("inbox")
                for message in messages:
                    pair = (message.channel, message.provider_id)
                    metrics.received(message.channel, message.kind, new=pair in new)
                    new.discard(pair)
                return
        for message in messages:
            self.accept(message)

    def _is_special(self, message: Incoming) -> bool:
        if message.kind in inbox.SIGNALS or self._stops(message):
            return True
        return message.kind == "text" and self.keywords.restarts(message.body)

    def _stops(self, message: Incoming) -> bool:
        if message.kind == "choice":
            return message.body == OPT_OUT_CHOICE
        return message.kind == "text" and self.keywords.stops(message.body)

    def accept(self, message: Incoming) -> Accepted:
        """Put one message into the inbox; STOP takes effect here, before any turn."""
        stops = self._stops(message)
        restarts = message.kind == "text" and self.keywords.restarts(message.body)
        if stops:
            message = replace(message, kind="choice", body=OPT_OUT_CHOICE)

        def along(session: Session, row: InboxMessage) -> None:
            if message.kind in inbox.SIGNALS:
                obey(session, row)
                return
            if stops:
                stop_messages(session, row.conversation_id, row.received_at)
            elif restarts:
                session.get(Conversation, row.conversation_id).opted_out_at = None
            outbox.release_held(session, [row.conversation_id])

        with self.accepting() as session:
            accepted = inbox.accept(
                session, self.addresses, message, lambda under_way: self.wakeup.notify(under_way, "inbox"), along
            )
        self.wakeup.notify_committed("inbox")
        metrics.received(message.channel, message.kind, new=accepted.new)
        return accepted

    def note(self, channel: str, report: Report) -> None:
        """Move a provider message forward, and draw the consequence of a failure in the same transaction."""
        error = error_as_text(report.error) if report.error else None

        def along(session: Session, outbox_id: int) -> None:
            if report.error is not None:
                fail_late(session, outbox_id, report.error)

        with self.sessions() as session:
            outbox_id = deliveries.report(session, channel, report.provider_id, report.status, error, along)
        metrics.reported(channel, report.status, report.error.code if report.error else None)
        if outbox_id is not None and report.error is not None:
            self.wakeup.notify_committed("outbox")


def fail_late(session: Session, outbox_id: int, error: SendError) -> None:
    """Send again later, hold, or stop, as the error of a message that had been taken says."""
    if isinstance(error, WindowClosed):
        deliveries.send_again(session, outbox_id, "held", error.code, time.time())
    elif isinstance(error, Retryable):
        later = time.time() + (error.after or LATE_RETRY_SECONDS)
        deliveries.send_again(session, outbox_id, "waiting", error.code, later)
    elif isinstance(error, OptedOut):
        conversation = session.execute(
            select(OutboxMessage.conversation_id).filter_by(id=outbox_id)
        ).scalar_one_or_none()
        if conversation is not None:
            stop_as_told(session, conversation, time.time())


def obey(session: Session, row: InboxMessage) -> None:
    """Do what a signal of the channel asks for, and close its row, in the caller's transaction."""
    row.status, row.done_at = "done", row.received_at
    conversation = session.get(Conversation, row.conversation_id)
    if conversation is None:  # erased in between: the row finds no conversation either, and is accepted anew
        return
    if row.kind == inbox.BLOCKED:
        stop_as_told(session, conversation.id, row.received_at)
    elif row.kind == inbox.RESTARTED or _stopped_by_block(session, conversation):
        conversation.opted_out_at = None


def _stopped_by_block(session: Session, conversation: Conversation) -> bool:
    block = select(InboxMessage.id).filter_by(
        conversation_id=conversation.id, kind=inbox.BLOCKED, received_at=conversation.opted_out_at
    )
    return session.execute(block.limit(1)).first() is not None


def stop_as_told(session: Session, conversation_id: str, at: float) -> None:
    """Send nothing more, as a block or a provider says, in the caller's transaction.

    Since when stays as it was: who had said STOP before stays stopped when a block is taken back, and a block can be
    taken back also when the provider has refused a message meanwhile.
    """
    conversation = session.get(Conversation, conversation_id)
    stop_messages(session, conversation_id, (conversation and conversation.opted_out_at) or at)


def stop_messages(session: Session, conversation_id: str, at: float) -> None:
    """Send nothing more that the owner did not ask for after this moment, in the caller's transaction."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is not None:
        conversation.opted_out_at = at
    forget(session, conversation_id)
    outbox.cancel_waiting(session, conversation_id)
