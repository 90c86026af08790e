"""Provider messages of replies: booked once taken, moved forward by the provider's reports, never back."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.storage.models import Delivery, OutboxMessage

RANKS = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}
"""How far a provider message is; reports come in any order, and the highest counts."""
LATE_TRIES = 5


def booked_parts(session: Session, outbox_id: int) -> set[int]:
    """Return the parts of a reply that a provider has taken already."""
    return set(session.execute(select(Delivery.part).filter_by(outbox_id=outbox_id)).scalars())


def book(
    session: Session, outbox_id: int, part: int, channel: str, provider_id: str, status: str, segments: int
) -> str | None:
    """Note that the provider took a part, and commit; return the error when it was reported failed before."""
    row = {"outbox_id": outbox_id, "part": part, "segments": segments, "updated_at": time.time()}
    session.add(Delivery(channel=channel, provider_id=provider_id, status=status, created_at=time.time(), **row))
    try:
        session.commit()
        return None
    except IntegrityError:  # its report came first, or another sender booked the part
        session.rollback()
    early = update(Delivery).where(
        Delivery.channel == channel, Delivery.provider_id == provider_id, Delivery.outbox_id.is_(None)
    )
    try:
        session.execute(early.values(**row).execution_options(synchronize_session=False))
        session.commit()
    except IntegrityError:
        session.rollback()
        return None
    known = session.execute(select(Delivery.status, Delivery.error).filter_by(channel=channel, provider_id=provider_id))
    status_now, error = known.one_or_none() or (status, None)
    session.rollback()
    return error if status_now == "failed" else None


def report(
    session: Session,
    channel: str,
    provider_id: str,
    status: str,
    error: str | None = None,
    along: Callable[[Session, int], None] | None = None,
) -> int | None:
    """Move a provider message forward and commit; return the id of its reply when this report was news.

    `along` draws the consequence for that reply, in the same transaction: the same report is no news a second time.
    A report about a message that is not booked yet is kept for the booking.
    """
    this = (Delivery.channel == channel, Delivery.provider_id == provider_id)
    # Asked in the update itself: two reports may come at once.
    lower = [name for name, rank in RANKS.items() if rank < RANKS[status]]
    moved = session.execute(
        update(Delivery)
        .where(*this, Delivery.status.in_(lower))
        .values(status=status, error=error, updated_at=time.time())
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount:
        outbox_id = session.execute(select(Delivery.outbox_id).where(*this)).scalar_one()
        if outbox_id is not None and along is not None:
            along(session, outbox_id)
        session.commit()
        return outbox_id
    known = session.execute(select(Delivery.id).where(*this)).first()
    session.rollback()
    if known is not None:
        return None
    session.add(Delivery(channel=channel, provider_id=provider_id, status=status, error=error))
    try:
        session.commit()
        return None
    except IntegrityError:  # booked or reported meanwhile
        session.rollback()
        return report(session, channel, provider_id, status, error, along)


def send_again(
    session: Session, outbox_id: int, status: str, error: str, available_at: float, tries: int = LATE_TRIES
) -> None:
    """Put a reply back whose provider message failed later on, in the caller's transaction: for a retry, or held.

    After so many tries it has failed for good: each one costs, and may reach the owner after all.
    """
    reply = session.get(OutboxMessage, outbox_id, populate_existing=True, with_for_update=True)
    if reply is None or reply.status != "sent":
        return
    again = status != "waiting" or reply.attempts < tries
    if again:
        unbook_failed(session, outbox_id)
        reply.available_at = available_at
    reply.status, reply.error = status if again else "failed", error


def failure(session: Session, outbox_id: int) -> str | None:
    """Return the error of a part of this reply that was reported failed."""
    failed = select(Delivery.error).where(Delivery.outbox_id == outbox_id, Delivery.status == "failed").limit(1)
    return session.execute(failed).scalar_one_or_none()


def unbook_failed(session: Session, outbox_id: int) -> None:
    """Forget the provider messages of a reply that failed, in the caller's transaction: their parts go out again."""
    session.execute(
        delete(Delivery)
        .where(Delivery.outbox_id == outbox_id, Delivery.status == "failed")
        .execution_options(synchronize_session=False)
    )
