"""Messages that Twilio has and we never got: its list is read every few minutes, and what is missing is taken in."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool
from twilio.rest.api.v2010.account.message import MessageInstance

from bot.channels.channel import Received, SendError, TakeIn
from bot.channels.twilio_api import TwilioApi
from bot.faults import name_of
from bot.storage.inbox import Incoming
from bot.storage.resources import known_ids, last_look, note_look

logger = logging.getLogger(__name__)

# A message can stand in the list later than it was sent: each look begins this long before the last one.
OVERLAP_SECONDS = 900.0
# Older messages are not asked for, whatever happened; erased ids are remembered longer than this.
LONGEST_LOOK_BACK_SECONDS = 3 * 86400.0
# Its webhook may still be on the way, and tells more: which button was pressed.
YOUNGEST_SECONDS = 30.0


class CatchUp:
    """Reads the list of messages to one number."""

    def __init__(
        self,
        api: TwilioApi,
        sessions: sessionmaker[Session],
        channel: str,
        number: str,
        read: Callable[[MessageInstance], Incoming | None],
        every_seconds: float,
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._channel = channel
        self._number = number
        self._read = read
        self._every_seconds = every_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self, take_in: TakeIn) -> None:
        """Look now and every few minutes."""
        self._task = asyncio.create_task(self._run(take_in))

    async def close(self) -> None:
        """Stop looking; what was not taken in is found by the next look."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, take_in: TakeIn) -> None:
        while True:
            try:
                await self.look(take_in)
            except SendError as error:
                logger.warning("the list of messages of %s: %s", self._channel, error.code)
            except Exception as error:  # whatever it is, the next look may work
                logger.warning("the list of messages of %s: %s", self._channel, name_of(error))
            await asyncio.sleep(self._every_seconds * random.uniform(0.8, 1.2))

    async def look(self, take_in: TakeIn) -> int:
        """Take in what is missing since the last look, oldest first; return how many that were."""
        now = time.time()
        since = max(await run_in_threadpool(self._last_look, now) - OVERLAP_SECONDS, now - LONGEST_LOOK_BACK_SECONDS)
        listed = await self._api.received_since(self._number, since)
        due = {str(row.sid): row for row in listed if since <= _sent_at(row, now) <= now - YOUNGEST_SECONDS}
        known = await run_in_threadpool(self._known, list(due))
        missed = [self._read(row) for sid, row in due.items() if sid not in known]
        messages = tuple(message for message in missed if message is not None)
        for message in messages:
            await take_in(Received(messages=(message,)))
        if messages:
            logger.warning("%s messages of %s had not arrived and were taken in", len(messages), self._channel)
        await run_in_threadpool(self._note_look, now)
        return len(messages)

    @property
    def _name(self) -> str:
        return f"{self._channel} {self._api.account} {self._number}"[:120]

    def _last_look(self, now: float) -> float:
        """Return the time of the last look; who looks for the first time has missed nothing yet."""
        with self._sessions() as session:
            return last_look(session, self._name) or now

    def _note_look(self, at: float) -> None:
        with self._sessions() as session:
            note_look(session, self._name, at)

    def _known(self, sids: list[str]) -> set[str]:
        with self._sessions() as session:
            return {
                sid
                for start in range(0, len(sids), 500)
                for sid in known_ids(session, self._channel, sids[start : start + 500])
            }


def _sent_at(row: MessageInstance, now: float) -> float:
    at: datetime | None = row.date_sent or row.date_created
    return at.timestamp() if at is not None else now
