"""Deliver the outbox: at least once, in order within a conversation, retried while it may still work."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from bot import metrics
from bot.channels.channel import (
    Channel,
    MediaFile,
    NotTried,
    OptedOut,
    Reply,
    Retryable,
    SendError,
    Sent,
    WindowClosed,
    error_from_text,
)
from bot.faults import name_of, place_of
from bot.gateway.intake import stop_as_told
from bot.gateway.links import MediaLinks
from bot.settings import Settings
from bot.storage import deliveries, outbox
from bot.storage.addresses import AddressBook
from bot.storage.models import Conversation, InboxMessage, Media, OutboxMessage
from bot.storage.outbox import Shipment, ShipmentLost
from bot.storage.reminders import CLOCK
from bot.storage.wakeup import Wakeup

logger = logging.getLogger(__name__)

# Woken by the worker; this is the net under it.
POLL_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 1800.0
AT_ONCE = 32
# A provider that says nothing for this long is tried again.
SEND_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Loaded:
    """A reply ready to be sent: where to, what, which parts are out already; or why it may not go."""

    reply: Reply
    address: str
    channel: str
    parts_sent: frozenset[int]
    cancelled: bool
    window_open: bool


class Sender:
    """Sends waiting replies through their channels, several conversations at a time."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        channels: Mapping[str, Channel],
        addresses: AddressBook,
        links: MediaLinks,
        settings: Settings,
    ) -> None:
        self._sessions = sessions
        self._channels = channels
        self._addresses = addresses
        self._links = links
        self._settings = settings
        self._news = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopping = False

    def wake(self) -> None:
        """Look for work at once."""
        self._news.set()

    async def run(self, wakeup: Wakeup) -> None:
        """Send until stopped; then what is under way is finished."""
        wakeup.listen("outbox", lambda _about: self.wake())
        while not self._stopping:
            self._news.clear()
            shipments: list[Shipment] = []
            with suppress(SQLAlchemyError):  # the database may be away for a while
                shipments = await run_in_threadpool(self._claim)
            for shipment in shipments:
                task = asyncio.create_task(self._deliver(shipment))
                self._under_way.add(task)
                task.add_done_callback(self._done)
            if not shipments:
                await self._rest()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self._news.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._news.set()  # the next reply of the same conversation may go now

    def _claim(self) -> list[Shipment]:
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return []
        with self._sessions() as session:
            return outbox.claim(session, self._channels, free, self._settings.send_lease_seconds)

    async def _rest(self) -> None:
        seconds = POLL_SECONDS
        if len(self._under_way) < AT_ONCE:
            with suppress(SQLAlchemyError):
                due = await run_in_threadpool(self._due_in)
                seconds = POLL_SECONDS if due is None else min(due, POLL_SECONDS)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), max(seconds, 0.02))

    def _due_in(self) -> float | None:
        with self._sessions() as session:
            return outbox.next_available_in(session, self._channels)

    async def _deliver(self, shipment: Shipment) -> None:
        """Send the parts of one reply that are not out yet, and settle it."""
        loaded = None
        try:
            loaded = await run_in_threadpool(self._load, shipment)
            if loaded is None:
                return
            if loaded.cancelled:
                return await self._settle(shipment, "cancelled", "opted out")
            await self._send_parts(shipment, loaded)
            failed = await run_in_threadpool(self._settle_sent, shipment)
            if failed is not None:
                raise error_from_text(failed)
        except SendError as error:
            await self._settle_error(shipment, loaded, error)
        except ShipmentLost:
            logger.warning("reply %s was taken over by another sender", shipment.outbox_id)
        except SQLAlchemyError as error:  # the lease ends by itself, and the reply is tried again
            logger.warning("reply %s: the database failed: %s", shipment.outbox_id, type(error).__name__)
        except Exception as error:  # a fault of ours must not stop the sender
            logger.error("reply %s: %s at %s", shipment.outbox_id, name_of(error), place_of(error))
            await self._settle_error(shipment, loaded, Retryable(name_of(error)))

    async def _send_parts(self, shipment: Shipment, loaded: Loaded) -> None:
        channel = self._channels[loaded.channel]
        if not loaded.window_open and loaded.reply.template is None:
            raise WindowClosed("window closed")
        # Inside the window the owner gets the words themselves, with their buttons.
        reply = replace(loaded.reply, template=None) if loaded.window_open else loaded.reply
        for number, part in enumerate(channel.render(reply)):
            if number in loaded.parts_sent:
                continue
            if number > 0:  # a slow provider may take longer over all parts than the lease lasts
                await run_in_threadpool(self._renew, shipment)
            try:
                sent = await asyncio.wait_for(
                    channel.send(loaded.address, part, self._load_media), SEND_TIMEOUT_SECONDS
                )
            except asyncio.TimeoutError:
                raise Retryable("timeout") from None
            metrics.sent(loaded.channel, sent.segments)
            failed = await run_in_threadpool(self._book, shipment.outbox_id, number, loaded.channel, sent)
            if failed is not None:
                raise error_from_text(failed)

    def _renew(self, shipment: Shipment) -> None:
        with self._sessions() as session:
            outbox.renew(session, shipment, self._settings.send_lease_seconds)

    def _book(self, outbox_id: int, part: int, channel: str, sent: Sent) -> str | None:
        """Book a part; return the error when the provider's report of its failure overtook its own answer."""
        with self._sessions() as session:
            failed = deliveries.book(session, outbox_id, part, channel, sent.provider_id, sent.status, sent.segments)
            if failed is not None:
                deliveries.unbook_failed(session, outbox_id)
                session.commit()
            return failed

    def _settle_sent(self, shipment: Shipment) -> str | None:
        """Settle a reply whose parts were all taken; return the error when one was reported failed meanwhile.

        A report that comes later finds the reply settled: it waits for this row, or was seen here.
        """
        with self._sessions() as session:
            outbox.settle(session, shipment, "sent")
            failed = deliveries.failure(session, shipment.outbox_id)
            if failed is None:
                session.commit()
                return None
            session.rollback()
            deliveries.unbook_failed(session, shipment.outbox_id)
            session.commit()
            return failed

    async def _settle(
        self,
        shipment: Shipment,
        status: str,
        error: str | None = None,
        retry_at: float | None = None,
        tried: bool = True,
    ) -> None:
        def write() -> None:
            with self._sessions() as session:
                outbox.settle(session, shipment, status, error, retry_at, tried)
                session.commit()

        await run_in_threadpool(write)

    async def _settle_error(self, shipment: Shipment, loaded: Loaded | None, error: SendError) -> None:
        """Wait and try again, hold until the owner writes, or give up, as the error says."""
        if isinstance(error, NotTried):
            with suppress(ShipmentLost, SQLAlchemyError):
                retry_at = time.time() + self._retry_seconds(shipment, error)
                await self._settle(shipment, "waiting", error.code, retry_at, tried=False)
            return
        channel = loaded.channel if loaded else "unknown"
        lasting = not isinstance(error, (Retryable, WindowClosed)) or shipment.attempts >= self._settings.send_attempts
        metrics.failed(channel, error.code, lasting)
        logger.info("reply %s: %s, try %s", shipment.outbox_id, error.code, shipment.attempts)
        with suppress(ShipmentLost, SQLAlchemyError):
            if isinstance(error, OptedOut):
                await run_in_threadpool(self._note_opt_out, shipment)
            elif isinstance(error, WindowClosed):
                await self._settle(shipment, "held", error.code)
            elif lasting:
                await self._settle(shipment, "failed", error.code)
            else:
                await self._settle(shipment, "waiting", error.code, time.time() + self._retry_seconds(shipment, error))

    def _retry_seconds(self, shipment: Shipment, error: SendError) -> float:
        """Return what the provider asks for, else twice as long at each try, spread so that retries do not meet."""
        asked = error.after if isinstance(error, Retryable) else None
        if asked is not None:
            return min(max(asked, 0.0), LONGEST_RETRY_SECONDS)
        doubled = self._settings.send_first_retry_seconds * 2 ** min(shipment.attempts - 1, 12)
        return min(doubled, LONGEST_RETRY_SECONDS) * random.uniform(0.7, 1.3)

    def _note_opt_out(self, shipment: Shipment) -> None:
        """Keep what the provider says: this owner wants no more messages."""
        with self._sessions() as session:
            row = session.get(OutboxMessage, shipment.outbox_id)
            if row is not None:
                stop_as_told(session, row.conversation_id, time.time())
            session.commit()

    def _load(self, shipment: Shipment) -> Loaded | None:
        with self._sessions() as session:
            row = session.get(OutboxMessage, shipment.outbox_id)
            conversation = session.get(Conversation, row.conversation_id) if row else None
            if row is None or conversation is None:
                return None  # erased meanwhile
            message = session.get(InboxMessage, row.inbox_id) if row.inbox_id else None
            channel = self._channels[row.channel]
            return Loaded(
                Reply.from_payload(row.id, row.payload),
                self._addresses.decrypt(conversation.address_encrypted),
                row.channel,
                frozenset(deliveries.booked_parts(session, row.id)),
                _is_unwanted(conversation, message),
                channel.window_seconds is None or _heard_within(session, conversation.id, channel.window_seconds),
            )

    async def _load_media(self, media_id: str) -> MediaFile | None:
        return await run_in_threadpool(self._media, media_id)

    def _media(self, media_id: str) -> MediaFile | None:
        with self._sessions() as session:
            media = session.get(Media, media_id)
            if media is None or media.expires_at <= time.time():
                return None
            url = self._settings.address + self._links.path(media_id)
            return MediaFile(media.content_type, media.filename, media.data, url)


def _is_unwanted(conversation: Conversation, message: InboxMessage | None) -> bool:
    """Say whether the owner opted out after the message this reply answers, or was not answered at all."""
    if conversation.opted_out_at is None:
        return False
    return message is None or message.kind == CLOCK or message.received_at < conversation.opted_out_at


def _heard_within(session: Session, conversation_id: str, seconds: float) -> bool:
    last = session.execute(
        select(func.max(InboxMessage.received_at)).where(
            InboxMessage.conversation_id == conversation_id, InboxMessage.kind != CLOCK
        )
    ).scalar_one_or_none()
    return last is not None and last > time.time() - seconds
