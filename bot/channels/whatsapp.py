"""WhatsApp over Twilio: interactive messages inside the 24-hour window, approved templates outside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twilio.rest.api.v2010.account.message import MessageInstance

from bot.channels.channel import (
    LoadMedia,
    OptedOut,
    Permanent,
    Reader,
    Received,
    Refused,
    Reply,
    Sent,
    TakeIn,
    Webhook,
    WindowClosed,
)
from bot.channels.twilio_api import STATUS_PATH, WHATSAPP, TwilioApi, check_settings
from bot.channels.twilio_catchup import CatchUp
from bot.channels.twilio_content import Contents
from bot.channels.twilio_webhook import Form, field, read_status, received, sid, signed_form
from bot.channels.whatsapp_parts import Approved, Attachment, Choices, Part, cut, parts
from bot.knowledge.loader import load
from bot.knowledge.templates import load_templates
from bot.knowledge.text import VARIETIES, Text
from bot.storage.inbox import Incoming

if TYPE_CHECKING:
    from bot.channels.registry import Ground

NAME = "whatsapp"
PATH = "/webhooks/whatsapp"
WINDOW_SECONDS = 86400.0
LONGEST_ADDRESS = 200
LONGEST_TYPE = 100
# What opens a list.
LIST_LABEL = "open_list"
# Of the files that we make, those that WhatsApp carries; of another one, such as an owner's own data, the link goes.
CARRIED = frozenset({"image/png", "image/jpeg", "application/pdf"})
# What Twilio says of a content template that is no longer in the account.
TEMPLATE_GONE = frozenset({"20404", "21655"})


class WhatsApp:
    """A Channel."""

    name = NAME
    window_seconds: float | None = WINDOW_SECONDS

    def __init__(self, ground: Ground) -> None:
        settings = ground.settings
        self._token = settings.twilio_auth_token.get_secret_value()
        self._sender = WHATSAPP + settings.twilio_whatsapp_from.removeprefix(WHATSAPP)
        self._api = TwilioApi(settings)
        self._contents = Contents(self._api, ground.sessions)
        self._templates = load_templates(settings.knowledge_dir)
        self._list_label = _list_label(settings.knowledge_dir)
        self._catch_up = CatchUp(
            self._api, ground.sessions, NAME, self._sender, read_listed, settings.twilio_look_seconds
        )

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return the webhook of messages, and the one of reports that SMS has too."""
        return {PATH: self._read, STATUS_PATH: lambda webhook: read_status(webhook, self._token)}

    def _read(self, webhook: Webhook) -> Received:
        return received(read_message(signed_form(webhook, self._token)))

    def render(self, reply: Reply) -> Sequence[Part]:
        """Return the WhatsApp messages of a reply."""
        return parts(reply)

    async def send(self, address: str, part: Part, load_media: LoadMedia) -> Sent:
        """Send one message."""
        to = WHATSAPP + address
        if isinstance(part, Choices):
            return await self._send_choices(to, part)
        if isinstance(part, Attachment):
            return await self._send_attachment(to, part, load_media)
        if isinstance(part, Approved):
            return await self._send_approved(to, part)
        return await self._api.send(self._sender, to, body=part.text)

    async def _send_choices(self, to: str, part: Choices) -> Sent:
        """Send an interactive message; where Twilio will not have it, the same as numbered text."""
        label = self._list_label[part.language if part.language in VARIETIES else "fr"]
        content = await self._contents.filled(part, label)
        if content is not None:
            try:
                return await self._api.send(self._sender, to, **content)
            except OptedOut:
                raise
            except Permanent as error:  # a wrong number fails with the text again
                if error.code in TEMPLATE_GONE:  # for anything else a new one would be one more in the account
                    await self._contents.forget(part)
        return await self._api.send(self._sender, to, body=part.as_text())

    async def _send_attachment(self, to: str, part: Attachment, load_media: LoadMedia) -> Sent:
        """Send a file by its signed address; when it has expired, its caption, which says the same."""
        media = await load_media(part.media_id)
        caption = {"body": part.caption} if part.caption else {}
        if media is not None and media.content_type not in CARRIED:
            return await self._api.send(self._sender, to, body=f"{part.caption}\n{media.url}".strip())
        if media is not None:
            return await self._api.send(self._sender, to, media_url=[media.url], **caption)
        if not caption:
            raise Permanent("media expired")
        return await self._api.send(self._sender, to, **caption)

    async def _send_approved(self, to: str, part: Approved) -> Sent:
        content_sid = self._templates.get(part.name, {}).get(part.language)
        if content_sid is None:  # the message waits until the owner writes, and the operator sees why
            raise WindowClosed(f"no template {part.name} {part.language}"[:64])
        # WhatsApp takes no line breaks and no long gaps in what fills an approved template.
        values = {str(number): " ".join(value.split()) for number, value in enumerate(part.variables, 1)}
        filled = {"content_variables": json.dumps(values, ensure_ascii=False)} if values else {}
        return await self._api.send(self._sender, to, content_sid=content_sid, **filled)

    async def start(self, take_in: TakeIn) -> None:
        """Look for messages that did not arrive."""
        self._catch_up.start(take_in)

    async def close(self) -> None:
        """Stop looking, close the connections."""
        await self._catch_up.close()
        await self._api.close()

    def state(self) -> str:
        """Return up or down."""
        return self._api.state()


