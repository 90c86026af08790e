"""Long polling: updates are confirmed to Telegram only when they are safe here, so that no crash loses one."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from telegram.error import Conflict, RetryAfter, TelegramError

from bot.channels.telegram_api import Api, retry_seconds
from bot.channels.telegram_updates import Unreadable, update_id
from bot.faults import name_of, place_of
from bot.storage.only_one import OnlyOne

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# How often a gateway that stands by looks whether the one that polls is gone.
STAND_BY_SECONDS = 5.0
# An update that makes this program fail again and again is passed over: it would hold back every owner.
MOST_FAILURES = 5
CLOSE_SECONDS = 5.0


class Poller:
    """Asks for updates, one gateway at a time; Telegram itself ends all but the newest (409), so two lose nothing."""

    def __init__(self, api: Api, only_one: OnlyOne, take: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._api = api
        self._only_one = only_one
        self._take = take
        self._stopping = asyncio.Event()
        self._offset: int | None = None
        self._webhook_gone = False
        self._pause = FIRST_PAUSE_SECONDS
        self._failures = 0

    async def run(self) -> None:
        """Poll until stopped; what was taken in is confirmed at the end."""
        while not self._stopping.is_set():
            await self._rest(await self._step())
        if self._offset is not None:
            with suppress(TelegramError, asyncio.TimeoutError):
                await asyncio.wait_for(self._api.confirm(self._offset), CLOSE_SECONDS)
        with suppress(SQLAlchemyError):
            await run_in_threadpool(self._only_one.release)

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stopping.set()

    async def _step(self) -> float:
        """Ask once and take in what came; return how long to rest before the next time."""
        try:
            if not await run_in_threadpool(self._only_one.hold):
                self._offset = None
                self._api.stand_by()
                return STAND_BY_SECONDS
            if not self._webhook_gone:
                await self._api.call(lambda bot: bot.delete_webhook(drop_pending_updates=False))
                self._webhook_gone = True
            updates = await self._unless_stopped(self._api.updates(self._offset))
            await self._take_all(updates)
        except Conflict:
            return await self._give_way()
        except RetryAfter as error:
            return retry_seconds(error)
        except (TelegramError, SQLAlchemyError) as error:
            logger.warning("polling failed: %s", type(error).__name__)
            return self._longer_pause()
        except Exception as error:
            logger.error("an update failed: %s at %s", name_of(error), place_of(error))
            return self._longer_pause()
        self._pause = FIRST_PAUSE_SECONDS
        return 0.0

    async def _unless_stopped(self, asking: Awaitable[list[Any]]) -> list[Any]:
        """Return the updates; none when it is time to stop, and those that were under way come again."""
        request = asyncio.ensure_future(asking)
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({request, stop}, return_when=asyncio.FIRST_COMPLETED)
            return request.result() if request.done() else []
        finally:
            stop.cancel()
            if not request.done():
                request.cancel()
                with suppress(asyncio.CancelledError, TelegramError):
                    await request

    async def _take_all(self, updates: list[Any]) -> None:
        """Take updates in, in order; the offset moves past each only when it is safe."""
        for raw in updates:
            try:
                number = update_id(raw)
            except Unreadable:
                logger.error("Telegram sent an update without an id")
                continue
            await self._take_one(number, raw)
            self._offset = number + 1
            self._failures = 0
        if not updates:
            # All is confirmed. Numbers may start anywhere after a week of silence: an old offset would hide them.
            self._offset = None

    async def _take_one(self, number: int, raw: dict[str, Any]) -> None:
        try:
            await self._take(raw)
        except Unreadable:
            logger.error("update %s cannot be read, and is passed over", number)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
                raise  # the database is away: however long it takes
            self._failures += 1
            if self._failures < MOST_FAILURES:
                raise
            logger.error("update %s failed %s times, and is passed over", number, self._failures)

    async def _give_way(self) -> float:
        """Stand back: another program polls with this token, or has set a webhook. Nothing is lost, nor taken twice."""
        logger.warning("Telegram gives the updates to somebody else: another program uses this token")
        self._api.state = "down"
        with suppress(SQLAlchemyError):
            await run_in_threadpool(self._only_one.release)
        return self._longer_pause()

    def _longer_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return pause * random.uniform(0.7, 1.3)

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
