"""An operator looks at what was set aside and tries it again."""

import json

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.storage import inbox, outbox
from bot.storage.inbox import Incoming
from bot.storage.models import InboxMessage, OutboxMessage


@pytest.fixture
def rafiq(settings, engine, monkeypatch):
    monkeypatch.setattr("bot.settings.get_settings", lambda: settings)
    return lambda *words: CliRunner().invoke(app, ["messages", *words])


@pytest.fixture
def dead(session, addresses):
    accepted = inbox.accept(session, addresses, Incoming("sms", "+212600000001", "1", "text", "سلام"), lambda _s: None)
    row = session.get(InboxMessage, accepted.inbox_id)
    row.status, row.error = "dead", "TurnFailed"
    outbox.put(session, accepted.conversation_id, "sms", row.id, [{"text": "ahlan"}])
    session.commit()
    reply = session.query(OutboxMessage).one()
    reply.status, reply.error = "held", "window closed"
    session.commit()
    return row


def test_the_list_says_why_and_shows_no_words(rafiq, dead):
    result = rafiq("list")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(row["box"], row["status"], row["error"]) for row in rows} == {
        ("inbox", "dead", "TurnFailed"),
        ("outbox", "held", "window closed"),
    }
    assert "سلام" not in result.stdout
    assert "212600000001" not in result.stdout


def test_a_message_is_replayed_once(rafiq, dead, session):
    assert rafiq("replay", "inbox", str(dead.id)).exit_code == 0
    session.refresh(dead)
    assert (dead.status, dead.attempts, dead.error) == ("waiting", 0, None)
    again = rafiq("replay", "inbox", str(dead.id))
    assert again.exit_code == 1
    assert "messages list" in again.stderr


def test_an_unknown_box_is_refused(rafiq):
    assert rafiq("replay", "mailbox", "1").exit_code == 1
