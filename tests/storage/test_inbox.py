"""Exactly once, in order, one turn at a time per conversation."""

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from bot.storage import inbox
from bot.storage.addresses import AddressBook
from bot.storage.database import make_engine, make_sessions, migrate
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, InboxMessage


def silent(_session):
    """Announce nothing."""


def text(number: int, address: str = "a", provider_id: str | None = None) -> Incoming:
    return Incoming("web", address, provider_id or f"{address}-{number}", "text", f"message {number}")


def take(session, lease=60.0):
    claim = inbox.claim(session, lease)
    return claim, session.get(InboxMessage, claim.inbox_id).body if claim else None


def done(session, claim):
    inbox.close(session, claim, "done")
    session.commit()


def test_the_same_provider_id_is_accepted_once(session, addresses):
    first = inbox.accept(session, addresses, text(1), silent)
    second = inbox.accept(session, addresses, text(1), silent)
    assert (first.new, second.new) == (True, False)
    assert first.inbox_id == second.inbox_id
    assert session.execute(select(func.count()).select_from(InboxMessage)).scalar_one() == 1


def test_the_same_message_from_many_threads_at_once_is_accepted_once(sessions, addresses):
    results, start = [], threading.Barrier(8)

    def send():
        with sessions() as session:
            start.wait()
            results.append(inbox.accept(session, addresses, text(1), silent))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert sum(result.new for result in results) == 1
    assert len({result.inbox_id for result in results}) == 1


def test_a_conversation_has_one_turn_at_a_time_in_order(session, addresses):
    for number in (1, 2):
        inbox.accept(session, addresses, text(number), silent)
    first, body = take(session)
    assert body == "message 1"
    assert inbox.claim(session, 60) is None
    done(session, first)
    second, body = take(session)
    assert body == "message 2"
    done(session, second)
    assert inbox.claim(session, 60) is None


def test_another_conversation_does_not_wait(session, addresses):
    inbox.accept(session, addresses, text(1, "a"), silent)
    inbox.accept(session, addresses, text(1, "b"), silent)
    assert {take(session)[0].conversation_id, take(session)[0].conversation_id} == set(
        session.execute(select(Conversation.id)).scalars()
    )


def test_two_workers_never_claim_the_same_message(sessions, session, addresses):
    for number in range(20):
        inbox.accept(session, addresses, text(number, f"person-{number}"), silent)
    claims, start = [], threading.Barrier(4)

    def work():
        with sessions() as own:
            start.wait()
            while (claim := inbox.claim(own, 60)) is not None:
                claims.append(claim.inbox_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leftover = []
    while (claim := inbox.claim(session, 60)) is not None:  # a loser of a race may have gone home early
        leftover.append(claim.inbox_id)
    assert sorted(claims + leftover) == sorted(session.execute(select(InboxMessage.id)).scalars())


def test_a_dead_workers_message_is_taken_again_when_its_lease_ends(session, addresses):
    inbox.accept(session, addresses, text(1), silent)
    lost = inbox.claim(session, lease_seconds=-1)
    again = inbox.claim(session, 60)
    assert again.inbox_id == lost.inbox_id
    assert again.attempts == 2
    with pytest.raises(inbox.LeaseLost):
        inbox.close(session, lost, "done")
    session.rollback()
    done(session, again)
    assert session.get(InboxMessage, again.inbox_id).status == "done"


def test_a_message_that_is_tried_later_is_not_overtaken(session, addresses):
    for number in (1, 2):
        inbox.accept(session, addresses, text(number), silent)
    claim = inbox.claim(session, 60)
    inbox.retry_later(session, claim, delay_seconds=100, error="TimeoutError")
    assert inbox.claim(session, 60) is None
    session.get(InboxMessage, claim.inbox_id).available_at = time.time() - 1
    session.commit()
    assert take(session)[1] == "message 1"


def test_addresses_are_never_stored_in_clear(session, addresses):
    inbox.accept(session, addresses, text(1, "+212600000001", "id"), silent)
    conversation = session.execute(select(Conversation)).scalar_one()
    assert "212600000001" not in f"{conversation.address_hash}{conversation.address_encrypted!r}"
    assert addresses.decrypt(conversation.address_encrypted) == "+212600000001"


def test_another_secret_finds_nobody(session, addresses):
    inbox.accept(session, addresses, text(1, "a"), silent)
    other = AddressBook(b"x" * 32, b"ZmFrZWZha2VmYWtlZmFrZWZha2VmYWtlZmFrZWZha2U=")
    assert inbox.find_conversation(session, addresses, "web", "a") is not None
    assert inbox.find_conversation(session, other, "web", "a") is None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
def test_each_conversations_order_is_kept_however_messages_interleave(session, addresses, order):
    session.query(InboxMessage).delete()
    session.commit()
    for position, address in enumerate(order):
        inbox.accept(
            session, addresses, Incoming("web", address, f"{address}-{position}", "text", str(position)), silent
        )
    taken: dict[str, list[int]] = {}
    while (claim := inbox.claim(session, 60)) is not None:
        taken.setdefault(claim.conversation_id, []).append(int(session.get(InboxMessage, claim.inbox_id).body))
        done(session, claim)
    assert sum(len(positions) for positions in taken.values()) == len(order)
    assert all(positions == sorted(positions) for positions in taken.values())


def test_a_flood_from_one_sender_makes_only_that_sender_wait(session, addresses):
    for number in range(30):
        inbox.accept(session, addresses, text(number, "flood"), silent)
    flooded, _ = take(session)
    inbox.accept(session, addresses, text(1, "quiet"), silent)
    session.get(Conversation, flooded.conversation_id).last_message_at = time.time()
    done(session, flooded)
    claimed, body = take(session)
    assert claimed.conversation_id != flooded.conversation_id
    assert body == "message 1"


def test_what_changes_along_with_a_message_changes_once(session, addresses):
    def along(session, row):
        conversation = session.get(Conversation, row.conversation_id)
        conversation.opted_out_at = (conversation.opted_out_at or 0) + 1

    for _ in range(2):
        inbox.accept(session, addresses, text(1), silent, along)
    session.expire_all()
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() == 1


def test_messages_that_come_together_are_looked_up_in_an_index(tmp_path, addresses):
    engine = make_engine(f"sqlite:///{tmp_path / 'rafiq.db'}")
    migrate(engine)
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    messages = [Incoming("sms", f"+21260000000{n}", f"m-{n}", "text", "salam") for n in range(3)]
    with make_sessions(engine)() as session:
        inbox.accept_many(session, addresses, messages, lambda _s: None, lambda _s, _ids: None)
    lookups = [(sql, values) for sql, values in asked if sql.startswith("SELECT")]
    with engine.connect() as connection:
        for sql, values in lookups:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
            assert all("SEARCH" in row[-1] for row in plan), plan
    assert len(lookups) == 2
    engine.dispose()
