"""Tables. Times are UTC epoch seconds (float), so that SQLite and PostgreSQL agree; JSON columns hold documents."""

from __future__ import annotations

import time
import uuid
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import declarative_base, relationship

Base: Any = declarative_base()

Document = JSON().with_variant(JSONB(), "postgresql")
# A type of its own: as_mutable follows every column that shares the type's instance.
ChangingDocument = MutableDict.as_mutable(JSON().with_variant(JSONB(), "postgresql"))
RowId = BigInteger().with_variant(Integer, "sqlite")


def new_id() -> str:
    """Return a random identifier of 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Firm(Base):
    """A firm that gave its consent, or a guest whose rows go when the session ends (consent_at is null)."""

    __tablename__ = "firms"

    id = Column(String(32), primary_key=True, default=new_id)
    created_at = Column(Float, nullable=False, default=time.time)
    consent_at = Column(Float)
    consent_version = Column(String(16))
    # The owner's profile in the field names of services.md, plus goal and size.
    profile = Column(ChangingDocument, nullable=False, default=dict)

    # Ordered and replaced in memory; asked for at every turn, so loaded with the firm in two statements.
    assessments = relationship(
        "Assessment", back_populates="firm", cascade="all, delete-orphan", order_by="Assessment.started_at"
    )
    choices = relationship("ChosenAction", cascade="all, delete-orphan", order_by="ChosenAction.chosen_at")


class Conversation(Base):
    """One (channel, address): who to answer, what is open, and whose turn it is."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("channel", "address_hash"),)

    id = Column(String(32), primary_key=True, default=new_id)
    channel = Column(String(16), nullable=False)
    address_hash = Column(String(64), nullable=False)
    address_encrypted = Column(LargeBinary, nullable=False)
    firm_id = Column(String(32), ForeignKey("firms.id", ondelete="SET NULL"), index=True)
    language = Column(String(8))
    # Open prompt, pending corrections and counters of the dialogue: see bot.storage.prompt.
    state = Column(ChangingDocument, nullable=False, default=dict)
    tracker = Column(Document)
    created_at = Column(Float, nullable=False, default=time.time)
    last_message_at = Column(Float, nullable=False, default=time.time)
    opted_out_at = Column(Float)
    erase_at = Column(Float, index=True)
    # A claim is a lease with a token, not a lock: it expires by itself when a worker dies.
    lease_token = Column(String(32))
    lease_until = Column(Float)

    firm = relationship("Firm")


class InboxMessage(Base):
    """A message accepted from a channel: it takes effect exactly once."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "provider_id"),
        Index("inbox_waiting", "status", "conversation_id", "id"),
        Index("inbox_conversation", "conversation_id", "received_at"),
        # Ids are never used twice, also not after an erasure: others remember them.
        {"sqlite_autoincrement": True},
    )

    id = Column(RowId, primary_key=True, autoincrement=True)
    conversation_id = Column(String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False)
    channel = Column(String(16), nullable=False)
    provider_id = Column(String(200), nullable=False)
    # text, choice, media, location, clock (a reminder came due) or one of inbox.SIGNALS
    kind = Column(String(16), nullable=False)
    body = Column(Text, nullable=False, default="")
    received_at = Column(Float, nullable=False, default=time.time)
    status = Column(String(12), nullable=False, default="waiting")  # waiting, done or dead
    attempts = Column(Integer, nullable=False, default=0)
    available_at = Column(Float, nullable=False, default=time.time)
    error = Column(String(200))
    done_at = Column(Float)


class OutboxMessage(Base):
    """A reply to deliver at least once, in the order of its id within the conversation."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_conversation", "conversation_id", "id"),
        Index("outbox_waiting", "status", "channel", "available_at"),
        {"sqlite_autoincrement": True},
    )

    id = Column(RowId, primary_key=True, autoincrement=True)
    conversation_id = Column(String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False)
    channel = Column(String(16), nullable=False)
    inbox_id = Column(RowId, index=True)
    payload = Column(Document, nullable=False)
    # waiting, sent, failed (for good), held (outside the channel's window) or cancelled (the owner wants no more)
    status = Column(String(12), nullable=False, default="waiting")
    attempts = Column(Integer, nullable=False, default=0)
    available_at = Column(Float, nullable=False, default=time.time)
    # A claim is a lease with a token, as for conversations.
    lease_token = Column(String(32))
    lease_until = Column(Float)
    error = Column(String(64))
    created_at = Column(Float, nullable=False, default=time.time)
    sent_at = Column(Float)

    deliveries = relationship("Delivery", order_by="Delivery.part", passive_deletes=True)


