"""An owner sees everything that is kept."""

import time

from bot.storage import deliveries, inbox, outbox
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation
from bot.storage.reminders import remind
from bot.storage.rights import export


def test_reports_of_the_provider_and_reminders_are_shown(session, addresses):
    message = Incoming("sms", "+212600000001", "1", "text", "salam")
    accepted = inbox.accept(session, addresses, message, lambda _session: None)
    outbox.put(session, accepted.conversation_id, "sms", accepted.inbox_id, [{"text": "ahlan"}])
    remind(session, accepted.conversation_id, "unfinished_test", time.time() + 60)
    session.commit()
    (shipment,) = outbox.claim(session, ["sms"], 1, 60)
    deliveries.book(session, shipment.outbox_id, 0, "sms", "SM1", "accepted", 1)
    outbox.settle(session, shipment, "sent")
    deliveries.report(session, "sms", "SM1", "read")
    shown = export(session, session.get(Conversation, accepted.conversation_id))
    said, replied = shown["messages"]
    assert (said["from"], said["text"]) == ("owner", "salam")
    assert (replied["text"], replied["status"], replied["reports"][0]["status"]) == ("ahlan", "sent", "read")
    assert [row["kind"] for row in shown["reminders"]] == ["unfinished_test"]
