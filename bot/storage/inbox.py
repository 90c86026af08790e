"""The inbox: accept each message once, hand each conversation's messages out one at a time, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot.storage.addresses import AddressBook
from bot.storage.models import Conversation, InboxMessage, new_id

BLOCKED, UNBLOCKED, RESTARTED = "blocked", "unblocked", "restarted"
SIGNALS = (BLOCKED, UNBLOCKED, RESTARTED)
"""Kinds of what an owner did to a channel rather than said: kept so that each counts once, no turn is taken for them.

The owner blocked us; took exactly that back; asked for messages again, whatever stopped them.
"""


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
    received_at: float


class LeaseLost(Exception):
    """Another worker has taken the conversation over: this turn must be rolled back."""


def accept(
    session: Session,
    addresses: AddressBook,
    message: Incoming,
    announce: Callable[[Session], None],
    along: Callable[[Session, InboxMessage], None] | None = None,
) -> Accepted:
    """Write a message to the inbox, announced in the same transaction; a known provider id changes nothing. Commits.

    `along` changes what must change with a new message, in the same transaction too.
    """
    conversation_id = _conversation_for(session, addresses, message)
    row = InboxMessage(
        conversation_id=conversation_id,
        channel=message.channel,
        provider_id=message.provider_id,
        kind=message.kind,
        body=message.body,
        received_at=time.time(),
    )
    session.add(row)
    try:
        announce(session)
        if along is not None:
            along(session, row)
        session.commit()
        return Accepted(row.id, conversation_id, new=True)
    except IntegrityError:
        session.rollback()
    known = _known(session, message)
    session.rollback()
    if known is None:  # the conversation was erased in between
        return accept(session, addresses, message, announce, along)
    return Accepted(known.id, known.conversation_id, new=False)


def accept_many(
    session: Session,
    addresses: AddressBook,
    messages: Sequence[Incoming],
    announce: Callable[[Session], None],
    along: Callable[[Session, Collection[str]], None],
) -> set[tuple[str, str]]:
    """Write several messages in one transaction, in their order; commit and return (channel, provider id) of the new.

    `along` changes what must change with new messages of these conversations. Raise IntegrityError, with nothing
    written, when another process wrote one of them or a conversation of theirs meanwhile: then accept them singly.
    """
    wanted = {(message.channel, message.provider_id): message for message in messages}
    known = session.execute(
        # The channel stands first in the index: without it every row of the inbox would be looked at.
        select(InboxMessage.channel, InboxMessage.provider_id).where(
            InboxMessage.channel.in_({channel for channel, _ in wanted}),
            InboxMessage.provider_id.in_([provider_id for _, provider_id in wanted]),
        )
    )
    for channel, provider_id in known:
        wanted.pop((channel, provider_id), None)
    conversations = _conversations_for(session, addresses, wanted.values())
    at = time.time()
    rows = [
        {
            "conversation_id": conversations[message.channel, message.address],
            "channel": message.channel,
            "provider_id": message.provider_id,
            "kind": message.kind,
            "body": message.body,
            "received_at": at,
            "available_at": at,
        }
        for message in wanted.values()
    ]
    if rows:
        session.execute(_INSERT, rows)
        along(session, set(conversations.values()))
        announce(session)
    session.commit()
    return set(wanted)


def _conversations_for(
    session: Session, addresses: AddressBook, messages: Iterable[Incoming]
) -> dict[tuple[str, str], str]:
    """Return the conversation of each (channel, address), new ones written in the caller's transaction."""
    keys = {(m.channel, m.address): addresses.find_key(m.channel, m.address) for m in messages}
    found = session.execute(
        select(Conversation.channel, Conversation.address_hash, Conversation.id).where(
            Conversation.channel.in_({channel for channel, _ in keys}),
            Conversation.address_hash.in_(list(keys.values())),
        )
    )
    known = {(channel, key): conversation_id for channel, key, conversation_id in found}
    for (channel, address), key in keys.items():
        if (channel, key) not in known:
            conversation_id = new_id()
            session.execute(
                insert(Conversation.__table__).values(
                    id=conversation_id,
                    channel=channel,
                    address_hash=key,
                    address_encrypted=addresses.encrypt(address),
                    state={},
                )
            )
            known[channel, key] = conversation_id
    return {pair: known[pair[0], key] for pair, key in keys.items()}


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


