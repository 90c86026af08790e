"""The owner's right of access under law 09-08: everything that is kept, as one document."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from bot.storage.models import Assessment, Conversation, Firm, InboxMessage, Misunderstood, OutboxMessage, Reminder
from bot.storage.reminders import CLOCK


def export(session: Session, conversation: Conversation) -> dict[str, Any]:
    """Return firm, tests, choices and messages of a conversation; times are ISO 8601 in UTC."""
    firm = conversation.firm
    return {
        "channel": conversation.channel,
        "language": conversation.language,
        "first_message_at": _time(conversation.created_at),
        "opted_out_at": _time(conversation.opted_out_at),
        "consent_at": _time(firm.consent_at) if firm else None,
        "consent_version": firm.consent_version if firm else None,
        "profile": dict(firm.profile) if firm else {},
        "tests": [_test(sitting) for sitting in firm.assessments] if firm else [],
        "choices": _choices(firm) if firm else [],
        "messages": _messages(session, conversation),
        "misunderstood": _misunderstood(session, conversation),
        "reminders": _reminders(session, conversation),
    }


def _test(sitting: Assessment) -> dict[str, Any]:
    return {
        "started_at": _time(sitting.started_at),
        "completed_at": _time(sitting.completed_at),
        "instrument": sitting.instrument_version,
        "status": sitting.status,
        "answers": [
            {
                "item": row.item,
                "status": row.status,
                "value": row.value,
                "source": row.source,
                "answered_at": _time(row.answered_at),
            }
            for row in sitting.answers
        ],
        "results": [result.document for result in sitting.results],
    }


def _choices(firm: Firm) -> list[dict[str, Any]]:
    return [
        {"card": choice.card, "status": choice.status, "reason": choice.reason, "at": _time(choice.chosen_at)}
        for choice in firm.choices
    ]


def _messages(session: Session, conversation: Conversation) -> list[dict[str, Any]]:
    said = session.execute(
        select(InboxMessage).where(InboxMessage.conversation_id == conversation.id, InboxMessage.kind != CLOCK)
    ).scalars()
    replied = session.execute(
        select(OutboxMessage).filter_by(conversation_id=conversation.id).options(selectinload(OutboxMessage.deliveries))
    ).scalars()
    messages = [{"at": row.received_at, "from": "owner", "kind": row.kind, "text": row.body} for row in said]
    messages += [_reply(row) for row in replied]
    messages.sort(key=lambda message: message["at"])
    return [message | {"at": _time(message["at"])} for message in messages]


def _reply(row: OutboxMessage) -> dict[str, Any]:
    """Return a reply, with what the provider reported of it: a receipt says when somebody had the phone in hand."""
    reports = [
        {"status": delivery.status, "at": _time(delivery.updated_at), "error": delivery.error}
        for delivery in row.deliveries
    ]
    said = {"at": row.created_at, "from": "rafiq", "text": row.payload.get("text", ""), "status": row.status}
    return said | ({"reports": reports} if reports else {})


def _reminders(session: Session, conversation: Conversation) -> list[dict[str, Any]]:
    """Return what is to be said unasked, and when."""
    due = session.execute(select(Reminder).filter_by(conversation_id=conversation.id).order_by(Reminder.due_at))
    return [{"kind": row.kind, "due_at": _time(row.due_at)} for row in due.scalars()]


def _misunderstood(session: Session, conversation: Conversation) -> list[dict[str, Any]]:
    """Return what is kept for review, as it is kept: masked."""
    kept = session.execute(
        select(Misunderstood).filter_by(conversation_id=conversation.id).order_by(Misunderstood.id)
    ).scalars()
    return [
        {"at": _time(row.created_at), "text": row.text, "language": row.language, "intent": row.intent} for row in kept
    ]


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds")
