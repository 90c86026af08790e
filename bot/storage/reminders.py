"""Reminders: a table and a clock. When one is due it becomes a message of the inbox, and a turn is taken for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.storage.models import InboxMessage, Reminder, new_id

CLOCK = "clock"
"""The kind of an inbox message that nobody wrote."""


def remind(session: Session, conversation_id: str, kind: str, due_at: float) -> None:
    """Set a reminder, in the caller's transaction; one of the same kind is replaced."""
    forget(session, conversation_id, kind)
    session.add(Reminder(conversation_id=conversation_id, kind=kind, due_at=due_at))


def forget(session: Session, conversation_id: str, kind: str | None = None) -> None:
    """Drop one reminder of a conversation, or all of them, in the caller's transaction."""
    statement = delete(Reminder).where(Reminder.conversation_id == conversation_id)
    if kind is not None:
        statement = statement.where(Reminder.kind == kind)
    session.execute(statement.execution_options(synchronize_session=False))


def hand_over_due(session: Session, announce: Callable[[Session], None], limit: int = 100) -> int:
    """Turn due reminders into messages of the inbox, each exactly once; commit and return how many."""
    now = time.time()
    due = session.execute(select(Reminder).where(Reminder.due_at <= now).order_by(Reminder.due_at).limit(limit))
    handed_over = 0
    for reminder in due.scalars().all():
        gone = session.execute(
            delete(Reminder).where(Reminder.id == reminder.id).execution_options(synchronize_session=False)
        )
        if gone.rowcount == 1:  # else another worker took it
            session.add(_as_message(session, reminder))
            handed_over += 1
    if handed_over:
        announce(session)
    session.commit()
    return handed_over


def _as_message(session: Session, reminder: Reminder) -> InboxMessage:
    session.expunge(reminder)
    return InboxMessage(
        conversation_id=reminder.conversation_id,
        channel=CLOCK,
        provider_id=new_id(),
        kind=CLOCK,
        body=reminder.kind,
        received_at=time.time(),
    )
