"""Messages that fell back: kept with consent only, masked, labelled, exported, erased and let go in time."""

import json
import time

import pytest
from sqlalchemy import func, select

from bot.storage import inbox, misunderstood, retention
from bot.storage.inbox import Incoming
from bot.storage.misunderstood import Heard
from bot.storage.models import Conversation, Firm, Misunderstood, new_id
from bot.storage.prompt import Prompt
from bot.storage.rights import export

RANKING = [{"name": f"intent_{number}", "confidence": 0.1234567 / (number + 1)} for number in range(10)]
DAY = 86400


def owner(session, addresses, name="a", consent=True) -> Conversation:
    accepted = inbox.accept(session, addresses, Incoming("web", name, f"{name}-1", "text", "salam"), lambda _s: None)
    conversation = session.get(Conversation, accepted.conversation_id)
    conversation.firm = Firm(id=new_id(), profile={}, consent_at=time.time() if consent else None)
    session.add(conversation.firm)
    session.commit()
    return conversation


def heard(text="blabla 0612345678", language="ary-Latn", mixed=False) -> Heard:
    return Heard(text, language, mixed, RANKING)


def kept(session) -> list[Misunderstood]:
    session.expire_all()
    return session.execute(select(Misunderstood).order_by(Misunderstood.id)).scalars().all()


def test_a_message_is_masked_before_it_is_stored(session, addresses):
    conversation = owner(session, addresses)
    assert misunderstood.keep(session, conversation, heard(), Prompt("profile", "size:0"))
    session.commit()
    (row,) = kept(session)
    assert (row.text, row.language, row.mixed, row.prompt) == ("blabla <phone>", "ary-Latn", False, "profile:size:0")
    assert row.ranking[0] == {"name": "intent_0", "confidence": 0.123}
    assert len(row.ranking) == misunderstood.KEPT_READINGS
    assert row.intent is None


@pytest.mark.parametrize("consent", [None, False])
def test_without_consent_nothing_is_kept(session, addresses, consent):
    conversation = owner(session, addresses, consent=bool(consent))
    if consent is None:
        conversation.firm = None
    assert not misunderstood.keep(session, conversation, heard(), None)
    session.commit()
    assert kept(session) == []


def test_the_owners_pick_labels_the_newest_message_only_and_once(session, addresses):
    conversation = owner(session, addresses)
    for text in ("lwla", "tanya"):
        misunderstood.keep(session, conversation, heard(text), None)
        session.commit()
    misunderstood.learn(session, conversation, "find_funding")
    session.commit()
    misunderstood.learn(session, conversation, "help")
    session.commit()
    assert [(row.text, row.intent) for row in kept(session)] == [("lwla", None), ("tanya", "find_funding")]


def test_a_reviewer_labels_or_deletes(session, addresses):
    conversation = owner(session, addresses)
    for text in ("lwla", "tanya"):
        misunderstood.keep(session, conversation, heard(text), None)
    session.commit()
    first, second = (row.id for row in kept(session))
    assert misunderstood.label(session, first, "help")
    assert misunderstood.label(session, second, None)
    assert not misunderstood.label(session, second, "help")
    assert [(row.text, row.intent) for row in kept(session)] == [("lwla", "help")]


def test_messages_are_found_by_variety_day_and_label(session, addresses):
    conversation = owner(session, addresses)
    for text, language, mixed in (("un", "fr", False), ("jouj", "ary-Latn", False), ("trois", "ary-Latn", True)):
        misunderstood.keep(session, conversation, heard(text, language, mixed), None)
    session.commit()
    rows = kept(session)
    rows[0].intent, rows[0].created_at = "help", time.time() - 3 * DAY
    session.commit()

    def texts(**wanted):
        return [row.text for row in misunderstood.find(session, **wanted)]

    assert texts() == ["un", "jouj", "trois"]
    assert texts(variety="ary-Latn") == ["jouj"]
    assert texts(variety="mixed") == ["trois"]
    assert texts(since=time.time() - DAY) == ["jouj", "trois"]
    assert texts(labelled=True) == ["un"]
    assert texts(labelled=False, variety="fr") == []


def test_the_owner_gets_what_is_kept_with_the_other_data(session, addresses):
    conversation = owner(session, addresses)
    misunderstood.keep(session, conversation, heard(), None)
    misunderstood.keep(session, owner(session, addresses, "b"), heard("of somebody else"), None)
    session.commit()
    (entry,) = export(session, conversation)["misunderstood"]
    assert entry | {"at": ""} == {"at": "", "text": "blabla <phone>", "language": "ary-Latn", "intent": None}
    json.dumps(entry)


@pytest.mark.parametrize("erase", [retention.erase_conversation, retention.erase_messages])
def test_it_is_erased_with_the_conversation_and_with_its_messages(session, addresses, erase):
    gone, stays = owner(session, addresses), owner(session, addresses, "b")
    for conversation in (gone, stays):
        misunderstood.keep(session, conversation, heard(), None)
    session.commit()
    erase(session, gone.id)
    session.commit()
    assert [row.conversation_id for row in kept(session)] == [stays.id]


def test_after_180_days_it_is_let_go(session, addresses):
    conversation = owner(session, addresses)
    for text in ("old", "young"):
        misunderstood.keep(session, conversation, heard(text), None)
    session.commit()
    old, young = kept(session)
    old.created_at, young.created_at = time.time() - 180.1 * DAY, time.time() - 179.9 * DAY
    session.commit()
    retention.purge(session, 3600)
    assert [row.text for row in kept(session)] == ["young"]
    assert session.execute(select(func.count()).select_from(Conversation)).scalar_one() == 1
