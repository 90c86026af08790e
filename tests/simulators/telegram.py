"""Telegram's Bot API as its documentation describes it: one bot, the phones of those who talk with it, both directions.

    telegram = Telegram(token)
    async with serving(telegram.app) as url:          # TELEGRAM_API_URL=url
        await telegram.say("77", Written(text="/start"))   # an owner writes, presses (Written.pressed), sends a file
        telegram.ledger.to("77")                      # what the bot sent there, as it looks now

It is a `Line` of the phone page: `channel`, `ledger`, `new_number`, `say`, `close`; `block` and `unblock` are what an
owner does in Telegram's own menu. A `Choice.id` is the button's callback data; a message's provider id is
`<chat>.<message id>`. Everything runs on the loop that serves `app`.

What is checked as the real server does: text of 1 to 4 096 and captions of at most 1 024 UTF-16 units, callback data
of 1 to 64 bytes, the shape of keyboards, uploads (pictures of at most 10 MB that are pictures), commands, webhook
addresses and secrets, answers to queries that are known. Updates wait until an offset confirms them; a second
getUpdates ends the first (409), and a webhook excludes both. Faults are drawn by `dice`.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from tests.simulators.faults import Dice, FaultyApp, answer_lost
from tests.simulators.ledger import Accepted, Choice, Event, File, Ledger, Written

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_DATA = 64
LONGEST_NOTICE = 200
LARGEST_PHOTO = 10 * 2**20
LARGEST_UPLOAD = 50 * 2**20
MOST_BUTTONS = 100
WEBHOOK_PORTS = (443, 80, 88, 8443)
WEBHOOK_PAUSE_SECONDS = 0.2
# What the real server sends when allowed_updates was never given leaves these out.
_UNASKED = ("chat_member", "message_reaction", "message_reaction_count")
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_SENDING = ("sendMessage", "sendPhoto", "sendDocument")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NAME = re.compile(r"[a-z0-9_]{1,32}")


class Wrong(Exception):
    """A call that Telegram answers with an error."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


@dataclass(frozen=True)
class Called:
    """A call that the bot made."""

    method: str
    parameters: Mapping[str, str]
    at: float


