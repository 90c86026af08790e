"""The channels that this installation has, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from bot.channels.channel import Channel
from bot.channels.sms import NAME as SMS
from bot.channels.sms import SmsChannel, SmsProvider
from bot.channels.sms_http import make_http
from bot.channels.sms_smpp import make_smpp
from bot.settings import Settings, SettingsError


@dataclass(frozen=True)
class Ground:
    """What a channel may build on besides its settings."""

    settings: Settings
    sessions: sessionmaker[Session]


Maker = Callable[[Ground], "Channel | None"]
"""Makes a channel, or returns None where its credentials are not set; raises SettingsError where they are wrong."""


def make_twilio_sms(ground: Ground) -> SmsProvider | None:
    """Make SMS over Twilio; the library is loaded where it is used only."""
    if not ground.settings.twilio_sms_from:
        return None
    from bot.channels.sms_twilio import make_provider

    return make_provider(ground)


SMS_PROVIDERS: Mapping[str, Callable[[Ground], SmsProvider | None]] = {
    "twilio": make_twilio_sms,
    "http": lambda ground: make_http(ground.settings),
    "smpp": lambda ground: make_smpp(ground.settings),
}
"""Makers of what carries SMS, by the name of SMS_PROVIDER; they return None where their settings are missing."""


def make_sms(ground: Ground) -> Channel | None:
    """Make the SMS channel with the provider that the settings name, or the only one they describe."""
    wanted = ground.settings.sms_provider
    names = [wanted] if wanted else list(SMS_PROVIDERS)
    found = {name: provider for name in names if (provider := SMS_PROVIDERS[name](ground)) is not None}
    if wanted and not found:
        raise SettingsError(f"SMS_PROVIDER is {wanted}, but its settings are not there")
    if len(found) > 1:
        raise SettingsError(f"SMS_PROVIDER must say which one carries SMS: {', '.join(found)}")
    return next((SmsChannel(provider) for provider in found.values()), None)


def make_whatsapp(ground: Ground) -> Channel | None:
    """Make WhatsApp over Twilio; the library is loaded where it is used only."""
    settings = ground.settings
    if not (settings.twilio_account_sid or settings.twilio_auth_token or settings.twilio_whatsapp_from):
        return None
    from bot.channels.whatsapp import make

    return make(ground)


def make_telegram(ground: Ground) -> Channel | None:
    """Make the Telegram channel where a token is set."""
    if not ground.settings.telegram_token.get_secret_value():
        return None
    # Where it is off, the gateway starts without waiting for its library.
    from bot.channels.telegram import make

    return make(ground)


MAKERS: Sequence[tuple[str, Maker]] = (("whatsapp", make_whatsapp), (SMS, make_sms), ("telegram", make_telegram))


def make_channels(ground: Ground) -> tuple[dict[str, Channel], list[str]]:
    """Return the channels that are on, by name, and the names of those that are off."""
    made = {name: make(ground) for name, make in MAKERS}
    on = {name: channel for name, channel in made.items() if channel is not None}
    return on, [name for name in made if name not in on]
