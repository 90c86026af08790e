"""What was made in a provider's account is made once; its lists are read on from where they were left."""

import time

from bot.storage import inbox, resources, retention
from bot.storage.inbox import Incoming


def test_the_first_of_two_makers_counts(sessions):
    with sessions() as one, sessions() as two:
        assert resources.find_resource(one, "whatsapp", "list-3") is None
        assert resources.keep_resource(two, "whatsapp", "list-3", "HX2") == "HX2"
        assert resources.keep_resource(one, "whatsapp", "list-3", "HX1") == "HX2"


def test_what_was_made_anew_is_not_forgotten_by_whoever_missed_the_old_one(session):
    resources.keep_resource(session, "whatsapp", "list-3", "HX2")
    resources.forget_resource(session, "whatsapp", "list-3", "HX1")
    assert resources.find_resource(session, "whatsapp", "list-3") == "HX2"
    resources.forget_resource(session, "whatsapp", "list-3", "HX2")
    assert resources.find_resource(session, "whatsapp", "list-3") is None


def test_a_look_is_remembered(session):
    assert resources.last_look(session, "a") is None
    resources.note_look(session, "a", 1.0)
    resources.note_look(session, "a", 2.0)
    assert resources.last_look(session, "a") == 2.0


def accept(session, addresses, provider_id):
    message = Incoming("whatsapp", "+212600000001", provider_id, "text", "salam")
    return inbox.accept(session, addresses, message, lambda _s: None)


def test_an_erased_message_stays_known_for_some_days(session, addresses, monkeypatch):
    conversation = accept(session, addresses, "SM1").conversation_id
    accept(session, addresses, "SM2")
    retention.erase_conversation(session, conversation)
    session.commit()
    accept(session, addresses, "SM2")  # a provider that delivers it again
    retention.erase_conversation(session, accept(session, addresses, "SM3").conversation_id)
    session.commit()
    assert resources.known_ids(session, "whatsapp", ["SM1", "SM2", "SM3", "SM4"]) == {"SM1", "SM2", "SM3"}
    assert resources.known_ids(session, "sms", ["SM1"]) == set()
    later = time.time() + retention.ERASED_ID_SECONDS + 1
    monkeypatch.setattr(retention.time, "time", lambda: later)
    retention.purge(session, 3600.0)
    assert resources.known_ids(session, "whatsapp", ["SM1", "SM2", "SM3"]) == set()
