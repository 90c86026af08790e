"""SMS: plain numbered text in few segments, carried by whichever provider adapter the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.channels.channel import Reader, Sent, TakeIn

NAME = "sms"


class SmsProvider(Protocol):
    """Carries texts of SMS; what arrives is Incoming of the channel `sms`, with the number in E.164 as address."""

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the webhook paths, as Channel.routes."""

    async def send(self, address: str, text: str) -> Sent:
        """Send one text, in as many segments as it needs; raise SendError."""

    async def start(self, take_in: TakeIn) -> None:
        """Begin what runs beside webhooks, such as a bind."""

    async def close(self) -> None:
        """End what start began."""

    def state(self) -> str:
        """Return up, down or starting."""
