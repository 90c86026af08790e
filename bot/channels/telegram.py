"""Telegram: long polling by default, a webhook where a secret is set; one owner at a time, plain text, keyboards."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool
from telegram import BotCommand, InputFile, Message
from telegram.error import RetryAfter, TelegramError

from bot.channels.channel import LoadMedia, MediaFile, Permanent, Received, Refused, Reply, Sent, TakeIn, Webhook
from bot.channels.registry import Ground
from bot.channels.telegram_api import Api, retry_seconds
from bot.channels.telegram_messages import CHOSEN, Part, Signer, chosen, keyboard, parts
from bot.channels.telegram_polling import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Poller
from bot.channels.telegram_updates import NAME, WANTED, Heard, Press, Unreadable, hear, update_id
from bot.faults import name_of, place_of
from bot.knowledge.telegram import Menu, load_menu
from bot.settings import SettingsError
from bot.storage import inbox
from bot.storage.addresses import AddressBook
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, OutboxMessage
from bot.storage.only_one import OnlyOne

logger = logging.getLogger(__name__)

PATH = "/webhooks/telegram"
SECRET_HEADER = "x-telegram-bot-api-secret-token"
# Phones set to these languages see the menu in it; every other phone sees French and Darija in Latin letters.
MENU_LANGUAGES = {"fr": "fr", "ar": "ary-Arab"}
# Courtesies (the end of a button's spinner, a used keyboard) beyond this many at once are left out.
MOST_COURTESIES = 200
CLOSE_SECONDS = 3.0
_TOKEN = re.compile(r"^\d{1,20}:[A-Za-z0-9_-]{1,100}\Z")
_SECRET = re.compile(r"^[A-Za-z0-9_-]{1,256}\Z")


def make(ground: Ground) -> Telegram:
    """Return the channel; raise SettingsError where its settings are wrong."""
    settings = ground.settings
    token, secret = settings.telegram_token.get_secret_value(), settings.telegram_webhook_secret.get_secret_value()
    if not _TOKEN.match(token):
        raise SettingsError("TELEGRAM_TOKEN: must be as @BotFather gave it, digits, a colon and letters")
    if secret and not _SECRET.match(secret):
        raise SettingsError("TELEGRAM_WEBHOOK_SECRET: at most 256 of A-Z a-z 0-9 _ -")
    return Telegram(
        Api(token, settings.telegram_api_url, settings.telegram_per_second),
        ground.sessions,
        AddressBook(settings.derived_key("address-hash"), settings.fernet_key()),
        Signer(settings.derived_key("telegram-buttons")),
        load_menu(settings.knowledge_dir),
        secret,
        settings.public_url,
    )


class Telegram:
    """The channel. What an owner sends is in the inbox before Telegram hears that it arrived."""

    name = NAME
    window_seconds: float | None = None

    def __init__(
        self,
        api: Api,
        sessions: sessionmaker[Session],
        addresses: AddressBook,
        signer: Signer,
        menu: Menu,
        secret: str,
        public_url: str,
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._addresses = addresses
        self._signer = signer
        self._menu = menu
        self._choices = menu.choices()
        self._secret = secret
        self._public_url = public_url
        self._take_in: TakeIn | None = None
        self._poller: Poller | None = None
        self._polling: asyncio.Task[None] | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._courtesies: set[asyncio.Task[None]] = set()

    # Receiving

    @property
    def routes(self) -> Mapping[str, Callable[[Webhook], Awaitable[Received]]]:
        """Return the webhook, where one is wanted."""
        return {PATH: self.read} if self._secret else {}

    async def read(self, webhook: Webhook) -> Received:
        """Take in the update of a webhook; what cannot be ours is refused, what says nothing to us is passed over."""
        given = webhook.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise Refused(403, "wrong secret token")
        try:
            raw = json.loads(webhook.body)
            number = update_id(raw)
        except (ValueError, RecursionError, Unreadable):
            raise Refused(400, "not an update") from None
        try:
            await self.take(raw)
        except Unreadable:  # refused, it would come again and again, and hold back the later ones
            logger.error("update %s cannot be read, and is passed over", number)
        return Received()

    async def take(self, raw: dict[str, Any]) -> None:
        """Put what an update says into the inbox, then do the courtesies. Raise Unreadable."""
        heard = hear(raw, self._choices)
        if heard.press is not None:
            await self._take_press(heard.press)
        elif heard.messages:
            await self._keep(heard)
        elif heard.group is not None:
            group = heard.group
            self._by_courtesy(lambda: self._api.call(lambda bot: bot.leave_chat(group)))

    async def _keep(self, heard: Heard) -> None:
        if self._take_in is None:
            raise RuntimeError("the channel has not been started")
        await self._take_in(Received(heard.messages))

    async def _take_press(self, press: Press) -> None:
        if press.data == CHOSEN:
            self._by_courtesy(lambda: self._answer(press))
            return
        offered = await run_in_threadpool(self._offered, press)
        if offered is None:
            notice = self._menu.old_button[await run_in_threadpool(self._language, press)]
            self._by_courtesy(lambda: self._answer(press, notice))
            return
        choice, title = offered
        said = Incoming(NAME, press.chat, f"update-{press.update_id}", "choice", choice)
        await self._keep(Heard((said,)))
        self._by_courtesy(lambda: self._answer(press), lambda: self._mark(press, title))

    async def _answer(self, press: Press, notice: str | None = None) -> None:
        await self._api.call(lambda bot: bot.answer_callback_query(press.query_id, notice))

    async def _mark(self, press: Press, title: str) -> None:
        """Leave of a used keyboard what was chosen."""
        await self._api.edit(
            lambda bot: bot.edit_message_reply_markup(int(press.chat), press.message_id, reply_markup=chosen(title))
        )

    def _offered(self, press: Press) -> tuple[str, str] | None:
        """Return choice and title of the button; None when it is forged, or its reply is gone."""
        place = self._signer.read(press.chat, press.data)
        if place is None:
            return None
        outbox_id, index = place
        with self._sessions() as session:
            row = session.get(OutboxMessage, outbox_id)
            buttons = (row.payload.get("buttons") or []) if row is not None and row.channel == NAME else []
        return (buttons[index]["choice"], buttons[index]["title"]) if index < len(buttons) else None

    def _language(self, press: Press) -> str:
        """Return the variety of the conversation, else the one nearest to the phone's language."""
        with self._sessions() as session:
            found = inbox.find_conversation(session, self._addresses, NAME, press.chat)
            conversation = session.get(Conversation, found) if found else None
        spoken = conversation.language if conversation is not None else None
        return str(spoken or MENU_LANGUAGES.get(press.phone_language.partition("-")[0], "fr"))

    def _by_courtesy(self, *calls: Callable[[], Awaitable[Any]]) -> None:
        """Make calls that nothing depends on, in order, without anybody waiting for them."""
        if len(self._courtesies) >= MOST_COURTESIES:
            return
        task = asyncio.create_task(self._be_polite(calls))
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    async def _be_polite(self, calls: Sequence[Callable[[], Awaitable[Any]]]) -> None:
        for call in calls:
            try:
                await call()
            except TelegramError as error:  # an old query, a keyboard edited already
                logger.debug("a courtesy failed: %s", type(error).__name__)
            except Exception as error:
                logger.error("a courtesy failed: %s at %s", name_of(error), place_of(error))

    # Sending

    def render(self, reply: Reply) -> Sequence[Part]:
        """Return the messages of a reply."""
        return parts(reply)

    async def send(self, address: str, part: Part, load_media: LoadMedia) -> Sent:
        """Send one message; where the file is gone or refused, its words alone."""
        media_id = part.image or part.document
        media = await load_media(media_id) if media_id else None
        await self._api.wait_for_turn(address)
        if not await run_in_threadpool(self._is_wanted, part.outbox_id):
            raise Permanent("cancelled")  # the owner said STOP while it waited
        if media is not None:
            try:
                return self._sent(part, await self._send_file(address, part, media))
            except Permanent as error:
                if not error.code.startswith("400") or "chat" in error.code:
                    raise
                logger.warning("reply %s: its file was refused: %s", part.outbox_id, error.code)
        if not part.text:  # the words are in another part
            return Sent(f"{part.outbox_id}.{media_id}", "failed", segments=0)
        keys = keyboard(part, address, self._signer)
        return self._sent(
            part,
            await self._api.send(address, lambda bot: bot.send_message(int(address), part.text, reply_markup=keys)),
        )

    def _is_wanted(self, outbox_id: int) -> bool:
        with self._sessions() as session:
            status = session.execute(select(OutboxMessage.status).filter_by(id=outbox_id)).scalar_one_or_none()
        return status == "waiting"

    async def _send_file(self, address: str, part: Part, media: MediaFile) -> Message:
        keys = keyboard(part, address, self._signer)
        file = InputFile(media.data, filename=media.filename)
        caption = part.text or None
        if part.image is not None:
            return await self._api.send(
                address, lambda bot: bot.send_photo(int(address), file, caption=caption, reply_markup=keys)
            )
        return await self._api.send(
            address, lambda bot: bot.send_document(int(address), file, caption=caption, reply_markup=keys)
        )

    @staticmethod
    def _sent(part: Part, message: Message) -> Sent:
        # Telegram counts messages within a chat; with the reply's number it is unique, and says nothing of the chat.
        return Sent(f"{part.outbox_id}.{message.message_id}")

    # Running

    async def start(self, take_in: TakeIn) -> None:
        """Poll, or set the webhook, and hang the menu up."""
        self._take_in = take_in
        self._beside = [asyncio.create_task(self._until_done(self._hang_up_menu))]
        if not self._secret:
            self._poller = Poller(self._api, OnlyOne(self._sessions, "telegram-polling"), self.take)
            self._polling = asyncio.create_task(self._poller.run())
        elif self._public_url.startswith("https://"):
            self._beside.append(asyncio.create_task(self._until_done(self._set_webhook)))
        else:
            logger.warning("the webhook of Telegram is not set: PUBLIC_URL must begin with https://")

    async def _hang_up_menu(self) -> None:
        for language, variety in MENU_LANGUAGES.items():
            rows = [BotCommand(command.name, command.says[variety]) for command in self._menu.commands]
            await self._set_commands(rows, language)
        both = [
            BotCommand(command.name, f"{command.says['fr']} · {command.says['ary-Latn']}")
            for command in self._menu.commands
        ]
        await self._set_commands(both, None)

    async def _set_commands(self, rows: list[BotCommand], language: str | None) -> None:
        await self._api.call(lambda bot: bot.set_my_commands(rows, language_code=language))

    async def _set_webhook(self) -> None:
        address = self._public_url + PATH
        await self._api.call(
            lambda bot: bot.set_webhook(address, secret_token=self._secret, allowed_updates=list(WANTED))
        )

    async def _until_done(self, call: Callable[[], Awaitable[None]]) -> None:
        """Try until Telegram has done it."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await call()
            except RetryAfter as error:
                await asyncio.sleep(retry_seconds(error))
            except (TelegramError, SQLAlchemyError) as error:
                logger.warning("Telegram was not set up: %s; trying again", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """End what start began: updates that were taken in are confirmed, courtesies get a moment."""
        if self._poller is not None and self._polling is not None:
            self._poller.stop()
            await self._polling
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self._courtesies:
            await asyncio.wait(set(self._courtesies), timeout=CLOSE_SECONDS)
        await self._api.close()

    def state(self) -> str:
        """Return up, down or starting."""
        return self._api.state
