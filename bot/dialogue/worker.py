"""The worker process: claim a message, take its turn, again; nothing accepted is lost."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass

from rasa.core.agent import Agent
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from actions.results import warm_up
from bot import metrics
from bot.dialogue.agent import load_agent
from bot.dialogue.model import model_path
from bot.dialogue.turn import take_turn
from bot.faults import name_of, place_of
from bot.settings import Settings
from bot.storage import inbox, outbox, reminders, retention
from bot.storage.database import make_engine, make_sessions
from bot.storage.models import Conversation, Heartbeat, InboxMessage
from bot.storage.wakeup import Wakeup, make_wakeup

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
OLD_SECONDS = 3600.0
# Woken by the gateway; this is the net under it.
POLL_SECONDS = 2.0
RETRY_SECONDS = (0.5, 3.0, 15.0)


@dataclass(frozen=True)
class Worker:
    """What a worker needs to take turns."""

    agent: Agent
    sessions: sessionmaker[Session]
    wakeup: Wakeup
    settings: Settings

    async def take_next_turn(self) -> bool:
        """Take the turn of the next message; False when nothing waits. A failed turn leaves nothing behind.

        While the database is away nothing waits either: the lease of what was claimed ends by itself.
        """
        try:
            with self.sessions() as session:
                claim = inbox.claim(session, self.settings.lease_seconds)
            if claim is None:
                return False
            started = time.time()
            outcome = await self._take(claim)
        except inbox.LeaseLost:
            logger.warning("a message was taken over before it could be set aside")
            return True
        except SQLAlchemyError as error:
            logger.warning("the database failed: %s", type(error).__name__)
            return False
        metrics.turn(time.time() - started, outcome, started - claim.received_at if claim.attempts == 1 else None)
        return True

    async def _take(self, claim: inbox.Claim) -> str:
        if claim.attempts > self.settings.max_attempts:
            await self._set_aside(claim, "too many attempts")
            return "dead"
        with self.sessions() as session:
            try:
                await take_turn(self.agent, session, claim, self.wakeup)
                return "done"
            except inbox.LeaseLost:
                session.rollback()
                logger.warning("turn rolled back: its lease was taken over")
                return "lost"
            except Exception as error:
                session.rollback()
                logger.error(
                    "turn %s failed, attempt %s: %s at %s",
                    claim.inbox_id,
                    claim.attempts,
                    name_of(error),
                    place_of(error),
                )
                await self._retry_or_set_aside(claim, name_of(error))
                return "failed"

    async def _retry_or_set_aside(self, claim: inbox.Claim, error: str) -> None:
        if claim.attempts >= self.settings.max_attempts:
            await self._set_aside(claim, error)
            return
        delay = RETRY_SECONDS[min(claim.attempts, len(RETRY_SECONDS)) - 1]
        with self.sessions() as session:
            inbox.retry_later(session, claim, delay, error)

    async def _set_aside(self, claim: inbox.Claim, error: str) -> None:
        """Close the message as dead, with a short apology and a way to a human; the operator can replay it."""
        with self.sessions() as session:
            conversation = session.get(Conversation, claim.conversation_id)
            language = (conversation.language if conversation else None) or "fr"
            draft = self.agent.nlg.generate_from_slots(  # type: ignore[attr-defined]
                "utter_apology", {"language": language}, conversation.channel if conversation else ""
            )
            message = session.get(InboxMessage, claim.inbox_id)
            inbox.close(session, claim, "dead", error)
            if conversation is not None and message is not None and message.kind != reminders.CLOCK:
                apology = {"text": draft["text"], "language": language}
                outbox.put(session, claim.conversation_id, conversation.channel, claim.inbox_id, [apology])
            self.wakeup.notify(session, "outbox", str(claim.inbox_id))
            session.commit()
        self.wakeup.notify_committed("outbox", str(claim.inbox_id))
        logger.error("message %s set aside: %s", claim.inbox_id, error)

    def beat(self) -> None:
        """Write the sign of life that makes the bot ready."""
        with self.sessions() as session:
            session.merge(Heartbeat(process=process_name(), kind="worker", beat_at=time.time()))
            session.commit()

    def let_go(self, also_old: bool) -> None:
        """Delete conversations that may no longer be kept, and what is old in the others."""
        with self.sessions() as session:
            retention.purge_conversations(session, self.settings.session_minutes * 60)
            if also_old:
                retention.purge_old(session)

    def leave(self) -> None:
        """Take the sign of life back, so that nobody waits for a worker that has stopped."""
        with self.sessions() as session:
            session.execute(delete(Heartbeat).where(Heartbeat.process == process_name()))
            session.commit()


def process_name() -> str:
    """Return a name for this process, unique among machines."""
    return f"{socket.gethostname()}-{os.getpid()}"


async def run(settings: Settings) -> None:
    """Take turns until SIGTERM or SIGINT; the turn under way is finished first."""
    engine = make_engine(settings.database)
    worker = Worker(load_agent(model_path(settings)), make_sessions(engine), make_wakeup(engine), settings)
    stop, work = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, work)
    worker.wakeup.listen("inbox", lambda _about: work.set())
    warm_up()
    # Rasa's millions of objects stay for good: without this, the collector looks through them during turns.
    gc.collect()
    gc.freeze()
    housekeeping = asyncio.create_task(_housekeeping(worker, stop))
    logger.info("worker ready")
    try:
        while not stop.is_set():
            work.clear()
            if not await worker.take_next_turn():
                await _wait(work, worker)
    finally:
        stop.set()
        housekeeping.cancel()
        worker.leave()
        worker.wakeup.close()


def _stop(stop: asyncio.Event, work: asyncio.Event) -> None:
    stop.set()
    work.set()


async def _wait(work: asyncio.Event, worker: Worker) -> None:
    """Sleep until woken, until a delayed message is due, or for one poll."""
    due = None
    with suppress(SQLAlchemyError), worker.sessions() as session:
        due = inbox.next_available_in(session)
    # A message that is due but not claimable belongs to a conversation whose turn is under way elsewhere.
    seconds = POLL_SECONDS if due is None or due <= 0 else min(due, POLL_SECONDS)
    try:
        await asyncio.wait_for(work.wait(), max(seconds, 0.05))
    except asyncio.TimeoutError:
        return


async def _housekeeping(worker: Worker, stop: asyncio.Event) -> None:
    """Beat, and let go of what may no longer be kept."""
    old_next_at = time.monotonic()
    while not stop.is_set():
        try:
            worker.beat()
            with worker.sessions() as session:
                reminders.hand_over_due(session, lambda under_way: worker.wakeup.notify(under_way, "inbox"))
            worker.wakeup.notify_committed("inbox")
            # In a thread: it looks at many rows, and owners would wait.
            also_old = time.monotonic() >= old_next_at
            await asyncio.to_thread(worker.let_go, also_old)
            if also_old:
                old_next_at = time.monotonic() + OLD_SECONDS
        except Exception as error:  # the database may be away for a while: the next beat tries again
            logger.warning("housekeeping failed: %s", type(error).__name__)
        await asyncio.sleep(HEARTBEAT_SECONDS)
