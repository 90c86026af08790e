"""Whoever waits for work hears of it at once, on both databases."""

import asyncio

import pytest
from sqlalchemy import text

from bot.storage import wakeup as wakeup_module
from bot.storage.wakeup import SocketWakeup, make_wakeup


async def heard_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


async def test_a_listener_hears_of_committed_work(engine, sessions):
    event, wakeup, other = asyncio.Event(), make_wakeup(engine), make_wakeup(engine)
    wakeup.listen("inbox", lambda _about: event.set())
    with sessions() as session:
        other.notify(session, "inbox")
        session.commit()
    other.notify_committed("inbox")
    assert await heard_within(event, 5)
    wakeup.close()


async def test_a_listener_hears_every_time(engine, sessions):
    event, wakeup = asyncio.Event(), make_wakeup(engine)
    wakeup.listen("outbox", lambda _about: event.set())
    for _ in range(3):
        event.clear()
        with sessions() as session:
            wakeup.notify(session, "outbox")
            session.commit()
        wakeup.notify_committed("outbox")
        assert await heard_within(event, 5)
    wakeup.close()


async def test_an_announcement_says_what_it_is_about(engine, sessions):
    heard, done, wakeup = [], asyncio.Event(), make_wakeup(engine)

    def hear(about):
        heard.append(about)
        if len(heard) == 2:
            done.set()

    wakeup.listen("outbox", hear)
    for about in ("17", "18"):
        with sessions() as session:
            wakeup.notify(session, "outbox", about)
            session.commit()
        wakeup.notify_committed("outbox", about)
    assert await heard_within(done, 5)
    assert heard == ["17", "18"]
    wakeup.close()


async def test_another_topic_is_not_heard(engine, sessions):
    event, wakeup = asyncio.Event(), make_wakeup(engine)
    wakeup.listen("inbox", lambda _about: event.set())
    with sessions() as session:
        wakeup.notify(session, "outbox")
        session.commit()
    wakeup.notify_committed("outbox")
    assert not await heard_within(event, 0.3)
    wakeup.close()


async def test_work_that_is_rolled_back_is_not_announced(engine, sessions):
    if engine.dialect.name == "sqlite":
        pytest.skip("sockets announce after the commit, so there is nothing to roll back")
    event, wakeup = asyncio.Event(), make_wakeup(engine)
    wakeup.listen("inbox", lambda _about: event.set())
    with sessions() as session:
        wakeup.notify(session, "inbox")
        session.rollback()
    assert not await heard_within(event, 0.3)
    wakeup.close()


async def test_a_dead_listeners_socket_is_removed(engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("sockets are the way of SQLite")
    dead, alive = SocketWakeup(engine), SocketWakeup(engine)
    dead.listen("inbox", lambda _about: None)
    listener, path = dead._listeners[0]
    asyncio.get_running_loop().remove_reader(listener.fileno())
    listener.close()  # as kill -9 leaves it: the file stays behind
    assert path.exists()
    alive.notify_committed("inbox")
    assert not path.exists()


async def test_a_listener_hears_again_when_the_server_is_back(engine, sessions, monkeypatch):
    if engine.dialect.name != "postgresql":
        pytest.skip("sockets need no server")
    monkeypatch.setattr(wakeup_module, "LISTEN_AGAIN_SECONDS", 0.01)
    heard, wakeup = asyncio.Queue(), make_wakeup(engine)
    wakeup.listen("inbox", heard.put_nowait)
    with sessions() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        )
        session.commit()
    assert await asyncio.wait_for(heard.get(), 10) == ""
    with sessions() as session:
        wakeup.notify(session, "inbox", "17")
        session.commit()
    assert await asyncio.wait_for(heard.get(), 10) == "17"
    wakeup.close()
