"""A catalogue is replaced as a whole, or not at all."""

import pytest

from bot.storage.catalogue import Kept, current_import, read_catalogue, replace_catalogue


def kept(*names):
    return [Kept(row, name, {"name": name}) for row, name in enumerate(names, 2)]


def names(session):
    return [entry.entry_id for _, entry in read_catalogue(session)]


def test_without_an_import_there_is_nothing(session):
    assert current_import(session) is None
    assert names(session) == []


def test_the_newest_import_takes_the_place_of_the_one_before(session):
    first = replace_catalogue(session, "a.csv", kept("x", "y"), 0)
    session.commit()
    second = replace_catalogue(session, "b.csv", kept("y", "z", "x"), 4)
    session.commit()
    assert second.id > first.id
    assert names(session) == ["y", "z", "x"]
    now = current_import(session)
    assert (now.file, now.entries, now.refused) == ("b.csv", 3, 4)


def test_an_interrupted_import_leaves_the_one_before(sessions):
    with sessions() as session:
        replace_catalogue(session, "a.csv", kept("x"), 0)
        session.commit()

    def broken():
        yield from kept(*(f"e{number}" for number in range(700)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), sessions() as session:
        replace_catalogue(session, "b.csv", broken(), 0)
    with sessions() as session:
        assert names(session) == ["x"]


def test_a_reader_sees_the_former_catalogue_until_the_new_one_is_there(sessions):
    with sessions() as writer, sessions() as reader:
        replace_catalogue(writer, "a.csv", kept("x"), 0)
        writer.commit()
        replace_catalogue(writer, "b.csv", kept("y"), 0)
        assert names(reader) == ["x"]
        reader.rollback()
        writer.commit()
        assert names(reader) == ["y"]
