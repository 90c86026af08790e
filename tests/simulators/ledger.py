"""What a stand-in took, what it refused and what became of it: for tests, measurements and the phone page."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A button or list row as the owner sees it; `id` is what pressing it sends back."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True)
class File:
    """A picture, document or recording on its way to or from an owner."""

    content_type: str
    filename: str
    data: bytes


@dataclass(frozen=True)
class Written:
    """What an owner does on a phone: types, presses a choice of a message, sends a file or a place."""

    text: str = ""
    pressed: Choice | None = None
    pressed_on: str = ""
    """provider id of the message whose choice was pressed"""
    file: File | None = None
    place: tuple[float, float] | None = None
    """latitude and longitude"""


@dataclass(frozen=True)
class Accepted:
    """A message that the stand-in took from the bot; `lost` when the bot was never told so."""

    provider_id: str
    channel: str
    address: str
    text: str
    kind: str = "text"
    """text, quick-reply, list, inline, image, document or template"""
    choices: tuple[Choice, ...] = ()
    label: str = ""
    """what opens a list"""
    file: File | None = None
    segments: int = 1
    encoding: str = ""
    lost: bool = False
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Event:
    """Something a phone shows: `what` is accepted, edited, status, refused or webhook."""

    what: str
    channel: str
    address: str
    provider_id: str = ""
    status: str = ""
    code: str = ""
    text: str = ""
    message: Accepted | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """Keeps what happened, in order; `counts` has one key for each kind of outcome."""

    def __init__(self) -> None:
        self.accepted: list[Accepted] = []
        self.counts: Counter[str] = Counter()
        self.statuses: dict[str, str] = {}
        self._by_id: dict[str, Accepted] = {}
        self._by_address: defaultdict[str, list[Accepted]] = defaultdict(list)
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call this with each event from now on, on the stand-in's own thread."""
        self._listeners.append(listener)

    def accept(self, message: Accepted) -> None:
        """Note a message that was taken."""
        self.accepted.append(message)
        self._by_id[message.provider_id] = message
        self._by_address[message.address].append(message)
        self.counts["accepted"] += 1
        if message.lost:
            self.counts["answer lost"] += 1
        self.tell(Event("accepted", message.channel, message.address, message.provider_id, message=message))

    def edit(self, message: Accepted) -> None:
        """Note that a message looks otherwise now: its keyboard is gone, its picture has come."""
        self._by_id[message.provider_id] = message
        self.tell(Event("edited", message.channel, message.address, message.provider_id, message=message))

    def find(self, provider_id: str) -> Accepted | None:
        """Return a message that was taken, as it looks now."""
        return self._by_id.get(provider_id)

    def refuse(self, channel: str, address: str, code: str, reason: str) -> None:
        """Note a call that was turned away."""
        self.counts[f"refused {code}"] += 1
        self.tell(Event("refused", channel, address, code=code, text=reason))

    def status(self, channel: str, address: str, provider_id: str, status: str, code: str = "") -> None:
        """Note what became of a message that was taken."""
        self.statuses[provider_id] = status
        self.counts[f"status {status}"] += 1
        self.tell(Event("status", channel, address, provider_id, status, code))

    def tell(self, event: Event) -> None:
        """Hand an event to whoever listens."""
        for listener in self._listeners:
            listener(event)

    def to(self, address: str) -> list[Accepted]:
        """Return what was taken for an address, in order."""
        return list(self._by_address[address])

    def texts(self, address: str) -> list[str]:
        """Return the words of what was taken for an address, in order."""
        return [message.text for message in self._by_address[address]]

    def addresses(self) -> list[str]:
        """Return every address that something was taken for."""
        return [address for address, messages in self._by_address.items() if messages]
