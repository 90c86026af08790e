"""What an update of Telegram says: messages for the inbox, a button that was pressed, a group to leave."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, ChatMember, ChatMemberUpdated, Message, PhotoSize, Sticker, Update, VideoNote, Voice

from bot.channels.web import storable
from bot.storage.inbox import BLOCKED, RESTARTED, UNBLOCKED, Incoming

NAME = "telegram"
# Edits are not asked for: the answer that stood there first has been counted and replied to, and "back" corrects it.
WANTED = ["message", "callback_query", "my_chat_member"]
RESTART_COMMAND = "start"
UNKNOWN_TYPE = "application/octet-stream"
_COMMAND = re.compile(r"^/([A-Za-z0-9_]{1,32})(?:@\w{1,64})?(?:\s+(.*))?\Z", re.DOTALL)
_CONTENT_TYPE = re.compile(r"^[a-z]{1,20}/[a-z0-9.+-]{1,64}\Z")


class Unreadable(Exception):
    """This is no update of Telegram."""


@dataclass(frozen=True)
class Press:
    """A button was pressed: which, under which message, and in which language its phone is set."""

    update_id: int
    query_id: str
    chat: str
    message_id: int
    data: str
    phone_language: str


@dataclass(frozen=True)
class Heard:
    """All that an update says to us; most say one thing."""

    messages: tuple[Incoming, ...] = ()
    press: Press | None = None
    group: int | None = None
    """A group or channel: Rafiq speaks with one owner at a time."""


def update_id(raw: Any) -> int:
    """Return the id of an update; raise Unreadable when it is none."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        raise Unreadable
    return number


def hear(raw: dict[str, Any], commands: Mapping[str, str]) -> Heard:
    """Read an update; `commands` gives the choice that each command stands for. Raise Unreadable."""
    number = update_id(raw)
    try:
        update = Update.de_json({key: raw.get(key) for key in ("update_id", *WANTED)})
        return _hear(number, update, commands)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
        raise Unreadable from None


def _hear(number: int, update: Update, commands: Mapping[str, str]) -> Heard:
    if update.callback_query is not None:
        return _pressed(number, update.callback_query)
    message, change = update.message, update.my_chat_member
    if message is not None:
        chat = _whole(message.chat.id)
        if message.chat.type != "private":
            return Heard(group=chat)
        return Heard(tuple(_said(number, str(chat), message, commands)))
    if change is not None:
        chat = _whole(change.chat.id)
        if change.chat.type != "private":
            return Heard(group=None if _is_gone(change) else chat)
        signal = _membership(change)
        return Heard((Incoming(NAME, str(chat), f"update-{number}", signal, ""),) if signal else ())
    return Heard()


def _whole(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 2**53:
        raise ValueError
    return number


def _pressed(number: int, query: CallbackQuery) -> Heard:
    if query.message is None:  # under a message of another bot's inline mode: none of ours
        return Heard()
    chat = _whole(query.message.chat.id)
    if query.message.chat.type != "private":
        return Heard(group=chat)
    message_id = _whole(query.message.message_id)
    language = str(query.from_user.language_code or "")
    return Heard(press=Press(number, str(query.id), str(chat), message_id, str(query.data or ""), language))


def _is_gone(change: ChatMemberUpdated) -> bool:
    return change.new_chat_member.status in (ChatMember.LEFT, ChatMember.BANNED)


def _membership(change: ChatMemberUpdated) -> str | None:
    """Return the signal of an owner who blocked us or took it back."""
    was, now = change.old_chat_member.status, change.new_chat_member.status
    if now == ChatMember.BANNED:
        return BLOCKED
    return UNBLOCKED if was == ChatMember.BANNED else None


def _said(number: int, chat: str, message: Message, commands: Mapping[str, str]) -> list[Incoming]:
    """Return what a message says; an owner who sends /start wants messages again, whatever stopped them."""
    kind, body = _content(message, commands)
    if not kind:
        return []
    said = [Incoming(NAME, chat, f"update-{number}", kind, storable(body))]
    if _command(message.text) == RESTART_COMMAND:
        said.insert(0, Incoming(NAME, chat, f"update-{number}-restart", RESTARTED, ""))
    return said


def _command(text: str | None) -> str:
    match = _COMMAND.match(text) if isinstance(text, str) else None
    return match[1].lower() if match else ""


def _content(message: Message, commands: Mapping[str, str]) -> tuple[str, str]:
    """Return kind and body as the inbox takes them; an empty kind for what nobody said, such as a pinned message."""
    words = message.text or message.caption
    if isinstance(words, str) and words:
        return _words(words, commands)
    if message.location is not None:
        latitude, longitude = float(message.location.latitude), float(message.location.longitude)
        if not (math.isfinite(latitude) and abs(latitude) <= 90 and math.isfinite(longitude) and abs(longitude) <= 180):
            raise ValueError
        return "location", f"{latitude},{longitude}"
    return ("media", _content_type(message)) if message.effective_attachment else ("", "")


def _words(text: str, commands: Mapping[str, str]) -> tuple[str, str]:
    """Return the choice of a command, whatever follows /start; a command with words after it is a sentence."""
    command, rest = _command(text), (_COMMAND.match(text) or ["", "", ""])[2]
    choice = commands.get(command)
    if choice is None:
        return "text", text
    if rest and command != RESTART_COMMAND:
        return "text", text.lstrip("/")
    return "choice", choice


def _content_type(message: Message) -> str:
    """Return the content type; the sender's phone names it, so it may be anything."""
    if message.contact is not None:
        return "text/vcard"
    content = message.effective_attachment
    if isinstance(content, (tuple, list)):
        content = content[-1] if content else None
    if isinstance(content, PhotoSize):
        return "image/jpeg"
    if isinstance(content, Sticker):
        return "image/webp"
    if isinstance(content, VideoNote):
        return "video/mp4"
    named = str(getattr(content, "mime_type", None) or "").lower().partition(";")[0].strip()
    if _CONTENT_TYPE.match(named):
        return named
    return "audio/ogg" if isinstance(content, Voice) else UNKNOWN_TYPE
