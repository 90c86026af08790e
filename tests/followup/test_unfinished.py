"""Reminders of an unfinished test: a day, three days, never a third; with consent, by day, not after STOP."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from sqlalchemy import select

from bot.followup import hours, unfinished
from bot.followup.hours import MOROCCO
from bot.storage import reminders
from bot.storage.models import Assessment, Conversation, Firm, InboxMessage, Reminder

HOUR = 3600.0
MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=MOROCCO).timestamp()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set: clock(hours since Monday, 14 h)."""
    now = [MONDAY]
    monkeypatch.setattr(hours, "now", lambda: now[0])

    def set_to(hours_later: float) -> None:
        now[0] = MONDAY + hours_later * HOUR

    return set_to


@pytest.fixture
def owner(session):
    firm = Firm(profile={}, consent_at=MONDAY)
    firm.assessments.append(Assessment(instrument_version="1.0", blocks_wanted=1))
    conversation = Conversation(channel="sms", address_hash="a", address_encrypted=b"", firm=firm, state={})
    conversation.last_message_at = MONDAY
    session.add(conversation)
    session.commit()
    return conversation


def due(session):
    session.flush()
    return [(row.kind, row.due_at) for row in session.execute(select(Reminder)).scalars()]


def wrote(session, owner):
    """End a turn of the owner's."""
    unfinished.start_over(session, owner)
    session.commit()


def strike(session, owner):
    """Let the waiting reminder come due: its turn."""
    for row in session.execute(select(Reminder)).scalars().all():
        session.delete(row)
    session.flush()
    name = unfinished.take_due(session, owner, unfinished.KIND)
    session.commit()
    return name


def test_a_day_then_three_days_after_the_last_word_then_nothing(session, owner, clock):
    wrote(session, owner)
    assert due(session) == [(unfinished.KIND, MONDAY + 24 * HOUR)]
    clock(24)
    assert strike(session, owner) == "test_reminder_first"
    assert due(session) == [(unfinished.KIND, MONDAY + 72 * HOUR)]
    clock(72)
    assert strike(session, owner) == "test_reminder_last"
    assert due(session) == []
    clock(24 * 30)
    assert strike(session, owner) is None


def test_two_never_wait_at_once(session, owner, clock):
    for later in range(5):
        clock(later)
        wrote(session, owner)
        assert len(due(session)) == 1


def test_an_owner_who_writes_starts_the_clock_anew(session, owner, clock):
    wrote(session, owner)
    clock(24)
    assert strike(session, owner) == "test_reminder_first"
    clock(30)
    owner.last_message_at = hours.now()
    wrote(session, owner)
    assert due(session) == [(unfinished.KIND, hours.next_open(MONDAY + 54 * HOUR))]
    assert not unfinished.was_reminded(owner)


def test_a_reminder_that_was_on_its_way_when_the_owner_wrote_says_nothing(session, owner, clock):
    wrote(session, owner)
    clock(24)
    owner.last_message_at = MONDAY + 23.9 * HOUR
    assert strike(session, owner) is None


def test_a_reminder_says_nothing_while_the_owners_message_waits(session, owner, clock):
    wrote(session, owner)
    clock(24)
    session.add(InboxMessage(conversation_id=owner.id, channel="sms", provider_id="p", kind="text", body="2"))
    assert strike(session, owner) is None


@pytest.mark.parametrize("ending", ["finished", "erased", "stopped", "no consent"])
def test_nothing_is_said_any_more(session, owner, clock, ending):
    wrote(session, owner)
    if ending == "finished":
        owner.firm.assessments[0].status = "done"
    elif ending == "erased":
        owner.firm = None
    elif ending == "stopped":
        owner.opted_out_at = MONDAY
    else:
        owner.firm.consent_at = None
    clock(24)
    assert strike(session, owner) is None
    wrote(session, owner)
    assert due(session) == []


def test_what_was_set_is_dropped_when_the_test_is_finished(session, owner, clock):
    wrote(session, owner)
    owner.firm.assessments[0].status = "done"
    wrote(session, owner)
    assert due(session) == []


def test_a_reminder_due_at_night_waits_for_the_morning(session, owner, clock):
    clock(7)  # 21 h
    owner.last_message_at = hours.now()
    wrote(session, owner)
    ((_, at),) = due(session)
    assert datetime.fromtimestamp(at, MOROCCO).isoformat()[:16] == "2026-11-25T09:00"


def test_a_worker_that_was_away_sends_neither_at_night_nor_both_at_once(session, owner, clock):
    wrote(session, owner)
    clock(24 * 3 + 8)  # Thursday, 22 h
    assert strike(session, owner) is None
    ((_, at),) = due(session)
    assert datetime.fromtimestamp(at, MOROCCO).isoformat()[:16] == "2026-11-27T09:00"
    clock(24 * 3 + 19)
    assert strike(session, owner) == "test_reminder_first"
    ((_, at),) = due(session)
    assert datetime.fromtimestamp(at, MOROCCO).isoformat()[:16] == "2026-11-28T09:00"


def test_another_kind_is_not_ours(session, owner, clock):
    wrote(session, owner)
    clock(24)
    assert unfinished.take_due(session, owner, "another") is None


def test_who_fell_silent_may_leave_the_last_three_for_tomorrow(session, owner, clock):
    from bot.storage.models import Answer

    current = owner.firm.assessments[0]
    wrote(session, owner)
    current.answers = [Answer(item=f"X{n}", position=n, status="answered", value=1, source="text") for n in range(4)]
    assert unfinished.left_for_tomorrow(owner, current) == 0
    clock(24)
    strike(session, owner)
    assert unfinished.left_for_tomorrow(owner, current) == 3


def test_due_reminders_become_messages_of_the_inbox_once(session, owner):
    reminders.remind(session, owner.id, unfinished.KIND, time.time() - 1)
    session.commit()
    assert reminders.hand_over_due(session, lambda _s: None) == 1
    assert reminders.hand_over_due(session, lambda _s: None) == 0
    message = session.execute(select(InboxMessage)).scalar_one()
    assert (message.kind, message.body, message.status) == ("clock", unfinished.KIND, "waiting")
