"""What every channel is: how to read what arrives, and how to render and send what leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.storage.inbox import Incoming


@dataclass(frozen=True)
class Button:
    """A choice offered to the owner: what pressing it sends back, its title, and a line for lists."""

    choice: str
    title: str
    description: str = ""


@dataclass(frozen=True)
class Reply:
    """A row of the outbox as a channel renders it; image and document are media ids, and the text says the same.

    `sms` is the whole reply worded for SMS, choices included, where there is such a wording.
    `template` names an approved template for what is said outside the channel's window, `variables` fill it.
    """

    outbox_id: int
    text: str
    buttons: tuple[Button, ...] = ()
    image: str | None = None
    document: str | None = None
    language: str = "fr"
    template: str | None = None
    variables: tuple[str, ...] = ()
    sms: str = ""

    @classmethod
    def from_payload(cls, outbox_id: int, payload: Mapping[str, Any]) -> Reply:
        """Read the outbox's JSON form."""
        return cls(
            outbox_id,
            str(payload.get("text") or ""),
            tuple(
                Button(row["choice"], row["title"], row.get("description", "")) for row in payload.get("buttons") or ()
            ),
            payload.get("image"),
            payload.get("document"),
            payload.get("language") or "fr",
            payload.get("template"),
            tuple(payload.get("variables") or ()),
            str(payload.get("sms") or ""),
        )


@dataclass(frozen=True)
class MediaFile:
    """A picture or document: its bytes, and the signed public address that serves it for a while."""

    content_type: str
    filename: str
    data: bytes
    url: str


LoadMedia = Callable[[str], Awaitable[MediaFile | None]]
"""Give the media with this id; None when it has expired."""


@dataclass(frozen=True)
class Sent:
    """A provider took a part: its message id, how far it is, and what it costs in segments (SMS)."""

    provider_id: str
    status: str = "sent"
    segments: int = 1


class SendError(Exception):
    """A provider did not take a message; `code` is the provider's own, or a name of ours, without personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Retryable(SendError):
    """It may work later: 429, 5xx, a time-out, a reset; `after` is what the provider asks for, in seconds."""

    def __init__(self, code: str, after: float | None = None) -> None:
        super().__init__(code)
        self.after = after


class NotTried(Retryable):
    """Nothing was asked of the provider: its turn has not come. However often that happens, no try is used up."""


class Permanent(SendError):
    """It will never work: an unknown number, a refused content."""


class OptedOut(Permanent):
    """The provider knows that the owner wants no more messages, or the owner has blocked us."""


class WindowClosed(SendError):
    """Free text is not allowed now: the message waits until the owner writes again."""


def error_as_text(error: SendError) -> str:
    """Return an error in the form that a delivery keeps: what it means, and the provider's code."""
    return f"{type(error).__name__} {error.code}"[:64]


def error_from_text(text: str) -> SendError:
    """Return the error that was kept; one that means nothing here is permanent."""
    meaning, _, code = text.partition(" ")
    kinds = (Retryable, OptedOut, WindowClosed)
    return next((kind(code) for kind in kinds if kind.__name__ == meaning), Permanent(code or meaning))


@dataclass(frozen=True)
class Report:
    """What a provider says later of a message it took; a failure carries the error that sending would have raised.

    `channel` is set where one webhook serves several channels.
    """

    provider_id: str
    status: str
    error: SendError | None = None
    channel: str = ""


@dataclass(frozen=True)
class Webhook:
    """A request as it came in, body untouched; `url` is the public address, as the provider was given it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Received:
    """What a webhook held, and what the provider wants to read as an answer."""

    messages: tuple[Incoming, ...] = ()
    reports: tuple[Report, ...] = ()
    answer: str = ""
    content_type: str = "text/plain"


class Refused(Exception):
    """The request is not the provider's (403), or cannot be read (400): nothing of it is kept."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


Reader = Callable[[Webhook], "Received | Awaitable[Received]"]
"""Read a request, or raise Refused; a reader that looks something up is asynchronous, so that nobody waits for it."""

TakeIn = Callable[[Received], Awaitable[None]]
"""Keep what was received; when it returns, messages are in the inbox and on the disk."""


class Channel(Protocol):
    """One way to reach owners. Rendering is pure; sending talks to the provider and raises SendError."""

    name: str
    window_seconds: float | None
    """How long after the owner's last message free text may be sent; None for always."""

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the paths this channel listens on, such as /webhooks/sms, and how each request is read."""

    def render(self, reply: Reply) -> Sequence[Any]:
        """Return the provider messages of a reply, in order; the same reply gives the same parts."""

    async def send(self, address: str, part: Any, load_media: LoadMedia) -> Sent:
        """Send one part."""

    async def start(self, take_in: TakeIn) -> None:
        """Begin what runs beside webhooks: polling, a bind, reconciliation. Returns at once."""

    async def close(self) -> None:
        """End what start began; what is under way is finished."""

    def state(self) -> str:
        """Return up, down or starting, for the health page."""
