"""What Twilio posts: checked against its signature, read as a form; delivery reports of both channels."""

from __future__ import annotations

import hmac
import re
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port

from bot.channels.channel import Permanent, Received, Refused, Report, SendError, Webhook
from bot.channels.twilio_api import STATUSES, WHATSAPP, error_for

Form = ImmutableMultiDict[str, str]

XML = "text/xml"
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
MOST_FIELDS = 500
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


def signed_form(webhook: Webhook, token: str) -> Form:
    """Return the parameters of a request that Twilio signed; raise Refused for any other."""
    signature = webhook.headers.get("X-Twilio-Signature", "")
    if not signature:
        raise Refused(403, "no signature")
    form = _form(webhook.body)
    if not _is_signed(webhook.url, form, signature, token):
        raise Refused(403, "wrong signature")
    return form


def _form(body: bytes) -> Form:
    """Read the form with its blank fields: the signature covers them."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused(400, "not a form in UTF-8") from None
    return ImmutableMultiDict(pairs)


def _is_signed(url: str, form: Form, signature: str, token: str) -> bool:
    """Compare in constant time, which this version of the library does not; Twilio signs with or without the port."""
    validator = RequestValidator(token)
    parts = urlsplit(url)._replace(fragment="")
    addresses = {parts.geturl(), remove_port(parts), add_port(parts)}
    signatures = [validator.compute_signature(address, form).encode() for address in addresses]
    return any([hmac.compare_digest(signature.encode(), right) for right in signatures])


def field(form: Form, name: str) -> str:
    """Return a parameter as text that a database takes; empty when it is missing."""
    return str(form.get(name) or "").replace("\x00", "").strip()


def sid(form: Form) -> str:
    """Return the message's id at Twilio; raise Refused where there is none."""
    value = field(form, "MessageSid") or field(form, "SmsSid")
    if not _SID.fullmatch(value):
        raise Refused(400, "no MessageSid")
    return value


def received(*messages: object) -> Received:
    """Return messages with the empty answer that Twilio reads as: nothing to say now."""
    return Received(messages=messages, answer=NO_ANSWER, content_type=XML)  # type: ignore[arg-type]


def read_status(webhook: Webhook, token: str) -> Received:
    """Read a delivery report of WhatsApp or SMS; a status that is new to us says nothing."""
    form = signed_form(webhook, token)
    status = STATUSES.get((field(form, "MessageStatus") or field(form, "SmsStatus")).lower())
    message = sid(form)
    if status is None:
        return received()
    channel = "whatsapp" if WHATSAPP in field(form, "From") + field(form, "To") else "sms"
    error = _error(field(form, "ErrorCode")) if status == "failed" else None
    report = Report(message, status, error, channel)
    return Received(reports=(report,), answer=NO_ANSWER, content_type=XML)


def _error(code: str) -> SendError:
    return error_for(int(code)) if re.fullmatch("[0-9]{1,6}", code) else Permanent("undelivered")
