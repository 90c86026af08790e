"""Messages that Twilio has and the gateway never got are taken in, each once, in order."""

import asyncio
import time

import pytest
from sqlalchemy import select

from bot.channels import sms_twilio, twilio_api, twilio_catchup, whatsapp
from bot.channels.channel import Retryable
from bot.channels.twilio_api import TwilioApi
from bot.channels.twilio_catchup import LONGEST_LOOK_BACK_SECONDS, OVERLAP_SECONDS, CatchUp
from bot.gateway.intake import Intake
from bot.knowledge.keywords import Keywords
from bot.storage import inbox, retention
from bot.storage.models import Conversation, InboxMessage
from bot.storage.resources import last_look, note_look
from bot.storage.wakeup import make_wakeup
from tests.channels.twilio_ground import SMS_FROM, problem, scripted, with_twilio
from tests.payloads.twilio import ACCOUNT, OURS, OWNER, TOKEN
from tests.simulators.ledger import Choice, File, Written
from tests.simulators.serving import serving
from tests.simulators.twilio import Twilio

LIST = f"whatsapp {ACCOUNT} whatsapp:{OURS}"


@pytest.fixture
async def twilio():
    twilio = Twilio(ACCOUNT, TOKEN, whatsapp_from=OURS, sms_from=SMS_FROM)
    twilio.webhooks = {"whatsapp": "http://127.0.0.1:1/", "sms": "http://127.0.0.1:1/"}
    async with serving(twilio.app) as url:
        twilio.url = url
        yield twilio
        await twilio.close()


@pytest.fixture
async def api(twilio, settings):
    api = TwilioApi(with_twilio(settings, twilio_api_url=twilio.url))
    yield api
    await api.close()


@pytest.fixture
def catch_up(api, sessions):
    """Give the job for WhatsApp; somebody looked ten minutes ago."""
    with sessions() as session:
        note_look(session, LIST, time.time() - 600)
    return CatchUp(api, sessions, "whatsapp", f"whatsapp:{OURS}", whatsapp.read_listed, 300)


@pytest.fixture
def take_in(engine, sessions, addresses):
    wakeup = make_wakeup(engine)
    intake = Intake(sessions, sessions, addresses, wakeup, Keywords(frozenset({"stop"}), frozenset({"start"})))

    async def take(received):
        await intake.take("whatsapp", received)

    yield take
    wakeup.close()


def lost(twilio, written, ago=120.0, channel="whatsapp", address=OWNER):
    """Let an owner write a message whose webhook never arrives; return its id."""
    delivery = twilio.write(channel, address, written)
    twilio.rows[delivery.sid].at = time.time() - ago
    return delivery.sid


def kept(session):
    session.rollback()
    return [tuple(row) for row in session.execute(select(InboxMessage.kind, InboxMessage.body).order_by("id"))]


async def test_what_did_not_arrive_is_taken_in_once_oldest_first(twilio, catch_up, take_in, session):
    lost(twilio, Written("salam"), 300)
    lost(twilio, Written(pressed=Choice("consent:agree", "D'accord")), 200)
    lost(twilio, Written(file=File("audio/ogg", "", b"voice")), 100)
    assert await catch_up.look(take_in) == 3
    assert await catch_up.look(take_in) == 0
    expected = [("text", "salam"), ("text", "D'accord"), ("media", "application/octet-stream")]
    assert kept(session) == expected


async def test_what_arrived_is_not_taken_twice(twilio, catch_up, take_in, session, addresses):
    sid = lost(twilio, Written("salam"))
    inbox.accept(session, addresses, inbox.Incoming("whatsapp", OWNER, sid, "text", "salam"), lambda _s: None)
    assert await catch_up.look(take_in) == 0
    assert kept(session) == [("text", "salam")]


async def test_what_was_erased_stays_erased(twilio, catch_up, take_in, session, addresses):
    sid = lost(twilio, Written("salam"))
    message = inbox.Incoming("whatsapp", OWNER, sid, "text", "salam")
    accepted = inbox.accept(session, addresses, message, lambda _s: None)
    retention.erase_conversation(session, accepted.conversation_id)
    session.commit()
    assert await catch_up.look(take_in) == 0
    assert session.execute(select(Conversation.id)).all() == []


