"""What is received is kept; STOP works before any turn; late failures have their consequences."""

import asyncio
import time
from unittest.mock import Mock

import pytest
from sqlalchemy import select

from bot.channels.channel import OptedOut, Permanent, Received, Report, Retryable, WindowClosed
from bot.gateway.intake import OPT_OUT_CHOICE, Intake
from bot.knowledge.keywords import load_keywords
from bot.settings import ROOT
from bot.storage import deliveries, outbox
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, InboxMessage, OutboxMessage
from bot.storage.reminders import remind
from bot.storage.wakeup import make_wakeup


@pytest.fixture
def intake(engine, sessions, addresses):
    wakeup = make_wakeup(engine)
    yield Intake(sessions, sessions, addresses, wakeup, load_keywords(ROOT / "knowledge"))
    wakeup.close()


def says(text, provider_id, kind="text"):
    return Incoming("whatsapp", "whatsapp:+212600000001", provider_id, kind, text)


@pytest.mark.parametrize("word", ["STOP", "arrêt", "Arret !", " wa9f", "7BSSO", "وقف", "حبسو.", "إيقاف"])
def test_stop_takes_effect_before_any_turn(intake, session, word):
    accepted = intake.accept(says("salam", "1"))
    outbox.put(session, accepted.conversation_id, "whatsapp", accepted.inbox_id, [{"text": "not yet sent"}])
    remind(session, accepted.conversation_id, "test", time.time() + 60)
    session.commit()
    intake.accept(says(word, "2"))
    session.expire_all()
    last = session.execute(select(InboxMessage).order_by(InboxMessage.id.desc())).scalars().first()
    assert (last.kind, last.body) == ("choice", OPT_OUT_CHOICE)
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() == last.received_at
    assert session.execute(select(OutboxMessage.status)).scalar_one() == "cancelled"


@pytest.mark.parametrize("text", ["je veux arreter la caisse papier", "وقف ليا المشكل ديال الكاسة", "stop au papier"])
def test_a_sentence_with_such_a_word_is_no_stop(intake, session, text):
    intake.accept(says(text, "1"))
    assert session.execute(select(InboxMessage.kind)).scalar_one() == "text"
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is None


@pytest.mark.parametrize("word", ["START", "نبدا", "reprendre"])
def test_an_owner_can_take_a_stop_back(intake, session, word):
    intake.accept(says("stop", "1"))
    intake.accept(says(word, "2"))
    session.expire_all()
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is None


def test_a_repeated_stop_does_not_undo_a_later_start(intake, session):
    for text, provider_id in (("stop", "1"), ("start", "2"), ("stop", "1")):
        intake.accept(says(text, provider_id))
    session.expire_all()
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is None


async def sent_reply(intake, session):
    await intake.take("whatsapp", Received((says("salam", "1"),)))
    message = session.execute(select(InboxMessage)).scalar_one()
    outbox.put(session, message.conversation_id, "whatsapp", message.id, [{"text": "ahlan"}])
    session.commit()
    (shipment,) = outbox.claim(session, ["whatsapp"], 1, 60)
    deliveries.book(session, shipment.outbox_id, 0, "whatsapp", "SM1", "accepted", 1)
    outbox.settle(session, shipment, "sent")
    session.commit()


@pytest.mark.parametrize(
    ("error", "status", "opted_out"),
    [
        (WindowClosed("63016"), "held", False),
        (Retryable("30001"), "waiting", False),
        (Permanent("30003"), "sent", False),
        (OptedOut("21610"), "sent", True),
    ],
)
async def test_a_failure_reported_later_has_its_consequence(intake, session, error, status, opted_out):
    await sent_reply(intake, session)
    report = Received(reports=(Report("SM1", "failed", error),))
    await intake.take("whatsapp", report)
    await intake.take("whatsapp", report)  # a replayed callback changes nothing more
    session.expire_all()
    assert session.execute(select(OutboxMessage.status)).scalar_one() == status
    assert (session.execute(select(Conversation.opted_out_at)).scalar_one() is not None) is opted_out