class Telegram:
    """One bot and everybody who talks with it."""

    channel = "telegram"

    def __init__(self, token: str = "1:simulated", dice: Dice | None = None) -> None:
        self.token = token
        self.dice = dice or Dice()
        self.ledger = Ledger()
        self.calls: list[Called] = []
        self.menus: dict[str, list[dict[str, str]]] = {}
        """Commands by language code; "" for all other phones."""
        self.notices: list[tuple[str, str]] = []
        """Answers to callback queries: chat and text."""
        self.left: list[int] = []
        self.phone_language = "fr"
        self.webhook_url, self.webhook_secret = "", ""
        self.poll_trouble: deque[Response] = deque()
        """What the next calls of getUpdates are answered with, instead of updates."""
        self.per_second, self.per_chat = 0.0, 0.0
        """Messages a second over all chats and to one chat before 429; 0 for no limit."""
        self._allowed: list[str] = []
        self._updates: deque[dict[str, Any]] = deque()
        self._next_update = 100_000_000 + secrets.randbelow(10**8)
        self._message_ids: Counter[int] = Counter()
        self._messages: dict[tuple[int, int], dict[str, Any]] = {}
        self._blocked: set[int] = set()
        self._queries: dict[str, str] = {}
        self._sent_at: defaultdict[int, deque[float]] = defaultdict(deque)
        self._news = asyncio.Event()
        self._poll: object | None = None
        self._pushing: asyncio.Task[None] | None = None
        self.app: ASGIApp = FaultyApp(
            Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["GET", "POST"])]),
            self.dice,
            self.ledger.counts,
            _is_send,
            lambda after: _error(Wrong(429, f"Too Many Requests: retry after {after:g}", retry_after=after)),
            lambda: _error(Wrong(500, "Internal Server Error")),
        )

    # ---- what an owner does

    def new_number(self) -> str:
        """Return a chat id that nobody has used."""
        return str(100_000_000 + secrets.randbelow(10**9))

    async def say(self, number: str, written: Written) -> None:
        """Let an owner write, press a button, send a file or a place."""
        self.write(number, written)

    def write(self, number: str, written: Written) -> int:
        """Queue what an owner does as an update, and return its id; no call of another thread."""
        chat = int(number)
        if written.pressed is None:
            return self.update("message", self._message(chat, _content(written)))
        query = secrets.token_hex(8)
        self._queries[query] = number
        message_id = int(written.pressed_on.rpartition(".")[2] or 0)
        message = self._messages.get((chat, message_id)) or {
            "message_id": message_id,
            "date": 0,
            "chat": _chat(chat),
        }
        return self.update(
            "callback_query",
            {
                "id": query,
                "from": self._user(chat),
                "message": message,
                "chat_instance": str(chat),
                "data": written.pressed.id,
            },
        )

    def block(self, number: str) -> int:
        """Let an owner block the bot."""
        self._blocked.add(int(number))
        return self._membership(int(number), "member", "kicked")

    def unblock(self, number: str) -> int:
        """Let an owner take that back."""
        self._blocked.discard(int(number))
        return self._membership(int(number), "kicked", "member")

    def update(self, kind: str, content: dict[str, Any], number: int | None = None) -> int:
        """Queue any update, also one that was delivered before (by its number)."""
        if number is None:
            number, self._next_update = self._next_update, self._next_update + 1
        if kind in self._allowed or (not self._allowed and kind not in _UNASKED):
            self._updates.append({"update_id": number, kind: content})
            self._news.set()
            self._news = asyncio.Event()
        return number

    @property
    def waiting(self) -> int:
        """Return how many updates the bot has not confirmed."""
        return len(self._updates)

    def _user(self, chat: int) -> dict[str, Any]:
        return {"id": chat, "is_bot": False, "first_name": "Commerçante", "language_code": self.phone_language}

    def _message(self, chat: int, content: dict[str, Any]) -> dict[str, Any]:
        self._message_ids[chat] += 1
        number = self._message_ids[chat]
        message = {"message_id": number, "from": self._user(chat), "chat": _chat(chat), "date": int(time.time())}
        self._messages[chat, number] = message | content
        return message | content

    def _membership(self, chat: int, old: str, new: str) -> int:
        bot = {"id": self._bot_id(), "is_bot": True, "first_name": "Rafiq"}
        states = {
            name: {"status": status, "user": bot} | ({"until_date": 0} if status == "kicked" else {})
            for name, status in (("old_chat_member", old), ("new_chat_member", new))
        }
        change = {"chat": _chat(chat), "from": self._user(chat), "date": int(time.time()), **states}
        return self.update("my_chat_member", change)

    def _bot_id(self) -> int:
        return int(self.token.partition(":")[0])

    # ---- webhook

    async def _push(self) -> None:
        """Bring updates to the webhook, in order; one that gets no 2xx is brought again, and holds the later ones."""
        async with httpx.AsyncClient(timeout=10) as client:
            while self.webhook_url:
                if not self._updates:
                    await self._news.wait()
                    continue
                update = self._updates[0]
                status = 0
                with suppress(httpx.HTTPError):
                    status = (
                        await client.post(
                            self.webhook_url,
                            json=update,
                            headers={"X-Telegram-Bot-Api-Secret-Token": self.webhook_secret},
                        )
                    ).status_code
                if 200 <= status < 300:
                    self._updates.popleft()
                    continue
                self.ledger.tell(Event("webhook", self.channel, "", str(update["update_id"]), str(status)))
                await asyncio.sleep(WEBHOOK_PAUSE_SECONDS)

    async def close(self) -> None:
        """Drop what is under way."""
        if self._pushing is not None:
            self._pushing.cancel()
            await asyncio.gather(self._pushing, return_exceptions=True)
            self._pushing = None

    # ---- the API

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        values, files = await _read(request)
        # Files are kept where they matter; names of methods are taken in any case, as the real server does.
        self.calls.append(Called(method, values, time.monotonic()))
        try:
            if request.path_params["token"] != self.token:
                raise Wrong(401, "Unauthorized")
            answer: Callable[..., Any] | None = getattr(self, f"_do_{method.lower()}", None)
            if answer is None:
                raise Wrong(404, "Not Found")
            result = answer(values, files, answer_lost(request.scope))
            result = await result if asyncio.iscoroutine(result) else result
            return result if isinstance(result, Response) else JSONResponse({"ok": True, "result": result})
        except Wrong as wrong:
            self.ledger.refuse(self.channel, values.get("chat_id", ""), str(wrong.status), wrong.description)
            return _error(wrong)

    def _do_getme(self, *_: Any) -> Any:
        return {"id": self._bot_id(), "is_bot": True, "first_name": "Rafiq", "username": "rafiq_bot"}

    async def _do_getupdates(self, values: Mapping[str, str], *_: Any) -> Any:
        if self.poll_trouble:
            return self.poll_trouble.popleft()
        if self.webhook_url:
            raise Wrong(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it"
            )
        limit, patience = _whole(values, "limit", 100), _whole(values, "timeout", 0)
        if values.get("allowed_updates"):
            self._allowed = json.loads(values["allowed_updates"])
        self._confirm(_whole(values, "offset", 0))
        mine = self._poll = object()
        old, self._news = self._news, asyncio.Event()
        old.set()  # whoever waited finds that it is no longer the one that polls
        deadline = time.monotonic() + patience
        while not self._updates and time.monotonic() < deadline:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), max(deadline - time.monotonic(), 0.001))
            if self._poll is not mine:
                raise Wrong(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
        return list(self._updates)[: min(max(limit, 1), 100)]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self._updates) > -offset:
                self._updates.popleft()
        while self._updates and offset > 0 and self._updates[0]["update_id"] < offset:
            self._updates.popleft()

    def _do_setwebhook(self, values: Mapping[str, str], *_: Any) -> Any:
        url = httpx.URL(values.get("url", ""))
        secret = values.get("secret_token", "")
        if url.scheme != "https" and url.host not in ("127.0.0.1", "localhost"):
            raise Wrong(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if url.scheme == "https" and (url.port or 443) not in WEBHOOK_PORTS:
            raise Wrong(400, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        if secret and not _SECRET.fullmatch(secret):
            raise Wrong(400, "Bad Request: secret token contains unallowed characters")
        if values.get("allowed_updates"):
            self._allowed = json.loads(values["allowed_updates"])
        if values.get("drop_pending_updates") == "true":
            self._updates.clear()
        self.webhook_url, self.webhook_secret = str(url), secret
        if self._pushing is None and url.scheme == "http":
            self._pushing = asyncio.create_task(self._push())
        return True

    def _do_deletewebhook(self, values: Mapping[str, str], *_: Any) -> Any:
        if values.get("drop_pending_updates") == "true":
            self._updates.clear()
        self.webhook_url = ""
        return True

    def _do_getwebhookinfo(self, *_: Any) -> Any:
        return {
            "url": self.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }

    def _do_sendmessage(self, values: Mapping[str, str], _files: Mapping[str, File], lost: bool) -> Any:
        chat = self._reach(values)
        text = values.get("text", "").strip()
        if not text:
            raise Wrong(400, "Bad Request: message text is empty")
        if _units(text) > LONGEST_TEXT:
            raise Wrong(400, "Bad Request: message is too long")
        choices, markup = _keyboard(values)
        return self._deliver(chat, {"text": text} | markup, text, "inline" if choices else "text", choices, None, lost)

    def _do_sendphoto(self, values: Mapping[str, str], files: Mapping[str, File], lost: bool) -> Any:
        return self._send_file("photo", "image", values, files, lost)

    def _do_senddocument(self, values: Mapping[str, str], files: Mapping[str, File], lost: bool) -> Any:
        return self._send_file("document", "document", values, files, lost)

    def _send_file(
        self, field: str, kind: str, values: Mapping[str, str], files: Mapping[str, File], lost: bool
    ) -> Any:
        chat = self._reach(values)
        named = values.get(field, "")
        file = files.get(named.removeprefix("attach://") if named.startswith("attach://") else field)
        if file is None:
            raise Wrong(400, f"Bad Request: there is no {field} in the request")
        if not file.data:
            raise Wrong(400, "Bad Request: file must be non-empty")
        if len(file.data) > LARGEST_UPLOAD or (field == "photo" and len(file.data) > LARGEST_PHOTO):
            raise Wrong(413, "Request Entity Too Large")
        if field == "photo" and not file.data.startswith(_PICTURES):
            raise Wrong(400, "Bad Request: IMAGE_PROCESS_FAILED")
        caption = values.get("caption", "").strip()
        if _units(caption) > LONGEST_CAPTION:
            raise Wrong(400, "Bad Request: message caption is too long")
        choices, markup = _keyboard(values)
        shown = {field: _sizes() if field == "photo" else {**_file_id(), "file_name": file.filename}}
        content = shown | markup | ({"caption": caption} if caption else {})
        return self._deliver(chat, content, caption, kind, choices, file, lost)

    def _reach(self, values: Mapping[str, str]) -> int:
        chat = _whole(values, "chat_id", 0)
        if chat not in self._message_ids:  # a bot cannot speak first
            raise Wrong(400, "Bad Request: chat not found")
        if chat in self._blocked:
            raise Wrong(403, "Forbidden: bot was blocked by the user")
        for limit, times in ((self.per_second, self._sent_at[0]), (self.per_chat, self._sent_at[chat])):
            now = time.monotonic()
            while times and times[0] <= now - 1:
                times.popleft()
            if limit and len(times) >= limit:
                raise Wrong(429, "Too Many Requests: retry after 1", retry_after=1)
        for times in (self._sent_at[0], self._sent_at[chat]):
            times.append(time.monotonic())
        return chat

    def _deliver(
        self,
        chat: int,
        content: dict[str, Any],
        text: str,
        kind: str,
        choices: tuple[Choice, ...],
        file: File | None,
        lost: bool,
    ) -> Any:
        message = self._message(chat, content) | {"from": self._do_getme()}
        self._messages[chat, message["message_id"]] = message
        provider_id = f"{chat}.{message['message_id']}"
        self.ledger.accept(Accepted(provider_id, self.channel, str(chat), text, kind, choices, file=file, lost=lost))
        return message

    def _do_editmessagereplymarkup(self, values: Mapping[str, str], *_: Any) -> Any:
        chat = self._reach_to_edit(values)
        key = (chat, _whole(values, "message_id", 0))
        message = self._messages.get(key)
        if message is None:
            raise Wrong(400, "Bad Request: message to edit not found")
        choices, markup = _keyboard(values)
        if markup.get("reply_markup") == message.get("reply_markup"):
            raise Wrong(400, "Bad Request: message is not modified")
        self._messages[key] = {name: value for name, value in message.items() if name != "reply_markup"} | markup
        shown = self.ledger.find(f"{chat}.{key[1]}")
        if shown is not None:
            self.ledger.edit(replace(shown, choices=choices))
        return self._messages[key]

    def _reach_to_edit(self, values: Mapping[str, str]) -> int:
        chat = _whole(values, "chat_id", 0)
        if chat in self._blocked:
            raise Wrong(403, "Forbidden: bot was blocked by the user")
        return chat

    def _do_answercallbackquery(self, values: Mapping[str, str], *_: Any) -> Any:
        chat = self._queries.pop(values.get("callback_query_id", ""), None)
        if chat is None:
            raise Wrong(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if len(values.get("text", "")) > LONGEST_NOTICE:
            raise Wrong(400, "Bad Request: MESSAGE_TOO_LONG")
        self.notices.append((chat, values.get("text", "")))
        if values.get("text"):
            self.ledger.tell(Event("note", self.channel, chat, text=values["text"]))
        return True

    def _do_setmycommands(self, values: Mapping[str, str], *_: Any) -> Any:
        commands = json.loads(values.get("commands") or "[]")
        if len(commands) > 100:
            raise Wrong(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not _NAME.fullmatch(command.get("command", "")):
                raise Wrong(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command.get("description", "")) <= 256:
                raise Wrong(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.menus[values.get("language_code", "")] = commands
        return True

    def _do_leavechat(self, values: Mapping[str, str], *_: Any) -> Any:
        self.left.append(_whole(values, "chat_id", 0))
        return True


def _is_send(scope: Scope) -> bool:
    return scope["path"].rpartition("/")[2] in _SENDING


def _error(wrong: Wrong) -> Response:
    document = {"ok": False, "error_code": wrong.status, "description": wrong.description}
    return JSONResponse(document | ({"parameters": wrong.parameters} if wrong.parameters else {}), wrong.status)


async def _read(request: Request) -> tuple[dict[str, str], dict[str, File]]:
    """Return parameters and files from the query, a form, a multipart body or JSON: the API takes all four."""
    values, files = dict(request.query_params), {}
    body, content_type = await request.body(), request.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        values |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    elif content_type.startswith("application/json"):
        values |= {name: v if isinstance(v, str) else json.dumps(v) for name, v in json.loads(body).items()}
    elif content_type.startswith("multipart/form-data"):
        message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
        for part in message.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            data = bytes(part.get_payload(decode=True) or b"")
            if part.get_filename() is None:
                values[name] = data.decode()
            else:
                files[name] = File(part.get_content_type(), str(part.get_filename()), data)
    return values, files


def _whole(values: Mapping[str, str], name: str, otherwise: int) -> int:
    try:
        return int(values.get(name) or otherwise)
    except ValueError:
        raise Wrong(400, f"Bad Request: {name} must be a number") from None


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _keyboard(values: Mapping[str, str]) -> tuple[tuple[Choice, ...], dict[str, Any]]:
    """Return the buttons and the markup of a message; raise Wrong as the real server does."""
    if not values.get("reply_markup"):
        return (), {}
    markup = json.loads(values["reply_markup"])
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Wrong(400, 'Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    buttons = [button for row in rows for button in row]
    if len(buttons) > MOST_BUTTONS:
        raise Wrong(400, "Bad Request: REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        if not str(button.get("text") or "").strip():
            raise Wrong(400, "Bad Request: text buttons are unallowed in the inline keyboard")
        if not 1 <= len(str(button.get("callback_data") or "").encode()) <= LONGEST_DATA:
            raise Wrong(400, "Bad Request: BUTTON_DATA_INVALID")
    choices = tuple(Choice(button["callback_data"], button["text"]) for button in buttons)
    return choices, {"reply_markup": {"inline_keyboard": rows}} if buttons else {}


def _chat(chat: int) -> dict[str, Any]:
    if chat < 0:
        return {"id": chat, "type": "supergroup", "title": "Commerçants"}
    return {"id": chat, "type": "private", "first_name": "Commerçante"}


def _content(written: Written) -> dict[str, Any]:
    """Return what a message of an owner holds."""
    if written.place is not None:
        return {"location": {"latitude": written.place[0], "longitude": written.place[1]}}
    if written.file is None:
        command = re.match(r"/\w+(@\w+)?", written.text)
        entities = [{"type": "bot_command", "offset": 0, "length": command.end()}] if command else []
        return {"text": written.text} | ({"entities": entities} if entities else {})
    caption = {"caption": written.text} if written.text else {}
    kind, named = written.file.content_type, {"mime_type": written.file.content_type}
    if kind == "image/webp":
        sticker = {**_file_id(), "type": "regular", "width": 512, "height": 512, "is_animated": False}
        return {"sticker": sticker | {"is_video": False}}
    if kind.startswith("image/"):
        return {"photo": _sizes()} | caption
    if kind == "audio/ogg":
        return {"voice": {**_file_id(), **named, "duration": 3}} | caption
    if kind.startswith("video/"):
        return {"video": {**_file_id(), **named, "width": 640, "height": 480, "duration": 3}} | caption
    return {"document": {**_file_id(), **named, "file_name": written.file.filename}} | caption


def _file_id() -> dict[str, str]:
    return {"file_id": secrets.token_hex(16), "file_unique_id": secrets.token_hex(8)}


def _sizes() -> list[dict[str, Any]]:
    return [{**_file_id(), "width": side, "height": side} for side in (90, 320)]