_INSERT = insert(InboxMessage.__table__)
_earlier = aliased(InboxMessage)
_free = or_(Conversation.lease_until.is_(None), Conversation.lease_until < bindparam("now"))
# Built once: making a statement costs more than running it.
_CANDIDATES = (
    select(InboxMessage.id, InboxMessage.conversation_id, InboxMessage.attempts, InboxMessage.received_at)
    .join(Conversation, Conversation.id == InboxMessage.conversation_id)
    .where(InboxMessage.status == "waiting", InboxMessage.available_at <= bindparam("now"), _free)
    .where(
        ~exists().where(
            _earlier.conversation_id == InboxMessage.conversation_id,
            _earlier.status == "waiting",
            _earlier.id < InboxMessage.id,
        )
    )
    # Whose last turn is longest ago: a flood from one sender makes that sender wait, nobody else.
    .order_by(Conversation.last_message_at, InboxMessage.id)
    .limit(5)
)
_LEASE = (
    update(Conversation.__table__)
    .where(Conversation.__table__.c.id == bindparam("conversation"))
    .where(or_(Conversation.__table__.c.lease_until.is_(None), Conversation.__table__.c.lease_until < bindparam("now")))
    .values(lease_token=bindparam("token"), lease_until=bindparam("until"))
)
_ATTEMPT = (
    update(InboxMessage.__table__)
    .where(InboxMessage.__table__.c.id == bindparam("message"), InboxMessage.__table__.c.status == "waiting")
    .values(attempts=InboxMessage.__table__.c.attempts + 1)
)
_RELEASE = (
    update(Conversation.__table__)
    .where(
        Conversation.__table__.c.id == bindparam("conversation"),
        Conversation.__table__.c.lease_token == bindparam("token"),
    )
    .values(lease_token=None, lease_until=None)
)
_CLOSE = (
    update(InboxMessage.__table__)
    .where(InboxMessage.__table__.c.id == bindparam("message"))
    .values(status=bindparam("new_status"), error=bindparam("new_error"), done_at=bindparam("at"))
)
_POSTPONE = (
    update(InboxMessage.__table__)
    .where(InboxMessage.__table__.c.id == bindparam("message"), InboxMessage.__table__.c.status == "waiting")
    .values(available_at=bindparam("at"), error=bindparam("new_error"))
)
_NEXT_AVAILABLE = (
    select(InboxMessage.available_at)
    .where(InboxMessage.status == "waiting")
    .order_by(InboxMessage.available_at)
    .limit(1)
)


def claim(session: Session, lease_seconds: float) -> Claim | None:
    """Lease the oldest message whose conversation has no turn under way, and commit; None when there is none."""
    now = time.time()
    candidates = session.execute(_CANDIDATES, {"now": now}).all()
    session.rollback()
    for inbox_id, conversation_id, attempts, received_at in candidates:
        token = new_id()
        lease = {"conversation": conversation_id, "now": now, "token": token, "until": now + lease_seconds}
        taken = session.execute(_LEASE, lease)
        # The message may have been done between the look and the lease: then it is no longer waiting.
        counted = session.execute(_ATTEMPT, {"message": inbox_id})
        if taken.rowcount == 1 and counted.rowcount == 1:
            session.commit()
            return Claim(inbox_id, conversation_id, token, attempts + 1, received_at)
        session.rollback()
    return None


def close(session: Session, claim: Claim, status: str, error: str | None = None) -> None:
    """Close the message and give the conversation back, in the caller's transaction; LeaseLost if it was taken over."""
    released = session.execute(_RELEASE, {"conversation": claim.conversation_id, "token": claim.token})
    if released.rowcount != 1:
        raise LeaseLost(claim.conversation_id)
    closed = {"message": claim.inbox_id, "new_status": status, "new_error": error, "at": time.time()}
    session.execute(_CLOSE, closed)


def retry_later(session: Session, claim: Claim, delay_seconds: float, error: str) -> None:
    """Give the conversation back with the message still waiting; a later message cannot overtake it. Commits."""
    session.execute(_RELEASE, {"conversation": claim.conversation_id, "token": claim.token})
    postponed = {"message": claim.inbox_id, "at": time.time() + delay_seconds, "new_error": error}
    session.execute(_POSTPONE, postponed)
    session.commit()


def next_available_in(session: Session) -> float | None:
    """Return the seconds until a waiting message can be tried (0 or less: now), None when nothing waits."""
    at = session.execute(_NEXT_AVAILABLE).scalar_one_or_none()
    session.rollback()
    return None if at is None else at - time.time()
