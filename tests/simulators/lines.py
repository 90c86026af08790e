"""The lines that phones hang on: each brings what an owner does to a provider's stand-in, or to the web chat."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from tests.simulators.ledger import Accepted, Choice, Event, File, Ledger, Written
from tests.simulators.smpp import Smsc
from tests.simulators.sms_http import Aggregator
from tests.simulators.twilio import Twilio


class Line(Protocol):
    """What the phone page needs of a channel."""

    channel: str

    @property
    def ledger(self) -> Ledger:
        """Return where what happens is noted."""

    def new_number(self) -> str:
        """Return a number, id or session that nobody has used."""

    async def say(self, number: str, written: Written) -> None:
        """Bring what the owner did to the bot; what goes wrong on the way is told as a `webhook` event."""

    async def close(self) -> None:
        """End what runs beside."""


def moroccan_mobile() -> str:
    """Return a mobile number of Morocco in E.164."""
    return f"+2126{secrets.randbelow(10**8):08d}"


@dataclass
class TwilioLine:
    """WhatsApp, or SMS where Twilio carries it."""

    twilio: Twilio
    channel: str

    @property
    def ledger(self) -> Ledger:
        return self.twilio.ledger

    def new_number(self) -> str:
        return moroccan_mobile()

    async def say(self, number: str, written: Written) -> None:
        await self.twilio.say(self.channel, number, written)

    async def close(self) -> None:
        await self.twilio.close()


@dataclass
class AggregatorLine:
    """SMS over the HTTP aggregator."""

    aggregator: Aggregator
    channel: str = "sms"

    @property
    def ledger(self) -> Ledger:
        return self.aggregator.ledger

    def new_number(self) -> str:
        return moroccan_mobile()

    async def say(self, number: str, written: Written) -> None:
        await self.aggregator.say(number, written)

    async def close(self) -> None:
        await self.aggregator.close()


@dataclass
class SmppLine:
    """SMS over SMPP; a message waits in the SMSC until the bot is bound and has answered it."""

    smsc: Smsc
    channel: str = "sms"

    @property
    def ledger(self) -> Ledger:
        return self.smsc.ledger

    def new_number(self) -> str:
        return moroccan_mobile()

    async def say(self, number: str, written: Written) -> None:
        status = await self.smsc.write(number.lstrip("+"), written.text)
        if status:
            self.ledger.tell(Event("webhook", self.channel, number, status=f"0x{status:02X}"))

    async def close(self) -> None:
        await self.smsc.stop()


@dataclass
class WebLine:
    """The web chat of the running bot; it has no provider, so the line reads replies as the page does."""

    gateway: str
    channel: str = "web"
    ledger: Ledger = field(default_factory=Ledger)
    poll_seconds: float = 3.0
    _seen: dict[str, int] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _client: httpx.AsyncClient | None = None
    _polling: asyncio.Task[None] | None = None

    def new_number(self) -> str:
        return f"phone-{secrets.token_hex(12)}"

    async def say(self, number: str, written: Written) -> None:
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        body = {"conversation": number, "message_id": secrets.token_hex(8), **_as_web(written)}
        self._busy.add(number)
        try:
            await self._send(number, body)
        except httpx.HTTPError as error:
            self.ledger.tell(Event("webhook", self.channel, number, status="0", code=type(error).__name__))
        finally:
            self._busy.discard(number)

    async def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, number: str, body: dict[str, str]) -> None:
        while True:
            answer = await self._http().post(f"{self.gateway}/api/chat/messages", json=body)
            if answer.status_code != 202:  # 202: the turn is under way, asking again gives its replies
                break
        if answer.status_code != 200:
            self.ledger.tell(Event("webhook", self.channel, number, status=str(answer.status_code), code="refused"))
            return
        for message in answer.json()["messages"]:
            await self._show(number, message)

    async def _poll(self) -> None:
        """Fetch what the bot says of its own accord."""
        while True:
            await asyncio.sleep(self.poll_seconds)
            for number in [number for number in self._seen if number not in self._busy]:
                parameters = {"conversation": number, "after": str(self._seen[number])}
                try:
                    answer = await self._http().get(f"{self.gateway}/api/chat/messages", params=parameters)
                    rows = answer.json().get("messages", []) if answer.status_code == 200 else []
                except (httpx.HTTPError, ValueError):
                    continue
                for message in rows:
                    if message.get("from") == "rafiq" and number not in self._busy:
                        await self._show(number, message)

    async def _show(self, number: str, message: dict[str, Any]) -> None:
        shown = int(message.get("id") or 0)
        if shown and shown <= self._seen.get(number, 0):
            return
        self._seen[number] = max(shown, self._seen.get(number, 0))
        choices = tuple(
            Choice(row["choice"], row["title"], row.get("description") or "") for row in message.get("buttons") or ()
        )
        path = message.get("image") or message.get("document")
        file = await self._fetch(path) if path else None
        kind = "text" if file is None else "image" if message.get("image") else "document"
        self.ledger.accept(
            Accepted(secrets.token_hex(8), self.channel, number, message.get("text") or "", kind, choices, file=file)
        )

    async def _fetch(self, path: str) -> File | None:
        try:
            answer = await self._http().get(self.gateway + path)
        except httpx.HTTPError:
            return None
        name = answer.headers.get("content-disposition", "").partition('filename="')[2].rstrip('"')
        return File(answer.headers.get("content-type", ""), name, answer.content) if answer.status_code == 200 else None

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=60)
        return self._client


def _as_web(written: Written) -> dict[str, str]:
    if written.pressed is not None:
        return {"choice": written.pressed.id}
    if written.file is not None:
        return {"media": written.file.content_type.partition(";")[0]}
    return {"text": written.text}