class Delivery(Base):
    """One provider message of a reply: booked when the provider took it, moved on by the provider's reports.

    A report can come before the booking: then the row has no reply yet.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("channel", "provider_id"), UniqueConstraint("outbox_id", "part"))

    id = Column(RowId, primary_key=True, autoincrement=True)
    outbox_id = Column(RowId, ForeignKey("outbox.id", ondelete="CASCADE"))
    part = Column(Integer)
    channel = Column(String(16), nullable=False)
    provider_id = Column(String(200), nullable=False)
    status = Column(String(12), nullable=False)  # see bot.storage.deliveries.RANKS
    error = Column(String(64))  # what it means and the provider's code, as channel.error_as_text writes them
    segments = Column(Integer, nullable=False, default=1)
    created_at = Column(Float, nullable=False, default=time.time)
    updated_at = Column(Float, nullable=False, default=time.time)


class ProviderResource(Base):
    """Something made once in a provider's account, such as the template of a list, found by its key."""

    __tablename__ = "provider_resources"

    channel = Column(String(16), primary_key=True)
    key = Column(String(120), primary_key=True)
    resource_id = Column(String(64), nullable=False)
    created_at = Column(Float, nullable=False, default=time.time)


class ErasedId(Base):
    """The provider's id of an erased message, for as long as the provider may still list it: it is not taken again."""

    __tablename__ = "erased_ids"

    channel = Column(String(16), primary_key=True)
    provider_id = Column(String(200), primary_key=True)
    erased_at = Column(Float, nullable=False, default=time.time, index=True)


class Look(Base):
    """When a provider's list of messages was last read to its end."""

    __tablename__ = "looks"

    name = Column(String(120), primary_key=True)
    looked_at = Column(Float, nullable=False)


class Reminder(Base):
    """Something to say unasked when its time has come: a turn is taken for it then, if the owner still wants it."""

    __tablename__ = "reminders"
    __table_args__ = (UniqueConstraint("conversation_id", "kind"),)

    id = Column(RowId, primary_key=True, autoincrement=True)
    conversation_id = Column(String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False)
    kind = Column(String(40), nullable=False)
    due_at = Column(Float, nullable=False, index=True)
    created_at = Column(Float, nullable=False, default=time.time)


class Misunderstood(Base):
    """A message that fell back, kept with consent and with its personal parts masked, for review."""

    __tablename__ = "misunderstood"

    id = Column(RowId, primary_key=True, autoincrement=True)
    conversation_id = Column(String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True)
    text = Column(Text, nullable=False)
    language = Column(String(8))
    mixed = Column(Boolean, nullable=False, default=False)
    # What was open, as kind or kind:about, and the likeliest readings as [{"name": …, "confidence": …}].
    prompt = Column(String(40))
    ranking = Column(Document, nullable=False)
    created_at = Column(Float, nullable=False, default=time.time)
    # What the owner meant: the reading they chose, or a reviewer's label.
    intent = Column(String(40))


