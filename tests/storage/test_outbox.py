"""At least once, in order within a conversation, through leases."""

import time

import pytest
from sqlalchemy import select, update

from bot.storage import deliveries, inbox, outbox, reminders
from bot.storage.inbox import Incoming
from bot.storage.models import Delivery, OutboxMessage


def conversation(session, addresses, address="a", channel="sms"):
    message = Incoming(channel, address, f"{address}-first", "text", "salam")
    accepted = inbox.accept(session, addresses, message, lambda _session: None)
    return accepted.conversation_id


def put(session, conversation_id, *texts, channel="sms"):
    outbox.put(session, conversation_id, channel, None, [{"text": text} for text in texts])
    session.commit()


def claim(session, lease=60.0):
    return outbox.claim(session, ["sms"], 10, lease)


def texts(session, shipments):
    return [session.get(OutboxMessage, shipment.outbox_id).payload["text"] for shipment in shipments]


def settle(session, shipment, status="sent", **more):
    outbox.settle(session, shipment, status, **more)
    session.commit()


def test_one_reply_a_conversation_leaves_at_a_time_in_order(session, addresses):
    put(session, conversation(session, addresses, "a"), "a1", "a2")
    put(session, conversation(session, addresses, "b"), "b1")
    first = claim(session)
    assert texts(session, first) == ["a1", "b1"]
    assert claim(session) == []
    settle(session, first[0])
    assert texts(session, claim(session)) == ["a2"]


def test_a_reply_that_waits_for_a_retry_holds_back_the_later_ones(session, addresses):
    put(session, conversation(session, addresses), "one", "two")
    (shipment,) = claim(session)
    settle(session, shipment, "waiting", error="429", retry_at=time.time() + 60)
    assert claim(session) == []
    assert 50 < outbox.next_available_in(session, ["sms"]) <= 60


def test_a_reply_that_failed_for_good_lets_the_later_ones_go(session, addresses):
    put(session, conversation(session, addresses), "one", "two")
    (shipment,) = claim(session)
    settle(session, shipment, "failed", error="21211")
    assert texts(session, claim(session)) == ["two"]


def test_another_channels_replies_are_not_claimed(session, addresses):
    put(session, conversation(session, addresses, channel="web"), "one", channel="web")
    assert claim(session) == []


def test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_changes_nothing(session, addresses):
    put(session, conversation(session, addresses), "one")
    (lost,) = claim(session, lease=-1.0)
    (taken,) = claim(session)
    assert (taken.outbox_id, taken.attempts) == (lost.outbox_id, 2)
    with pytest.raises(outbox.ShipmentLost):
        outbox.settle(session, lost, "sent")
    session.rollback()
    settle(session, taken)


def test_held_replies_go_when_the_owner_writes_again(session, addresses):
    where = conversation(session, addresses)
    put(session, where, "one")
    (shipment,) = claim(session)
    settle(session, shipment, "held", error="window closed")
    assert claim(session) == []
    outbox.release_held(session, [where])
    session.commit()
    assert texts(session, claim(session)) == ["one"]


def test_a_reminder_that_was_held_is_not_said_to_who_is_back(session, addresses):
    owner = conversation(session, addresses)
    reminders.remind(session, owner, "unfinished_test", 0)
    session.commit()
    reminders.hand_over_due(session, lambda _session: None)
    struck = session.execute(select(inbox.InboxMessage.id).filter_by(kind=reminders.CLOCK)).scalar_one()
    outbox.put(session, owner, "sms", struck, [{"text": "3 questions left"}])
    session.commit()
    (shipment,) = claim(session)
    settle(session, shipment, "held", error="no template")
    outbox.release_held(session, [owner])
    session.commit()
    assert claim(session) == []
    assert session.execute(select(OutboxMessage.status)).scalar_one() == "cancelled"


def test_what_has_not_left_is_cancelled_when_the_owner_stops(session, addresses):
    where = conversation(session, addresses)
    put(session, where, "one", "two")
    (shipment,) = claim(session)
    outbox.cancel_waiting(session, where)
    session.commit()
    with pytest.raises(outbox.ShipmentLost):
        outbox.settle(session, shipment, "sent")
    session.rollback()
    assert set(session.execute(select(OutboxMessage.status)).scalars()) == {"cancelled"}


