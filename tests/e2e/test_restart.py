"""Nothing accepted is lost: restarts, a killed worker, a day in between."""

import threading
import time

import httpx
import pytest
from sqlalchemy import select, update

from bot.storage.database import make_engine, make_sessions, migrate
from bot.storage.models import Answer, Assessment, Conversation, InboxMessage
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.e2e.bot_process import RunningBot, Talk
from tests.e2e.test_conversation import given


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def killable(request, model, tmp_path_factory):
    """Give a bot of this module's own, which its tests may kill."""
    sqlite = request.param == "sqlite"
    folder = tmp_path_factory.mktemp(f"killable-{request.param}")
    url = f"sqlite:///{folder / 'rafiq.db'}" if sqlite else new_postgres_database()
    migrate(make_engine(url))
    # A short lease, so that the test does not wait long for a dead worker's message.
    running = RunningBot(folder, url, extra={"LEASE_SECONDS": "3"})
    try:
        yield running
    finally:
        running.stop()
        if not sqlite:
            drop_postgres_database(url)


@pytest.fixture
def own_bot(killable):
    """Give that bot with both processes running."""
    for name in ("gateway", "worker"):
        if name not in killable.processes:
            killable.start(name)
    killable.wait_until_ready()
    return killable


def test_a_test_left_at_question_five_goes_on_there_the_next_day_after_a_restart(own_bot):
    talk = Talk(own_bot.address)
    talk.begin("ary-Latn")
    for value in (1, 0, 2, 1):
        talk.answer(value)
    assert talk.open_item == "E1"
    own_bot.stop()
    sessions = make_sessions(make_engine(own_bot.database_url))
    with sessions() as session:  # a day passes
        session.execute(update(Conversation).values(last_message_at=time.time() - 86400))
        session.commit()
    own_bot.start("gateway")
    own_bot.start("worker")
    own_bot.wait_until_ready()
    talk.say("salam")
    assert talk.open_item == "E1"
    talk.answer(2)
    assert talk.open_item == "D1"
    assert given(talk) == {"P1": 1, "C1": 0, "V1": 2, "G1": 1, "E1": 2}


def test_a_worker_killed_in_the_middle_of_a_turn_leaves_the_conversation_where_it_was(own_bot):
    talk = Talk(own_bot.address)
    talk.begin("fr")
    talk.answer(1)
    assert talk.open_item == "C1"
    choice = next(b["choice"] for b in talk.buttons if b["choice"].endswith(":C1:2"))
    sessions = make_sessions(make_engine(own_bot.database_url))

    own_bot.processes["worker"].send_signal(19)  # SIGSTOP: it claims nothing until the message is in
    sender = threading.Thread(target=talk.send, args=("killed",), kwargs={"choice": choice})
    sender.start()
    _wait_for(lambda: _waiting(sessions) == 1)
    _kill_during_the_turn(own_bot, sessions)
    assert _answers(sessions) == [("P1", 1)], "the turn was not under way when the worker was killed"
    own_bot.start("worker")
    sender.join(120)
    assert talk.open_item == "V1"
    assert given(talk) == {"P1": 1, "C1": 2}


def test_messages_sent_while_no_worker_runs_are_answered_in_order(own_bot):
    talk = Talk(own_bot.address)
    talk.begin("fr")
    own_bot.kill("worker")
    for number in range(3):
        body = {"conversation": talk.conversation, "message_id": f"m{number}", "text": "2"}
        threading.Thread(
            target=httpx.post, args=(own_bot.address + "/api/chat/messages",), kwargs={"json": body, "timeout": 60}
        ).start()
        _wait_for(lambda wanted=number + 1: _waiting(make_sessions(make_engine(own_bot.database_url))) == wanted)
    own_bot.start("worker")
    _wait_for(lambda: _waiting(make_sessions(make_engine(own_bot.database_url))) == 0, 120)
    assert given(talk) == {"P1": 1, "C1": 1, "V1": 1}


def _wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _waiting(sessions):
    with sessions() as session:
        return len(session.execute(select(InboxMessage.id).filter_by(status="waiting")).all())


def _leased(sessions):
    with sessions() as session:
        return any(token is not None for token in session.execute(select(Conversation.lease_token)).scalars())


def _answers(sessions):
    with sessions() as session:
        conversation = session.get(Conversation, _newest_conversation(session))
        rows = session.execute(
            select(Answer).join(Assessment).where(Assessment.firm_id == conversation.firm_id).order_by(Answer.position)
        ).scalars()
        return [(row.item, row.value) for row in rows]


def _newest_conversation(session):
    """Find the conversation of the newest message: its address is not in the database."""
    known = session.execute(select(InboxMessage).order_by(InboxMessage.id.desc()).limit(1)).scalar_one()
    return known.conversation_id


def _kill_during_the_turn(bot, sessions):
    """Let the worker run in slices of a millisecond until it holds the lease, then kill it before it commits."""
    worker = bot.processes["worker"]
    deadline = time.monotonic() + 60
    while not _leased(sessions):
        assert time.monotonic() < deadline, "the worker never claimed the message"
        worker.send_signal(18)
        time.sleep(0.001)
        worker.send_signal(19)
        time.sleep(0.002)
    bot.kill("worker")
