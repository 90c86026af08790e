"""A reply as WhatsApp messages: texts, interactive messages, media, templates. Pure: the same reply, the same parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.channels.channel import Button, Reply

LONGEST_TEXT = 1600
LONGEST_CAPTION = 1024
LONGEST_BODY = 1024
# The body's lines are separate values of its template: what fills a template may hold no line break.
MOST_LINES = 12
LONGEST_ID = 200
LONGEST_DESCRIPTION = 72
# The titles of quick replies and of the rows of a list, and how many there may be.
QUICK_REPLIES, QUICK_REPLY_TITLE = 3, 20
ROWS, ROW_TITLE = 10, 24
ELLIPSIS = "…"


@dataclass(frozen=True)
class Words:
    """A plain text."""

    text: str


@dataclass(frozen=True)
class Choices:
    """An interactive message: quick replies, or a list where there are more than three; titles fit."""

    body: str
    buttons: tuple[Button, ...]
    offered: tuple[str, ...]
    language: str

    @property
    def is_list(self) -> bool:
        """Say whether it is shown as a list."""
        return len(self.buttons) > QUICK_REPLIES

    def as_text(self) -> str:
        """Return the same as numbered text: the open prompt understands the numbers."""
        return f"{self.body}\n\n{_lines(self.offered)}"


@dataclass(frozen=True)
class Attachment:
    """A picture or document, with a caption where it can have one."""

    media_id: str
    caption: str = ""


@dataclass(frozen=True)
class Approved:
    """A template that WhatsApp has approved, for what is said outside the window."""

    name: str
    language: str
    variables: tuple[str, ...]


Part = Words | Choices | Attachment | Approved


def parts(reply: Reply) -> Sequence[Part]:
    """Return the messages of a reply, in order."""
    if reply.template is not None:
        return [Approved(reply.template, reply.language, reply.variables)]
    text = reply.text.strip()
    if reply.buttons:
        return [*_attachments(reply, ""), *_with_buttons(text, reply)]
    captioned = reply.image is not None and len(text) <= LONGEST_CAPTION
    if captioned:
        return _attachments(reply, text)
    return [*map(Words, split(text, LONGEST_TEXT)), *_attachments(reply, "")]


def _attachments(reply: Reply, caption: str) -> list[Part]:
    """Return the picture, which may have a caption, and the document, which may not."""
    picture = [Attachment(reply.image, caption)] if reply.image else []
    return [*picture, *([Attachment(reply.document)] if reply.document else [])]


def _with_buttons(text: str, reply: Reply) -> list[Part]:
    offered = tuple(_offered(button, LONGEST_TEXT) for button in reply.buttons)
    if not text or not _can_be_pressed(reply.buttons):
        return [Words(piece) for piece in split(f"{text}\n\n{_lines(offered)}".strip(), LONGEST_TEXT)]
    short = tuple(_offered(button, LONGEST_DESCRIPTION) for button in reply.buttons)
    # The numbered text that stands for it must fit into one message too.
    *before, body = split_end(_plain(text), min(LONGEST_BODY, LONGEST_TEXT - len(_lines(short)) - 2))
    fits = len(body) + len(_lines(offered)) + 2 <= LONGEST_TEXT
    shown = Choices(body, _shown(reply.buttons), offered if fits else short, reply.language)
    return [*map(Words, before), shown]


def _can_be_pressed(buttons: Sequence[Button]) -> bool:
    choices = [button.choice for button in buttons]
    # What fills a template holds no line break; no choice of ours holds any space.
    readable = all(button.title.strip() and button.choice.split() == [button.choice] for button in buttons)
    return (
        readable
        and len(buttons) <= ROWS
        and len(set(choices)) == len(choices)
        and all(len(choice) <= LONGEST_ID for choice in choices)
    )


def _shown(buttons: Sequence[Button]) -> tuple[Button, ...]:
    """Return the buttons with titles that fit and differ; a row tells in its description what its title cannot."""
    is_list = len(buttons) > QUICK_REPLIES
    limit = ROW_TITLE if is_list else QUICK_REPLY_TITLE
    titles = [cut(button.title, limit) for button in buttons]
    if len({title.casefold() for title in titles}) < len(titles):
        titles = [cut(f"{number}. {button.title}", limit) for number, button in enumerate(buttons, 1)]
    whole = [" ".join(button.title.split()) for button in buttons]
    descriptions = [
        cut(button.description or ("" if title == full else full), LONGEST_DESCRIPTION) if is_list else ""
        for button, title, full in zip(buttons, titles, whole, strict=True)
    ]
    return tuple(
        Button(button.choice, title, description)
        for button, title, description in zip(buttons, titles, descriptions, strict=True)
    )


def _offered(button: Button, limit: int) -> str:
    title = " ".join(button.title.split())
    whole = f"{title} ({' '.join(button.description.split())})" if button.description.strip() else title
    return whole if len(whole) <= limit else cut(title, limit)


def _lines(offered: Sequence[str]) -> str:
    return "\n".join(f"{number}. {title}" for number, title in enumerate(offered, 1))


def cut(text: str, limit: int) -> str:
    """Return the text in one line of at most so many characters, cut at a word, with an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    kept = text[: limit - len(ELLIPSIS)]
    at = kept.rfind(" ") if text[len(kept)] != " " else len(kept)
    return (kept[:at] if at >= limit // 2 else kept).rstrip(" ,;:.") + ELLIPSIS


def split(text: str, limit: int) -> list[str]:
    """Return the text in pieces of at most so many characters: at paragraphs, else lines, else words."""
    return list(_pieces(text.strip(), limit))


def _pieces(text: str, limit: int) -> Iterator[str]:
    while len(text) > limit:
        found = (text.rfind(mark, 1, limit + len(mark)) for mark in ("\n\n", "\n", " "))
        # A break near the start would leave a scrap: a lesser one further on is better.
        at = next((at for at in found if at >= limit // 3), limit)
        yield text[:at].rstrip()
        text = text[at:].lstrip()
    if text:
        yield text


def _plain(text: str) -> str:
    """Return the text with single spaces, and at most one empty line between others."""
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def split_end(text: str, limit: int) -> list[str]:
    """Return the text in pieces of which the last fits into the body of an interactive message."""
    if _is_body(text, limit):
        return [text]
    for mark in ("\n\n", "\n", " "):
        for found in re.finditer(mark, text):
            end = text[found.end() :].strip()
            if end and _is_body(end, limit):
                return [*split(text[: found.start()], LONGEST_TEXT), end]
    start = len(text) - limit
    return [*split(text[:start], LONGEST_TEXT), text[start:]]


def _is_body(text: str, limit: int) -> bool:
    return len(text) <= limit and len([line for line in text.split("\n") if line]) <= MOST_LINES