def make(ground: Ground) -> WhatsApp | None:
    """Return the channel, None without a number of its own; raise SettingsError where the settings do not fit."""
    check_settings(ground.settings)
    return WhatsApp(ground) if ground.settings.twilio_whatsapp_from else None


def _list_label(knowledge: Path) -> Text:
    label = load(knowledge / "labels.yml").parse(dict[str, Text])[LIST_LABEL]
    return Text.parse_obj({variety: cut(label[variety], 20) for variety in VARIETIES})


def read_message(form: Form) -> Incoming:
    """Read an inbound message; the address is a number or a business-scoped id, and nothing is read out of it."""
    sender, message = field(form, "From"), sid(form)
    address = sender.removeprefix(WHATSAPP)
    if not sender.startswith(WHATSAPP) or not 0 < len(address) <= LONGEST_ADDRESS:
        raise Refused(400, "not from WhatsApp")
    kind, body = _content(form)
    return Incoming(NAME, address, message, kind, body)


def _content(form: Form) -> tuple[str, str]:
    stop = field(form, "OptOutType").upper()
    if stop in ("STOP", "START"):  # Twilio took the word for one, maybe one that is not ours
        return "text", stop
    choice = field(form, "ListId") or field(form, "ButtonPayload")
    if choice:
        return "choice", choice
    place = _place(field(form, "Latitude"), field(form, "Longitude"))
    if place:
        return "location", place
    text, media_type = field(form, "Body"), _media_type(form)
    # Words under a picture are meant; what stands under a document is its file name.
    captioned = media_type.startswith(("image/", "video/")) and field(form, "MessageType").lower() != "sticker"
    if media_type and not (captioned and text):
        return "media", media_type
    if text or form.get("MessageType", "text").lower() in ("text", "button", "interactive"):
        return "text", text
    return "media", field(form, "MessageType")[:LONGEST_TYPE]


def _media_type(form: Form) -> str:
    """Return the type of the first file in lower case, without parameters; empty when there is none."""
    number = field(form, "NumMedia")
    if not re.fullmatch("[0-9]{1,3}", number) or int(number) == 0:
        return ""
    named = field(form, "MediaContentType0").partition(";")[0].strip().lower()
    return named[:LONGEST_TYPE] or "application/octet-stream"


def _place(latitude: str, longitude: str) -> str:
    """Return `lat,lon` where both are numbers on Earth."""
    numbers = [re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", value) for value in (latitude, longitude)]
    if not all(numbers) or abs(float(latitude)) > 90 or abs(float(longitude)) > 180:
        return ""
    return f"{latitude},{longitude}"


def read_listed(row: MessageInstance) -> Incoming | None:
    """Read a message of Twilio's list, which tells less: the title of a button, no place, no type of a file."""
    sender = str(row.from_ or "")
    address = sender.removeprefix(WHATSAPP)
    if not sender.startswith(WHATSAPP) or not 0 < len(address) <= LONGEST_ADDRESS:
        return None
    text = str(row.body or "").replace("\x00", "").strip()
    has_media = str(row.num_media or "0") != "0"
    kind, body = ("text", text) if text else ("media", "application/octet-stream" if has_media else "unknown")
    return Incoming(NAME, address, str(row.sid), kind, body)
