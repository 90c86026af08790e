"""What the phone page and the bench read of the SMSC: whole messages, refusals, receipts, faults."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.channel import Permanent, Retryable
from tests.channels.test_sms_smpp import bound
from tests.simulators.ledger import Written
from tests.simulators.lines import SmppLine
from tests.simulators.smpp import Smsc

OWNER = "+212612345678"


@pytest.fixture
async def smsc():
    async with Smsc() as smsc:
        yield smsc


async def test_a_long_message_is_noted_once_with_its_parts(smsc, tmp_path):
    text = "ش" * 100
    async with bound(smsc, tmp_path) as (provider, _):
        await provider.send(OWNER, text, "1-0")
    (message,) = smsc.ledger.to(OWNER)
    assert (message.text, message.segments, message.encoding) == (text, 2, "UCS-2")


async def test_receipts_come_by_themselves(smsc, tmp_path):
    smsc.receipt_delay = 0.0
    async with bound(smsc, tmp_path) as (provider, inbox):
        sent = await provider.send(OWNER, "Bonjour", "1-0")
        while not inbox.reports:
            await asyncio.sleep(0.005)
    assert [(report.provider_id, report.status) for report in inbox.reports] == [(sent.provider_id, "delivered")]
    assert smsc.ledger.statuses == {sent.provider_id: "delivered"}


@pytest.mark.parametrize("fault", ["throttled", "failing", "silent", "reset", "html", "lost"])
async def test_the_bot_would_try_again_after_a_fault(smsc, tmp_path, fault):
    async with bound(smsc, tmp_path) as (provider, _):
        smsc.dice.queue(fault)
        with pytest.raises(Retryable):
            await provider.send(OWNER, "Bonjour", "1-0")
    assert smsc.ledger.counts[f"fault {fault}"] == 1
    assert [message.lost for message in smsc.ledger.accepted] == ([True] if fault == "lost" else [])


async def test_a_refusal_is_told(smsc, tmp_path):
    events = []
    smsc.ledger.listen(events.append)
    smsc.answers.append(0x0B)
    async with bound(smsc, tmp_path) as (provider, _):
        with pytest.raises(Permanent):
            await provider.send(OWNER, "Bonjour", "1-0")
    assert [(event.what, event.address, event.code) for event in events] == [("refused", OWNER, "0x0B")]


async def test_what_an_owner_types_reaches_the_bot(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (_, inbox):
        await SmppLine(smsc).say("0612345678", Written("salam ç"))
    assert [(message.address, message.body) for message in inbox.messages.values()] == [(OWNER, "salam ç")]
