"""Twilio as its documentation describes it: Messages, Content, media, status callbacks, signed webhooks.

Errors that Twilio answers at once come as its JSON with 4xx; those that WhatsApp or a carrier reports later come as
a status callback `failed` or `undelivered` with the code (63016, 63019, ...). Where the documentation gives no code
for a Content resource that is refused, 20422 (invalid parameter) is used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.message import Message as MimeMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope
from twilio.request_validator import RequestValidator

from tests.simulators.faults import Dice, FaultyApp, answer_lost
from tests.simulators.gsm import encoding_of, segments_of
from tests.simulators.ledger import Accepted, Choice, Event, File, Ledger, Written

WINDOW_SECONDS = 24 * 3600.0
WEBHOOK_SECONDS = 15.0
LONGEST_BODY = 1600
LARGEST_MEDIA = 16 * 2**20
LARGEST_IMAGE = 5 * 2**20
MEDIA_TYPES = (
    *("image/jpeg", "image/png", "image/webp", "application/pdf", "video/mp4", "text/vcard"),
    *("audio/ogg", "audio/amr", "audio/mpeg", "audio/mp4", "audio/aac", "audio/3gpp"),
)
STOP_WORDS = ("stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel")
START_WORDS = ("start", "unstop", "yes")

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BUSINESS_SCOPED = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{8,64}")
# What Twilio's page on error 21656 forbids in a variable of the body.
_BREAKS = re.compile(r"[\n\r\t]| {5,}")
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")

MESSAGES = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20422: "Invalid parameter",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    21211: "The 'To' number is not a valid phone number.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21619: "A text message body or media urls must be specified.",
    21620: "Invalid media URL(s)",
    21606: "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination",
    21623: "Number of media files exceeds allowed limit",
    21655: "The ContentSid is Invalid",
    21656: "The ContentVariables Parameter is invalid",
    21658: "Parameter exceeded character limit",
    21910: "Twilio could not find a Channel for the given 'From' and 'To' addresses",
    63005: "Channel did not accept given content",
    63007: "Twilio could not find a Channel with the specified From address",
    63016: "Failed to send freeform message because you are outside the allowed window",
    63019: "Media failed to download",
    63021: "Channel invalid content error",
}


class Wrong(Exception):
    """A call that Twilio answers with an error document."""

    def __init__(self, code: int, status: int = 400, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.detail = code, status, detail


@dataclass
class Row:
    """A Message resource."""

    sid: str
    direction: str
    sender: str
    to: str
    body: str
    status: str
    callback: str = ""
    media: tuple[str, ...] = ()
    segments: int = 1
    error: int | None = None
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Delivery:
    """An inbound message on its way to the bot's webhook."""

    sid: str
    url: str
    parameters: Mapping[str, str]


