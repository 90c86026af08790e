"""SMS: plain numbered text in few segments, carried by whichever provider adapter the settings name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot import gsm7
from bot.channels.channel import LoadMedia, Reader, Reply, Sent, TakeIn

NAME = "sms"

MOST_SEGMENTS = 10
MOST_CHARACTERS = 1600
# Kept free for the signed link to a document, which is known only when it is sent.
LINK_SEGMENTS = 2

LONGEST_ADDRESS = 40
_AROUND_DIGITS = re.compile(r"[\s().\-/\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_MOROCCAN = re.compile(r"(?:0|\+?2120?|002120?)?([5-8]\d{8})")


@dataclass(frozen=True)
class SmsPart:
    """One SMS of a reply, of one or more segments; `reference` names it, the same at each try."""

    reference: str
    text: str
    document: str | None = None


class SmsProvider(Protocol):
    """Carries texts of SMS; what arrives is Incoming of the channel `sms`, its address made by `sms_address`."""

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the webhook paths, as Channel.routes."""

    async def send(self, address: str, text: str, reference: str) -> Sent:
        """Send one text, in as many segments as it needs; `reference` is the same at each try. Raise SendError."""

    async def start(self, take_in: TakeIn) -> None:
        """Begin what runs beside webhooks, such as a bind."""

    async def close(self) -> None:
        """End what start began."""

    def state(self) -> str:
        """Return up, down or starting."""


class SmsChannel:
    """Replies as SMS, through a provider."""

    name = NAME
    window_seconds: float | None = None

    def __init__(self, provider: SmsProvider) -> None:
        self._provider = provider

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the provider's webhook paths."""
        return self._provider.routes

    def render(self, reply: Reply) -> Sequence[SmsPart]:
        """Return the texts of a reply; a document follows as a link, a picture not at all: the text says the same."""
        texts = split(gsm7.for_sms(_as_text(reply)), MOST_SEGMENTS - (LINK_SEGMENTS if reply.document else 0))
        if reply.document and not texts:
            texts = [""]
        last = len(texts) - 1
        return [
            SmsPart(f"{reply.outbox_id}-{number}", text, reply.document if number == last else None)
            for number, text in enumerate(texts)
        ]

    async def send(self, address: str, part: SmsPart, load_media: LoadMedia) -> Sent:
        """Send one SMS; the link is made now, since it expires."""
        media = await load_media(part.document) if part.document else None
        text = f"{part.text}\n{media.url}".strip() if media else part.text
        return await self._provider.send(address, text, part.reference)

    async def start(self, take_in: TakeIn) -> None:
        """Start the provider's own connection."""
        await self._provider.start(take_in)

    async def close(self) -> None:
        """Close the provider's connection."""
        await self._provider.close()

    def state(self) -> str:
        """Return the provider's state."""
        return self._provider.state()


def _as_text(reply: Reply) -> str:
    """Return the wording made for SMS, which names its own answers; else the text and its numbered choices."""
    if reply.sms:
        return reply.sms
    choices = "\n".join(f"{number} {button.title}" for number, button in enumerate(reply.buttons, 1))
    return "\n".join(part for part in (reply.text, choices) if part.strip())


def split(text: str, most_segments: int = MOST_SEGMENTS) -> list[str]:
    """Cut a text at paragraphs, lines, sentences or words into texts of at most so many segments."""
    rest, texts = _tidy(text), []
    while rest:
        end = _cut_at(rest, _longest_start(rest, most_segments))
        texts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return texts


def _tidy(text: str) -> str:
    """Drop what costs segments and says nothing: spaces at the ends of lines, more than one empty line."""
    lines = "\n".join(line.strip() for line in text.replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]{2,}", " ", lines)).strip()


def _longest_start(text: str, most_segments: int) -> int:
    """Return how many characters fit; a longer start never takes fewer segments."""

    def fits(length: int) -> bool:
        return len(gsm7.segments(text[:length])) <= most_segments

    low, high = 1, min(len(text), MOST_CHARACTERS)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


_BREAKS = [re.compile(pattern) for pattern in (r"\n\n", r"\n", r"(?<=[.!?؟:;؛]) ", r"\s")]


def _cut_at(text: str, longest: int) -> int:
    """Return where to cut: the strongest break in the last half of what fits, else the last one, else mid-word."""
    if longest >= len(text):
        return len(text)
    for pattern in _BREAKS:
        ends = [found.start() for found in pattern.finditer(text, longest // 2, longest + 1)]
        if ends:
            return ends[-1]
    words = [found.start() for found in re.finditer(r"\s", text[: longest + 1])]
    return words[-1] if words else _before_marks(text, longest)


def _before_marks(text: str, end: int) -> int:
    """Step back over accents and joiners, so that a letter keeps its marks."""
    while end > 1 and (unicodedata.combining(text[end]) or text[end] in "\u200d\ufe0f" or text[end - 1] == "\u200d"):
        end -= 1
    return end


def sms_address(raw: str) -> str:
    """Return a sender's address as the inbox knows it; raise ValueError when it is empty or no address.

    Moroccan and international numbers in E.164; short codes and names of senders as they are.
    """
    written = raw.strip()
    compact = _AROUND_DIGITS.sub("", "".join(_ascii_digit(character) for character in written))
    if not compact.strip("+"):
        raise ValueError("the sender is empty")
    if len(written) > LONGEST_ADDRESS:
        raise ValueError("the sender is too long")
    digits = compact.lstrip("+")
    if not (digits.isascii() and digits.isdigit()):
        return written
    if found := _MOROCCAN.fullmatch(compact):
        return f"+212{found[1]}"
    if compact.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00") and len(digits) > 10:
        return f"+{digits[2:]}"
    # A network often leaves the plus out; what is shorter, or begins with a zero, is a code of its own.
    return f"+{digits}" if 10 <= len(digits) <= 15 and not digits.startswith("0") else digits


def _ascii_digit(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
