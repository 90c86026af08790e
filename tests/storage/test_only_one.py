"""One gateway at a time: the lock of PostgreSQL, and what happens when its connection dies."""

from sqlalchemy import text

from bot.storage.only_one import OnlyOne


def is_postgresql(sessions):
    with sessions() as session:
        return session.get_bind().dialect.name == "postgresql"


def test_a_second_process_waits_until_the_first_lets_go(sessions):
    first, second, other = OnlyOne(sessions, "polling"), OnlyOne(sessions, "polling"), OnlyOne(sessions, "else")
    assert first.hold()
    assert first.hold()
    assert second.hold() is not is_postgresql(sessions)
    assert other.hold()
    first.release()
    assert second.hold()
    for lock in (first, second, other):
        lock.release()


def test_whoever_lost_its_connection_no_longer_holds(sessions):
    first, second = OnlyOne(sessions, "polling"), OnlyOne(sessions, "polling")
    assert first.hold()
    if not is_postgresql(sessions):
        return
    with sessions() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )
        )
    assert second.hold()
    assert not first.hold()
    assert not first.hold()
    second.release()
    assert first.hold()
    first.release()
