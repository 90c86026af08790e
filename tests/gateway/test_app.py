"""The gateway alone: it accepts messages while no worker runs, and says which part is down."""

import time

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from bot.gateway.app import SafeHeaders, make_app
from bot.storage import outbox
from bot.storage.models import Heartbeat, InboxMessage, Media


@pytest.fixture
def client(settings, engine):
    with TestClient(make_app(settings)) as client:
        yield client


def post(client, **content):
    body = {"conversation": "c-1", "message_id": "m-1", "text": "salam"} | content
    return client.post("/api/chat/messages", json={name: value for name, value in body.items() if value is not None})


def test_a_message_is_kept_while_no_worker_runs(client, session):
    answer = post(client)
    assert answer.status_code == 202
    assert answer.json() == {"messages": [], "pending": True}
    assert session.execute(select(InboxMessage.body)).scalar_one() == "salam"


def test_the_replies_of_a_turn_that_ended_meanwhile_come_with_the_same_id(client, session):
    post(client)
    message = session.execute(select(InboxMessage)).scalar_one()
    message.status = "done"
    replies = [{"text": "ahlan"}, {"text": "bikom", "language": "ary-Latn"}]
    outbox.put(session, message.conversation_id, "web", message.id, replies)
    session.commit()
    answer = post(client)
    assert answer.status_code == 200
    assert [reply["text"] for reply in answer.json()["messages"]] == ["ahlan", "bikom"]
    assert answer.json()["repeated"] is True
    assert len(session.execute(select(InboxMessage.id)).all()) == 1


def test_the_history_shows_both_sides_and_buttons_by_their_titles(client, session):
    post(client)
    message = session.execute(select(InboxMessage)).scalar_one()
    message.status = "done"
    button = {"choice": "greet", "title": "Bonjour"}
    outbox.put(session, message.conversation_id, "web", message.id, [{"text": "ahlan", "buttons": [button]}])
    session.commit()
    post(client, message_id="m-2", text=None, choice="greet")
    history = client.get("/api/chat/messages", params={"conversation": "c-1"}).json()["messages"]
    assert [(entry["from"], entry["text"]) for entry in history] == [
        ("owner", "salam"),
        ("rafiq", "ahlan"),
        ("owner", "Bonjour"),
    ]
    after = client.get("/api/chat/messages", params={"conversation": "c-1", "after": history[1]["id"]}).json()
    assert after["messages"] == []


def test_nobody_reads_another_conversation(client):
    post(client)
    assert client.get("/api/chat/messages", params={"conversation": "c-2"}).status_code == 404


@pytest.mark.parametrize("after", ["-1", "x", "٣", "1" * 19, ""])
def test_a_strange_position_is_refused(client, after):
    assert client.get("/api/chat/messages", params={"conversation": "c", "after": after}).status_code == 422


def test_ready_only_with_a_living_worker(client, session):
    assert client.get("/ready").status_code == 503
    state = client.get("/health").json()
    assert (state["ready"], state["database"], state["worker"]) == (False, "up", "down")
    assert (state["inbox_waiting"], state["inbox_dead"], state["outbox_waiting"]) == (0, 0, 0)
    session.add(Heartbeat(process="w", kind="worker", beat_at=time.time()))
    session.commit()
    assert client.get("/ready").status_code == 200
    session.get(Heartbeat, "w").beat_at = time.time() - 60
    session.commit()
    assert client.get("/ready").status_code == 503


def test_media_is_served_through_its_signed_address_until_it_expires(client, session, settings):
    from bot.gateway.links import MediaLinks

    post(client)
    conversation = session.execute(select(InboxMessage.conversation_id)).scalar_one()
    for name, expires in (("fresh", time.time() + 60), ("stale", time.time() - 60)):
        media = Media(id=name, conversation_id=conversation, content_type="image/png", filename="a.png", data=b"png")
        media.expires_at = expires
        session.add(media)
    session.commit()
    links = MediaLinks(settings.derived_key("media-links"))
    fresh = client.get(links.path("fresh"))
    assert (fresh.status_code, fresh.content, fresh.headers["content-type"]) == (200, b"png", "image/png")
    assert client.get(links.path("stale")).status_code == 404
    assert client.get("/media/fresh-9999999999-" + "0" * 32).status_code == 404


def test_every_answer_forbids_foreign_scripts(client):
    for path in ("/chat", "/health", "/media/x", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(client):
    assert client.post("/api/chat/messages", content=b"a" * 300_000).status_code == 413


def test_a_problem_does_not_echo_what_was_sent(client):
    answer = post(client, conversation="<script>secret</script>")
    assert answer.status_code == 422
    assert "secret" not in answer.text


def test_a_database_that_is_away_is_a_clear_503(settings, tmp_path):
    away = settings.copy(update={"database_url": f"sqlite:///{tmp_path}/no/such/folder/x.db"})
    with TestClient(make_app(away), raise_server_exceptions=False) as client:
        assert client.get("/health").status_code == 503
        assert post(client).status_code == 503


async def test_a_body_that_breaks_off_is_no_message():
    reached = []

    async def app(scope, receive, send):
        reached.append(await receive())

    pieces = iter([{"type": "http.request", "body": b"text=4", "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(pieces)

    async def send(message):
        raise AssertionError("nobody is there")

    await SafeHeaders(app)({"type": "http", "method": "POST"}, receive, send)
    assert reached == []
