"""What stands in the inbox and the outbox: counts, what was set aside, and how to try it again."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.storage.models import InboxMessage, OutboxMessage

NOT_DONE = {"inbox": ("waiting", "dead"), "outbox": ("waiting", "held", "failed")}


@dataclass(frozen=True)
class Aside:
    """A message that needs an operator's eye; its words stay in the database."""

    box: str
    id: int
    conversation_id: str
    channel: str
    status: str
    error: str | None
    attempts: int
    at: float


def waiting_rows(session: Session) -> dict[tuple[str, str], int]:
    """Return the number of rows that are not done, by (box, status)."""
    counts = {(box, status): 0 for box, statuses in NOT_DONE.items() for status in statuses}
    for box, table in (("inbox", InboxMessage), ("outbox", OutboxMessage)):
        rows = session.execute(
            select(table.status, func.count()).where(table.status.in_(NOT_DONE[box])).group_by(table.status)
        )
        counts |= {(box, status): count for status, count in rows}
    return counts


def set_aside(session: Session, limit: int = 100) -> list[Aside]:
    """Return dead messages, and replies that failed for good or wait for the owner to write, newest first."""
    dead = session.execute(
        select(InboxMessage).where(InboxMessage.status == "dead").order_by(InboxMessage.id.desc()).limit(limit)
    ).scalars()
    stuck = session.execute(
        select(OutboxMessage)
        .where(OutboxMessage.status.in_(("failed", "held")))
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    ).scalars()
    found = [_aside("inbox", row, row.received_at) for row in dead]
    found += [_aside("outbox", row, row.created_at) for row in stuck]
    return sorted(found, key=lambda row: row.at, reverse=True)[:limit]


def _aside(box: str, row: InboxMessage | OutboxMessage, at: float) -> Aside:
    return Aside(box, row.id, row.conversation_id, row.channel, row.status, row.error, row.attempts, at)


def replay(session: Session, box: str, row_id: int) -> bool:
    """Let a message that was set aside be tried again, with all its attempts; commit. False when there is none."""
    table, wrong = (InboxMessage, ("dead",)) if box == "inbox" else (OutboxMessage, ("failed", "held"))
    changed = session.execute(
        update(table)
        .where(table.id == row_id, table.status.in_(wrong))
        .values(status="waiting", attempts=0, available_at=time.time(), error=None)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return bool(changed.rowcount)
