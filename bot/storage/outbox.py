"""The outbox: replies wait here until their channel has delivered them."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, bindparam, exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot.storage.models import InboxMessage, OutboxMessage, new_id
from bot.storage.reminders import CLOCK

_TABLE = OutboxMessage.__table__
_INSERT = insert(_TABLE)


@dataclass(frozen=True)
class Shipment:
    """A reply that a sender may deliver until the lease ends."""

    outbox_id: int
    token: str
    attempts: int


class ShipmentLost(Exception):
    """Another sender has taken the reply over, or it was erased."""


def put(
    session: Session, conversation_id: str, channel: str, inbox_id: int | None, payloads: Sequence[dict[str, Any]]
) -> None:
    """Add replies in order, in the caller's transaction."""
    rows = [
        {
            "conversation_id": conversation_id,
            "channel": channel,
            "inbox_id": inbox_id,
            "payload": payload,
            "status": "waiting",
        }
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


_earlier = aliased(OutboxMessage)
_free = or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until < bindparam("now"))
_first = ~exists().where(
    _earlier.conversation_id == OutboxMessage.conversation_id,
    _earlier.status == "waiting",
    _earlier.id < OutboxMessage.id,
)
_CANDIDATES = (
    select(OutboxMessage.id, OutboxMessage.attempts)
    .where(OutboxMessage.status == "waiting", OutboxMessage.channel.in_(bindparam("channels", expanding=True)))
    .where(OutboxMessage.available_at <= bindparam("now"), _free, _first)
    .order_by(OutboxMessage.available_at, OutboxMessage.id)
    .limit(bindparam("most", type_=Integer))
)
_LEASE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("reply"), _TABLE.c.status == "waiting")
    .where(or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until < bindparam("now")))
    .values(lease_token=bindparam("token"), lease_until=bindparam("until"), attempts=_TABLE.c.attempts + 1)
)
_SETTLE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("reply"), _TABLE.c.lease_token == bindparam("token"))
    .values(
        status=bindparam("new_status"),
        error=bindparam("new_error"),
        available_at=bindparam("at"),
        sent_at=bindparam("sent"),
        attempts=bindparam("counted"),
        lease_token=None,
        lease_until=None,
    )
)
_NEXT_AVAILABLE = (
    select(OutboxMessage.available_at)
    .where(OutboxMessage.status == "waiting", OutboxMessage.channel.in_(bindparam("channels", expanding=True)))
    .where(_free, _first)
    .order_by(OutboxMessage.available_at)
    .limit(1)
)


def claim(session: Session, channels: Collection[str], limit: int, lease_seconds: float) -> list[Shipment]:
    """Lease up to `limit` replies, at most one a conversation and the oldest of each, and commit."""
    now = time.time()
    found = session.execute(_CANDIDATES, {"now": now, "channels": list(channels), "most": limit}).all()
    shipments = []
    for outbox_id, attempts in found:
        token = new_id()
        lease = {"reply": outbox_id, "now": now, "token": token, "until": now + lease_seconds}
        if session.execute(_LEASE, lease).rowcount == 1:
            shipments.append(Shipment(outbox_id, token, attempts + 1))
    session.commit()
    return shipments


def settle(
    session: Session,
    shipment: Shipment,
    status: str,
    error: str | None = None,
    retry_at: float | None = None,
    tried: bool = True,
) -> None:
    """End the lease in the caller's transaction: sent, failed, held, cancelled, or waiting until retry_at.

    Without a try this attempt does not count. Raise ShipmentLost when the lease is no longer the caller's.
    """
    now = time.time()
    values = {
        "reply": shipment.outbox_id,
        "token": shipment.token,
        "new_status": status,
        "new_error": error,
        "at": now if retry_at is None else retry_at,
        "sent": now if status == "sent" else None,
        "counted": shipment.attempts if tried else shipment.attempts - 1,
    }
    if session.execute(_SETTLE, values).rowcount != 1:
        raise ShipmentLost(shipment.outbox_id)


def renew(session: Session, shipment: Shipment, lease_seconds: float) -> None:
    """Begin the lease anew, and commit; raise ShipmentLost when it is no longer the caller's."""
    renewed = session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == shipment.outbox_id, _TABLE.c.lease_token == shipment.token)
        .values(lease_until=time.time() + lease_seconds)
    )
    session.commit()
    if renewed.rowcount != 1:
        raise ShipmentLost(shipment.outbox_id)


def release_held(session: Session, conversation_ids: Collection[str]) -> None:
    """Let what waited for these owners to write again go out, in the caller's transaction.

    Not what the clock wanted to say: it was to bring back who is back now.
    """
    of_the_clock = exists().where(InboxMessage.id == OutboxMessage.inbox_id, InboxMessage.kind == CLOCK)
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.conversation_id.in_(conversation_ids), OutboxMessage.status == "held", of_the_clock)
        .values(status="cancelled", error="the owner came back")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.conversation_id.in_(conversation_ids), OutboxMessage.status == "held")
        .values(status="waiting", available_at=time.time(), error=None, attempts=0)
        .execution_options(synchronize_session=False)
    )


def cancel_waiting(session: Session, conversation_id: str) -> None:
    """Take back what has not left yet, in the caller's transaction: the owner wants no more messages."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.conversation_id == conversation_id, OutboxMessage.status.in_(("waiting", "held")))
        .values(status="cancelled", error="opted out", lease_token=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def next_available_in(session: Session, channels: Collection[str]) -> float | None:
    """Return the seconds until a reply can be claimed (0 or less: now); None when none waits for a time."""
    now = time.time()
    at = session.execute(_NEXT_AVAILABLE, {"channels": list(channels), "now": now}).scalar_one_or_none()
    session.rollback()
    return None if at is None else at - now
