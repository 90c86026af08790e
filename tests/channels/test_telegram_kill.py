"""Long polling through kill -9: a real gateway process, killed again and again while owners write."""

import asyncio
import os
import signal
import sys

from sqlalchemy import func, select

from bot.settings import ROOT
from bot.storage.models import InboxMessage
from tests.simulators.ledger import Written
from tests.simulators.serving import serving
from tests.simulators.telegram import Telegram

OWNERS = 5
KILLS = 2
MESSAGES_A_LIFE = 40


async def gateway(database_url, tmp_path, telegram_url, token):
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "k" * 40,
        "PORT": "1",  # nobody calls it: the port need not open
        "TELEGRAM_TOKEN": token,
        "TELEGRAM_API_URL": telegram_url,
        "TELEGRAM_WEBHOOK_SECRET": "",
    }
    start = (
        "import asyncio; from bot.gateway.app import Gateway; from bot.settings import get_settings\n"
        "async def main():\n"
        "    await Gateway(get_settings()).start(); await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    return await asyncio.create_subprocess_exec(sys.executable, "-c", start, cwd=ROOT, env=environment)


async def test_no_message_is_lost_or_taken_twice_while_the_gateway_is_killed(engine, sessions, database_url, tmp_path):
    telegram = Telegram()

    def taken():
        with sessions() as session:
            return session.execute(select(func.count(InboxMessage.id))).scalar_one()

    async def until_taken(count):
        while taken() < count:
            await asyncio.sleep(0.005)

    async with serving(telegram.app) as url:
        said = 0
        for life in range(KILLS + 1):
            process = await gateway(database_url, tmp_path, url, telegram.token)
            try:
                for _ in range(MESSAGES_A_LIFE):
                    await telegram.say(str(1000 + said % OWNERS), Written(f"{said}"))
                    said += 1
                # Killed in the middle of a batch; the last life may finish.
                enough = said - (MESSAGES_A_LIFE // 2 if life < KILLS else 0)
                await asyncio.wait_for(until_taken(enough), 60)
            finally:
                process.send_signal(signal.SIGKILL)
                await process.wait()
    with sessions() as session:
        bodies = session.execute(select(InboxMessage.body).order_by(InboxMessage.id)).scalars().all()
    assert bodies == [f"{number}" for number in range(said)]