async def test_a_webhook_on_its_way_is_waited_for(twilio, catch_up, take_in, session):
    lost(twilio, Written("salam"), ago=5)
    assert await catch_up.look(take_in) == 0
    assert kept(session) == []


async def test_messages_of_ours_and_to_other_numbers_are_not_taken_in(twilio, api, catch_up, take_in, session):
    lost(twilio, Written("1"), channel="sms")
    twilio.heard[OWNER] = time.time()
    sent = await api.send(f"whatsapp:{OURS}", f"whatsapp:{OWNER}", body="ahlan")
    twilio.rows[sent.provider_id].at -= 120
    assert await catch_up.look(take_in) == 0


async def test_many_are_read_page_by_page(twilio, catch_up, take_in, session, monkeypatch):
    monkeypatch.setattr(twilio_api, "PAGE", 2)
    for number in range(7):
        lost(twilio, Written(str(number)), 200 - number)
    assert await catch_up.look(take_in) == 7
    assert [body for _, body in kept(session)] == list("0123456")


async def test_a_word_that_stops_stops_when_it_arrives_late_too(twilio, catch_up, take_in, session):
    lost(twilio, Written("STOP"))
    await catch_up.look(take_in)
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None


async def test_a_look_begins_before_the_last_one_and_never_too_far_back(sessions, settings, api, monkeypatch):
    asked = []

    async def none(_to, since):
        asked.append(time.time() - since)
        return []

    monkeypatch.setattr(api, "received_since", none)
    new = CatchUp(api, sessions, "whatsapp", f"whatsapp:{OURS}", whatsapp.read_listed, 300)
    for looked in (None, 600.0, 30 * 86400.0):
        if looked is not None:
            with sessions() as session:
                note_look(session, LIST, time.time() - looked)
        await new.look(None)
    expected = [OVERLAP_SECONDS, OVERLAP_SECONDS + 600, LONGEST_LOOK_BACK_SECONDS]
    assert asked == pytest.approx(expected, abs=5)
    with sessions() as session:
        assert last_look(session, LIST) == pytest.approx(time.time(), abs=5)


async def test_erased_ids_are_remembered_longer_than_any_look_goes_back():
    assert retention.ERASED_ID_SECONDS > LONGEST_LOOK_BACK_SECONDS
    assert {"whatsapp", "sms"} <= set(retention.LISTED_CHANNELS)


async def test_a_list_that_cannot_be_read_is_read_at_the_next_look(settings, sessions):
    async with scripted(problem(20500, 500)) as script:
        api = TwilioApi(with_twilio(settings, twilio_api_url=script.url))
        job = CatchUp(api, sessions, "whatsapp", f"whatsapp:{OURS}", whatsapp.read_listed, 300)
        with pytest.raises(Retryable):
            await job.look(None)
        assert api.state() == "down"
        with sessions() as session:
            assert last_look(session, LIST) is None
        script.answers.append((200, {"messages": [], "next_page_uri": None}))
        await job.look(None)
        assert api.state() == "up"
        await api.close()


async def test_the_job_goes_on_after_a_failure_and_logs_no_more_than_its_type(settings, sessions, monkeypatch, caplog):
    looks = asyncio.Queue()

    async def look(_self, _take_in):
        looks.put_nowait(None)
        raise ValueError(f"{OWNER} said salam")

    monkeypatch.setattr(CatchUp, "look", look)
    job = CatchUp(TwilioApi(with_twilio(settings)), sessions, "whatsapp", OURS, whatsapp.read_listed, 0.001)
    job.start(None)
    await asyncio.wait_for(asyncio.gather(looks.get(), looks.get()), 5)
    await job.close()
    assert "ValueError" in caplog.text
    assert OWNER not in caplog.text


async def test_sms_are_caught_up_with_too(twilio, api, sessions, take_in, session):
    lost(twilio, Written("2"), channel="sms")
    lost(twilio, Written("Promo"), channel="sms", address="INWI")
    job = CatchUp(api, sessions, "sms", SMS_FROM, sms_twilio.read_listed, 300)
    assert await job.look(take_in) == 1
    assert session.execute(select(InboxMessage.channel, InboxMessage.body)).all() == [("sms", "2")]


def test_the_overlap_is_longer_than_a_webhook_may_take():
    assert twilio_catchup.OVERLAP_SECONDS > twilio_catchup.YOUNGEST_SECONDS > 15
