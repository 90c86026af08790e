"""Telegram through the gateway, against a local Bot API: nothing lost, nothing twice, nothing forged taken."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from starlette.responses import HTMLResponse, JSONResponse

from bot.gateway import intake
from bot.gateway.app import make_app
from bot.settings import SettingsError
from bot.storage import outbox
from bot.storage.inbox import BLOCKED
from bot.storage.models import Conversation, Delivery, InboxMessage, Media, OutboxMessage
from bot.storage.wakeup import make_wakeup
from tests.simulators.faults import Faults
from tests.simulators.ledger import Choice, File, Written
from tests.simulators.serving import serving
from tests.simulators.telegram import Telegram

OWNER, OTHER = "77001", "77002"
SECRET = "s3cret_-"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Scene:
    """A gateway, its database, and Telegram."""

    def __init__(self, settings, engine, sessions, telegram):
        self.settings, self.engine, self.sessions, self.telegram = settings, engine, sessions, telegram
        self.wakeup = make_wakeup(engine)
        self.http = None

    @asynccontextmanager
    async def gateway(self):
        app = make_app(self.settings)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://bot") as self.http:
                yield self

    async def until(self, condition, seconds=10):
        async def look():
            while not condition():
                await asyncio.sleep(0.01)

        await asyncio.wait_for(look(), seconds)

    def heard(self):
        """Return what stands in the inbox, in order."""
        with self.sessions() as session:
            rows = session.execute(select(InboxMessage).order_by(InboxMessage.id)).scalars()
            return [(row.kind, row.body) for row in rows]

    async def hear(self, *expected):
        await self.until(lambda: len(self.heard()) >= len(expected))
        assert self.heard() == list(expected)

    async def greet(self, owner=OWNER):
        before = len(self.heard())
        await self.telegram.say(owner, Written("salam"))
        await self.until(lambda: len(self.heard()) > before)

    def reply(self, *payloads, media=()):
        """Put replies to the last message into the outbox, as the worker does."""
        with self.sessions() as session:
            message = session.execute(select(InboxMessage).order_by(InboxMessage.id.desc())).scalars().first()
            for name, content_type, data, lifetime in media:
                row = Media(id=name, conversation_id=message.conversation_id, content_type=content_type)
                row.filename, row.data, row.expires_at = f"{name}.bin", data, time.time() + lifetime
                session.add(row)
            session.flush()
            outbox.put(session, message.conversation_id, "telegram", message.id, list(payloads))
            self.wakeup.notify(session, "outbox")
            session.commit()
        self.wakeup.notify_committed("outbox")

    async def replied(self, *payloads, owner=OWNER, media=()):
        """Answer an owner, and return the messages that arrived."""
        before = len(self.telegram.ledger.to(owner))
        self.reply(*payloads, media=media)
        await self.until(self.all_settled)
        return self.telegram.ledger.to(owner)[before:]

    def all_settled(self):
        return "waiting" not in self.statuses()

    def statuses(self):
        with self.sessions() as session:
            return session.execute(select(OutboxMessage.status).order_by(OutboxMessage.id)).scalars().all()

    def press(self, message, place=0, owner=OWNER):
        choice = message.choices[place]
        return self.telegram.write(owner, Written(pressed=choice, pressed_on=message.provider_id))

    async def post(self, update, secret=SECRET, **more):
        headers = {SECRET_HEADER: secret} if secret is not None else {}
        body = update if isinstance(update, bytes) else json.dumps(update).encode()
        return (await self.http.post("/webhooks/telegram", content=body, headers=headers, **more)).status_code


@pytest.fixture
async def scene(settings, engine, sessions):
    telegram = Telegram()
    async with serving(telegram.app) as url:
        settings.telegram_token, settings.telegram_api_url = SecretStr(telegram.token), url
        settings.send_first_retry_seconds = 0.05
        settings.telegram_per_second = 1000
        scene = Scene(settings, engine, sessions, telegram)
        yield scene
        scene.wakeup.close()
        await telegram.close()


@pytest.fixture
async def polling(scene, monkeypatch):
    monkeypatch.setattr("bot.channels.telegram_api.PER_CHAT_SECONDS", 0.01)
    monkeypatch.setattr("bot.channels.telegram_polling.FIRST_PAUSE_SECONDS", 0.05)
    async with scene.gateway():
        yield scene


@pytest.fixture
async def webhook(scene, monkeypatch):
    monkeypatch.setattr("bot.channels.telegram_api.PER_CHAT_SECONDS", 0.01)
    scene.settings.telegram_webhook_secret = SecretStr(SECRET)
    async with scene.gateway():
        yield scene


BUTTONS = [{"choice": "affirm:consent", "title": "Oui"}, {"choice": "deny:consent", "title": "Non"}]


# ---- what arrives


async def test_everything_an_owner_can_send_reaches_the_inbox_in_order(polling):
    telegram = polling.telegram
    ogg, pdf = File("audio/ogg", "v", b"x"), File("application/pdf", "a.pdf", b"x")
    for written in (
        Written("salam"),
        Written("/test"),
        Written("/test@rafiq_bot"),
        Written("/langue darija"),
        Written("/nothing of ours"),
        Written(place=(33.57, -7.59)),
        Written(file=ogg),
        Written(file=pdf),
        Written(file=File("image/jpeg", "p", b"x")),
        Written("c'est ma boutique", file=File("image/jpeg", "p", b"x")),
        Written(file=File("image/webp", "s", b"x")),
        Written(file=File("not a type", "s", b"x")),
    ):
        await telegram.say(OWNER, written)
    await polling.hear(
        ("text", "salam"),
        ("choice", "start_diagnosis"),
        ("choice", "start_diagnosis"),
        ("text", "langue darija"),
        ("text", "/nothing of ours"),
        ("location", "33.57,-7.59"),
        ("media", "audio/ogg"),
        ("media", "application/pdf"),
        ("media", "image/jpeg"),
        ("text", "c'est ma boutique"),
        ("media", "image/webp"),
        ("media", "application/octet-stream"),
    )


async def test_start_greets_whatever_its_link_carried_and_takes_stop_back(polling):
    await polling.telegram.say(OWNER, Written("/stop"))
    await polling.telegram.say(OWNER, Written("/start ref_é'; DROP"))
    await polling.hear(("choice", "opt_out:yes"), ("restarted", ""), ("choice", "greet"))
    with polling.sessions() as session:
        assert session.execute(select(Conversation.opted_out_at)).scalar_one() is None


async def test_a_block_ends_what_waits_and_writing_again_brings_replies_back(polling):
    await polling.greet()
    polling.telegram.dice.queue("throttled")
    polling.telegram.dice.faults = Faults(retry_after=60)
    polling.reply({"text": "waits"})
    await polling.until(lambda: polling.telegram.ledger.counts["fault throttled"] == 1)
    polling.telegram.block(OWNER)
    await polling.hear(("text", "salam"), (BLOCKED, ""))
    assert polling.statuses() == ["cancelled"]
    polling.telegram.unblock(OWNER)
    await polling.until(lambda: len(polling.heard()) == 3)
    with polling.sessions() as session:
        assert session.execute(select(Conversation.opted_out_at)).scalar_one() is None


async def test_groups_are_left_without_a_word(polling):
    message = polling.telegram._message(-100, {"text": "/test@rafiq_bot"})
    polling.telegram.update("message", message)
    await polling.until(lambda: polling.telegram.left == [-100])
    assert polling.heard() == []


async def test_what_nobody_said_and_what_was_edited_is_passed_over(polling):
    telegram = polling.telegram
    telegram.update("message", telegram._message(77, {"pinned_message": {"message_id": 1, "date": 0}}))
    telegram.update("edited_message", telegram._message(77, {"text": "edited"}))
    telegram.update("message", {"text": "a message without a chat"})
    await telegram.say(OWNER, Written("salam"))
    await polling.hear(("text", "salam"))
    await polling.until(lambda: telegram.waiting == 0)


# ---- polling loses nothing and takes nothing twice


async def test_an_update_is_confirmed_only_after_it_is_safe(polling, monkeypatch):
    waiting_at = []
    real = intake.inbox.accept

    def failing_twice(*arguments):
        waiting_at.append(polling.telegram.waiting)
        if len(waiting_at) <= 2:
            raise OperationalError("away", None, Exception())
        return real(*arguments)

    monkeypatch.setattr(intake.inbox, "accept", failing_twice)
    await polling.telegram.say(OWNER, Written("salam"))
    await polling.hear(("text", "salam"))
    assert waiting_at == [1, 1, 1]
    await polling.until(lambda: polling.telegram.waiting == 0)


async def test_an_update_that_was_taken_but_not_confirmed_comes_again_and_counts_once(polling):
    number = polling.telegram.write(OWNER, Written("salam"))
    await polling.until(lambda: polling.heard())
    message = polling.telegram._messages[int(OWNER), 1]
    polling.telegram.update("message", message, number)
    await polling.greet()
    assert polling.heard() == [("text", "salam")] * 2  # the second one is another message


async def test_the_stop_of_a_gateway_confirms_what_it_took(scene):
    async with scene.gateway():
        await scene.greet()
    assert scene.telegram.waiting == 0


async def test_two_gateways_on_one_token_lose_nothing_and_take_nothing_twice(polling):
    async with Scene(polling.settings, polling.engine, polling.sessions, polling.telegram).gateway():
        for number in range(20):
            await polling.telegram.say(OWNER, Written(f"{number}"))
        await polling.hear(*(("text", f"{number}") for number in range(20)))


async def test_polling_comes_back_after_errors(polling):
    polling.telegram.poll_trouble += [
        HTMLResponse("<html>", 502),
        HTMLResponse("<html>", 200),
        JSONResponse({"ok": True, "result": {}}),
        JSONResponse({"ok": False, "error_code": 409, "description": "Conflict: terminated"}, 409),
        JSONResponse({"ok": False, "description": "", "parameters": {"retry_after": 0.05}}, 429),
        JSONResponse({"ok": True, "result": [{"no": "id"}, 3, None]}),
    ]
    await polling.greet()
    assert (await polling.http.get("/health")).json()["channels"]["telegram"] == "up"


async def test_a_webhook_that_was_set_before_is_taken_down(scene):
    scene.telegram.webhook_url = "https://elsewhere.example/x"
    async with scene.gateway():
        await scene.greet()
    assert scene.telegram.webhook_url == ""


# ---- the webhook


def update(number=1, text="salam", chat=int(OWNER), kind="private"):
    message = {"message_id": 5, "date": 1, "chat": {"id": chat, "type": kind}, "text": text}
    message["from"] = {"id": chat, "is_bot": False, "first_name": "A"}
    return {"update_id": number, "message": message}


async def test_a_webhook_is_taken_with_its_secret_only_and_once(webhook):
    assert await webhook.post(update(), secret="wrong") == 403
    assert await webhook.post(update(), secret=None) == 403
    assert await webhook.post(update(), secret=b"\xe9") == 403
    assert webhook.heard() == []
    assert await webhook.post(update()) == 200
    assert await webhook.post(update()) == 200
    assert webhook.heard() == [("text", "salam")]


async def test_what_cannot_be_read_leaves_nothing(webhook):
    for body, status in (
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"update_id": true}', 400),
        (b'{"update_id": -1}', 400),
        (b'{"update_id": 1e3}', 400),
        (b'{"update_id": 1}', 200),
        (b'{"update_id": 1, "message": 3}', 200),
        (b'{"update_id": 1, "message": {"chat": {"id": "x", "type": "private"}}}', 200),
        (b'{"update_id": 1, "callback_query": {"id": "1"}}', 200),
        (json.dumps(update(chat=2**70)).encode(), 200),
        (json.dumps(update(text=["salam"])).encode(), 200),
        (json.dumps(update(kind="channel")).encode(), 200),
        (b"x" * 1_100_000, 413),
    ):
        assert await webhook.post(body) == status, body[:80]
    assert webhook.heard() == []
    with webhook.sessions() as session:
        assert session.execute(select(Conversation.id)).all() == []


async def test_text_that_no_database_stores_is_taken(webhook):
    assert await webhook.post(update(text="a\0b\ud83d")) == 200
    assert webhook.heard() == [("text", "ab?")]


async def test_the_webhook_is_set_where_the_address_is_public(scene):
    scene.settings.telegram_webhook_secret = SecretStr(SECRET)
    scene.settings.public_url = "https://rafiq.example"
    async with scene.gateway():
        await scene.until(lambda: scene.telegram.webhook_url)
        assert scene.telegram.webhook_url == "https://rafiq.example/webhooks/telegram"
        assert scene.telegram.webhook_secret == SECRET
        assert not [call for call in scene.telegram.calls if call.method == "getUpdates"]


async def test_without_a_secret_there_is_no_webhook(polling):
    assert await polling.post(update()) == 404


# ---- buttons


async def test_a_button_is_pressed_answered_and_marked(polling):
    await polling.greet()
    (message,) = await polling.replied({"text": "D'accord ?", "buttons": BUTTONS})
    assert [choice.title for choice in message.choices] == ["Oui", "Non"]
    assert all(len(choice.id.encode()) <= 64 for choice in message.choices)
    polling.press(message, 1)
    await polling.until(lambda: len(polling.telegram.ledger.find(message.provider_id).choices) == 1)
    assert polling.heard()[-1] == ("choice", "deny:consent")
    assert polling.telegram.notices == [(OWNER, "")]
    marked = polling.telegram.ledger.find(message.provider_id)
    assert [choice.title for choice in marked.choices] == ["✓ Non"]
    polling.press(marked)
    await polling.until(lambda: len(polling.telegram.notices) == 2)
    assert len(polling.heard()) == 2


async def test_a_button_pressed_twice_is_two_messages_and_one_delivered_twice_is_one(polling):
    await polling.greet()
    (message,) = await polling.replied({"text": "?", "buttons": BUTTONS})
    number = polling.press(message)
    polling.press(message)
    await polling.hear(("text", "salam"), ("choice", "affirm:consent"), ("choice", "affirm:consent"))
    query = {"id": "again", "from": polling.telegram._user(77001), "chat_instance": "1", "data": message.choices[0].id}
    query["message"] = polling.telegram._messages[int(OWNER), 2]
    polling.telegram.update("callback_query", query, number)
    await polling.until(lambda: polling.telegram.waiting == 0)
    assert len(polling.heard()) == 3


async def test_forged_data_is_answered_and_taken_for_nothing(polling):
    await polling.greet()
    (message,) = await polling.replied({"text": "?", "buttons": BUTTONS})
    forged = ("", "1.0.0000000000000000", "x", "1.0", "9" * 64, "answer:x:G1:3", "١.٠.0000000000000000")
    for data in forged:
        polling.telegram.write(OWNER, Written(pressed=Choice(data, "x"), pressed_on=message.provider_id))
    await polling.until(lambda: len(polling.telegram.notices) == len(forged))
    assert all("bouton" in notice for _, notice in polling.telegram.notices)
    assert len(polling.heard()) == 1


async def test_a_button_of_another_chat_or_of_an_erased_reply_does_nothing(polling):
    await polling.greet()
    (message,) = await polling.replied({"text": "?", "buttons": BUTTONS})
    await polling.greet(OTHER)
    polling.telegram.write(OTHER, Written(pressed=message.choices[0], pressed_on=f"{OTHER}.1"))
    await polling.until(lambda: len(polling.telegram.notices) == 1)
    with polling.sessions() as session:
        session.query(OutboxMessage).delete()
        session.query(Conversation).update({"language": "ary-Arab"})
        session.commit()
    polling.press(message)
    await polling.until(lambda: len(polling.telegram.notices) == 2)
    assert "البوتون" in polling.telegram.notices[1][1]
    assert polling.heard() == [("text", "salam")] * 2


async def test_a_press_is_taken_while_telegram_fails_everything_else(polling):
    await polling.greet()
    (message,) = await polling.replied({"text": "?", "buttons": BUTTONS})
    polling.telegram._queries.clear()
    polling.telegram._messages.clear()
    polling.press(message)
    await polling.until(lambda: len(polling.heard()) == 2)


# ---- what leaves


async def test_a_long_text_arrives_whole_in_parts_cut_at_words(polling):
    await polling.greet()
    text = " ".join(f"كلمة{number}🙂" for number in range(1500))
    messages = await polling.replied({"text": text, "buttons": BUTTONS})
    assert len(messages) > 2
    assert " ".join(message.text for message in messages) == text
    assert [bool(message.choices) for message in messages] == [False] * (len(messages) - 1) + [True]


async def test_pictures_and_documents_come_as_files_with_their_words(polling):
    await polling.greet()
    media = [("pic", "image/png", PNG, 60), ("pdf", "application/pdf", b"%PDF-1.4", 60)]
    picture, document = await polling.replied(
        {"text": "Votre résultat", "image": "pic", "buttons": BUTTONS},
        {"text": "La page", "document": "pdf"},
        media=media,
    )
    assert (picture.kind, picture.text, picture.file.data) == ("image", "Votre résultat", PNG)
    assert [choice.title for choice in picture.choices] == ["Oui", "Non"]
    assert (document.kind, document.text, document.file.filename) == ("document", "La page", "pdf.bin")


async def test_words_too_long_for_a_caption_follow_the_picture(polling):
    await polling.greet()
    text = "mot " * 400
    picture, words = await polling.replied(
        {"text": text, "image": "pic", "buttons": BUTTONS}, media=[("pic", "image/png", PNG, 60)]
    )
    assert (picture.kind, picture.text, picture.choices) == ("image", "", ())
    assert (words.text, len(words.choices)) == (text.strip(), 2)


async def test_the_words_arrive_where_the_picture_cannot(polling):
    await polling.greet()
    long = ("mot " * 400).strip()
    media = [("bad", "image/png", b"no picture", 60), ("old", "image/png", PNG, -1)]
    for image in ("bad", "old"):
        for text in ("Votre résultat", long):
            reply = {"text": text, "image": image, "buttons": BUTTONS}
            messages = await polling.replied(reply, media=media)
            assert [(message.text, len(message.choices)) for message in messages] == [(text, 2)]
            media = []
    assert polling.statuses() == ["sent"] * 4


async def test_an_owner_who_blocked_us_is_left_in_peace(polling):
    await polling.greet()
    polling.telegram._blocked.add(int(OWNER))
    await polling.replied({"text": "one"}, {"text": "two"})
    assert polling.statuses() == ["cancelled", "cancelled"]
    assert polling.telegram.ledger.counts["refused 403"] == 1


async def test_a_chat_that_is_not_there_fails_for_good(polling):
    await polling.greet()
    polling.telegram._message_ids.clear()
    await polling.replied({"text": "one"})
    assert polling.statuses() == ["failed"]
    with polling.sessions() as session:
        assert session.execute(select(OutboxMessage.error)).scalar_one() == "400 chat not found"


async def test_a_failing_call_is_made_again(polling):
    await polling.greet()
    polling.telegram.dice.faults = Faults(retry_after=0.1)
    polling.telegram.dice.queue("throttled", "failing", "reset", "html", "", "reset", "html")
    assert [m.text for m in await polling.replied({"text": "one"}, {"text": "two"})] == ["one", "two"]
    assert polling.statuses() == ["sent", "sent"]


async def test_an_answer_that_got_lost_may_make_a_second_copy_never_a_gap(polling):
    await polling.greet()
    polling.telegram.dice.queue("lost")
    assert [m.text for m in await polling.replied({"text": "one"}, {"text": "two"})] == ["one", "one", "two"]


async def test_a_chat_that_is_told_to_wait_waits_and_others_do_not(polling):
    await polling.greet()
    await polling.greet(OTHER)
    with polling.sessions() as session:
        first = session.execute(select(InboxMessage).order_by(InboxMessage.id)).scalars().first()
        outbox.put(session, first.conversation_id, "telegram", first.id, [{"text": "slow"}])
        session.commit()
    polling.telegram.dice.faults = Faults(retry_after=30)
    polling.telegram.dice.queue("throttled")
    polling.wakeup.notify_committed("outbox")
    await polling.until(lambda: polling.telegram.ledger.counts["fault throttled"] == 1)
    polling.reply({"text": "fast"})
    await polling.until(lambda: polling.telegram.ledger.texts(OTHER) == ["fast"])
    with polling.sessions() as session:
        slow = session.execute(select(OutboxMessage).order_by(OutboxMessage.id)).scalars().first()
        assert 25 < slow.available_at - time.time() <= 30


async def test_the_pace_that_telegram_allows_is_kept(scene):
    scene.settings.telegram_per_second = 25
    scene.telegram.per_second, scene.telegram.per_chat = 30, 1
    async with scene.gateway():
        for owner in range(1, 31):
            await scene.greet(str(owner))
            scene.reply({"text": "a"}, {"text": "b"})
        await scene.until(scene.all_settled, 20)
    assert all(scene.telegram.ledger.texts(str(owner)) == ["a", "b"] for owner in range(1, 31))
    assert not [call for call in scene.telegram.ledger.counts if call.startswith("refused 429")]


async def test_what_waits_for_its_turn_when_the_owner_says_stop_is_not_sent(polling, monkeypatch):
    monkeypatch.setattr("bot.channels.telegram_api.PER_CHAT_SECONDS", 2.0)
    await polling.greet()
    await polling.replied({"text": "one"})
    polling.reply({"text": "two"})
    await polling.telegram.say(OWNER, Written("stop"))
    await polling.until(lambda: len(polling.heard()) == 2)
    (answer,) = await polling.replied({"text": "You hear no more of me"})
    assert answer.text == "You hear no more of me"
    assert polling.statuses() == ["sent", "cancelled", "sent"]
    await polling.http.get("/health")
    assert polling.telegram.ledger.texts(OWNER) == ["one", answer.text]


async def test_what_was_sent_is_booked_without_the_chat(polling):
    await polling.greet()
    await polling.replied({"text": "one"})
    with polling.sessions() as session:
        delivery = session.execute(select(Delivery)).scalar_one()
        assert (delivery.status, delivery.provider_id) == ("sent", f"{delivery.outbox_id}.2")


# ---- around


async def test_the_menu_hangs_in_french_arabic_and_for_everybody(polling):
    await polling.until(lambda: len(polling.telegram.menus) == 3)
    menus = polling.telegram.menus
    assert {row["command"] for row in menus["fr"]} >= {"start", "test", "resultat", "aide", "langue", "stop"}
    first = {language: menus[language][1]["description"] for language in menus}
    assert first["fr"].startswith("Faire le test")
    assert first["ar"].startswith("ندير")
    assert "Faire le test" in first[""]
    assert "Ndir" in first[""]


@pytest.mark.parametrize(("name", "value"), [("telegram_token", "nonsense"), ("telegram_webhook_secret", "with space")])
def test_wrong_settings_stop_the_start_without_showing_them(settings, engine, name, value):
    settings.telegram_token = SecretStr("1:a")
    setattr(settings, name, SecretStr(value))
    with pytest.raises(SettingsError) as caught:
        make_app(settings)
    assert name.upper() in str(caught.value)
    assert value not in str(caught.value)


async def test_no_log_holds_the_token_or_what_owners_say(polling, caplog):
    caplog.set_level("DEBUG", "bot")
    polling.telegram.poll_trouble += [HTMLResponse("secret words", 200), HTMLResponse("secret words", 500)]
    await polling.telegram.say(OWNER, Written("secret words"))
    await polling.hear(("text", "secret words"))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("bot")]
    warned = [record.getMessage() for record in caplog.records if record.levelname not in ("DEBUG", "INFO")]
    assert warned
    assert not [line for line in ours + warned if "secret" in line or "1:simulated" in line]
