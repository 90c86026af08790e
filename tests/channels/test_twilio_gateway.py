"""The whole way over Twilio's stand-in: webhook, inbox, outbox, sender, provider, report."""

import asyncio
import socket
import time

import pytest
from sqlalchemy import select

from bot.channels.registry import Ground, make_channels
from bot.check import problems
from bot.gateway.app import make_app
from bot.settings import SettingsError
from bot.storage import outbox
from bot.storage.models import Conversation, Delivery, InboxMessage, OutboxMessage
from tests.channels.twilio_ground import SMS_FROM, with_twilio
from tests.payloads.twilio import ACCOUNT, OURS, OWNER, TOKEN
from tests.simulators.ledger import Written
from tests.simulators.serving import serving
from tests.simulators.twilio import Twilio

FEW_BUTTONS = [{"choice": "start:express", "title": "Faire le test"}, {"choice": "later", "title": "Plus tard"}]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Scene:
    """A gateway and Twilio's stand-in, both on local ports."""

    def __init__(self, twilio, sessions):
        self.twilio = twilio
        self._sessions = sessions

    async def say(self, written, channel="whatsapp"):
        assert await self.twilio.say(channel, OWNER, written) == 200

    async def reply(self, **payload):
        """Put a reply to the newest message, as the worker does."""
        with self._sessions() as session:
            row = session.execute(select(InboxMessage).order_by(InboxMessage.id.desc())).scalars().first()
            row.status = "done"
            outbox.put(session, row.conversation_id, row.channel, row.id, [{"language": "fr"} | payload])
            session.commit()

    async def until(self, wanted):
        """Wait until the outbox and its deliveries stand so: (status, error, status at the provider)."""
        deadline = time.monotonic() + 20
        while (found := self._rows()) != wanted and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert found == wanted

    def _rows(self):
        with self._sessions() as session:
            statement = select(OutboxMessage.status, OutboxMessage.error, Delivery.status)
            return [tuple(row) for row in session.execute(statement.outerjoin(OutboxMessage.deliveries))]


@pytest.fixture
async def scene(settings, sessions):
    twilio, port = Twilio(ACCOUNT, TOKEN, whatsapp_from=OURS, sms_from=SMS_FROM), free_port()
    own = f"http://127.0.0.1:{port}"
    twilio.webhooks = {"whatsapp": f"{own}/webhooks/whatsapp", "sms": f"{own}/webhooks/sms"}
    twilio.status_delay = 0.0
    async with serving(twilio.app) as url:
        twilio.url = url
        more = {"public_url": own, "twilio_api_url": url, "send_first_retry_seconds": 0.01}
        app = make_app(with_twilio(settings, **more))
        async with app.router.lifespan_context(app), serving(app, port):
            yield Scene(twilio, sessions)
            await twilio.close()


async def test_a_button_comes_as_a_choice_and_reports_are_kept(scene, session):
    await scene.say(Written("salam"))
    await scene.reply(text="Bonjour !\n\nOn commence ?", buttons=FEW_BUTTONS)
    await scene.until([("sent", None, "delivered")])
    (shown,) = scene.twilio.ledger.to(OWNER)
    await scene.say(Written(pressed=shown.choices[0], pressed_on=shown.provider_id))
    newest = session.execute(select(InboxMessage.kind, InboxMessage.body).order_by(InboxMessage.id.desc())).first()
    assert tuple(newest) == ("choice", "start:express")


async def test_a_row_of_a_list_comes_as_a_choice(scene, session):
    await scene.say(Written("salam"))
    await scene.reply(text="Lequel ?", buttons=[{"choice": f"c:{n}", "title": f"Choix {n}"} for n in range(10)])
    await scene.until([("sent", None, "delivered")])
    (shown,) = scene.twilio.ledger.to(OWNER)
    await scene.say(Written(pressed=shown.choices[9], pressed_on=shown.provider_id))
    newest = session.execute(select(InboxMessage.kind, InboxMessage.body).order_by(InboxMessage.id.desc())).first()
    assert tuple(newest) == ("choice", "c:9")


async def test_a_window_that_twilio_finds_closed_holds_the_reply_until_the_owner_writes(scene):
    await scene.say(Written("salam"))
    scene.twilio.close_window(OWNER)
    await scene.reply(text="ahlan")
    await scene.until([("held", "63016", None)])
    await scene.say(Written("salam?"))
    await scene.until([("sent", None, "delivered")])


async def test_faults_of_the_provider_are_got_over(scene):
    scene.twilio.dice.queue("throttled", "failing", "html", "html", "reset")
    scene.twilio.dice.faults = scene.twilio.dice.faults.__class__(retry_after=0.0)
    await scene.say(Written("salam"))
    await scene.reply(text="ahlan")
    await scene.until([("sent", None, "delivered")])
    assert scene.twilio.ledger.texts(OWNER) == ["ahlan"]


async def test_an_opt_out_at_twilio_is_an_opt_out_here(scene, session):
    await scene.say(Written("salam"), "sms")
    scene.twilio._stopped.add(OWNER)
    await scene.reply(text="ahlan")
    await scene.until([("cancelled", "opted out", None)])
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None


async def test_a_picture_is_fetched_from_its_signed_address(scene, session):
    from bot.storage.models import Media

    await scene.say(Written("salam"))
    conversation = session.execute(select(Conversation.id)).scalar_one()
    media = Media(conversation_id=conversation, content_type="image/png", filename="score.png", data=b"\x89PNG")
    media.expires_at = time.time() + 3600
    session.add(media)
    session.commit()
    await scene.reply(text="Votre score : 42", image=media.id)
    await scene.until([("sent", None, "delivered")])
    (shown,) = scene.twilio.ledger.to(OWNER)
    found = scene.twilio.ledger.find(shown.provider_id)
    assert (found.kind, found.text, found.file.data) == ("image", "Votre score : 42", b"\x89PNG")


def test_channels_without_credentials_are_off(settings, sessions):
    on, off = make_channels(Ground(settings, sessions))
    assert (list(on), {"whatsapp", "sms"} <= set(off)) == ([], True)


def test_twilio_carries_sms_where_only_its_number_is_set(settings, sessions):
    on, off = make_channels(Ground(with_twilio(settings, twilio_whatsapp_from=""), sessions))
    assert (list(on), "whatsapp" in off) == (["sms"], True)
    assert set(on["sms"].routes) == {"/webhooks/sms", "/webhooks/twilio/status"}


def test_settings_that_do_not_fit_stop_the_start_and_are_told_by_the_check(settings, sessions):
    wrong = with_twilio(settings, public_url="")
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        make_app(wrong)
    assert [line for line in problems(wrong) if "PUBLIC_URL" in line] != []
