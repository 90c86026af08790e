"""What a reply looks like on Telegram: parts within its limits, keyboards, and the signed data of their buttons."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.bidi import for_reading
from bot.channels.channel import Button, Reply

# Limits of the Bot API, in UTF-16 units.
LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
# Titles up to this many units stand two in a row on a narrow phone.
SHORT_TITLE = 14
# Pressed again, a button that marks what was chosen does nothing.
CHOSEN = "chosen"
# Telegram refuses a keyboard under an empty text.
_NO_WORDS = "…"
_DATA = re.compile(r"^(\d{1,19})\.(\d{1,3})\.([0-9a-f]{16})\Z", re.ASCII)


@dataclass(frozen=True)
class Part:
    """One message of the Bot API: text, or a picture or document with the text as its caption."""

    outbox_id: int
    text: str
    titles: tuple[str, ...] = ()
    image: str | None = None
    document: str | None = None


def parts(reply: Reply) -> list[Part]:
    """Return the messages of a reply; the keyboard stands under the last one, which always has words."""
    text = _words(reply)
    titles = tuple(button.title.strip() or _NO_WORDS for button in reply.buttons)
    if titles and not text:
        text = _NO_WORDS
    media = [Part(reply.outbox_id, "", image=reply.image)] if reply.image else []
    media += [Part(reply.outbox_id, "", document=reply.document)] if reply.document else []
    if media and units(text) <= LONGEST_CAPTION:
        # The file that stands alone goes first, the one that carries the words and the keyboard last.
        *alone, worded = reversed(media)
        return [*alone, replace(worded, text=text, titles=titles)]
    pieces = [Part(reply.outbox_id, piece) for piece in split(text, LONGEST_TEXT)]
    if pieces:
        pieces[-1] = replace(pieces[-1], titles=titles)
    return [*media, *pieces]


def _words(reply: Reply) -> str:
    """Return the text, with what the buttons mean where their titles are too short to say it."""
    lines = [f"{place}. {_explained(button)}" for place, button in enumerate(reply.buttons, 1) if button.description]
    text = "\n".join([*([reply.text, ""] if lines else [reply.text]), *lines]).strip()
    return for_reading(text) if reply.language == "ary-Arab" else text


def _explained(button: Button) -> str:
    return f"{button.title} : {button.description}" if button.title else button.description


def units(text: str) -> int:
    """Return the length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int) -> Iterator[str]:
    """Yield pieces of at most `limit` units, cut between lines or words; a longer word is cut itself."""
    rest = text.strip()
    while units(rest) > limit:
        head = _prefix(rest, limit)
        cut = max(head.rfind("\n"), head.rfind(" ")) if not rest[len(head)].isspace() else len(head)
        line = head.rfind("\n")
        if line > len(head) // 2:
            cut = line
        cut = cut if cut > 0 else len(head)
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    if rest:
        yield rest


def _prefix(text: str, limit: int) -> str:
    """Return the longest beginning of at most `limit` units; no character is cut in two."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


class Signer:
    """Makes and reads the data of buttons: which reply, which button, and proof that this chat was offered it."""

    def __init__(self, key: bytes) -> None:
        """Take a key derived from SECRET_KEY for this purpose."""
        self._key = key

    def data(self, chat: str, outbox_id: int, index: int) -> str:
        """Return at most 64 bytes that Telegram hands back when the button is pressed."""
        return f"{outbox_id}.{index}.{self._signature(chat, outbox_id, index)}"

    def read(self, chat: str, data: str) -> tuple[int, int] | None:
        """Return the reply and the button; None when the data is forged, or was made for another chat."""
        match = _DATA.match(data)
        if match is None:
            return None
        outbox_id, index = int(match[1]), int(match[2])
        return (outbox_id, index) if hmac.compare_digest(match[3], self._signature(chat, outbox_id, index)) else None

    def _signature(self, chat: str, outbox_id: int, index: int) -> str:
        return hmac.new(self._key, f"{chat}.{outbox_id}.{index}".encode(), hashlib.sha256).hexdigest()[:16]


def keyboard(part: Part, chat: str, signer: Signer) -> InlineKeyboardMarkup | None:
    """Return the buttons of a part for a chat, in two columns when all titles are short."""
    if not part.titles:
        return None
    keys = [
        InlineKeyboardButton(title, callback_data=signer.data(chat, part.outbox_id, index))
        for index, title in enumerate(part.titles)
    ]
    columns = 2 if len(keys) > 1 and all(units(title) <= SHORT_TITLE for title in part.titles) else 1
    return InlineKeyboardMarkup([keys[row : row + columns] for row in range(0, len(keys), columns)])


def chosen(title: str) -> InlineKeyboardMarkup:
    """Return what stands in place of a keyboard that was used."""
    return InlineKeyboardMarkup([[InlineKeyboardButton(f"✓ {title}", callback_data=CHOSEN)]])
