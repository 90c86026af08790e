"""SMS over Twilio: outbound everywhere, both ways where Twilio has two-way numbers (not in Morocco)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from twilio.rest.api.v2010.account.message import MessageInstance

from bot.channels.channel import Reader, Received, Refused, Sent, TakeIn, Webhook
from bot.channels.sms import NAME, sms_address
from bot.channels.twilio_api import STATUS_PATH, WHATSAPP, TwilioApi, check_settings
from bot.channels.twilio_catchup import CatchUp
from bot.channels.twilio_webhook import Form, field, read_status, received, sid, signed_form
from bot.storage.inbox import Incoming

if TYPE_CHECKING:
    from bot.channels.registry import Ground

PATH = "/webhooks/sms"
# Who can be answered: not a name ("INWI"), not a short code, whose messages are advertising.
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class TwilioSms:
    """An SmsProvider."""

    def __init__(self, ground: Ground) -> None:
        settings = ground.settings
        self._token = settings.twilio_auth_token.get_secret_value()
        self._sender = settings.twilio_sms_from
        self._api = TwilioApi(settings)
        self._catch_up = CatchUp(
            self._api, ground.sessions, NAME, self._sender, read_listed, settings.twilio_look_seconds
        )

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the webhook of messages, and the one of reports that WhatsApp has too."""
        return {PATH: self._read, STATUS_PATH: lambda webhook: read_status(webhook, self._token)}

    def _read(self, webhook: Webhook) -> Received:
        return read_message(signed_form(webhook, self._token))

    async def send(self, address: str, text: str, reference: str) -> Sent:
        """Send one text; Twilio knows no reference of ours."""
        return await self._api.send(self._sender, address, body=text)

    async def start(self, take_in: TakeIn) -> None:
        """Look for messages that did not arrive, where the sender is a number that can be written to."""
        if _NUMBER.fullmatch(self._sender):
            self._catch_up.start(take_in)

    async def close(self) -> None:
        """Stop looking, close the connections."""
        await self._catch_up.close()
        await self._api.close()

    def state(self) -> str:
        """Return up or down."""
        return self._api.state()


def make_provider(ground: Ground) -> TwilioSms:
    """Return the provider; raise SettingsError where it cannot work."""
    check_settings(ground.settings)
    return TwilioSms(ground)


def read_message(form: Form) -> Received:
    """Read an inbound SMS; one from a sender that cannot be answered is not kept."""
    sender, message = _sender(field(form, "From")), sid(form)
    if not _NUMBER.fullmatch(sender):
        return received()
    stop = field(form, "OptOutType").upper()
    body = stop if stop in ("STOP", "START") else field(form, "Body")
    pictures = field(form, "NumMedia")
    if not body and pictures.isdigit() and int(pictures):
        return received(Incoming(NAME, sender, message, "media", field(form, "MediaContentType0")[:100]))
    return received(Incoming(NAME, sender, message, "text", body))


def _sender(raw: str) -> str:
    try:
        return sms_address("" if raw.startswith(WHATSAPP) else raw)
    except ValueError:
        raise Refused(400, "not an SMS") from None


def read_listed(row: MessageInstance) -> Incoming | None:
    """Read a message of Twilio's list."""
    sender = str(row.from_ or "")
    if not _NUMBER.fullmatch(sender):
        return None
    return Incoming(NAME, sender, str(row.sid), "text", str(row.body or "").replace("\x00", ""))
