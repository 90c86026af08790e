"""Twilio's API through its own library: messages, content templates, past messages; every failure has a type."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from aiohttp import BasicAuth, ClientError, ClientTimeout
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from bot.channels.channel import OptedOut, Permanent, Retryable, SendError, Sent, WindowClosed
from bot.settings import Settings, SettingsError

STATUS_PATH = "/webhooks/twilio/status"
WHATSAPP = "whatsapp:"
LONGEST_TEXT = 1600
# Shorter than the sender's own patience, so that a time-out is told as one.
TIMEOUT = ClientTimeout(total=15, sock_connect=5)
CONTENT_URL = "https://content.twilio.com/v1/Content"
PAGE = 500

# The person wrote STOP to Twilio itself, or has blocked the sender.
OPTED_OUT = frozenset({21610, 63014})
WINDOW_CLOSED = frozenset({63016})
# Throttling, queues, faults of Twilio or WhatsApp, media that could not be fetched; and what only the operator can
# mend (credentials, a suspended account): messages wait for that instead of being lost.
PASSING = frozenset(
    {20003, 20005, 20008, 20429, 20500, 20503, 14107, 21611, 30001, 30002, 30008, 63010, 63012, 63018, 63019, 63020}
)

# Twilio's words for how far a message is, as ranks of bot.storage.deliveries.
STATUSES = {
    "queued": "accepted",
    "accepted": "accepted",
    "scheduled": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}


def check_settings(settings: Settings) -> None:
    """Raise SettingsError when what is set for Twilio does not fit together."""
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    senders = settings.twilio_whatsapp_from or settings.twilio_sms_from
    if not (sid or token or senders):
        return
    if not sid.startswith("AC"):
        raise SettingsError("TWILIO_ACCOUNT_SID: it must be set, and begin with AC, where another TWILIO_… is set")
    if not token:
        raise SettingsError("TWILIO_AUTH_TOKEN: it must be set where TWILIO_ACCOUNT_SID is")
    if not senders:
        raise SettingsError("TWILIO_WHATSAPP_FROM or TWILIO_SMS_FROM: one must be set where TWILIO_ACCOUNT_SID is")
    if not settings.public_url and not settings.twilio_api_url:
        raise SettingsError("PUBLIC_URL: Twilio signs it, fetches media from it and reports to it: it must be set")


def error_for(code: int, after: float | None = None) -> SendError:
    """Return what an error code of Twilio means for a message."""
    if code in OPTED_OUT:
        return OptedOut(str(code))
    if code in WINDOW_CLOSED:
        return WindowClosed(str(code))
    return Retryable(str(code), after) if code in PASSING else Permanent(str(code))


def error_in(status: int, text: str, headers: Mapping[str, str]) -> SendError | None:
    """Return what an answer of the API means; None when it is what was asked for."""
    document = _json_object(text)
    if 200 <= status < 300:
        return None if document is not None or status == 204 else Retryable("not JSON")
    code = document.get("code") if document else None
    if status in (408, 429) or status >= 500:
        return Retryable(str(code) if isinstance(code, int) else f"http {status}", _seconds(headers.get("Retry-After")))
    # Without a code it is not Twilio that speaks, but something between us.
    return error_for(code) if isinstance(code, int) else Retryable(f"http {status}")


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _seconds(retry_after: str | None) -> float | None:
    """Read Retry-After in seconds; its other form, a date, is as good as none."""
    plain = (retry_after or "").strip()
    return float(plain) if plain.isascii() and plain.isdigit() else None


class TwilioHttp(AsyncTwilioHttpClient):
    """The library's HTTP client with time-outs and typed errors; a test server can stand for all hosts of Twilio."""

    def __init__(self, test_url: str) -> None:
        super().__init__()
        self._test_url = test_url

    async def request(  # type: ignore[override]  # the library calls it with keywords only
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make a request; raise SendError for anything but a success that can be read."""
        is_json = (headers or {}).get("Content-Type") == "application/json"
        body = {"json": data} if is_json else {"data": data}
        try:
            async with self.session.request(
                method,
                self._address(url),
                params=params,
                headers=headers,
                auth=BasicAuth(*auth) if auth else None,
                timeout=TIMEOUT,
                allow_redirects=False,
                **body,
            ) as answer:
                text = await answer.text(errors="replace")
        except asyncio.TimeoutError:
            raise Retryable("timeout") from None
        except (ClientError, OSError):
            raise Retryable("reset") from None
        error = error_in(answer.status, text, answer.headers)
        if error is not None:
            raise error
        return Response(answer.status, text, answer.headers)

    def _address(self, url: str) -> str:
        if not self._test_url:
            return url
        return self._test_url + urlsplit(url)._replace(scheme="", netloc="").geturl()


class TwilioApi:
    """One account of Twilio."""

    def __init__(self, settings: Settings) -> None:
        self.account = settings.twilio_account_sid
        self._token = settings.twilio_auth_token.get_secret_value()
        self._test_url = settings.twilio_api_url
        self._status_url = settings.address + STATUS_PATH
        self._made: Client | None = None
        self._answers = True

    @property
    def _client(self) -> Client:
        """Make the client at first use: it belongs to the event loop that is running then."""
        if self._made is None:
            self._made = Client(self.account, self._token, http_client=TwilioHttp(self._test_url))
        return self._made

    async def send(self, sender: str, to: str, **content: Any) -> Sent:
        """Send one message: body, media_url, or content_sid with content_variables."""
        by = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        with _Watch(self):
            message = await self._client.messages.create_async(to=to, status_callback=self._status_url, **by, **content)
        if not message.sid:
            raise Retryable("no sid")
        status = STATUSES.get(str(message.status), "accepted")
        if status == "failed":
            raise error_for(message.error_code) if message.error_code else Permanent(str(message.status))
        segments = str(message.num_segments or "")
        return Sent(message.sid, status, max(int(segments), 1) if segments.isdigit() else 1)

    async def make_content(self, document: Mapping[str, Any]) -> str:
        """Make a content template, which this version of the library only reads; return its SID."""
        with _Watch(self):
            answer = await self._client.request_async(
                "POST", CONTENT_URL, data=dict(document), headers={"Content-Type": "application/json"}
            )
        sid = (_json_object(answer.text) or {}).get("sid")
        if not isinstance(sid, str) or not 0 < len(sid) <= 64:
            raise Retryable("no sid")
        return sid

    async def drop_content(self, sid: str) -> None:
        """Delete a content template."""
        with _Watch(self):
            await self._client.content.v1.contents(sid).delete_async()

    async def received_since(self, to: str, since: float) -> Sequence[MessageInstance]:
        """Return the messages that came to a number of ours since a time, oldest first."""
        start = datetime.fromtimestamp(since, timezone.utc)
        with _Watch(self):
            messages = await self._client.messages.list_async(to=to, date_sent_after=start, page_size=PAGE)
        return [message for message in reversed(messages) if message.direction == "inbound"]

    def state(self) -> str:
        """Return down when Twilio did not answer the last call as it should, or refused our credentials."""
        return "up" if self._answers else "down"

    def note(self, answers: bool) -> None:
        """Note whether Twilio answers."""
        self._answers = answers

    async def close(self) -> None:
        """Close the connections."""
        if self._made is not None:
            await self._made.http_client.close()
            self._made = None


class _Watch:
    """Tells the account whether a call worked; a message that Twilio refuses is an answer too."""

    def __init__(self, api: TwilioApi) -> None:
        self._api = api

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, SendError):
            self._api.note(not isinstance(error, Retryable))
