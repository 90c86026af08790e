"""A turn counts whole or not at all; a message that fails again and again is set aside with an apology."""

import asyncio
import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from bot.dialogue import worker as worker_module
from bot.dialogue.worker import Worker, _wait
from bot.storage import inbox, reminders, retention
from bot.storage.database import current_session
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, InboxMessage, OutboxMessage
from bot.storage.rights import export
from bot.storage.wakeup import make_wakeup


class Agent:
    """Stands where Rasa stands: does to the turn what a test wants, and replies."""

    def __init__(self, act):
        self.act = act
        self.domain = SimpleNamespace(intents=["greet"])
        self.failure = None
        self.action_endpoint = SimpleNamespace(take_failure=lambda: self.failure)
        self.nlg = SimpleNamespace(
            generate_from_slots=lambda name, slots, channel: {"text": f"{name} {slots['language']}"}
        )

    async def handle_message(self, message):
        await self.act(self, message)


@pytest.fixture
def make_worker(engine, sessions, settings):
    def make(act, **changed):
        return Worker(Agent(act), sessions, make_wakeup(engine), settings.copy(update={"max_attempts": 2} | changed))

    return make


def send(session, addresses, body="salam", number=1):
    return inbox.accept(session, addresses, Incoming("web", "a", f"a-{number}", "text", body), lambda _s: None)


def due_now(session):
    session.execute(update(InboxMessage).values(available_at=0))
    session.commit()


async def reply(agent, message):
    conversation = current_session.get().get(Conversation, message.sender_id)
    conversation.state["seen"] = conversation.state.get("seen", 0) + 1
    await message.output_channel.send_response(message.sender_id, {"text": f"ahlan {message.text}"})


def rows(session):
    session.expire_all()
    messages = session.execute(select(InboxMessage).order_by(InboxMessage.id)).scalars().all()
    replies = session.execute(select(OutboxMessage).order_by(OutboxMessage.id)).scalars().all()
    return messages, replies, session.execute(select(Conversation)).scalar_one()


async def test_a_turn_writes_state_replies_and_inbox_together(make_worker, session, addresses):
    send(session, addresses)
    worker = make_worker(reply)
    assert await worker.take_next_turn()
    assert not await worker.take_next_turn()
    (message,), (answer,), conversation = rows(session)
    assert (message.status, answer.payload["text"], conversation.state["seen"]) == ("done", "ahlan salam", 1)
    assert conversation.lease_token is None


async def test_a_turn_that_fails_leaves_nothing_behind_and_is_tried_again(make_worker, session, addresses):
    send(session, addresses)
    failures = [RuntimeError("the owner wrote: secret")]

    async def fail_once(agent, message):
        await reply(agent, message)
        if failures:
            raise failures.pop()

    worker = make_worker(fail_once)
    await worker.take_next_turn()
    (message,), replies, conversation = rows(session)
    assert (message.status, message.error, replies, conversation.state) == ("waiting", "RuntimeError", [], {})
    due_now(session)
    await worker.take_next_turn()
    (message,), (answer,), conversation = rows(session)
    assert (message.status, answer.payload["text"], conversation.state["seen"]) == ("done", "ahlan salam", 1)


async def test_an_action_that_failed_inside_rasa_fails_the_turn(make_worker, session, addresses):
    send(session, addresses)

    async def swallow(agent, message):
        await reply(agent, message)
        agent.failure = KeyError("label")

    await make_worker(swallow).take_next_turn()
    (message,), replies, _ = rows(session)
    assert (message.status, message.error, replies) == ("waiting", "TurnFailed(KeyError)", [])


async def test_silence_is_a_failure(make_worker, session, addresses):
    send(session, addresses)

    async def say_nothing(agent, message):
        return None

    await make_worker(say_nothing).take_next_turn()
    assert rows(session)[0][0].status == "waiting"


def strike(session, conversation_id):
    reminders.remind(session, conversation_id, "unfinished_test", 0)
    session.commit()
    reminders.hand_over_due(session, lambda _session: None)


async def test_a_reminder_may_have_nothing_to_say(make_worker, session, addresses):
    async def say_nothing(agent, message):
        assert message.parse_data["intent"]["name"] == "clock"
        assert [entity["value"] for entity in message.parse_data["entities"]] == ["unfinished_test"]

    worker = make_worker(reply)
    accepted = send(session, addresses)
    await worker.take_next_turn()
    heard = rows(session)[2].last_message_at
    strike(session, accepted.conversation_id)
    await make_worker(say_nothing).take_next_turn()
    messages, replies, conversation = rows(session)
    assert [message.status for message in messages] == ["done", "done"]
    assert (len(replies), conversation.last_message_at) == (1, heard)


async def test_a_reminder_that_always_fails_is_set_aside_without_a_word(make_worker, session, addresses):
    accepted = send(session, addresses)
    await make_worker(reply).take_next_turn()
    strike(session, accepted.conversation_id)

    async def fail(agent, message):
        raise RuntimeError

    worker = make_worker(fail)
    for _ in range(2):
        await worker.take_next_turn()
        due_now(session)
    messages, replies, conversation = rows(session)
    assert [message.status for message in messages] == ["done", "dead"]
    assert len(replies) == 1
    assert "unfinished_test" not in json.dumps(export(session, conversation))


