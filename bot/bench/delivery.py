"""Is anything lost? Owners on WhatsApp take the test while processes are killed and the provider fails.

The provider is the stand-in of tests/simulators, which speaks Twilio's wire format and posts signed webhooks. An
owner's phone sends one message after the other; a webhook that is not answered with 200 is posted again, as a
provider with retries does. At the end the database is compared with what the phones sent and what they got.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bench.installation import Installation, empty_database
from bot.settings import Settings
from bot.storage.addresses import AddressBook
from bot.storage.database import make_engine, make_sessions
from bot.storage.inbox import find_conversation
from bot.storage.models import Answer, Assessment, Conversation, Delivery, InboxMessage, OutboxMessage

CHANNEL = "whatsapp"
# Greeting, consent, sector, size, region, goal by their numbers; then answers. Every message has its own effect.
OPENING = ("bonjour", "1", "1", "2", "3", "1")
ANSWERS = ("2", "1", "3", "2")
SECRET = "for-measurements-only-" + "k" * 24
WEBHOOK_RETRY_SECONDS = 0.3


@dataclass(frozen=True)
class Plan:
    """How much, how long, and what goes wrong."""

    conversations: int
    messages: int
    kill_every: float
    """seconds between two kills, on average; 0 for none"""
    faults: float
    """share of the provider's calls that go wrong"""
    workers: int
    minutes: float
    """after so long the run is given up"""
    pause: float = 0.5
    """longest wait of an owner between two messages, in seconds"""
    seed: int = 0


@dataclass
class Tally:
    """What the phones saw."""

    webhook_seconds: list[float] = field(default_factory=list)
    webhooks_repeated: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


