"""The outbox: replies wait here until their channel has delivered them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from bot.storage.models import InboxMessage, OutboxMessage

_INSERT = insert(OutboxMessage.__table__)


def put(session: Session, conversation_id: str, inbox_id: int | None, payloads: Sequence[dict[str, Any]]) -> None:
    """Add replies in order, in the caller's transaction."""
    rows = [
        {"conversation_id": conversation_id, "inbox_id": inbox_id, "payload": payload, "status": "waiting"}
        for payload in payloads
    ]
    if rows:
        session.execute(_INSERT, rows)


def replies_to(session: Session, inbox_id: int) -> list[OutboxMessage] | None:
    """Return the replies to one message, in order; None while its turn is not done."""
    status = session.execute(select(InboxMessage.status).filter_by(id=inbox_id)).scalar_one_or_none()
    if status == "waiting":
        return None
    return list(
        session.execute(select(OutboxMessage).filter_by(inbox_id=inbox_id).order_by(OutboxMessage.id)).scalars()
    )


def mark_sent(session: Session, ids: Sequence[int]) -> None:
    """Record that these replies were delivered; commits."""
    if ids:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_(ids), OutboxMessage.status == "waiting")
            .values(status="sent", sent_at=time.time())
            .execution_options(synchronize_session=False)
        )
        session.commit()