@pytest.mark.parametrize("kind", ["text", "choice"])
async def test_an_owner_cannot_strike_the_clock_or_send_a_place_in_words(make_worker, session, addresses, kind):
    seen = []

    async def look(agent, message):
        seen.append(message.parse_data)
        await reply(agent, message)

    worker = make_worker(look)
    worker.agent.domain.intents = ["greet", "clock", "send_location"]
    for number, body in enumerate(("clock:unfinished_test", "send_location:33", "/clock")):
        incoming = Incoming("web", "a", f"f-{number}", kind, body)
        inbox.accept(session, addresses, incoming, lambda _s: None)
        await worker.take_next_turn()
    assert seen == [None, None, None]


async def test_the_replies_of_a_turn_are_one_message_by_sms(make_worker, session, addresses):
    async def say_two_things(agent, message):
        await message.output_channel.send_response(message.sender_id, {"text": "Merci."})
        await message.output_channel.send_response(message.sender_id, {"text": "2/7", "image": "picture"})

    inbox.accept(session, addresses, Incoming("sms", "a", "s-1", "text", "1"), lambda _s: None)
    await make_worker(say_two_things).take_next_turn()
    assert [row.payload for row in rows(session)[1]] == [{"text": "Merci.\n2/7"}]


async def test_a_message_that_always_fails_is_set_aside_with_an_apology_and_the_next_one_is_taken(
    make_worker, session, addresses
):
    send(session, addresses, "bad", 1)
    send(session, addresses, "good", 2)

    async def fail_on_bad(agent, message):
        if message.text == "bad":
            raise RuntimeError
        await reply(agent, message)

    worker = make_worker(fail_on_bad)
    for _ in range(4):
        await worker.take_next_turn()
        due_now(session)
    (bad, good), replies, _ = rows(session)
    assert (bad.status, good.status) == ("dead", "done")
    assert [row.payload["text"] for row in replies] == ["utter_apology fr", "ahlan good"]


async def test_a_message_that_kills_its_worker_each_time_is_set_aside(make_worker, session, addresses):
    send(session, addresses)
    for _ in range(2):  # two workers claimed it and died
        inbox.claim(session, lease_seconds=-1)
    await make_worker(reply).take_next_turn()
    (message,), (answer,), _ = rows(session)
    assert (message.status, answer.payload["text"]) == ("dead", "utter_apology fr")


async def test_a_turn_whose_lease_was_taken_over_is_rolled_back(make_worker, session, addresses):
    send(session, addresses)

    async def lose_lease(agent, message):
        await reply(agent, message)
        session.execute(update(Conversation).values(lease_token="another"))
        session.commit()

    await make_worker(lose_lease).take_next_turn()
    (message,), replies, conversation = rows(session)
    assert (message.status, replies, conversation.lease_token) == ("waiting", [], "another")


async def test_no_owners_words_are_logged_when_a_turn_fails(make_worker, session, addresses, caplog):
    send(session, addresses, "my secret")

    async def quote(agent, message):
        raise ValueError(f"cannot read {message.text}")

    with caplog.at_level("DEBUG", logger="bot"):
        await make_worker(quote).take_next_turn()
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


class Away:
    """Sessions of a database that does not answer for a while."""

    def __init__(self, sessions):
        self.sessions, self.is_away = sessions, True

    def __call__(self):
        if self.is_away:
            raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))
        return self.sessions()


async def test_a_worker_outlives_a_database_that_goes_away(make_worker, sessions, session, addresses):
    send(session, addresses)
    away = Away(sessions)
    worker = replace(make_worker(reply), sessions=away)
    assert not await worker.take_next_turn()
    work = asyncio.Event()
    work.set()
    await _wait(work, worker)
    away.is_away = False
    assert await worker.take_next_turn()
    assert rows(session)[0][0].status == "done"


async def test_a_worker_outlives_the_loss_of_a_message_it_sets_aside(make_worker, session, addresses):
    send(session, addresses)

    async def fail_too_late(agent, message):
        session.execute(update(Conversation).values(lease_token="another worker's"))
        session.commit()
        raise RuntimeError

    worker = make_worker(fail_too_late, max_attempts=1)
    assert await worker.take_next_turn()
    assert rows(session)[0][0].status == "waiting"


async def test_letting_go_holds_up_no_turn_and_looks_for_what_is_old_now_and_then(make_worker, monkeypatch):
    stop, threads, old = asyncio.Event(), [], []
    loop = asyncio.get_running_loop()

    def note(_session, _seconds):
        threads.append(threading.get_ident())
        if len(threads) == 3:
            loop.call_soon_threadsafe(stop.set)

    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.001)
    monkeypatch.setattr(retention, "purge_conversations", note)
    monkeypatch.setattr(retention, "purge_old", old.append)
    await worker_module._housekeeping(make_worker(reply), stop)
    assert threading.get_ident() not in threads
    assert (len(threads) >= 3, len(old)) == (True, 1)
