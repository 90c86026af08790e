"""The sender: at least once, in order, retried while it may work, nothing after STOP."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, update

from bot.channels.channel import NotTried, OptedOut, Permanent, Reply, Retryable, Sent, WindowClosed
from bot.gateway.links import MediaLinks
from bot.gateway.sender import Sender
from bot.storage import deliveries, inbox, outbox
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, Delivery, InboxMessage, OutboxMessage
from bot.storage.wakeup import make_wakeup

NAME = "sms"


class ScriptedChannel:
    """A channel whose provider answers what the test says, then always yes; it notes what it took."""

    name = NAME

    def __init__(self, *script, window_seconds=None):
        self.script = list(script)
        self.window_seconds = window_seconds
        self.taken = []
        self.routes = {}

    def render(self, reply: Reply):
        return reply.text.split("|")

    async def send(self, address, part, load_media):
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            await step()
        self.taken.append((address, part))
        return Sent(f"id-{len(self.taken)}", segments=2)

    async def start(self, take_in):
        """Nothing runs beside."""

    async def close(self):
        """Nothing to end."""

    def state(self):
        return "up"


@pytest.fixture
def conversation(session, addresses):
    message = Incoming(NAME, "+212600000001", "first", "text", "salam")
    return inbox.accept(session, addresses, message, lambda _session: None).conversation_id


@pytest.fixture
def sending(sessions, engine, addresses, settings):
    settings.send_first_retry_seconds = 0.01

    @asynccontextmanager
    async def run(channel):
        wakeup = make_wakeup(engine)
        sender = Sender(sessions, {NAME: channel}, addresses, MediaLinks(b"k"), settings)
        task = asyncio.create_task(sender.run(wakeup))
        yield sender
        sender.stop()
        await asyncio.wait_for(task, 10)
        wakeup.close()

    return run


def put(session, conversation, *texts):
    first = session.execute(select(InboxMessage.id)).scalars().first()
    outbox.put(session, conversation, NAME, first, [{"text": text} for text in texts])
    session.commit()


async def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


def statuses(session):
    session.rollback()
    return list(session.execute(select(OutboxMessage.status).order_by(OutboxMessage.id)).scalars())


async def test_replies_of_a_conversation_leave_in_order(session, conversation, sending):
    put(session, conversation, "one", "two", "three")
    channel = ScriptedChannel()
    async with sending(channel):
        await until(lambda: statuses(session) == ["sent"] * 3)
    assert channel.taken == [("+212600000001", text) for text in ("one", "two", "three")]
    assert session.execute(select(Delivery.segments)).scalars().all() == [2, 2, 2]


async def test_a_passing_failure_is_tried_again_before_later_replies_go(session, conversation, sending):
    put(session, conversation, "one", "two")
    channel = ScriptedChannel(Retryable("429", after=0.05), Retryable("500"), TimeoutError("connection reset"))
    async with sending(channel):
        await until(lambda: statuses(session) == ["sent", "sent"])
    assert [text for _, text in channel.taken] == ["one", "two"]


async def test_a_lasting_failure_is_kept_with_its_code_and_blocks_nothing(session, conversation, sending):
    put(session, conversation, "one", "two")
    channel = ScriptedChannel(Permanent("21211"))
    async with sending(channel):
        await until(lambda: statuses(session) == ["failed", "sent"])
    assert session.execute(select(OutboxMessage.error).order_by(OutboxMessage.id)).scalars().first() == "21211"


async def test_retries_end_after_the_allowed_attempts(session, conversation, sending, settings):
    settings.send_attempts = 3
    put(session, conversation, "one")
    channel = ScriptedChannel(*[Retryable("500")] * 3)
    async with sending(channel):
        await until(lambda: statuses(session) == ["failed"])
    assert channel.taken == []


async def test_waiting_for_our_own_pace_uses_up_no_try(session, conversation, sending, settings):
    settings.send_attempts = 2
    channel = ScriptedChannel(*[NotTried("own rate limit", 0.01) for _ in range(5)])
    put(session, conversation, "one")
    async with sending(channel):
        await until(lambda: statuses(session) != ["waiting"])
    assert (statuses(session), len(channel.taken)) == (["sent"], 1)
    assert session.execute(select(OutboxMessage.attempts)).scalar_one() == 1


async def test_a_part_that_is_out_is_not_sent_again(session, conversation, sending):
    put(session, conversation, "one|two|three")
    channel = ScriptedChannel(None, Retryable("500"))
    async with sending(channel):
        await until(lambda: statuses(session) == ["sent"])
    assert [text for _, text in channel.taken] == ["one", "two", "three"]


async def test_a_reply_that_another_sender_took_over_is_not_gone_on_with(session, conversation, sessions, sending):
    def take_over():
        with sessions() as other:
            other.execute(update(OutboxMessage).values(lease_token="another sender's", lease_until=time.time() + 60))
            other.commit()

    async def slowly():
        await asyncio.to_thread(take_over)

    channel = ScriptedChannel(slowly)
    put(session, conversation, "one|two")
    async with sending(channel) as sender:
        await until(lambda: len(channel.taken) == 1)
        await until(lambda: not sender._under_way)
    assert [part for _, part in channel.taken] == ["one"]


async def test_a_slow_reply_keeps_its_lease(session, conversation, sessions, sending, settings):
    leases = []

    async def note_lease():
        with sessions() as other:
            leases.append(other.execute(select(OutboxMessage.lease_until)).scalar_one() - time.time())
            other.execute(update(OutboxMessage).values(lease_until=time.time() + 5))  # as if the part took long
            other.commit()

    settings.send_lease_seconds = 60
    channel = ScriptedChannel(note_lease, note_lease)
    put(session, conversation, "one|two")
    async with sending(channel):
        await until(lambda: statuses(session) == ["sent"])
    assert all(50 < left <= 60 for left in leases)


async def test_outside_the_window_a_reply_is_held_until_the_owner_writes(session, conversation, sending, addresses):
    session.execute(update(InboxMessage).values(received_at=time.time() - 100))
    put(session, conversation, "one")
    channel = ScriptedChannel(window_seconds=50)
    async with sending(channel) as sender:
        await until(lambda: statuses(session) == ["held"])
        assert channel.taken == []
        message = Incoming(NAME, "+212600000001", "second", "text", "hani")
        inbox.accept(
            session,
            addresses,
            message,
            lambda _session: None,
            lambda session, row: outbox.release_held(session, [row.conversation_id]),
        )
        sender.wake()
        await until(lambda: statuses(session) == ["sent"])


async def test_a_provider_that_closes_the_window_holds_the_reply(session, conversation, sending):
    put(session, conversation, "one")
    async with sending(ScriptedChannel(WindowClosed("63016"))):
        await until(lambda: statuses(session) == ["held"])


async def test_nothing_said_before_stop_leaves_after_it(session, conversation, sending):
    put(session, conversation, "before")
    session.execute(update(Conversation).values(opted_out_at=time.time()))
    later = InboxMessage(
        conversation_id=conversation, channel=NAME, provider_id="stop", kind="choice", received_at=time.time() + 1
    )
    session.add(later)
    session.commit()
    outbox.put(session, conversation, NAME, later.id, [{"text": "confirmed"}])
    outbox.put(session, conversation, NAME, None, [{"text": "unasked"}])
    session.commit()
    channel = ScriptedChannel()
    async with sending(channel):
        await until(lambda: "waiting" not in statuses(session))
    assert statuses(session) == ["cancelled", "sent", "cancelled"]
    assert [text for _, text in channel.taken] == ["confirmed"]


async def test_an_owner_who_blocked_us_gets_nothing_more(session, conversation, sending):
    put(session, conversation, "one", "two")
    channel = ScriptedChannel(OptedOut("21610"))
    async with sending(channel):
        await until(lambda: statuses(session) == ["cancelled", "cancelled"])
    session.expire_all()
    assert session.get(Conversation, conversation).opted_out_at is not None


async def test_stopping_finishes_what_is_under_way(session, conversation, sending):
    put(session, conversation, "one", "two")
    release = asyncio.Event()
    channel = ScriptedChannel(release.wait)
    async with sending(channel) as sender:
        await until(lambda: not channel.script)
        sender.stop()
        release.set()
    assert [text for _, text in channel.taken] == ["one"]
    assert statuses(session) == ["sent", "waiting"]


async def test_a_slow_conversation_does_not_hold_back_another(session, conversation, addresses, sending):
    other = inbox.accept(session, addresses, Incoming(NAME, "+212600000002", "x", "text", "a"), lambda _session: None)
    put(session, conversation, "slow")
    release = asyncio.Event()
    channel = ScriptedChannel(release.wait)
    async with sending(channel) as sender:
        await until(lambda: not channel.script)
        put(session, other.conversation_id, "quick")
        sender.wake()
        await until(lambda: statuses(session) == ["waiting", "sent"])
        release.set()
        await until(lambda: statuses(session) == ["sent", "sent"])


@pytest.mark.parametrize("booked", [False, True])
async def test_a_failure_reported_while_the_reply_is_on_its_way_is_not_lost(
    sending, session, sessions, conversation, booked
):
    async def report():
        with sessions() as other:
            deliveries.report(other, NAME, "id-1", "failed", "Retryable 30001")

    put(session, conversation, "one|two")
    # The report overtakes the answer to its own message, or comes while the next part is sent.
    channel = ScriptedChannel(*((None, report) if booked else (report,)))
    async with sending(channel):
        await until(lambda: statuses(session) == ["sent"])
    assert [part for _, part in channel.taken].count("one") == 2
    assert sorted(session.execute(select(Delivery.part)).scalars()) == [0, 1]
