"""Letting go: guests' rows after their session, erased conversations, expired media, old words."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import delete, exists, insert, literal, null, or_, select, update
from sqlalchemy.orm import Session

from bot.storage.models import (
    Answer,
    Assessment,
    ChosenAction,
    Conversation,
    Delivery,
    ErasedId,
    Firm,
    Heartbeat,
    InboxMessage,
    Media,
    Misunderstood,
    OutboxMessage,
    Reminder,
    Result,
)

# The words of a conversation are kept as long as an unfinished test can be resumed.
MESSAGE_DAYS = 30
# Time enough to review them a few times; what was learnt from them by then stands in nlu_data.
MISUNDERSTOOD_DAYS = 180
UNBOOKED_SECONDS = 86400.0
# Channels whose provider lists past messages, and for how long the ids of erased ones are kept: longer than any list
# is read back.
LISTED_CHANNELS = ("whatsapp", "sms")
ERASED_ID_SECONDS = 4 * 86400.0


def purge(session: Session, session_seconds: float) -> None:
    """Delete all that is due, and commit."""
    purge_conversations(session, session_seconds)
    purge_old(session)


def purge_conversations(session: Session, session_seconds: float) -> None:
    """Delete guests after session_seconds of silence and erased conversations, and commit."""
    now = time.time()
    over = or_(
        Conversation.erase_at <= now,
        # No consent: nothing is kept after the session.
        (Conversation.last_message_at < now - session_seconds)
        & ~exists().where(Firm.id == Conversation.firm_id, Firm.consent_at.is_not(None)),
    )
    idle = _idle(now)
    waiting = exists().where(InboxMessage.conversation_id == Conversation.id, InboxMessage.status == "waiting")
    undelivered = exists().where(
        OutboxMessage.conversation_id == Conversation.id,
        OutboxMessage.status == "waiting",
        OutboxMessage.created_at > now - 600,
    )
    due = session.execute(select(Conversation.id).where(over, idle, ~waiting, ~undelivered).limit(100)).scalars().all()
    session.rollback()
    for conversation_id in due:
        _lock(session, conversation_id)
        # A message may have come between the look and the lock: then nothing goes.
        still_due = select(Conversation.id).where(
            Conversation.id == conversation_id, over, idle, ~waiting, ~undelivered
        )
        if session.execute(still_due).first() is not None:
            erase_conversation(session, conversation_id)
        session.commit()


def _idle(now: float) -> Any:
    return or_(Conversation.lease_until.is_(None), Conversation.lease_until < now)


def purge_old(session: Session) -> None:
    """Delete old words, media and ids, and commit; every row is looked at: not for each beat of a worker."""
    now = time.time()
    old = now - MESSAGE_DAYS * 86400
    for statement in (
        delete(Media).where(Media.expires_at < now),
        # What was set aside and not looked at until now, too.
        update(InboxMessage)
        .where(InboxMessage.received_at < old, InboxMessage.status != "waiting", InboxMessage.body != "")
        .values(body=""),
        # Also what nobody fetched from the web chat, or what waits for an owner who never came back.
        delete(OutboxMessage).where(OutboxMessage.created_at < old),
        # The tracker repeats the last messages; what is open stands in the conversation's state.
        update(Conversation)
        .where(Conversation.last_message_at < old, Conversation.tracker.is_not(None), _idle(now))
        .values(tracker=null()),
        delete(Misunderstood).where(Misunderstood.created_at < now - MISUNDERSTOOD_DAYS * 86400),
        # Reports about messages of nobody's: their reply was erased, or never ours.
        delete(Delivery).where(Delivery.outbox_id.is_(None), Delivery.created_at < now - UNBOOKED_SECONDS),
        delete(ErasedId).where(ErasedId.erased_at < now - ERASED_ID_SECONDS),
        # Of workers that were killed: each leaves one.
        delete(Heartbeat).where(Heartbeat.beat_at < now - UNBOOKED_SECONDS),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
        session.commit()  # nobody waits for all of them


def _lock(session: Session, conversation_id: str) -> None:
    """Keep new messages out until the commit: SQLite has one writer, PostgreSQL makes their foreign key wait."""
    unchanged = update(Conversation).where(Conversation.id == conversation_id)
    session.execute(
        unchanged.values(last_message_at=Conversation.last_message_at).execution_options(synchronize_session=False)
    )
    session.execute(select(Conversation.id).where(Conversation.id == conversation_id).with_for_update())


def erase_conversation(session: Session, conversation_id: str) -> None:
    """Delete a conversation with all its messages and media, and its firm when no other conversation has it."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return
    firm_id = conversation.firm_id
    _remember_erased(session, InboxMessage.conversation_id == conversation_id)
    for table in (InboxMessage, OutboxMessage, Media, Misunderstood):
        session.execute(
            delete(table).where(table.conversation_id == conversation_id).execution_options(synchronize_session=False)
        )
    session.execute(
        delete(Conversation).where(Conversation.id == conversation_id).execution_options(synchronize_session=False)
    )
    session.expunge(conversation)
    still_used = session.execute(select(Conversation.id).where(Conversation.firm_id == firm_id)).first()
    if firm_id is not None and still_used is None:
        erase_firm(session, firm_id)


def erase_messages(session: Session, conversation_id: str) -> None:
    """Delete what was said and shown, in the caller's transaction; the message under way keeps only its row."""
    _remember_erased(session, (InboxMessage.conversation_id == conversation_id) & (InboxMessage.status != "waiting"))
    for statement in (
        delete(OutboxMessage).where(OutboxMessage.conversation_id == conversation_id),
        delete(Media).where(Media.conversation_id == conversation_id),
        delete(Misunderstood).where(Misunderstood.conversation_id == conversation_id),
        delete(Reminder).where(Reminder.conversation_id == conversation_id),
        delete(InboxMessage).where(InboxMessage.conversation_id == conversation_id, InboxMessage.status != "waiting"),
        update(InboxMessage).where(InboxMessage.conversation_id == conversation_id).values(body=""),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def _remember_erased(session: Session, which: Any) -> None:
    """Keep the ids of messages that go, where their provider can list them again; nothing else of them stays."""
    listed = select(InboxMessage.channel, InboxMessage.provider_id, literal(time.time())).where(
        which,
        InboxMessage.channel.in_(LISTED_CHANNELS),
        ~exists().where(ErasedId.channel == InboxMessage.channel, ErasedId.provider_id == InboxMessage.provider_id),
    )
    session.execute(insert(ErasedId).from_select(["channel", "provider_id", "erased_at"], listed))


def erase_firm(session: Session, firm_id: str) -> None:
    """Delete a firm with its tests, answers, results and choices, in the caller's transaction."""
    sittings = select(Assessment.id).where(Assessment.firm_id == firm_id)
    for statement in (
        delete(Answer).where(Answer.assessment_id.in_(sittings)),
        delete(Result).where(Result.assessment_id.in_(sittings)),
        delete(Assessment).where(Assessment.firm_id == firm_id),
        delete(ChosenAction).where(ChosenAction.firm_id == firm_id),
        update(Conversation).where(Conversation.firm_id == firm_id).values(firm_id=None),
        delete(Firm).where(Firm.id == firm_id),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
