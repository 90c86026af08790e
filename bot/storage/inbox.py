"""The inbox: accept each message once, hand each conversation's messages out one at a time, in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot.storage.addresses import AddressBook
from bot.storage.models import Conversation, InboxMessage, new_id


@dataclass(frozen=True)
class Incoming:
    """A verified message from a channel; provider_id is unique within the channel."""

    channel: str
    address: str
    provider_id: str
    kind: str
    body: str


@dataclass(frozen=True)
class Accepted:
    """Where an incoming message went; new is False when the same provider id had been accepted before."""

    inbox_id: int
    conversation_id: str
    new: bool


@dataclass(frozen=True)
class Claim:
    """A message whose turn a worker may take until the lease ends."""

    inbox_id: int
    conversation_id: str
    token: str
    attempts: int


class LeaseLost(Exception):
    """Another worker has taken the conversation over: this turn must be rolled back."""


def accept(
    session: Session, addresses: AddressBook, message: Incoming, announce: Callable[[Session], None]
) -> Accepted:
    """Write a message to the inbox, announced in the same transaction; a known provider id changes nothing. Commits."""
    conversation_id = _conversation_for(session, addresses, message)
    known = _known(session, message)
    if known is None:
        row = InboxMessage(
            conversation_id=conversation_id,
            channel=message.channel,
            provider_id=message.provider_id,
            kind=message.kind,
            body=message.body,
        )
        session.add(row)
        try:
            announce(session)
            session.commit()
            return Accepted(row.id, conversation_id, new=True)
        except IntegrityError:
            session.rollback()
            known = _known(session, message)
            if known is None:
                raise
    session.rollback()
    return Accepted(known.id, known.conversation_id, new=False)


def _known(session: Session, message: Incoming) -> InboxMessage | None:
    return session.execute(
        select(InboxMessage).filter_by(channel=message.channel, provider_id=message.provider_id)
    ).scalar_one_or_none()


def find_conversation(session: Session, addresses: AddressBook, channel: str, address: str) -> str | None:
    """Return the conversation's id, or None when nobody wrote from there yet."""
    return session.execute(
        select(Conversation.id).filter_by(channel=channel, address_hash=addresses.find_key(channel, address))
    ).scalar_one_or_none()


def _conversation_for(session: Session, addresses: AddressBook, message: Incoming) -> str:
    found = find_conversation(session, addresses, message.channel, message.address)
    if found is not None:
        return found
    conversation = Conversation(
        channel=message.channel,
        address_hash=addresses.find_key(message.channel, message.address),
        address_encrypted=addresses.encrypt(message.address),
    )
    session.add(conversation)
    try:
        session.commit()
        return str(conversation.id)
    except IntegrityError:  # two first messages at once: the other one made it
        session.rollback()
        found = find_conversation(session, addresses, message.channel, message.address)
        if found is None:
            raise
        return found


def claim(session: Session, lease_seconds: float) -> Claim | None:
    """Lease the oldest message whose conversation has no turn under way, and commit; None when there is none."""
    now = time.time()
    earlier = aliased(InboxMessage)
    first_of_its_conversation = ~exists().where(
        earlier.conversation_id == InboxMessage.conversation_id,
        earlier.status == "waiting",
        earlier.id < InboxMessage.id,
    )
    free = or_(Conversation.lease_until.is_(None), Conversation.lease_until < now)
    candidates = session.execute(
        select(InboxMessage.id, InboxMessage.conversation_id, InboxMessage.attempts)
        .join(Conversation, Conversation.id == InboxMessage.conversation_id)
        .where(InboxMessage.status == "waiting", InboxMessage.available_at <= now, free)
        .where(first_of_its_conversation)
        .order_by(InboxMessage.id)
        .limit(5)
    ).all()
    session.rollback()
    for inbox_id, conversation_id, attempts in candidates:
        token = new_id()
        taken = session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, free)
            .values(lease_token=token, lease_until=now + lease_seconds)
            .execution_options(synchronize_session=False)
        )
        # The row may have been done between the look and the lease: then it is no longer waiting.
        counted = session.execute(
            update(InboxMessage)
            .where(InboxMessage.id == inbox_id, InboxMessage.status == "waiting")
            .values(attempts=attempts + 1)
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount == 1 and counted.rowcount == 1:
            session.commit()
            return Claim(inbox_id, conversation_id, token, attempts + 1)
        session.rollback()
    return None


def close(session: Session, claim: Claim, status: str, error: str | None = None) -> None:
    """Close the message and give the conversation back, in the caller's transaction; LeaseLost if it was taken over."""
    released = session.execute(
        update(Conversation)
        .where(Conversation.id == claim.conversation_id, Conversation.lease_token == claim.token)
        .values(lease_token=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    if released.rowcount != 1:
        raise LeaseLost(claim.conversation_id)
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == claim.inbox_id)
        .values(status=status, error=error, done_at=time.time())
        .execution_options(synchronize_session=False)
    )


def retry_later(session: Session, claim: Claim, delay_seconds: float, error: str) -> None:
    """Give the conversation back with the message still waiting; a later message cannot overtake it. Commits."""
    session.execute(
        update(Conversation)
        .where(Conversation.id == claim.conversation_id, Conversation.lease_token == claim.token)
        .values(lease_token=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == claim.inbox_id, InboxMessage.status == "waiting")
        .values(available_at=time.time() + delay_seconds, error=error)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def next_available_in(session: Session) -> float | None:
    """Return the seconds until a waiting message can be tried (0 or less: now), None when nothing waits."""
    at = session.execute(
        select(InboxMessage.available_at)
        .where(InboxMessage.status == "waiting")
        .order_by(InboxMessage.available_at)
        .limit(1)
    ).scalar_one_or_none()
    session.rollback()
    return None if at is None else at - time.time()
