"""Requests as Twilio posts them: the parameters of its documentation, blank ones too, signed as it signs them."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

ACCOUNT = "AC" + "a1" * 16
TOKEN = "7d" * 16
OURS = "+212520000001"
OWNER = "+212612345678"
BUSINESS_SCOPED = "US.13491208655302741918"

_numbers = itertools.count(1)


def new_sid(prefix: str = "SM") -> str:
    """Return a message's id that was not used yet."""
    return f"{prefix}{next(_numbers):032x}"


def whatsapp(body: str = "", **more: str) -> dict[str, str]:
    """Return a WhatsApp message; `more` adds or replaces parameters."""
    sid = more.pop("MessageSid", None) or new_sid()
    return {
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ProfileName": "Épicerie Ben Salah",
        "MessageType": "text",
        "SmsSid": sid,
        "WaId": OWNER.lstrip("+"),
        "SmsStatus": "received",
        "Body": body,
        "To": f"whatsapp:{OURS}",
        "MessagingServiceSid": "",
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "ChannelMetadata": '{"type":"whatsapp","data":{"context":{"ProfileName":"Épicerie Ben Salah"}}}',
        "From": f"whatsapp:{OWNER}",
        "ApiVersion": "2010-04-01",
    } | more


def button(payload: str, title: str) -> dict[str, str]:
    """Return a pressed quick reply."""
    return whatsapp(
        title,
        MessageType="button",
        ButtonText=title,
        ButtonPayload=payload,
        OriginalRepliedMessageSender=f"whatsapp:{OURS}",
        OriginalRepliedMessageSid="MM" + "b" * 32,
    )


def row(choice: str, title: str) -> dict[str, str]:
    """Return a chosen row of a list."""
    return whatsapp(title, MessageType="interactive", ListId=choice, ListTitle=title)


def media(content_type: str, kind: str, body: str = "") -> dict[str, str]:
    """Return a picture, recording or document."""
    sid = new_sid("MM")
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/ME{'c' * 32}"
    return whatsapp(body, MessageSid=sid, MessageType=kind, NumMedia="1", MediaContentType0=content_type, MediaUrl0=url)


def location(latitude: str, longitude: str) -> dict[str, str]:
    """Return a location pin."""
    return whatsapp(
        "",
        MessageType="location",
        Latitude=latitude,
        Longitude=longitude,
        Address="Derb Omar, Casablanca",
        Label="Magasin",
    )


def business_scoped(body: str) -> dict[str, str]:
    """Return a message of somebody with a user name and no number to be seen."""
    values = whatsapp(body, From=f"whatsapp:{BUSINESS_SCOPED}", ExternalUserId=BUSINESS_SCOPED)
    return {name: value for name, value in values.items() if name != "WaId"}


def sms(body: str, **more: str) -> dict[str, str]:
    """Return an SMS, with the blank places of a number outside North America."""
    sid = more.pop("MessageSid", None) or new_sid()
    blank = {f"{side}{part}": "" for side in ("From", "To") for part in ("City", "State", "Zip")}
    return (
        {
            "ToCountry": "MA",
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "SmsSid": sid,
            "SmsStatus": "received",
            "Body": body,
            "FromCountry": "MA",
            "To": OURS,
            "NumSegments": "1",
            "MessageSid": sid,
            "AccountSid": ACCOUNT,
            "From": OWNER,
            "ApiVersion": "2010-04-01",
        }
        | blank
        | more
    )


def status(sid: str, name: str, error: int | None = None, channel: str = "whatsapp") -> dict[str, str]:
    """Return a status callback."""
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    values = {
        "SmsSid": sid,
        "SmsStatus": name,
        "MessageStatus": name,
        "To": prefix + OWNER,
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": prefix + OURS,
        "ApiVersion": "2010-04-01",
    }
    if channel == "whatsapp":
        values |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": f"{prefix}{OWNER}"}
    return values | ({"ErrorCode": str(error), "ErrorMessage": ""} if error else {})


def signed(url: str, values: dict[str, str], token: str = TOKEN) -> dict[str, Any]:
    """Return body and headers of the request."""
    return {
        "content": urlencode(values).encode(),
        "headers": {
            "X-Twilio-Signature": RequestValidator(token).compute_signature(url, values),
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "I-Twilio-Idempotency-Token": f"{values.get('MessageSid', '')}-1",
            "User-Agent": "TwilioProxy/1.1",
        },
    }
