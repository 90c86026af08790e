"""The Bot API through python-telegram-bot: its pace, its errors as ours, and nothing of a message in any log."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aiolimiter import AsyncLimiter
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.channels.channel import NotTried, OptedOut, Permanent, Retryable, SendError
from bot.channels.telegram_updates import WANTED

T = TypeVar("T")

OFFICIAL = "https://api.telegram.org"
# What Telegram allows to one chat; over all chats it is a setting.
PER_CHAT_SECONDS = 1.0
# A wrong token is the operator's to put right: replies wait, and come by then.
TOKEN_RETRY_SECONDS = 1800.0
POLL_SECONDS = 25
# What Telegram says of a request it refuses; never a word of a message.
_REASON = re.compile(r"[^A-Za-z_ ]+")


class Request(HTTPXRequest):
    """The library's requests, without its habit of logging an answer that it cannot read."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """Return the answer; raise TelegramError when it is no JSON object, such as a proxy's page."""
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError):
            raise TelegramError("the answer is not JSON") from None
        if not isinstance(document, dict):
            raise TelegramError("the answer is not an object")
        return {"result": None, **document}


class Api:
    """Calls of one bot, at the pace that Telegram allows."""

    def __init__(self, token: str, address: str, per_second: float) -> None:
        base = address or OFFICIAL
        self._calls = Request(connection_pool_size=64, read_timeout=10, write_timeout=10, pool_timeout=5)
        self._polls = Request(connection_pool_size=1, read_timeout=POLL_SECONDS + 10)
        self._polls_url = f"{base}/bot{token}/getUpdates"
        self.bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._calls,
            get_updates_request=self._polls,
        )
        self.state = "starting"
        # One at a time, evenly: a bucket that may be emptied at once would let twice the allowed through a second.
        self._overall = AsyncLimiter(1, 1 / per_second)
        self._free_at: dict[str, float] = {}
        self._flooded: dict[str, float] = {}

    async def wait_for_turn(self, chat: str) -> None:
        """Wait until a message may go to a chat; raise NotTried where that is not soon."""
        self._refuse_while_flooded(chat)
        # The sender brings one message of a chat at a time; counted from the answer, no delay on the way shortens it.
        await asyncio.sleep(self._free_at.get(chat, 0.0) - time.monotonic())
        await self._overall.acquire()

    async def send(self, chat: str, call: Callable[[Bot], Awaitable[T]]) -> T:
        """Make a call that a chat sees as a message, when its turn has come; raise SendError."""
        try:
            return await self.call(call)
        except RetryAfter as error:
            seconds = retry_seconds(error)
            self._flooded[chat] = time.monotonic() + seconds
            raise Retryable("429", seconds) from None
        except (TelegramError, KeyError, TypeError, ValueError) as error:
            raise as_send_error(error) from None
        finally:
            self._note_sent(chat)

    async def call(self, call: Callable[[Bot], Awaitable[T]]) -> T:
        """Make any other call, and note whether Telegram answers; raise TelegramError."""
        try:
            result = await call(self.bot)
        except TelegramError as error:
            self._note(error)
            raise
        self.state = "up"
        return result

    async def edit(self, call: Callable[[Bot], Awaitable[T]]) -> T:
        """Make a call that changes a message, which counts towards the pace over all chats; raise TelegramError."""
        async with self._overall:
            return await self.call(call)

    async def updates(self, offset: int | None) -> list[Any]:
        """Wait for updates; those below the offset are confirmed and never come again. Raise TelegramError."""
        # Raw: the library would log a whole batch, and lose it, for one update that it cannot read.
        query = f"timeout={POLL_SECONDS}&allowed_updates={json.dumps(WANTED, separators=(',', ':'))}"
        return await self._poll(query + (f"&offset={offset}" if offset is not None else ""))

    async def confirm(self, offset: int) -> None:
        """Tell Telegram that everything below the offset is safe, without waiting for more."""
        await self._poll(f"timeout=0&limit=1&offset={offset}")

    async def _poll(self, query: str) -> list[Any]:
        try:
            updates = await self._polls.post(f"{self._polls_url}?{query}")
        except TelegramError as error:
            self._note(error)
            raise
        if not isinstance(updates, list):
            raise TelegramError("the answer is not a list")
        self.state = "up"
        return updates

    def stand_by(self) -> None:
        """Note that another gateway listens: this one only sends, and has nothing to say before it does."""
        self.state = "up" if self.state == "starting" else self.state

    def _note(self, error: TelegramError) -> None:
        told = isinstance(error, (BadRequest, Forbidden, RetryAfter, ChatMigrated))  # it is there, and said no
        self.state = "up" if told else "down"

    def _note_sent(self, chat: str) -> None:
        now = time.monotonic()
        if len(self._free_at) > 1000:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[chat] = now + PER_CHAT_SECONDS

    def _refuse_while_flooded(self, chat: str) -> None:
        """Leave a chat alone for as long as Telegram asked; everybody, once it asked this for two chats."""
        now = time.monotonic()
        self._flooded = {name: until for name, until in self._flooded.items() if until > now}
        everybody = sorted(self._flooded.values())[-2] if len(self._flooded) > 1 else now
        until = max(self._flooded.get(chat, now), everybody)
        if until > now:
            raise NotTried("429", until - now)

    async def close(self) -> None:
        """Close connections."""
        await self._calls.shutdown()
        await self._polls.shutdown()


def retry_seconds(error: RetryAfter) -> float:
    """Return how long Telegram wants to be left alone."""
    after = error.retry_after
    return float(after) if isinstance(after, (int, float)) else after.total_seconds()


def as_send_error(error: Exception) -> SendError:
    """Return what an error of the library means for a message."""
    if isinstance(error, RetryAfter):
        return Retryable("429", retry_seconds(error))
    if isinstance(error, Forbidden):  # blocked, deactivated, or never started
        return OptedOut("403")
    if isinstance(error, InvalidToken):
        return Retryable(str(int(HTTPStatus.UNAUTHORIZED)), TOKEN_RETRY_SECONDS)
    if isinstance(error, ChatMigrated):
        return Permanent("migrated")
    if isinstance(error, BadRequest):
        return Permanent(f"400 {_REASON.sub('', error.message).strip().lower()}"[:48])
    if isinstance(error, TimedOut):
        return Retryable("timeout")
    return Retryable("network" if isinstance(error, NetworkError) else "answer")