class Assessment(Base):
    """One sitting of the maturity test: which blocks, which answers, under which version of the instrument."""

    __tablename__ = "assessments"

    id = Column(String(32), primary_key=True, default=new_id)
    firm_id = Column(String(32), ForeignKey("firms.id", ondelete="CASCADE"), nullable=False, index=True)
    instrument_version = Column(String(16), nullable=False)
    status = Column(String(12), nullable=False, default="open")  # open, done or abandoned
    blocks_wanted = Column(Integer, nullable=False, default=1)
    started_at = Column(Float, nullable=False, default=time.time)
    updated_at = Column(Float, nullable=False, default=time.time)
    completed_at = Column(Float)
    low_quality = Column(Boolean, nullable=False, default=False)

    firm = relationship("Firm", back_populates="assessments")
    answers = relationship(
        "Answer", back_populates="assessment", cascade="all, delete-orphan", order_by="Answer.position"
    )
    results = relationship(
        "Result", back_populates="assessment", cascade="all, delete-orphan", order_by="Result.created_at"
    )


class Answer(Base):
    """The firm's answer to one item, once per assessment; a correction replaces it."""

    __tablename__ = "answers"

    assessment_id = Column(String(32), ForeignKey("assessments.id", ondelete="CASCADE"), primary_key=True)
    item = Column(String(4), primary_key=True)
    position = Column(Integer, nullable=False)
    status = Column(String(8), nullable=False)  # answered, dk, na or imputed
    value = Column(Integer)
    source = Column(String(8), nullable=False)  # choice, digit, text or rule
    seconds = Column(Float)
    answered_at = Column(Float, nullable=False, default=time.time)

    assessment = relationship("Assessment", back_populates="answers")


class Result(Base):
    """A score as it was told to the owner: document of services.md, with its items and instrument version."""

    __tablename__ = "results"

    id = Column(String(32), primary_key=True, default=new_id)
    assessment_id = Column(String(32), ForeignKey("assessments.id", ondelete="CASCADE"), nullable=False, index=True)
    instrument_version = Column(String(16), nullable=False)
    items = Column(Document, nullable=False)
    score = Column(Float, nullable=False)
    level = Column(Integer, nullable=False)
    document = Column(Document, nullable=False)
    created_at = Column(Float, nullable=False, default=time.time)

    assessment = relationship("Assessment", back_populates="results")


class ChosenAction(Base):
    """What the owner said of a proposed action: accepted, or refused with the reason given."""

    __tablename__ = "chosen_actions"

    firm_id = Column(String(32), ForeignKey("firms.id", ondelete="CASCADE"), primary_key=True)
    card = Column(String(8), primary_key=True)
    status = Column(String(12), nullable=False)  # accepted or refused
    reason = Column(String(16))
    chosen_at = Column(Float, nullable=False, default=time.time)


class Media(Base):
    """A picture or document made for one conversation, served through a signed address until it expires."""

    __tablename__ = "media"

    id = Column(String(32), primary_key=True, default=new_id)
    conversation_id = Column(String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True)
    content_type = Column(String(64), nullable=False)
    filename = Column(String(64), nullable=False)
    data = Column(LargeBinary, nullable=False)
    expires_at = Column(Float, nullable=False, index=True)


class Heartbeat(Base):
    """The last sign of life of a process; a worker writes it when it is able to take turns."""

    __tablename__ = "heartbeats"

    process = Column(String(64), primary_key=True)
    kind = Column(String(16), nullable=False)
    beat_at = Column(Float, nullable=False)


class CatalogueImport(Base):
    """A catalogue as it was imported from a file; the newest import is the one in use."""

    __tablename__ = "catalogue_imports"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id = Column(RowId, primary_key=True, autoincrement=True)
    file = Column(String(200), nullable=False)
    imported_at = Column(Float, nullable=False, default=time.time)
    entries = Column(Integer, nullable=False)
    refused = Column(Integer, nullable=False)


class CatalogueEntry(Base):
    """An entry of an import, with the row of the file it stood in."""

    __tablename__ = "catalogue_entries"
    __table_args__ = (UniqueConstraint("import_id", "entry_id"),)

    import_id = Column(RowId, ForeignKey("catalogue_imports.id", ondelete="CASCADE"), primary_key=True)
    row = Column(Integer, primary_key=True, autoincrement=False)
    entry_id = Column(String(80), nullable=False)
    document = Column(Document, nullable=False)
