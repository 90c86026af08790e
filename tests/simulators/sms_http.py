"""An SMS aggregator as local ones are: JSON in with a key, signed forms out for messages and delivery reports.

Its description for the bot is aggregator.yml beside this file.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from tests.simulators.faults import Dice, FaultyApp, answer_lost
from tests.simulators.gsm import encoding_of, segments_of
from tests.simulators.ledger import Accepted, Event, Ledger, Written

MOST_SEGMENTS = 10
WEBHOOK_SECONDS = 10.0
SEND_PATH = "/v1/messages"
_NUMBER = re.compile(r"[1-9][0-9]{7,14}")
_SENDER = re.compile(r"[A-Za-z0-9 ]{1,11}|\+?[0-9]{3,15}")


class Wrong(Exception):
    """A message that the aggregator does not take."""

    def __init__(self, code: str, reason: str, address: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.address = code, reason, address


@dataclass(frozen=True)
class Delivery:
    """An inbound message on its way to the bot's webhook."""

    id: str
    body: str


class Aggregator:
    """One account. Everything runs on the loop that serves `app`."""

    channel = "sms"

    def __init__(self, key: str, secret: str, dice: Dice | None = None) -> None:
        self.key, self.secret = key, secret
        self.dice = dice or Dice()
        self.ledger = Ledger()
        self.messages_url = ""
        self.reports_url = ""
        self.number = "+212520000003"
        self.report_delay = 0.05
        self.blocked: set[str] = set()
        """Numbers in E.164 that the aggregator's blacklist holds."""
        self.unreachable: dict[str, str] = {}
        """Numbers whose messages are taken and reported UNDELIV, with the error."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.app: ASGIApp = FaultyApp(
            Starlette(routes=[Route(SEND_PATH, self._take, methods=["POST"])]),
            self.dice,
            self.ledger.counts,
            _is_send,
            lambda after: JSONResponse({"status": "error", "code": "BUSY"}, 429, {"Retry-After": f"{after:g}"}),
        )

    async def close(self) -> None:
        """Drop reports that are under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ---- what an owner does

    def write(self, sender: str, written: Written) -> Delivery:
        """Take an SMS from a phone; `sender` is written as the network writes it, +2126… or 06…"""
        message = secrets.token_hex(12)
        fields = {
            "id": message,
            "from": sender,
            "to": self.number,
            "text": written.text,
            "received": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        return Delivery(message, urlencode(fields))

    async def deliver(self, delivery: Delivery) -> int:
        """Post an inbound message to the bot, signed; return the HTTP status, 0 when nobody answered."""
        return await self._post(self.messages_url, delivery.body)

    async def say(self, sender: str, written: Written) -> int:
        """Write and deliver, up to three times as the aggregator does."""
        delivery, status = self.write(sender, written), 0
        for pause in (0.0, 1.0, 3.0):
            await asyncio.sleep(pause)
            status = await self.deliver(delivery)
            if 200 <= status < 300 or 400 <= status < 500:
                break
        if not 200 <= status < 300:
            self.ledger.tell(Event("webhook", self.channel, sender, delivery.id, str(status)))
        return status

    def sign(self, body: str) -> str:
        """Return the signature that goes with a body."""
        return hmac.new(self.secret.encode(), body.encode(), hashlib.sha256).hexdigest()

    # ---- the API

    async def _take(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self.key}".encode()):
            return JSONResponse({"status": "error", "code": "UNAUTHORIZED"}, 401)
        try:
            message = self._message(json.loads(await request.body()), answer_lost(request.scope))
        except Wrong as wrong:
            self.ledger.refuse(self.channel, wrong.address, wrong.code, wrong.reason)
            # As many of its kind: a refusal is a 200 whose body says no.
            return JSONResponse({"status": "error", "code": wrong.code, "message": wrong.reason})
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"status": "error", "code": "BAD_REQUEST"}, 400)
        self.ledger.accept(message)
        task = asyncio.create_task(self._report(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return JSONResponse({"status": "accepted", "id": message.provider_id, "parts": message.segments}, 202)

    def _message(self, document: dict[str, str], lost: bool) -> Accepted:
        number, text = document["to"], document["text"]
        if not _NUMBER.fullmatch(number):
            raise Wrong("BAD_NUMBER", f"{number!r} is no number in international format without plus")
        address = f"+{number}"
        if not _SENDER.fullmatch(document["from"]):
            raise Wrong("BAD_SENDER", f"{document['from']!r} is no sender", address)
        if not text.strip():
            raise Wrong("EMPTY", "there is no text", address)
        encoding, parts = encoding_of(text), segments_of(text)
        if document["coding"] not in ("gsm", "unicode"):
            raise Wrong("BAD_CODING", "coding is gsm or unicode", address)
        if encoding == "UCS-2" and document["coding"] == "gsm":
            outside = "".join(sorted({letter for letter in text if encoding_of(letter) == "UCS-2"}))
            raise Wrong("BAD_CODING", f"not in the GSM alphabet: {outside}", address)
        coded = "UCS-2" if document["coding"] == "unicode" else "GSM-7"
        if coded != encoding:  # paid as unicode although it need not be
            parts = -(-len(text) // 67) if len(text) > 70 else 1
        if parts > MOST_SEGMENTS:
            raise Wrong("TOO_LONG", f"{parts} parts, more than {MOST_SEGMENTS}", address)
        if address in self.blocked:
            raise Wrong("BLACKLISTED", "this number wants no messages", address)
        return Accepted(secrets.token_hex(10), self.channel, address, text, segments=parts, encoding=coded, lost=lost)

    async def _report(self, message: Accepted) -> None:
        error = self.unreachable.get(message.address, "")
        for status, shown in (("ENROUTE", "sent"), ("UNDELIV", "failed") if error else ("DELIVRD", "delivered")):
            await asyncio.sleep(self.report_delay)
            self.ledger.status(self.channel, message.address, message.provider_id, shown, error if error else "")
            if self.reports_url:
                fields = {"id": message.provider_id, "status": status, "error": error if status == "UNDELIV" else ""}
                await self._post(self.reports_url, urlencode(fields))

    async def _post(self, url: str, body: str) -> int:
        headers = {"X-Signature": self.sign(body), "Content-Type": "application/x-www-form-urlencoded"}
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=WEBHOOK_SECONDS, limits=httpx.Limits(max_connections=200))
        try:
            return (await self._client.post(url, content=body, headers=headers)).status_code
        except httpx.HTTPError:
            return 0


def _is_send(scope: Scope) -> bool:
    return bool(scope["path"] == SEND_PATH)
