"""What may no longer be kept goes; what is waiting or agreed to stays."""

import threading
import time

import pytest
from sqlalchemy import func, select

from bot.storage import inbox, retention
from bot.storage.inbox import Incoming
from bot.storage.models import (
    Answer,
    Assessment,
    ChosenAction,
    Conversation,
    Firm,
    Heartbeat,
    InboxMessage,
    Media,
    OutboxMessage,
    Result,
    new_id,
)

ALL = (Firm, Conversation, InboxMessage, OutboxMessage, Assessment, Answer, Result, ChosenAction, Media)
HOUR = 3600.0


def owner(session, addresses, consent: bool, silent_for: float, name: str = "a") -> str:
    """Make an owner with one of everything; return the conversation's id."""
    accepted = inbox.accept(session, addresses, Incoming("web", name, f"{name}-1", "text", "salam"), lambda _s: None)
    conversation = session.get(Conversation, accepted.conversation_id)
    firm = Firm(id=new_id(), profile={"sector": "grocery"}, consent_at=time.time() if consent else None)
    sitting = Assessment(id=new_id(), instrument_version="1.0")
    sitting.answers.append(Answer(item="P1", position=0, status="answered", value=1, source="choice"))
    sitting.results.append(Result(instrument_version="1.0", items=["P1"], score=33.3, level=2, document={}))
    firm.assessments.append(sitting)
    firm.choices.append(ChosenAction(card="P1-2", status="accepted"))
    conversation.firm = firm
    conversation.last_message_at = time.time() - silent_for
    session.add(Media(conversation_id=conversation.id, content_type="a/b", filename="f", data=b"x", expires_at=9e9))
    session.add(OutboxMessage(conversation_id=conversation.id, channel="web", payload={"text": "ahlan"}, status="sent"))
    session.get(InboxMessage, accepted.inbox_id).status = "done"
    session.commit()
    return conversation.id


def count(session) -> dict[str, int]:
    return {t.__tablename__: session.execute(select(func.count()).select_from(t)).scalar_one() for t in ALL}


def test_a_guest_is_gone_when_the_session_is_over(session, addresses):
    owner(session, addresses, consent=False, silent_for=2 * HOUR)
    retention.purge(session, HOUR)
    assert set(count(session).values()) == {0}


@pytest.mark.parametrize(("consent", "silent_for"), [(False, 0.5 * HOUR), (True, 100 * HOUR)])
def test_a_session_under_way_and_an_owner_who_agreed_stay(session, addresses, consent, silent_for):
    owner(session, addresses, consent=consent, silent_for=silent_for)
    retention.purge(session, HOUR)
    assert set(count(session).values()) == {1}


def test_only_the_one_who_is_due_goes(session, addresses):
    owner(session, addresses, consent=False, silent_for=2 * HOUR, name="guest")
    kept = owner(session, addresses, consent=True, silent_for=2 * HOUR, name="member")
    retention.purge(session, HOUR)
    assert session.execute(select(Conversation.id)).scalars().all() == [kept]
    assert set(count(session).values()) == {1}


def test_a_guest_with_a_message_waiting_or_a_turn_under_way_stays(session, addresses):
    waiting = owner(session, addresses, consent=False, silent_for=2 * HOUR)
    inbox.accept(session, addresses, Incoming("web", "a", "a-2", "text", "baqi"), lambda _s: None)
    retention.purge(session, HOUR)
    assert session.get(Conversation, waiting) is not None
    claim = inbox.claim(session, 60)
    inbox.close(session, claim, "done")
    session.commit()
    retention.purge(session, HOUR)
    session.expire_all()
    assert session.get(Conversation, waiting) is None


def test_an_erased_conversation_goes_after_its_last_reply_was_delivered(session, addresses):
    erased = owner(session, addresses, consent=True, silent_for=0)
    conversation = session.get(Conversation, erased)
    conversation.erase_at = time.time() - 1
    session.add(OutboxMessage(conversation_id=erased, channel="web", payload={"text": "tmse7"}, status="waiting"))
    session.commit()
    retention.purge(session, HOUR)
    assert session.get(Conversation, erased) is not None
    session.execute(OutboxMessage.__table__.update().values(status="sent"))
    session.commit()
    retention.purge(session, HOUR)
    assert set(count(session).values()) == {0}


def test_a_firm_with_another_conversation_stays(session, addresses):
    first = owner(session, addresses, consent=True, silent_for=0)
    inbox.accept(session, addresses, Incoming("web", "b", "b-1", "text", "salam"), lambda _s: None)
    second = session.execute(select(Conversation).where(Conversation.id != first)).scalar_one()
    second.firm_id = session.get(Conversation, first).firm_id
    session.commit()
    retention.erase_conversation(session, first)
    session.commit()
    assert count(session)["firms"] == 1
    assert count(session)["answers"] == 1


def test_the_words_of_old_messages_are_let_go(session, addresses):
    owner(session, addresses, consent=True, silent_for=0)
    session.execute(InboxMessage.__table__.update().values(received_at=time.time() - 31 * 86400))
    session.commit()
    retention.purge(session, HOUR)
    session.expire_all()
    assert session.execute(select(InboxMessage.body)).scalar_one() == ""


def test_no_words_outlive_their_time_whatever_became_of_them(session, addresses):
    long_ago = time.time() - 31 * 86400
    conversation = session.get(Conversation, owner(session, addresses, consent=True, silent_for=31 * 86400))
    conversation.tracker = {"slots": {}, "events": [{"event": "user", "text": "salam"}]}
    for status in ("waiting", "held", "failed"):
        session.add(OutboxMessage(conversation_id=conversation.id, channel="web", payload={"text": "?"}, status=status))
    session.flush()
    session.execute(OutboxMessage.__table__.update().values(created_at=long_ago))
    session.execute(InboxMessage.__table__.update().values(received_at=long_ago, status="dead"))
    session.commit()
    retention.purge(session, HOUR)
    session.expire_all()
    assert session.execute(select(InboxMessage.body)).scalar_one() == ""
    assert session.execute(select(OutboxMessage)).all() == []
    assert session.get(Conversation, conversation.id).tracker is None


def test_a_message_that_comes_while_a_guest_is_purged_is_never_lost(sessions, session, addresses):
    """Send while purging, many times over: every message accepted is still there to be answered."""
    lost = []
    for round_number in range(20):
        name = f"guest-{round_number}"
        owner(session, addresses, consent=False, silent_for=2 * HOUR, name=name)
        start = threading.Barrier(2)
        accepted = []

        def send(name=name, start=start, accepted=accepted):
            with sessions() as own:
                start.wait()
                message = Incoming("web", name, f"{name}-2", "text", "baqi hna")
                accepted.append(inbox.accept(own, addresses, message, lambda _s: None))

        thread = threading.Thread(target=send)
        thread.start()
        start.wait()
        with sessions() as other:
            retention.purge(other, HOUR)
        thread.join()
        session.expire_all()
        if session.get(InboxMessage, accepted[0].inbox_id) is None:
            lost.append(name)
        session.rollback()
    assert lost == []


def test_the_beats_of_killed_workers_go(session):
    session.add(Heartbeat(process="killed", kind="worker", beat_at=time.time() - 2 * 86400))
    session.add(Heartbeat(process="alive", kind="worker", beat_at=time.time()))
    session.commit()
    retention.purge(session, HOUR)
    assert session.execute(select(Heartbeat.process)).scalars().all() == ["alive"]
