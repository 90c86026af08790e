"""Messages that fell back: kept for review with consent, masked; labelled by their owner or by a reviewer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.storage.masking import mask
from bot.storage.models import Conversation, Misunderstood
from bot.storage.prompt import Prompt

MIXED = "mixed"
KEPT_READINGS = 5
_LONGEST_PROMPT = 40


@dataclass(frozen=True)
class Heard:
    """A message that fell back, as the NLU read it; `known` are its trades and places, which are no names."""

    text: str
    language: str | None
    mixed: bool
    ranking: Sequence[Mapping[str, Any]]
    known: tuple[str, ...] = ()


def keep(session: Session, conversation: Conversation, heard: Heard, prompt: Prompt | None) -> bool:
    """Keep a message in the caller's transaction when the firm agreed to that; its personal parts never get in."""
    if conversation.firm is None or conversation.firm.consent_at is None:
        return False
    text = mask(heard.text, heard.known)
    if not text:
        return False
    ranking = [
        {"name": row["name"], "confidence": round(float(row["confidence"]), 3)} for row in heard.ranking[:KEPT_READINGS]
    ]
    session.add(
        Misunderstood(
            conversation_id=conversation.id,
            text=text,
            language=heard.language,
            mixed=heard.mixed,
            prompt=f"{prompt.kind}:{prompt.about}".rstrip(":")[:_LONGEST_PROMPT] if prompt else None,
            ranking=ranking,
            created_at=time.time(),
        )
    )
    return True


def learn(session: Session, conversation: Conversation, intent: str) -> None:
    """Note what the newest kept message of a conversation meant, in the caller's transaction."""
    newest = session.execute(
        select(Misunderstood).filter_by(conversation_id=conversation.id).order_by(Misunderstood.id.desc()).limit(1)
    ).scalar_one_or_none()
    if newest is not None and newest.intent is None:
        newest.intent = intent


def label(session: Session, row_id: int, intent: str | None) -> bool:
    """Write a reviewer's label, or delete what is of no use (None), and commit; False when there is no such row."""
    row = session.get(Misunderstood, row_id)
    if row is None:
        return False
    if intent is None:
        session.delete(row)
    else:
        row.intent = intent
    session.commit()
    return True


def find(
    session: Session, variety: str | None = None, since: float | None = None, labelled: bool | None = None
) -> Iterable[Misunderstood]:
    """Return kept messages, oldest first: of one variety (`mixed` is one), since a time, with or without a label."""
    query = select(Misunderstood).order_by(Misunderstood.id)
    if variety == MIXED:
        query = query.where(Misunderstood.mixed.is_(True))
    elif variety is not None:
        query = query.where(Misunderstood.mixed.is_(False), Misunderstood.language == variety)
    if since is not None:
        query = query.where(Misunderstood.created_at >= since)
    if labelled is not None:
        query = query.where(Misunderstood.intent.is_not(None) if labelled else Misunderstood.intent.is_(None))
    return session.execute(query).scalars()


def variety_of(row: Misunderstood) -> str:
    """Return the variety as the training data marks it."""
    return MIXED if row.mixed else str(row.language or "")


def as_document(row: Misunderstood) -> dict[str, Any]:
    """Return the JSON form of a kept message; it names nobody."""
    return {
        "id": row.id,
        "at": datetime.fromtimestamp(row.created_at, timezone.utc).isoformat(timespec="seconds"),
        "text": row.text,
        "variety": variety_of(row),
        "intent": row.intent,
        "prompt": row.prompt,
        "ranking": row.ranking,
    }
