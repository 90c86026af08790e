"""How long a webhook takes with many senders at once while no worker runs, and what forged ones leave behind."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select

from bot.bench.installation import Installation, empty_database
from bot.storage.database import make_engine, make_sessions
from bot.storage.models import Conversation, InboxMessage, OutboxMessage

PATH = "/webhooks/whatsapp"
TOKEN = secrets.token_hex(16)
SENDER = "+212520000001"


async def run(
    senders: int, messages: int, pause: float, forged: int, database_url: str, progress: Callable[[], None]
) -> dict[str, Any]:
    """Post signed messages from `senders` connections at once, then `forged` broken ones; no worker is running."""
    with tempfile.TemporaryDirectory() as name, empty_database(database_url, Path(name)) as url:
        environment = {
            "DATABASE_URL": url,
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_WHATSAPP_FROM": SENDER,
            "TWILIO_API_URL": "http://127.0.0.1:9",
            "TWILIO_SMS_FROM": "",
            "LOG_LEVEL": "WARNING",
        }
        installation = Installation(Path(name), environment, workers=0)
        installation.start()
        try:
            await asyncio.to_thread(installation.wait_ready, "/health")
            each = -(-messages // senders)
            crowd = [_sender(installation, number, each, pause, progress) for number in range(senders)]
            idle = installation.cpu_seconds("gateway")
            started = time.monotonic()
            times = sorted(seconds for part in await asyncio.gather(*crowd) for seconds in part)
            took = time.monotonic() - started
            spent = installation.cpu_seconds("gateway") - idle
            before = _rows(url)
            answers = await _forge(installation, forged, progress)
            after = _rows(url)
        finally:
            await asyncio.to_thread(installation.stop)
    return {
        "senders": senders,
        "messages": len(times),
        "accepted": before["inbox"],
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1),
        "max_ms": round(times[-1] * 1000, 1),
        "webhooks_per_second": round(len(times) / took, 1),
        "gateway_cpu_ms_per_webhook": round(spent / len(times) * 1000, 2),
        "forged": forged,
        "forged_answers": {str(status): count for status, count in sorted(answers.items())},
        "rows_left_by_forged": {name: after[name] - before[name] for name in after},
    }


def _rows(url: str) -> dict[str, int]:
    engine = make_engine(url)
    with make_sessions(engine)() as session:
        counts = {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in (("inbox", InboxMessage), ("conversations", Conversation), ("outbox", OutboxMessage))
        }
    engine.dispose()
    return counts


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """Return what Twilio puts into X-Twilio-Signature: HMAC-SHA1 of the address and the sorted fields."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def message(number: int, count: int) -> dict[str, str]:
    """Return the fields of a WhatsApp message as Twilio posts them, blank ones too."""
    return {
        "MessageSid": f"SM{number:08x}{count:024x}",
        "AccountSid": "AC" + "0" * 32,
        "From": f"whatsapp:+2126{number:08d}",
        "To": f"whatsapp:{SENDER}",
        "Body": f"السلام {count}",
        "NumMedia": "0",
        "ProfileName": "Commerçant",
        "FromCity": "",
        "MessageType": "text",
    }


def request(installation: Installation, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of a POST to the webhook."""
    lines = [f"POST {PATH} HTTP/1.1", f"Host: 127.0.0.1:{installation.port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Line:
    """One kept-alive connection: nothing but bytes, so that the client costs little beside the server."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, raw: bytes) -> int:
        """Send a request and return the status of its answer; 0 when the connection was closed on it."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._installation.port)
        reader, writer = self._streams
        try:
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            await reader.readexactly(length)
            if b"connection: close" in head.lower():
                await self.close()
            return int(head.split(b" ", 2)[1])
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            return 0

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _sender(
    installation: Installation, number: int, count: int, pause: float, progress: Callable[[], None]
) -> list[float]:
    """Post messages one after the other; return the seconds of each."""
    line, times = Line(installation), []
    chance = random.Random(number)
    for one in range(count):
        fields = message(number, one)
        signed = signature(installation.address + PATH, fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed}
        raw = request(installation, urlencode(fields).encode(), headers)
        await asyncio.sleep(chance.uniform(0, 2 * pause))
        started = time.monotonic()
        status = await line.post(raw)
        times.append(time.monotonic() - started)
        if status != 200:
            raise RuntimeError(f"a signed webhook was answered with {status}")
        progress()
    await line.close()
    return times


async def _forge(installation: Installation, count: int, progress: Callable[[], None]) -> Counter[int]:
    """Post broken and forged webhooks of many kinds; return how many got which status."""
    chance, answers, line = random.Random(1), Counter[int](), Line(installation)
    for number in range(count):
        answers[await line.post(_forged(installation, number, chance))] += 1
        progress()
    await line.close()
    return answers


def _forged(installation: Installation, number: int, chance: random.Random) -> bytes:
    """Return a request that Twilio did not send, a different kind each time."""
    fields = message(90_000_000 + number % 1000, number)
    right = signature(installation.address + PATH, fields)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(fields).encode()
    kinds = [
        (body, form),
        (body, form | {"X-Twilio-Signature": ""}),
        (body, form | {"X-Twilio-Signature": "x" * 28}),
        (body, form | {"X-Twilio-Signature": signature(installation.address + PATH, fields, "f" * 32)}),
        (body.replace(b"NumMedia=0", b"NumMedia=1"), form | {"X-Twilio-Signature": right}),
        (body + b"&Body=stop", form | {"X-Twilio-Signature": right}),
        (body[: chance.randrange(len(body))], form | {"X-Twilio-Signature": right}),
        (chance.randbytes(chance.randrange(1, 400)), form | {"X-Twilio-Signature": right}),
        (b"%ff%fe=" + chance.randbytes(40), form | {"X-Twilio-Signature": "%%%"}),
        (b'{"MessageSid": "SM1"}', {"Content-Type": "application/json", "X-Twilio-Signature": right}),
        (b"", form | {"X-Twilio-Signature": right}),
        (b"a=" + b"x" * 300_000, form | {"X-Twilio-Signature": right}) if number % 50 == 0 else (b"&" * 600, form),
    ]
    return request(installation, *kinds[number % len(kinds)])
