"""`python -m tests.simulators`: every stand-in and the phone page in one process; started by `rafiq run --simulate`."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from bot.settings import Settings, get_settings
from tests.simulators.environment import PAGE_PORT, SMS_KEY, SMS_PORT, SMS_SECRET
from tests.simulators.faults import Dice
from tests.simulators.lines import AggregatorLine, Line, SmppLine, TwilioLine, WebLine
from tests.simulators.phones import Phones
from tests.simulators.serving import serving
from tests.simulators.smpp import Smsc
from tests.simulators.sms_http import Aggregator
from tests.simulators.telegram import Telegram
from tests.simulators.twilio import Twilio

# Slow enough to see the ticks come.
STATUS_SECONDS = 0.6


@dataclass(frozen=True)
class Stage:
    """What every stand-in is made from, and what is closed at the end."""

    settings: Settings
    dice: Dice
    stack: AsyncExitStack

    async def twilio(self) -> Twilio:
        settings = self.settings
        twilio = Twilio(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            settings.twilio_whatsapp_from.removeprefix("whatsapp:"),
            settings.twilio_sms_from,
            self.dice,
        )
        twilio.status_delay = STATUS_SECONDS
        twilio.webhooks = {name: f"{settings.address}/webhooks/{name}" for name in ("whatsapp", "sms")}
        twilio.url = await self.stack.enter_async_context(serving(twilio.app, _port(settings.twilio_api_url)))
        return twilio

    async def telegram(self) -> Telegram:
        telegram = Telegram(self.settings.telegram_token.get_secret_value(), self.dice)
        await self.stack.enter_async_context(serving(telegram.app, _port(self.settings.telegram_api_url)))
        return telegram

    async def sms(self, twilio: Twilio) -> tuple[Line, str]:
        """Return the line of whatever carries SMS, and its name."""
        if self.settings.sms_provider == "twilio":
            return TwilioLine(twilio, "sms"), "over Twilio"
        if self.settings.sms_provider == "smpp":
            return SmppLine(await self.smsc()), "over SMPP"
        aggregator = Aggregator(os.environ[SMS_KEY], os.environ[SMS_SECRET], self.dice)
        aggregator.report_delay = STATUS_SECONDS
        aggregator.messages_url = f"{self.settings.address}/webhooks/sms"
        aggregator.reports_url = f"{self.settings.address}/webhooks/sms/status"
        await self.stack.enter_async_context(serving(aggregator.app, int(os.environ[SMS_PORT])))
        return AggregatorLine(aggregator), "over an HTTP aggregator"

    async def smsc(self) -> Smsc:
        password = self.settings.smpp_password.get_secret_value()
        # The database outlives the SMSC: ids must not come twice.
        first_id = secrets.randbelow(10**9)
        smsc = Smsc(self.settings.smpp_system_id, password, self.settings.smpp_port, self.dice, first_id)
        smsc.receipt_delay = STATUS_SECONDS
        await smsc.start()
        return smsc


async def main() -> None:
    """Serve until stopped."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        stage = Stage(get_settings(), Dice(seed=secrets.randbits(32)), stack)
        twilio = await stage.twilio()
        sms, carrier = await stage.sms(twilio)
        lines: dict[str, Line] = {
            "whatsapp": TwilioLine(twilio, "whatsapp"),
            "sms": sms,
            "telegram": await stage.telegram(),
            "web": WebLine(stage.settings.address),
        }
        names = {"whatsapp": "over Twilio", "sms": carrier, "telegram": "Bot API", "web": "the gateway's own API"}
        phones = Phones(lines, names, stage.dice)
        await stack.enter_async_context(serving(phones.app, int(os.environ[PAGE_PORT])))
        await stopped.wait()
        await phones.close()


def _port(url: str) -> int:
    return httpx.URL(url).port or 80


if __name__ == "__main__":
    asyncio.run(main())
