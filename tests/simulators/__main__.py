"""`python -m tests.simulators`: every stand-in and the phone page in one process; started by `rafiq run --simulate`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import httpx

from bot.settings import Settings, get_settings
from tests.simulators.environment import PAGE_PORT
from tests.simulators.faults import Dice
from tests.simulators.lines import Line, TwilioLine, WebLine
from tests.simulators.phones import Phones
from tests.simulators.serving import serving
from tests.simulators.twilio import Twilio


def _port(url: str) -> int:
    return httpx.URL(url).port or 80


async def _twilio(settings: Settings, dice: Dice, stack: AsyncExitStack) -> Twilio:
    twilio = Twilio(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_whatsapp_from.removeprefix("whatsapp:"),
        settings.twilio_sms_from,
        dice,
    )
    twilio.status_delay = 0.6  # slow enough to see the ticks come
    twilio.webhooks = {name: f"{settings.address}/webhooks/{name}" for name in ("whatsapp", "sms")}
    twilio.url = await stack.enter_async_context(serving(twilio.app, _port(settings.twilio_api_url)))
    return twilio


async def main() -> None:
    """Serve until stopped."""
    settings, dice = get_settings(), Dice()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        twilio = await _twilio(settings, dice, stack)
        lines: dict[str, Line] = {
            "whatsapp": TwilioLine(twilio, "whatsapp"),
            "sms": TwilioLine(twilio, "sms"),
            "web": WebLine(settings.address),
        }
        names = {"whatsapp": "over Twilio", "sms": "over Twilio", "web": "over the gateway's API"}
        phones = Phones(lines, names, dice)
        await stack.enter_async_context(serving(phones.app, int(os.environ[PAGE_PORT])))
        await stopped.wait()
        await phones.close()


if __name__ == "__main__":
    asyncio.run(main())