async def run(plan: Plan, database_url: str, progress: Callable[[str, int], None]) -> dict[str, Any]:
    """Run the plan on an empty database of its own and return what was found; `passed` says whether all held."""
    from tests.simulators.faults import Dice, Faults
    from tests.simulators.serving import serving
    from tests.simulators.twilio import Twilio

    share = plan.faults / 5
    faults = Faults(
        throttled=share, failing=share, silent=share, reset=share, lost=share, retry_after=1.0, silence_seconds=3.0
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with empty_database(database_url, folder) as url:
            twilio = Twilio(dice=Dice(faults, plan.seed))
            async with serving(twilio.app) as twilio.url:
                environment = {
                    "DATABASE_URL": url,
                    "SECRET_KEY": SECRET,
                    "TWILIO_API_URL": twilio.url,
                    "TWILIO_ACCOUNT_SID": twilio.account_sid,
                    "TWILIO_AUTH_TOKEN": twilio.auth_token,
                    "TWILIO_WHATSAPP_FROM": twilio.senders[CHANNEL],
                    "TWILIO_SMS_FROM": "",
                    "LEASE_SECONDS": "5",
                    "SEND_LEASE_SECONDS": "8",
                    "SEND_FIRST_RETRY_SECONDS": "0.5",
                    "LOG_LEVEL": "WARNING",
                }
                installation = Installation(folder, environment, plan.workers)
                twilio.webhooks[CHANNEL] = f"{installation.address}/webhooks/whatsapp"
                installation.start()
                try:
                    await asyncio.to_thread(installation.wait_ready)
                    return await _measure(plan, installation, twilio, url, progress)
                finally:
                    await asyncio.to_thread(installation.stop)
                    await twilio.close()


async def _measure(
    plan: Plan, installation: Installation, twilio: Any, url: str, progress: Callable[[str, int], None]
) -> dict[str, Any]:
    chance, tally, started = random.Random(plan.seed), Tally(), time.monotonic()
    deadline = started + plan.minutes * 60
    addresses = [f"+2126{number:08d}" for number in range(plan.conversations)]
    killer = asyncio.create_task(_kill(plan, installation, chance)) if plan.kill_every else None
    writing = [_owner(plan, address, twilio, tally, chance, deadline, progress) for address in addresses]
    await asyncio.gather(*writing)
    sent_after = time.monotonic() - started
    engine = make_engine(url)
    sessions = make_sessions(engine)
    settled = await _settle(sessions, plan, deadline, progress, killer)
    with sessions() as session:
        found = await asyncio.to_thread(verify, session, plan, addresses, twilio.ledger)
    engine.dispose()
    took = time.monotonic() - started
    return {
        "passed": settled and not any(found["wrong"].values()),
        "settled": settled,
        **found,
        "kills": installation.kills,
        "provider": dict(twilio.ledger.counts),
        "webhooks": {
            "answered": dict(tally.statuses),
            "repeated": tally.webhooks_repeated,
            "p50_ms": round(statistics.median(tally.webhook_seconds) * 1000, 1),
            "p95_ms": round(sorted(tally.webhook_seconds)[int(len(tally.webhook_seconds) * 0.95)] * 1000, 1),
        },
        "seconds": {"sent": round(sent_after, 1), "settled": round(took, 1)},
    }


async def _kill(plan: Plan, installation: Installation, chance: random.Random) -> None:
    while True:
        await asyncio.sleep(plan.kill_every * chance.uniform(0.5, 1.5))
        await asyncio.to_thread(installation.kill_one, chance)


def script(messages: int) -> list[str]:
    """Return what an owner types: the opening, then answers."""
    return [*OPENING, *(ANSWERS[number % len(ANSWERS)] for number in range(messages))][:messages]


async def _owner(
    plan: Plan,
    address: str,
    twilio: Any,
    tally: Tally,
    chance: random.Random,
    deadline: float,
    progress: Callable[[str, int], None],
) -> None:
    """Send the script, each message until it is accepted: order on the phone is order at the webhook."""
    from tests.simulators.ledger import Written

    await asyncio.sleep(chance.uniform(0, plan.pause * plan.messages))
    for text in script(plan.messages):
        delivery = twilio.write(CHANNEL, address, Written(text))
        while time.monotonic() < deadline:
            at = time.monotonic()
            status = await twilio.deliver(delivery)
            tally.statuses[status] += 1
            if status == 200:
                tally.webhook_seconds.append(time.monotonic() - at)
                break
            tally.webhooks_repeated += 1
            await asyncio.sleep(WEBHOOK_RETRY_SECONDS)
        progress("sent", 1)
        await asyncio.sleep(chance.uniform(0, plan.pause))


async def _settle(
    sessions: Any, plan: Plan, deadline: float, progress: Callable[[str, int], None], killer: asyncio.Task[None] | None
) -> bool:
    """Wait until nothing waits any more, killing on while turns are left; False when the time is over."""
    done = 0
    while time.monotonic() < deadline:
        turns, replies, finished = await asyncio.to_thread(_left, sessions)
        progress("turns", finished - done)
        done = finished
        if killer is not None and turns == 0:
            killer.cancel()
        if turns == 0 and replies == 0:
            return True
        await asyncio.sleep(0.5)
    if killer is not None:
        killer.cancel()
    return False


def _left(sessions: Any) -> tuple[int, int, int]:
    with sessions() as session:
        inbox = dict(session.execute(select(InboxMessage.status, func.count()).group_by(InboxMessage.status)).all())
        replies = session.execute(
            select(func.count()).select_from(OutboxMessage).where(OutboxMessage.status == "waiting")
        ).scalar_one()
    return inbox.get("waiting", 0), replies, inbox.get("done", 0)


def verify(session: Session, plan: Plan, addresses: Sequence[str], ledger: Any) -> dict[str, Any]:
    """Compare the database with the phones, owner by owner."""
    settings = Settings(secret_key=SecretStr(SECRET))
    book = AddressBook(settings.derived_key("address-hash"), settings.fernet_key())
    wrong: Counter[str] = Counter(
        dict.fromkeys(
            (
                "messages lost",
                "messages twice",
                "turns without reply",
                "answers wrong",
                "replies missing",
                "out of order",
            ),
            0,
        )
    )
    duplicates: Counter[str] = Counter()
    for address in addresses:
        found = find_conversation(session, book, CHANNEL, f"{CHANNEL}:{address}") or find_conversation(
            session, book, CHANNEL, address
        )
        if found is None:
            wrong["messages lost"] += plan.messages
            continue
        wrong.update(_wrong_messages(session, found, plan))
        wrong.update(_wrong_answers(session, found, plan))
        wrong.update(_wrong_replies(session, found, address, ledger, duplicates))
    return {
        "wrong": dict(wrong),
        "messages": plan.conversations * plan.messages,
        "replies_sent": session.execute(select(func.count()).select_from(OutboxMessage)).scalar_one(),
        "duplicated_replies": {"answer_lost": duplicates["lost"], "killed_before_booking": duplicates["killed"]},
    }


def _wrong_messages(session: Session, conversation_id: str, plan: Plan) -> Mapping[str, int]:
    rows = (
        session.execute(select(InboxMessage).filter_by(conversation_id=conversation_id).order_by(InboxMessage.id))
        .scalars()
        .all()
    )
    answered = set(
        session.execute(select(OutboxMessage.inbox_id).filter_by(conversation_id=conversation_id).distinct()).scalars()
    )
    bodies = [row.body for row in rows]
    return {
        "messages lost": max(plan.messages - len(rows), 0),
        "messages twice": max(len(rows) - plan.messages, 0),
        "out of order": int(len(rows) == plan.messages and bodies != script(plan.messages)),
        "turns without reply": sum(row.status != "done" or row.id not in answered for row in rows),
    }


def _wrong_answers(session: Session, conversation_id: str, plan: Plan) -> Mapping[str, int]:
    """Each answer is an option's number: its value is one less, and it was counted once, in order."""
    firm = session.execute(select(Conversation.firm_id).filter_by(id=conversation_id)).scalar_one()
    given = (
        session.execute(
            select(Answer.value).join(Assessment).where(Assessment.firm_id == firm).order_by(Answer.position)
        )
        .scalars()
        .all()
    )
    meant = [int(text) - 1 for text in script(plan.messages)[len(OPENING) :]]
    return {"answers wrong": int(list(given) != meant)}


def _wrong_replies(
    session: Session, conversation_id: str, address: str, ledger: Any, duplicates: Counter[str]
) -> Mapping[str, int]:
    """Every reply is on the phone, in order; what is there twice was taken when its booking could not be made."""
    rows = session.execute(
        select(OutboxMessage.id, OutboxMessage.status, Delivery.provider_id)
        .outerjoin(Delivery, Delivery.outbox_id == OutboxMessage.id)
        .where(OutboxMessage.conversation_id == conversation_id)
        .order_by(OutboxMessage.id, Delivery.part)
    ).all()
    on_phone = [message.provider_id for message in ledger.to(address)]
    booked = [provider_id for _, _, provider_id in rows if provider_id is not None]
    known = set(booked)
    for message in ledger.to(address):
        if message.provider_id not in known:
            duplicates["lost" if message.lost else "killed"] += 1
    return {
        "replies missing": sum(status != "sent" or provider_id not in on_phone for _, status, provider_id in rows),
        "out of order": int([provider_id for provider_id in on_phone if provider_id in known] != booked),
    }