def sent_reply(session, addresses):
    put(session, conversation(session, addresses), "one")
    (shipment,) = claim(session)
    deliveries.book(session, shipment.outbox_id, 0, "sms", "SM1", "accepted", 2)
    settle(session, shipment)
    return shipment.outbox_id


def test_reports_move_a_message_forward_and_never_back(session, addresses):
    reply = sent_reply(session, addresses)
    assert deliveries.report(session, "sms", "SM1", "delivered") == reply
    assert deliveries.report(session, "sms", "SM1", "sent") is None
    assert deliveries.report(session, "sms", "SM1", "delivered") is None
    assert session.execute(select(Delivery.status)).scalar_one() == "delivered"


def test_a_report_that_another_gateway_overtook_does_not_move_a_message_back(session, sessions, addresses):
    sent_reply(session, addresses)
    seen_before = session.execute(select(Delivery)).scalar_one()
    with sessions() as other:
        deliveries.report(other, "sms", "SM1", "delivered")
    assert seen_before.status == "accepted"
    assert deliveries.report(session, "sms", "SM1", "sent") is None
    session.expire_all()
    assert session.execute(select(Delivery.status)).scalar_one() == "delivered"


def test_a_report_that_comes_before_the_booking_is_kept_for_it(session, addresses):
    put(session, conversation(session, addresses), "one")
    (shipment,) = claim(session)
    assert deliveries.report(session, "sms", "SM1", "failed", "30003") is None
    assert deliveries.book(session, shipment.outbox_id, 0, "sms", "SM1", "accepted", 2) == "30003"
    row = session.execute(select(Delivery)).scalar_one()
    assert (row.outbox_id, row.part, row.status, row.segments) == (shipment.outbox_id, 0, "failed", 2)
    assert deliveries.booked_parts(session, shipment.outbox_id) == {0}


def test_booking_twice_changes_nothing(session, addresses):
    reply = sent_reply(session, addresses)
    assert deliveries.book(session, reply, 0, "sms", "SM2", "accepted", 2) is None
    assert session.execute(select(Delivery.provider_id)).scalars().all() == ["SM1"]


def test_a_message_that_failed_late_goes_out_again(session, addresses):
    reply = sent_reply(session, addresses)
    deliveries.report(session, "sms", "SM1", "failed", "30001")
    deliveries.send_again(session, reply, "waiting", "30001", time.time())
    session.commit()
    assert [shipment.outbox_id for shipment in claim(session)] == [reply]
    assert deliveries.booked_parts(session, reply) == set()


def test_an_erased_conversation_takes_its_deliveries_along(session, addresses):
    reply = sent_reply(session, addresses)
    session.execute(OutboxMessage.__table__.delete().where(OutboxMessage.__table__.c.id == reply))
    session.commit()
    assert session.execute(select(Delivery)).all() == []


def test_an_operator_sees_and_replays_what_was_set_aside(session, addresses):
    from bot.storage import boxes

    put(session, conversation(session, addresses), "one")
    (shipment,) = claim(session)
    settle(session, shipment, "failed", error="21211")
    session.execute(update(inbox.InboxMessage).values(status="dead", error="TurnFailed"))
    session.commit()
    rows = boxes.set_aside(session)
    assert {(row.box, row.status, row.error) for row in rows} == {
        ("outbox", "failed", "21211"),
        ("inbox", "dead", "TurnFailed"),
    }
    assert all(boxes.replay(session, row.box, row.id) for row in rows)
    assert boxes.set_aside(session) == []
    assert not boxes.replay(session, "outbox", shipment.outbox_id)
    assert len(claim(session)) == 1
    assert boxes.waiting_rows(session)[("inbox", "waiting")] == 1


def test_a_message_that_fails_late_again_and_again_has_failed_for_good(session, addresses):
    reply = sent_reply(session, addresses)
    deliveries.report(session, "sms", "SM1", "failed", "30001")
    deliveries.send_again(session, reply, "waiting", "30001", time.time(), tries=1)
    session.commit()
    assert claim(session) == []
    row = session.execute(select(OutboxMessage.status, OutboxMessage.error)).one()
    assert row == ("failed", "30001")
    assert deliveries.booked_parts(session, reply) == {0}
