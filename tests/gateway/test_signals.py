"""What an owner does to a channel rather than says: it counts once, and no turn is taken for it."""

import pytest
from sqlalchemy import select

from bot.channels.channel import OptedOut
from bot.gateway.intake import Intake, fail_late
from bot.knowledge.keywords import Keywords
from bot.storage import inbox, outbox
from bot.storage.inbox import BLOCKED, RESTARTED, UNBLOCKED, Incoming
from bot.storage.models import Conversation, InboxMessage, OutboxMessage, Reminder
from bot.storage.reminders import remind
from bot.storage.wakeup import make_wakeup


@pytest.fixture
def intake(engine, sessions, addresses):
    wakeup = make_wakeup(engine)
    yield Intake(sessions, sessions, addresses, wakeup, Keywords(frozenset({"stop"}), frozenset({"start"})))
    wakeup.close()


def hear(intake, number, kind, body=""):
    return intake.accept(Incoming("telegram", "77", f"update-{number}", kind, body))


def opted_out(sessions):
    with sessions() as session:
        return session.execute(select(Conversation.opted_out_at)).scalar_one() is not None


def test_a_block_stops_everything_and_needs_no_turn(intake, sessions):
    conversation = hear(intake, 1, "text", "salam").conversation_id
    with sessions() as session:
        outbox.put(session, conversation, "telegram", None, [{"text": "ahlan"}])
        remind(session, conversation, "test", 1.0)
        session.commit()
    hear(intake, 2, BLOCKED)
    assert opted_out(sessions)
    with sessions() as session:
        assert session.execute(select(OutboxMessage.status)).scalar_one() == "cancelled"
        assert session.execute(select(Reminder)).all() == []
        rows = session.execute(select(InboxMessage.kind, InboxMessage.status)).all()
    assert set(rows) == {("text", "waiting"), (BLOCKED, "done")}


def test_a_block_that_is_told_again_after_it_was_taken_back_changes_nothing(intake, sessions):
    hear(intake, 1, BLOCKED)
    hear(intake, 2, UNBLOCKED)
    assert not opted_out(sessions)
    assert not hear(intake, 1, BLOCKED).new
    assert not opted_out(sessions)


def test_taking_the_block_back_does_not_take_back_stop(intake, sessions):
    hear(intake, 1, "text", "STOP")
    hear(intake, 2, BLOCKED)
    hear(intake, 3, UNBLOCKED)
    assert opted_out(sessions)
    hear(intake, 4, RESTARTED)
    assert not opted_out(sessions)


def test_a_block_is_taken_back_also_when_a_reply_was_refused_meanwhile(intake, sessions):
    conversation = hear(intake, 1, "text", "salam").conversation_id
    with sessions() as session:
        outbox.put(session, conversation, "telegram", None, [{"text": "ahlan"}])
        session.commit()
        (reply,) = session.execute(select(OutboxMessage.id)).scalars()
    hear(intake, 2, BLOCKED)
    with sessions() as session:
        fail_late(session, reply, OptedOut("403"))
        session.commit()
    assert opted_out(sessions)
    hear(intake, 3, UNBLOCKED)
    assert not opted_out(sessions)


def test_signals_leave_no_turn_for_a_worker(intake, sessions):
    for number, kind in enumerate(inbox.SIGNALS):
        hear(intake, number, kind)
    with sessions() as session:
        assert inbox.claim(session, 60) is None


def test_a_button_that_stops_takes_effect_at_once_also_among_others(intake, sessions):
    conversation = hear(intake, 1, "text", "salam").conversation_id
    with sessions() as session:
        outbox.put(session, conversation, "telegram", None, [{"text": "ahlan"}])
        session.commit()
    pressed = [("text", "salam"), ("choice", "opt_out:yes")]
    intake.accept_all([Incoming("telegram", "77", f"u-{kind}", kind, body) for kind, body in pressed])
    assert opted_out(sessions)
    with sessions() as session:
        assert session.execute(select(OutboxMessage.status)).scalar_one() == "cancelled"
