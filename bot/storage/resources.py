"""What was made in a provider's account, and how far its lists were read."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.storage.models import ErasedId, InboxMessage, Look, ProviderResource


def find_resource(session: Session, channel: str, key: str) -> str | None:
    """Return the id of what was made under this key."""
    return session.execute(
        select(ProviderResource.resource_id).filter_by(channel=channel, key=key)
    ).scalar_one_or_none()


def keep_resource(session: Session, channel: str, key: str, resource_id: str) -> str:
    """Note what was made, and commit; return the id that counts, which is another when somebody was first."""
    session.add(ProviderResource(channel=channel, key=key, resource_id=resource_id))
    try:
        session.commit()
        return resource_id
    except IntegrityError:
        session.rollback()
    return find_resource(session, channel, key) or keep_resource(session, channel, key, resource_id)


def forget_resource(session: Session, channel: str, key: str, resource_id: str) -> None:
    """Forget what is no longer in the account, unless it was made anew meanwhile; commit."""
    session.execute(
        delete(ProviderResource).where(
            ProviderResource.channel == channel,
            ProviderResource.key == key,
            ProviderResource.resource_id == resource_id,
        )
    )
    session.commit()


def last_look(session: Session, name: str) -> float | None:
    """Return when this list was last read to its end."""
    return session.execute(select(Look.looked_at).filter_by(name=name)).scalar_one_or_none()


def note_look(session: Session, name: str, at: float) -> None:
    """Note that a list was read to its end at this time, and commit."""
    session.merge(Look(name=name, looked_at=at))
    try:
        session.commit()
    except IntegrityError:  # another gateway looked for the first time too
        session.rollback()


def known_ids(session: Session, channel: str, provider_ids: Collection[str]) -> set[str]:
    """Return those of the ids that were taken in before, also where the message was erased since."""
    known: set[str] = set()
    for table in (InboxMessage, ErasedId):
        known |= set(
            session.execute(
                select(table.provider_id).where(table.channel == channel, table.provider_id.in_(list(provider_ids)))
            ).scalars()
        )
    return known
