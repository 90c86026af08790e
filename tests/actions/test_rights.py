"""The owner's rights: a stop that was taken back before its turn stays taken back."""

import pytest
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.content import get_content
from actions.rights import opt_out_now
from actions.turn import Turn
from bot.gateway.intake import Intake
from bot.knowledge.keywords import load_keywords
from bot.settings import ROOT
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, InboxMessage
from bot.storage.wakeup import make_wakeup


@pytest.fixture
def say(engine, sessions, addresses):
    wakeup = make_wakeup(engine)
    intake = Intake(sessions, sessions, addresses, wakeup, load_keywords(ROOT / "knowledge"))
    yield lambda text: intake.accept(Incoming("sms", "+212600000001", text, "text", text))
    wakeup.close()


def take_the_turn_of_the_stop(session):
    row = session.execute(select(InboxMessage).filter_by(body="opt_out:yes")).scalar_one()
    conversation = session.get(Conversation, row.conversation_id)
    latest = {"intent": {"name": "opt_out"}, "metadata": {"kind": row.kind, "received_at": row.received_at}}
    opt_out_now(Turn(session, conversation, get_content(), CollectingDispatcher(), latest, "fr"))
    session.commit()
    return row, conversation


def test_a_stop_holds(say, session):
    say("stop")
    row, conversation = take_the_turn_of_the_stop(session)
    assert conversation.opted_out_at == row.received_at


def test_a_later_message_that_takes_nothing_back_leaves_the_stop(say, session):
    say("stop")
    say("merci")
    row, conversation = take_the_turn_of_the_stop(session)
    assert conversation.opted_out_at == row.received_at


def test_a_start_that_came_before_the_turn_of_the_stop_holds(say, session):
    say("stop")
    say("start")
    _, conversation = take_the_turn_of_the_stop(session)
    assert conversation.opted_out_at is None