class Twilio:
    """One account with a WhatsApp sender and an SMS number. Everything runs on the loop that serves `app`."""

    def __init__(
        self,
        account_sid: str = "AC" + "0" * 32,
        auth_token: str = "0" * 32,
        whatsapp_from: str = "+212520000001",
        sms_from: str = "+212520000002",
        dice: Dice | None = None,
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.senders = {"whatsapp": whatsapp_from, "sms": sms_from}
        self.dice = dice or Dice()
        self.ledger = Ledger()
        self.webhooks: dict[str, str] = {}
        """Where each channel's inbound messages go."""
        self.status_delay = 0.05
        """Seconds between two status callbacks of a message."""
        self.disorder = 0.0
        """Share of messages whose `delivered` is reported before `sent`."""
        self.url = ""
        """Where this stand-in is served; needed for the address of inbound media."""
        self.content: dict[str, dict[str, Any]] = {}
        self.approved: set[str] = set()
        self.rows: dict[str, Row] = {}
        self.heard: dict[str, float] = {}
        self._order: list[Row] = []
        self._stopped: set[str] = set()
        self._media: deque[tuple[str, File]] = deque(maxlen=200)
        self._validator = RequestValidator(auth_token)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.app: ASGIApp = FaultyApp(
            Starlette(
                routes=[
                    Route(f"{_MESSAGES}.json", self._create, methods=["POST"]),
                    Route(f"{_MESSAGES}.json", self._list, methods=["GET"]),
                    Route(f"{_MESSAGES}/{{sid}}.json", self._fetch, methods=["GET"]),
                    Route(f"{_MESSAGES}/{{sid}}/Media/{{media}}", self._inbound_media, methods=["GET"]),
                    Route("/cdn/{media}", self._cdn, methods=["GET"]),
                    Route("/v1/Content", self._create_content, methods=["POST"]),
                    Route("/v1/Content", self._list_content, methods=["GET"]),
                    Route("/v1/Content/{sid}", self._fetch_content, methods=["GET", "DELETE"]),
                ],
                exception_handlers={Wrong: self._answer_wrong, 404: _not_found},
            ),
            self.dice,
            self.ledger.counts,
            _is_send,
            lambda after: _error(20429, 429, headers={"Retry-After": f"{after:g}"}),
            lambda: _error(20500, 500),
        )

    async def close(self) -> None:
        """Drop callbacks that are under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ---- what an operator arranges in the console

    def approve(self, sid: str, body: str, language: str = "fr") -> None:
        """Add a text template that WhatsApp has approved."""
        self.content[sid] = _content(
            self.account_sid, sid, {"language": language, "types": {"twilio/text": {"body": body}}}
        )
        self.approved.add(sid)

    def close_window(self, address: str) -> None:
        """Let 24 hours pass since the owner's last WhatsApp message."""
        self.heard.pop(address, None)

    # ---- what an owner does

    def write(self, channel: str, address: str, written: Written) -> Delivery:
        """Take a message from an owner's phone into the account; `deliver` brings it to the bot."""
        prefix = "whatsapp:" if channel == "whatsapp" else ""
        files = [written.file] if written.file else []
        body = written.pressed.title if written.pressed else written.text
        row = Row(
            ("MM" if files else "SM") + secrets.token_hex(16),
            "inbound",
            prefix + address,
            prefix + self.senders[channel],
            body,
            "received",
            media=tuple(self._keep(file) for file in files),
            segments=segments_of(body),
        )
        self._add(row)
        if channel == "whatsapp":
            self.heard[address] = time.time()
        else:
            self._note_keyword(address, body)
        return Delivery(row.sid, self.webhooks[channel], self._parameters(channel, address, row, written))

    async def deliver(self, delivery: Delivery) -> int:
        """Post an inbound message to the bot, signed; return the HTTP status, 0 when nobody answered in time.

        As Twilio does by default: a second try only when the connection could not be made.
        """
        status, _ = await self._post(delivery.url, delivery.parameters, delivery.sid)
        return status

    async def say(self, channel: str, address: str, written: Written) -> int:
        """Write and deliver at once."""
        delivery = self.write(channel, address, written)
        status, answer = await self._post(delivery.url, delivery.parameters, delivery.sid)
        if not 200 <= status < 300:
            code = "11205" if status == 0 else "11200"
            self.ledger.tell(Event("webhook", channel, address, delivery.sid, str(status), code))
        elif answer and not answer.lstrip().startswith("<"):
            # Twilio sends a plain text answer to the owner as a message.
            self.ledger.accept(Accepted("SM" + secrets.token_hex(16), channel, address, answer))
        return status

    def _parameters(self, channel: str, address: str, row: Row, written: Written) -> dict[str, str]:
        values = {
            "SmsMessageSid": row.sid,
            "NumMedia": str(len(row.media)),
            "SmsSid": row.sid,
            "SmsStatus": "received",
            "Body": row.body,
            "To": row.to,
            "NumSegments": str(row.segments),
            "MessageSid": row.sid,
            "AccountSid": self.account_sid,
            "From": row.sender,
            "ApiVersion": "2010-04-01",
        }
        if channel == "sms":
            blank = {f"{side}{part}": "" for side in ("From", "To") for part in ("City", "State", "Zip")}
            return values | blank | {"FromCountry": "MA", "ToCountry": "MA"}
        values |= {"ProfileName": "Commerçant", "WaId": address.lstrip("+"), "MessageType": "text"}
        if written.pressed is not None:
            original = self.ledger.find(written.pressed_on)
            values |= {"OriginalRepliedMessageSid": written.pressed_on, "OriginalRepliedMessageSender": row.to}
            if original is not None and original.kind == "list":
                values |= {
                    "MessageType": "interactive",
                    "ListId": written.pressed.id,
                    "ListTitle": written.pressed.title,
                }
            else:
                payload = {"ButtonText": written.pressed.title, "ButtonPayload": written.pressed.id}
                values |= {"MessageType": "button", **payload}
        for number, media in enumerate(row.media):
            file = self._kept(media)
            address_ = f"{self.url}/2010-04-01/Accounts/{self.account_sid}/Messages/{row.sid}/Media/{media}"
            kind = {"image": "image", "audio": "audio", "video": "video"}.get(
                file.content_type.partition("/")[0], "document"
            )
            values |= {
                f"MediaUrl{number}": address_,
                f"MediaContentType{number}": file.content_type,
                "MessageType": kind,
            }
        if written.place is not None:
            latitude, longitude = written.place
            values |= {"Latitude": str(latitude), "Longitude": str(longitude), "MessageType": "location"}
        return values

    def _note_keyword(self, address: str, body: str) -> None:
        """Do what Twilio does by itself with English keywords on a long code."""
        word = body.strip().lower()
        if word in STOP_WORDS:
            self._stopped.add(address)
        elif word in START_WORDS:
            self._stopped.discard(address)

    # ---- the API

    async def _create(self, request: Request) -> Response:
        self._check_account(request)
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        form = dict(pairs)
        channel, address = self._check_pair(form)
        media = [value for name, value in pairs if name == "MediaUrl"]
        message = self._message(channel, address, form, media, answer_lost(request.scope))
        self.ledger.accept(message)
        row = Row(
            message.provider_id,
            "outbound-api",
            form["From"],
            form["To"],
            message.text,
            "queued",
            form.get("StatusCallback", ""),
            segments=message.segments,
        )
        self._add(row)
        task = asyncio.create_task(self._carry(channel, address, row, message, media, form.get("ContentSid", "")))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return JSONResponse(self._document(row), 201)

    def _check_account(self, request: Request) -> None:
        self._check_credentials(request)
        if request.path_params["account"] != self.account_sid:
            raise Wrong(20404, 404)

    def _check_credentials(self, request: Request) -> None:
        given = request.headers.get("authorization", "").partition(" ")[2]
        expected = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if not secrets.compare_digest(given.encode(), expected.encode()):
            raise Wrong(20003, 401)

    def _check_pair(self, form: Mapping[str, str]) -> tuple[str, str]:
        """Return channel and address of an outbound message."""
        to, sender = form.get("To", ""), form.get("From", "")
        if not to:
            raise Wrong(21604)
        if not sender:
            raise Wrong(21603)
        channel = "whatsapp" if to.startswith("whatsapp:") else "sms"
        address = to.removeprefix("whatsapp:")
        scoped = channel == "whatsapp" and _BUSINESS_SCOPED.fullmatch(address)
        if not scoped and not _E164.fullmatch(address):
            raise Wrong(21211, detail=f"The 'To' number {to} is not a valid phone number.")
        if sender.startswith("whatsapp:") != (channel == "whatsapp"):
            raise Wrong(21910)
        if sender.removeprefix("whatsapp:") != self.senders[channel]:
            raise Wrong(63007 if channel == "whatsapp" else 21606)
        if callback := form.get("StatusCallback"):
            url = httpx.URL(callback)
            if url.scheme not in ("http", "https") or not url.host:
                raise Wrong(21609)
        if channel == "sms" and address in self._stopped:
            self.ledger.refuse(channel, address, "21610", MESSAGES[21610])
            raise Wrong(21610)
        return channel, address

    def _message(self, channel: str, address: str, form: Mapping[str, str], media: list[str], lost: bool) -> Accepted:
        """Return what the owner will see; raise what Twilio answers at once."""
        body = form.get("Body", "")
        sid = ("MM" if media else "SM") + secrets.token_hex(16)
        if content_sid := form.get("ContentSid"):
            return self._from_content(sid, channel, address, content_sid, form.get("ContentVariables", ""), lost)
        if not body and not media:
            raise Wrong(21619)
        if len(body) > LONGEST_BODY:
            self.ledger.refuse(channel, address, "21617", f"{len(body)} characters")
            raise Wrong(21617)
        if len(media) > (1 if channel == "whatsapp" else 10):
            raise Wrong(21623)
        if any(not url.startswith(("http://", "https://")) for url in media):
            raise Wrong(21620)
        sms = channel == "sms"
        return Accepted(
            sid,
            channel,
            address,
            body,
            "media" if media else "text",
            segments=segments_of(body) if sms else 1,
            encoding=encoding_of(body) if sms else "",
            lost=lost,
        )

    def _from_content(
        self, sid: str, channel: str, address: str, content_sid: str, variables: str, lost: bool
    ) -> Accepted:
        content = self.content.get(content_sid)
        if content is None:
            raise Wrong(21655)
        values = _variables(variables)
        body = str(next(iter(content["types"].values())).get("body") or "")
        if any(_BREAKS.search(values.get(name, "")) for name in _PLACEHOLDER.findall(body)):
            self.ledger.refuse(
                channel, address, "21656", "a newline, a tab or more than four spaces in the body's variable"
            )
            raise Wrong(21656)
        needed = set(_PLACEHOLDER.findall(json.dumps(content["types"], ensure_ascii=False)))
        if needed - values.keys() - (content.get("variables") or {}).keys():
            raise Wrong(21656)
        name, resource = next(iter(content["types"].items()))
        resource = _filled(resource, (content.get("variables") or {}) | values)
        try:
            _CHECKS[name](resource)
        except ValueError as error:
            self.ledger.refuse(channel, address, "21658", str(error))
            raise Wrong(21658, detail=str(error)) from None
        kind = {"twilio/quick-reply": "quick-reply", "twilio/list-picker": "list"}.get(name, "template")
        rows = resource.get("actions") or resource.get("items") or ()
        choices = tuple(
            Choice(row["id"], row.get("title") or row["item"], row.get("description") or "") for row in rows
        )
        return Accepted(
            sid, channel, address, resource.get("body", ""), kind, choices, resource.get("button", ""), lost=lost
        )

    async def _carry(
        self, channel: str, address: str, row: Row, message: Accepted, media: list[str], content_sid: str
    ) -> None:
        """Bring a message to the phone and report it, in the order that networks report."""
        error, file = self._late_error(channel, address, message, content_sid), None
        if media and not error:
            error, file = await self._download(media[0])
        if error:
            return await self._report(channel, address, row, "failed", error)
        if file is not None:
            kind = "image" if file.content_type.startswith("image/") else "document"
            self.ledger.edit(replace(message, file=file, kind=kind))
        steps = ["queued", "sent", "delivered"]
        if self.disorder and self.dice.share(self.disorder):
            steps = ["queued", "delivered", "sent"]
        for status in steps:
            if status != "queued":
                await asyncio.sleep(self.status_delay)
            await self._report(channel, address, row, status)

    def _late_error(self, channel: str, address: str, message: Accepted, content_sid: str) -> int:
        """Return the code with which WhatsApp turns a message away after Twilio took it, or 0."""
        if channel != "whatsapp" or content_sid in self.approved:
            return 0
        if self.heard.get(address, 0) < time.time() - WINDOW_SECONDS:
            return 63016
        if message.kind == "quick-reply" and len(message.choices) > 3:
            return 63005
        return 0

    async def _download(self, url: str) -> tuple[int, File | None]:
        """Fetch media as Twilio does: the type is checked, the size too, the name comes from Content-Disposition."""
        try:
            answer = await self._http().get(url, timeout=WEBHOOK_SECONDS, follow_redirects=True)
        except httpx.HTTPError:
            return 63019, None
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code != 200:
            return 63019, None
        if kind not in MEDIA_TYPES:
            return 63021, None
        if len(answer.content) > (LARGEST_IMAGE if kind.startswith("image/") else LARGEST_MEDIA):
            return 63021, None
        return 0, File(kind, _filename(answer.headers.get("content-disposition", "")), answer.content)

    async def _report(self, channel: str, address: str, row: Row, status: str, error: int = 0) -> None:
        row.status, row.error = status, error or None
        self.ledger.status(channel, address, row.sid, status, str(error or ""))
        if not row.callback:
            return
        values = {
            "MessageSid": row.sid,
            "MessageStatus": status,
            "SmsSid": row.sid,
            "SmsStatus": status,
            "AccountSid": self.account_sid,
            "From": row.sender,
            "To": row.to,
            "ApiVersion": "2010-04-01",
        }
        if channel == "whatsapp":
            values |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": row.to, "ChannelInstallSid": "XE" + "0" * 32}
        if error:
            values |= {"ErrorCode": str(error), "ErrorMessage": MESSAGES[error]}
        await self._post(row.callback, values, row.sid)

    async def _post(self, url: str, values: Mapping[str, str], sid: str) -> tuple[int, str]:
        url = urldefrag(url).url
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(url, dict(values)),
            "I-Twilio-Idempotency-Token": f"{sid}-{secrets.token_hex(4)}",
            "User-Agent": "TwilioProxy/1.1",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        for _ in range(2):
            try:
                answer = await self._http().post(url, content=urlencode(values), headers=headers)
                return answer.status_code, answer.text
            except httpx.ConnectError:
                continue
            except httpx.HTTPError:
                return 0, ""
        return 0, ""

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
            self._client = httpx.AsyncClient(timeout=WEBHOOK_SECONDS, limits=limits)
        return self._client

    async def _list(self, request: Request) -> Response:
        self._check_account(request)
        asked = request.query_params
        rows = [row for row in reversed(self._order) if _fits(row, asked)]
        size = min(max(_number(asked.get("PageSize"), 50), 1), 1000)
        page = _number(asked.get("Page"), 0)
        others = urlencode([(name, value) for name, value in asked.multi_items() if name not in ("Page", "PageToken")])
        path = f"{request.url.path}?{others}"
        more = len(rows) > (page + 1) * size
        return JSONResponse(
            {
                "first_page_uri": f"{path}&Page=0",
                "next_page_uri": f"{path}&Page={page + 1}&PageToken=PA{page + 1}" if more else None,
                "previous_page_uri": f"{path}&Page={page - 1}" if page else None,
                "uri": f"{path}&Page={page}",
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": min((page + 1) * size, len(rows)) - 1,
                "messages": [self._document(row) for row in rows[page * size : (page + 1) * size]],
            }
        )

    async def _fetch(self, request: Request) -> Response:
        self._check_account(request)
        row = self.rows.get(request.path_params["sid"])
        if row is None:
            raise Wrong(20404, 404)
        return JSONResponse(self._document(row))

    def _document(self, row: Row) -> dict[str, Any]:
        at = format_datetime(datetime.fromtimestamp(row.at, timezone.utc))
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{row.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": row.body,
            "date_created": at,
            "date_sent": at if row.status != "queued" else None,
            "date_updated": at,
            "direction": row.direction,
            "error_code": row.error,
            "error_message": MESSAGES.get(row.error) if row.error else None,
            "from": row.sender,
            "messaging_service_sid": None,
            "num_media": str(len(row.media)),
            "num_segments": str(row.segments),
            "price": None,
            "price_unit": None,
            "sid": row.sid,
            "status": row.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": row.to,
            "uri": f"{path}.json",
        }

    def _add(self, row: Row) -> None:
        self.rows[row.sid] = row
        self._order.append(row)

    # ---- media of owners

    def _keep(self, file: File) -> str:
        media = "ME" + secrets.token_hex(16)
        self._media.append((media, file))
        return media

    def _kept(self, media: str) -> File:
        for known, file in self._media:
            if known == media:
                return file
        raise Wrong(20404, 404)

    async def _inbound_media(self, request: Request) -> Response:
        """Want the account's credentials, and send on to where the bytes are, as Twilio does."""
        self._check_account(request)
        self._kept(request.path_params["media"])
        return RedirectResponse(f"{self.url}/cdn/{request.path_params['media']}", 307)

    async def _cdn(self, request: Request) -> Response:
        file = self._kept(request.path_params["media"])
        return Response(file.data, media_type=file.content_type)

    # ---- Content API

    async def _create_content(self, request: Request) -> Response:
        self._check_credentials(request)
        try:
            document = json.loads(await request.body())
            check_content(document)
        except ValueError as error:
            self.ledger.refuse("whatsapp", "", "20422", str(error))
            raise Wrong(20422, detail=f"Invalid parameter: {error}") from None
        sid = "HX" + secrets.token_hex(16)
        self.content[sid] = _content(self.account_sid, sid, document)
        return JSONResponse(self.content[sid], 201)

    async def _list_content(self, request: Request) -> Response:
        self._check_credentials(request)
        size = min(max(_number(request.query_params.get("PageSize"), 50), 1), 1000)
        page = _number(request.query_params.get("Page"), 0)
        rows = list(self.content.values())
        here = "https://content.twilio.com/v1/Content"
        meta = {
            "page": page,
            "page_size": size,
            "first_page_url": f"{here}?PageSize={size}&Page=0",
            "previous_page_url": None,
            "url": f"{here}?PageSize={size}&Page={page}",
            "next_page_url": f"{here}?PageSize={size}&Page={page + 1}" if len(rows) > (page + 1) * size else None,
            "key": "contents",
        }
        return JSONResponse({"meta": meta, "contents": rows[page * size : (page + 1) * size]})

    async def _fetch_content(self, request: Request) -> Response:
        self._check_credentials(request)
        sid = request.path_params["sid"]
        if sid not in self.content:
            raise Wrong(20404, 404)
        if request.method == "DELETE":
            del self.content[sid]
            return Response(status_code=204)
        return JSONResponse(self.content[sid])

    async def _answer_wrong(self, request: Request, wrong: Exception) -> Response:
        assert isinstance(wrong, Wrong)
        self.ledger.counts[f"error {wrong.code}"] += 1
        return _error(wrong.code, wrong.status, wrong.detail)


_MESSAGES = "/2010-04-01/Accounts/{account}/Messages"


def _is_send(scope: Scope) -> bool:
    path = scope["path"]
    return bool(scope["method"] == "POST" and path.startswith("/2010-04-01/") and path.endswith("/Messages.json"))


def _error(code: int, status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": detail or MESSAGES[code], "more_info": more, "status": status}
    return JSONResponse(body, status, dict(headers or {}))


async def _not_found(_request: Request, _error_: Exception) -> Response:
    return _error(20404, 404)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default


def _fits(row: Row, asked: Mapping[str, str]) -> bool:
    """Filter as the Messages list does: To, From, DateSent with its two comparisons."""
    if asked.get("To") not in (None, "", row.to) or asked.get("From") not in (None, "", row.sender):
        return False
    for name, value in asked.items():
        if name.startswith("DateSent") and value:
            limit = datetime.fromisoformat(value.replace("Z", "+00:00"))
            limit = limit if limit.tzinfo else limit.replace(tzinfo=timezone.utc)
            # The resource knows whole seconds only.
            at, edge = int(row.at), int(limit.timestamp())
            if (name == "DateSent>" and at < edge) or (name == "DateSent<" and at > edge):
                return False
    return True


def _variables(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        raise Wrong(21656) from None
    if not isinstance(values, dict) or not all(isinstance(v, str) and v.strip() for v in values.values()):
        raise Wrong(21656)
    return {str(name): value for name, value in values.items()}


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: str(variables[found[1]]), value)
    if isinstance(value, list):
        return [_filled(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, variables) for name, item in value.items()}
    return value


def _filename(disposition: str) -> str:
    header = MimeMessage()
    header["Content-Disposition"] = disposition or "inline"
    return header.get_filename() or ""


def _content(account: str, sid: str, document: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    address = f"https://content.twilio.com/v1/Content/{sid}"
    return {
        "account_sid": account,
        "date_created": now,
        "date_updated": now,
        "friendly_name": document.get("friendly_name"),
        "language": document["language"],
        "sid": sid,
        "types": document["types"],
        "url": address,
        "variables": document.get("variables") or {},
        "links": {
            "approval_fetch": f"{address}/ApprovalRequests",
            "approval_create": f"{address}/ApprovalRequests/whatsapp",
        },
    }


def check_content(document: Any) -> None:
    """Raise ValueError with the reason when the Content API or WhatsApp would not take this."""
    if not isinstance(document, dict) or not isinstance(document.get("types"), dict) or not document["types"]:
        raise ValueError("types is required")
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", str(document.get("language") or "")):
        raise ValueError("language must be a language code")
    for name, resource in document["types"].items():
        if name not in _CHECKS:
            raise ValueError(f"{name} is not a content type")
        if not isinstance(resource, dict):
            raise ValueError(f"{name} must be an object")
        _CHECKS[name](resource)


def _text(row: Mapping[str, Any], name: str, longest: int, needed: bool = True) -> str:
    value = row.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise ValueError(f"{name} is required")
    if len(value) > longest:
        raise ValueError(f"{name} has {len(value)} characters, more than {longest}: {value!r}")
    return value


def _check_quick_reply(resource: Mapping[str, Any]) -> None:
    _text(resource, "body", 1024)
    actions = _rows(resource, "actions")
    for action in actions:
        if action.get("type", "QUICK_REPLY") != "QUICK_REPLY":
            raise ValueError("an action's type must be QUICK_REPLY")
        _text(action, "title", 20)
        _text(action, "id", 200)
    _all_different(actions, "title")
    _all_different(actions, "id")


def _check_list(resource: Mapping[str, Any]) -> None:
    _text(resource, "body", 1024)
    _text(resource, "button", 20)
    items = _rows(resource, "items")
    for item in items:
        _text(item, "item", 24)
        _text(item, "id", 200)
        _text(item, "description", 72, needed=False)
    _all_different(items, "id")


def _check_text(resource: Mapping[str, Any]) -> None:
    _text(resource, "body", LONGEST_BODY)


def _rows(resource: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = resource.get(name)
    if not isinstance(rows, list) or not 1 <= len(rows) <= 10 or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{name} must hold 1 to 10 rows")
    return rows


def _all_different(rows: list[dict[str, Any]], name: str) -> None:
    if len({row[name] for row in rows}) != len(rows):
        raise ValueError(f"each {name} must be used once only")


_CHECKS = {"twilio/quick-reply": _check_quick_reply, "twilio/list-picker": _check_list, "twilio/text": _check_text}