async def test_a_gateway_killed_while_it_notes_a_failure_loses_no_reply(intake, session, monkeypatch):
    await sent_reply(intake, session)
    report = Received(reports=(Report("SM1", "failed", Retryable("30001")),))
    with monkeypatch.context() as killed:
        killed.setattr(deliveries, "send_again", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            intake.note("whatsapp", report.reports[0])
    await intake.take("whatsapp", report)  # the provider got no answer, and reports again
    session.expire_all()
    assert session.execute(select(OutboxMessage.status)).scalar_one() == "waiting"


async def test_a_held_reply_goes_out_when_the_owner_writes(intake, session):
    await sent_reply(intake, session)
    await intake.take("whatsapp", Received(reports=(Report("SM1", "failed", WindowClosed("63016")),)))
    intake.accept(says("hani", "2"))
    session.expire_all()
    assert session.execute(select(OutboxMessage.status)).scalar_one() == "waiting"


async def test_messages_that_come_together_are_all_kept_once_and_in_order(intake, session, sessions):
    def message(owner, number):
        return Incoming("whatsapp", f"whatsapp:+21260000000{owner}", f"{owner}-{number}", "text", f"{number}")

    crowd = [message(owner, number) for number in range(5) for owner in range(4)]
    await asyncio.gather(*[intake.take("whatsapp", Received((one,))) for one in crowd + crowd[:3]])
    await asyncio.gather(*[intake.take("whatsapp", Received((one,))) for one in crowd])
    rows = session.execute(select(InboxMessage).order_by(InboxMessage.id)).scalars().all()
    assert sorted(row.provider_id for row in rows) == sorted(one.provider_id for one in crowd)
    by_owner = {row.conversation_id: [] for row in rows}
    for row in rows:
        by_owner[row.conversation_id].append(row.body)
    assert list(by_owner.values()) == [["0", "1", "2", "3", "4"]] * 4


async def test_stop_in_a_crowd_still_stops(intake, session):
    crowd = [
        Incoming("whatsapp", "whatsapp:+212600000001", str(n), "text", "stop" if n == 3 else "x") for n in range(6)
    ]
    await asyncio.gather(*[intake.take("whatsapp", Received((one,))) for one in crowd])
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None
    assert len(session.execute(select(InboxMessage.id)).all()) == 6


async def test_a_crowd_releases_what_was_held(intake, session):
    await sent_reply(intake, session)
    await intake.take("whatsapp", Received(reports=(Report("SM1", "failed", WindowClosed("63016")),)))
    await intake.take("whatsapp", Received((says("hani", "2"), says("rak hna?", "3"))))
    session.expire_all()
    assert session.execute(select(OutboxMessage.status)).scalar_one() == "waiting"


async def test_a_crowd_that_another_gateway_writes_too_is_kept_once(intake, session, sessions, addresses):
    """Both wrote after neither had seen the other's: the one that comes second takes them singly."""
    from bot.storage import inbox

    crowd = [says("salam", "1"), says("labas", "2")]
    real = inbox._conversations_for

    def raced(under_way, book, messages):
        found = real(under_way, book, messages)
        with sessions() as other:
            under_way.rollback()  # SQLite lets one write at a time: the other one comes first
            inbox._conversations_for = real
            inbox.accept_many(other, addresses, crowd, lambda _session: None, lambda _session, _ids: None)
        return found

    inbox._conversations_for = raced
    try:
        await asyncio.gather(*[intake.take("whatsapp", Received((one,))) for one in crowd])
    finally:
        inbox._conversations_for = real
    assert len(session.execute(select(InboxMessage.id)).all()) == 2
    assert len(session.execute(select(Conversation.id)).all()) == 1


async def test_a_failure_to_write_reaches_every_sender(intake, monkeypatch):
    monkeypatch.setattr(Intake, "accept_all", lambda self, messages: 1 / 0)
    outcomes = await asyncio.gather(
        *[intake.take("whatsapp", Received((says("x", str(n)),))) for n in range(3)], return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3
