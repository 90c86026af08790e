"""SMS through an aggregator that is called over HTTP and calls back, as its description file says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from bot import gsm7
from bot.channels.aggregator import (
    Aggregator,
    Encodings,
    Errors,
    Hook,
    Place,
    Receive,
    Reports,
    as_code,
    fill,
    load_aggregator,
    quoted,
)
from bot.channels.channel import (
    OptedOut,
    Permanent,
    Reader,
    Received,
    Refused,
    Report,
    Retryable,
    SendError,
    Sent,
    TakeIn,
    Webhook,
)
from bot.channels.pace import Pace
from bot.channels.sms import NAME, sms_address
from bot.channels.web import LONGEST_TEXT, storable
from bot.knowledge.loader import KnowledgeErrors
from bot.settings import Settings, SettingsError
from bot.storage.inbox import Incoming

logger = logging.getLogger(__name__)

LARGEST_ANSWER = 64 * 1024
MOST_FIELDS = 100
# Without an id and a time, the same text of the same sender counts as one message for this long.
SAME_MESSAGE_SECONDS = 10


def make_http(settings: Settings) -> HttpProvider | None:
    """Make the provider that SMS_HTTP_FILE describes; None without one."""
    if settings.sms_http_file is None:
        return None
    try:
        aggregator = load_aggregator(settings.sms_http_file)
    except KnowledgeErrors as errors:
        raise SettingsError(str(errors)) from None
    return HttpProvider(aggregator, settings.derived_key("sms-message-ids"))


class HttpProvider:
    """An aggregator as an SmsProvider; its messages and reports arrive at paths of ours."""

    def __init__(self, aggregator: Aggregator, hash_key: bytes, now: Callable[[], float] = time.time) -> None:
        self._aggregator = aggregator
        self._hash_key = hash_key
        self._now = now
        self._send = aggregator.described.send
        self._pace = Pace(self._send.max_per_second)
        self._client = httpx.AsyncClient(timeout=self._send.timeout_seconds)
        self._state = "up"

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the paths that the description has a use for."""
        described = self._aggregator.described
        routes: dict[str, Reader] = {}
        if described.receive:
            routes["/webhooks/sms"] = self.read_messages
        if described.reports:
            routes["/webhooks/sms/status"] = self.read_reports
        return routes

    async def start(self, take_in: TakeIn) -> None:
        """Nothing runs beside webhooks."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def state(self) -> str:
        """Return down while the aggregator does not answer as it should."""
        return self._state

    async def send(self, address: str, text: str, reference: str) -> Sent:
        """Hand one text to the aggregator, which cuts it into segments."""
        request = self._request(address, text, reference)
        await self._pace.wait()
        try:
            answer, body = await self._exchange(request)
        except httpx.TimeoutException:
            raise self._down("timeout") from None
        except httpx.HTTPError as error:
            raise self._down(type(error).__name__) from None
        failure = self._failure(answer, body)
        self._state = "down" if answer.status_code >= 500 or answer.status_code in (401, 403) else "up"
        if failure is not None:
            raise failure
        status = "accepted" if self._aggregator.described.reports else "sent"
        found = _found(self._send.message_id, answer, body) if self._send.message_id else reference
        return Sent((found or f"no-id:{reference}")[:200], status, len(gsm7.segments(text)))

    def _down(self, code: str) -> Retryable:
        self._state = "down"
        return Retryable(code)

    async def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Send a request and read what is answered, however much more there is."""
        answer = await self._client.send(request, stream=True)
        body = b""
        try:
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    break
        finally:
            await answer.aclose()
        return answer, body[:LARGEST_ANSWER]

    def _request(self, address: str, text: str, reference: str) -> httpx.Request:
        send, environment = self._send, self._aggregator.environment
        coded = bool(gsm7.outside(text))
        values = {
            "to": _numbered(address, send.number),
            "text": text,
            "hex": text.encode("utf-16-be").hex().upper(),
            "from": send.sender,
            "id": reference,
            "encoding": as_code(_encoding(send.encodings, coded)),
        }

        def filled(template: Any) -> Any:
            if isinstance(template, dict):
                return {name: filled(value) for name, value in template.items()}
            if isinstance(template, list):
                return [filled(value) for value in template]
            if template == "{encoding}" and send.format == "json":
                return _encoding(send.encodings, coded)  # a number or yes and no stay what they are
            return fill(template, values, environment, str) if isinstance(template, str) else template

        url = fill(send.url, values, environment, quoted)
        headers = {name: fill(value, values, environment, str) for name, value in send.headers.items()}
        fields = filled(send.fields)
        if send.format == "json":
            body = json.dumps(fields, ensure_ascii=False).encode()
            return self._client.build_request(
                send.method, url, content=body, headers={"Content-Type": "application/json"} | headers
            )
        try:
            form = urlencode({name: as_code(value) for name, value in fields.items()}, encoding=send.charset)
        except UnicodeEncodeError:
            raise Permanent("charset") from None
        if send.format == "query":
            return self._client.build_request(send.method, f"{url}{'&' if '?' in url else '?'}{form}", headers=headers)
        kind = f"application/x-www-form-urlencoded; charset={send.charset}"
        return self._client.build_request(
            send.method, url, content=form.encode(), headers={"Content-Type": kind} | headers
        )

    def _failure(self, answer: httpx.Response, body: bytes) -> SendError | None:
        """Return why a message was not taken; None when it was."""
        send, status = self._send, answer.status_code
        if self._succeeded(answer, body):
            return None
        code = _safe(_found(send.error_code, answer, body) if send.error_code else None) or f"http_{status}"
        for name in (code, str(status)):
            known = _meaning(send.errors, name, code)
            if known is not None:
                return Retryable(code, _retry_after(answer)) if isinstance(known, Retryable) else known
        if status == 429 or status >= 500 or status < 400 or status in (401, 403, 408, 425):
            # Wrong credentials or an address that moved are the operator's to mend: the message waits meanwhile.
            return Retryable(code, _retry_after(answer))
        return Permanent(code)

    def _succeeded(self, answer: httpx.Response, body: bytes) -> bool:
        success = self._send.success
        if answer.status_code not in (success.status or range(200, 300)):
            return False
        if success.json_value:
            value = _at(_document(body), success.json_value.path)
            if value is None or as_code(value) not in success.json_value.values:
                return False
        return success.body is None or re.search(success.body, _text(answer, body)) is not None

    def read_messages(self, webhook: Webhook) -> Received:
        """Read what owners wrote; raise Refused."""
        receive = self._aggregator.described.receive
        assert receive is not None
        messages, reason = [], "it holds no message"
        for row in self._rows(webhook, receive):
            try:
                messages.append(self._message(receive, row))
            except ValueError as error:
                reason = str(error)
        if not messages:
            raise Refused(400, reason)
        return Received(tuple(messages), answer=receive.answer.body, content_type=receive.answer.content_type)

    def _message(self, receive: Receive, row: Any) -> Incoming:
        fields = receive.fields
        sender, text = _field(row, fields.sender), _field(row, fields.text)
        if sender is None or text is None:
            raise ValueError("sender or text is missing")
        if fields.coding and _field(row, fields.coding) in receive.hex_when:
            text = bytes.fromhex(text).decode("utf-16-be", "replace")
        if len(text) > LONGEST_TEXT:
            raise ValueError("the text is too long")
        given = _field(row, fields.id) if fields.id else None
        at = _field(row, fields.time) if fields.time else None
        message_id = given or self._stand_in(sender, text, at)
        return Incoming(
            NAME, storable(sms_address(sender)), storable(f"http:{message_id}")[:200], "text", storable(text)
        )

    def _stand_in(self, sender: str, text: str, at: str | None) -> str:
        """Return an id for a message that has none: the same when it is delivered again, without its words."""
        moment = at or str(int(self._now() // SAME_MESSAGE_SECONDS))
        content = json.dumps([sender, text, moment]).encode()
        return "content-" + hashlib.blake2b(content, key=self._hash_key[:64], digest_size=16).hexdigest()

    def read_reports(self, webhook: Webhook) -> Received:
        """Read what became of messages; raise Refused."""
        described = self._aggregator.described.reports
        assert described is not None
        reports = [report for row in self._rows(webhook, described) if (report := _report(described, row)) is not None]
        return Received(
            reports=tuple(reports), answer=described.answer.body, content_type=described.answer.content_type
        )

    def _rows(self, webhook: Webhook, hook: Hook) -> list[Any]:
        """Check who calls, and return the documents of the call."""
        if webhook.method != hook.method:
            raise Refused(405, "the method is not the described one")
        query = urlsplit(webhook.url).query
        if hook.signature:
            self._check_signature(webhook, hook, query.encode() if webhook.method == "GET" else webhook.body)
        try:
            in_query = _form(query.encode(), hook.charset)
            content = in_query if hook.format == "query" else _content(webhook.body, hook)
        except (ValueError, RecursionError):
            raise Refused(400, "the body cannot be read") from None
        if hook.secret:
            self._check_secret(webhook, hook, content, in_query)
        rows = _at(content, hook.rows) if hook.rows else [content]
        if not isinstance(rows, list):
            raise Refused(400, "the list is missing")
        return rows

    def _check_signature(self, webhook: Webhook, hook: Hook, signed: bytes) -> None:
        signature = hook.signature
        assert signature is not None
        key = self._aggregator.secret(signature.key).encode()
        digest = hmac.new(key, signed, signature.algorithm).digest()
        written = digest.hex() if signature.encoding == "hex" else base64.b64encode(digest).decode()
        given = webhook.headers.get(signature.header, "").removeprefix(signature.prefix).strip()
        given = given.lower() if signature.encoding == "hex" else given
        if not hmac.compare_digest(given.encode(), written.encode()):
            raise Refused(403, "the signature is wrong")

    def _check_secret(self, webhook: Webhook, hook: Hook, content: Any, in_query: dict[str, str]) -> None:
        secret = hook.secret
        assert secret is not None
        if secret.header:
            given = webhook.headers.get(secret.header, "")
        else:
            given = _field(content, secret.field or "") or in_query.get(secret.field or "", "")
        expected = self._aggregator.secret(secret.value)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise Refused(403, "the secret is wrong")


def _report(reports: Reports, row: Any) -> Report | None:
    """Return what a report says; None when its status is not described."""
    message_id, named = _field(row, reports.fields.id), _field(row, reports.fields.status)
    status = reports.statuses.get(named or "")
    if not message_id or status is None:
        logger.warning("a delivery report with the status %s is not described", _safe(named))
        return None
    message_id = storable(message_id)[:200]
    if status != "failed":
        return Report(message_id, status)
    code = _safe(_field(row, reports.fields.error) if reports.fields.error else None) or _safe(named) or "failed"
    return Report(message_id, status, _meaning(reports.errors, code, code) or Permanent(code))


def _meaning(errors: Errors, name: str, code: str) -> SendError | None:
    if name in errors.opted_out:
        return OptedOut(code)
    if name in errors.permanent:
        return Permanent(code)
    return Retryable(code) if name in errors.retryable else None


def _encoding(encodings: Encodings, outside: bool) -> Any:
    return encodings.ucs2 if outside else encodings.gsm7


def _numbered(address: str, form: str) -> str:
    """Return an address as the aggregator wants it."""
    if not address.startswith("+") or form == "plus":
        return address
    if form == "digits":
        return address[1:]
    return f"0{address[4:]}" if address.startswith("+212") else f"00{address[1:]}"


def _content(body: bytes, hook: Hook) -> Any:
    return json.loads(_decoded(body, hook.charset)) if hook.format == "json" else _form(body, hook.charset)


def _form(raw: bytes, charset: str) -> dict[str, str]:
    """Return the fields of a form or query, blank ones too; of a repeated one the first."""
    # Some senders forget to escape what is not ASCII.
    escaped = re.sub(rb"[^\x21-\x7e]", lambda found: b"%%%02X" % found[0][0], raw).decode("ascii")
    try:
        pairs = parse_qsl(escaped, True, encoding=charset, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        pairs = parse_qsl(escaped, True, encoding="cp1252", errors="replace", max_num_fields=MOST_FIELDS)
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def _decoded(raw: bytes, charset: str) -> str:
    """Decode in the described charset, else in the one that Western senders use by mistake."""
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _field(row: Any, path: str) -> str | None:
    """Return a field as text: by its name, or by its path in a JSON document; None when it is missing."""
    value = row[path] if isinstance(row, dict) and path in row else _at(row, path)
    return as_code(value) if isinstance(value, (str, int, float)) else None


def _at(document: Any, path: str) -> Any:
    """Return what stands at a path such as results.0.id, a dot being the document itself; None when it is not there."""
    for step in filter(None, path.split(".")):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdigit() and len(step) < 4:
            document = document[int(step)] if int(step) < len(document) else None
        else:
            return None
    return document


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _text(answer: httpx.Response, body: bytes) -> str:
    return body.decode(answer.encoding or "utf-8", "replace")


def _found(place: Place, answer: httpx.Response, body: bytes) -> str | None:
    """Return what stands at a place of an answer; None when it is not there."""
    if place.json_path:
        value = _at(_document(body), place.json_path)
        return as_code(value) if isinstance(value, (str, int, float)) else None
    if place.header:
        return answer.headers.get(place.header)
    match = re.search(place.body or "", _text(answer, body))
    return match[1] if match else None


def _safe(code: str | None) -> str:
    """Return a code without anything that could be a number, a name or a text of an owner."""
    return code if code and re.fullmatch(r"[A-Za-z0-9_.:-]{1,32}", code) and not re.search(r"\d{8}", code) else ""


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds that Retry-After asks for, given as such or as a date."""
    given = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", given):
        return float(given)
    try:
        return max(parsedate_to_datetime(given).timestamp() - time.time(), 0.0) if given else None
    except (ValueError, TypeError):
        return None
