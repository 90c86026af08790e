"""The aggregator stand-in: it takes and refuses as aggregators do, and signs what it sends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.channels.aggregator import load_aggregator
from bot.channels.channel import OptedOut, Permanent, Refused, Retryable, Webhook
from bot.channels.sms_http import HttpProvider
from tests.simulators.environment import SMS_KEY, SMS_PORT, SMS_SECRET
from tests.simulators.ledger import Written
from tests.simulators.serving import serving
from tests.simulators.sms_http import Aggregator

OWNER = "+212612345678"
MESSAGE = {"to": "212612345678", "from": "RAFIQ", "text": "Bonjour", "coding": "gsm", "reference": "1-0"}


@pytest.fixture
async def aggregator():
    aggregator = Aggregator("key", "secret")
    aggregator.report_delay = 0.0
    yield aggregator
    await aggregator.close()


async def post(aggregator: Aggregator, key: str = "key", **changes: str) -> httpx.Response:
    transport = httpx.ASGITransport(aggregator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://aggregator") as client:
        headers = {"Authorization": f"Bearer {key}"}
        return await client.post("/v1/messages", json=MESSAGE | changes, headers=headers)


async def test_a_message_is_taken_with_its_parts(aggregator):
    answer = await post(aggregator, text="a" * 161)
    assert (answer.status_code, answer.json()["status"], answer.json()["parts"]) == (202, "accepted", 2)
    assert aggregator.ledger.to(OWNER)[0].encoding == "GSM-7"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "+212612345678"}, "BAD_NUMBER"),
        ({"to": "0612345678"}, "BAD_NUMBER"),
        ({"from": "Rafiq the companion"}, "BAD_SENDER"),
        ({"text": " "}, "EMPTY"),
        ({"text": "ça"}, "BAD_CODING"),
        ({"coding": "utf8"}, "BAD_CODING"),
        ({"text": "a" * 1531}, "TOO_LONG"),
        ({"text": "ش" * 671, "coding": "unicode"}, "TOO_LONG"),
    ],
)
async def test_what_cannot_be_sent_is_refused_in_a_200(aggregator, changes, code):
    answer = await post(aggregator, **changes)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (200, "error", code)
    assert aggregator.ledger.accepted == []


async def test_a_blacklisted_number_and_a_wrong_key_are_refused(aggregator):
    aggregator.blocked.add(OWNER)
    assert (await post(aggregator)).json()["code"] == "BLACKLISTED"
    assert (await post(aggregator, key="other")).status_code == 401


async def test_needless_unicode_is_paid_for(aggregator):
    await post(aggregator, text="a" * 100, coding="unicode")
    assert aggregator.ledger.accepted[0].segments == 2


async def test_messages_and_reports_are_signed_forms(aggregator):
    seen = []

    async def bot(scope, receive, send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        expected = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
        seen.append((request.url.path, parse_qs(body.decode()), request.headers["x-signature"] == expected))
        await Response("OK")(scope, receive, send)

    async with serving(bot) as url:
        aggregator.messages_url, aggregator.reports_url = f"{url}/in", f"{url}/status"
        assert await aggregator.say("0612345678", Written("salam ç €")) == 200
        aggregator.unreachable[OWNER] = "ABSENT"
        await post(aggregator)
        while len(seen) < 3:
            await asyncio.sleep(0.005)
    assert all(signed for _, _, signed in seen)
    assert (seen[0][0], seen[0][1]["from"], seen[0][1]["text"]) == ("/in", ["0612345678"], ["salam ç €"])
    assert [form["status"] for path, form, _ in seen if path == "/status"] == [["ENROUTE"], ["UNDELIV"]]


@pytest.fixture
async def bot(aggregator):
    """Give the bot's own adapter, led to the stand-in by aggregator.yml."""
    async with serving(aggregator.app) as url:
        environment = {SMS_PORT: url.rpartition(":")[2], SMS_KEY: "key", SMS_SECRET: "secret"}
        description = load_aggregator(Path(__file__).with_name("aggregator.yml"), environment)
        provider = HttpProvider(description, b"k" * 32)
        yield provider
        await provider.close()


async def test_the_bot_sends_by_its_description(aggregator, bot):
    sent = await bot.send(OWNER, "شحال", "1-0")
    message = aggregator.ledger.accepted[0]
    assert (message.address, message.text, message.encoding) == (OWNER, "شحال", "UCS-2")
    assert (sent.provider_id, sent.status, sent.segments) == (message.provider_id, "accepted", 1)


@pytest.mark.parametrize(("number", "error"), [("+0612", Permanent), (OWNER, OptedOut)])
async def test_the_bot_understands_what_is_refused(aggregator, bot, number, error):
    aggregator.blocked.add(OWNER)
    with pytest.raises(error):
        await bot.send(number, "Bonjour", "1-0")


@pytest.mark.parametrize("fault", ["throttled", "failing", "html", "reset", "lost"])
async def test_the_bot_would_try_again_after_a_fault(aggregator, bot, fault):
    aggregator.dice.queue(fault)
    with pytest.raises(Retryable):
        await bot.send(OWNER, "Bonjour", "1-0")
    assert (await bot.send(OWNER, "Bonjour", "1-0")).provider_id


async def test_the_bot_reads_what_the_stand_in_signs(aggregator, bot):
    delivery = aggregator.write("0612345678", Written("salam ç"))
    signature = aggregator.sign(delivery.body)
    webhook = Webhook("POST", "http://bot/webhooks/sms", {"X-Signature": signature}, delivery.body.encode())
    (message,) = bot.read_messages(webhook).messages
    assert (message.address, message.body) == (OWNER, "salam ç")
    forged = Webhook("POST", webhook.url, {"X-Signature": "0" * 64}, webhook.body)
    with pytest.raises(Refused):
        bot.read_messages(forged)
