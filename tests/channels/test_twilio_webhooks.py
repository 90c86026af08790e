"""What Twilio posts, through the gateway: signed or refused, kept once, read as what the owner meant."""

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from bot.gateway.app import make_app
from bot.storage import deliveries, inbox, outbox
from bot.storage.addresses import AddressBook
from bot.storage.inbox import Incoming
from bot.storage.models import Conversation, Delivery, InboxMessage, OutboxMessage
from tests.channels.twilio_ground import PUBLIC, with_twilio
from tests.payloads import twilio as payloads

WHATSAPP, SMS, STATUS = "/webhooks/whatsapp", "/webhooks/sms", "/webhooks/twilio/status"


@pytest.fixture
def client(settings, engine):
    # Not started: nothing runs beside the webhooks.
    yield TestClient(make_app(with_twilio(settings)), base_url="http://10.0.0.7:8000", raise_server_exceptions=False)


def post(client, values, path=WHATSAPP, url=None, token=payloads.TOKEN):
    return client.post(path, **payloads.signed(url or PUBLIC + path, values, token))


def kept(session):
    rows = session.execute(select(InboxMessage.kind, InboxMessage.body).order_by(InboxMessage.id)).all()
    return [tuple(row) for row in rows]


def test_a_message_with_blank_fields_is_kept_and_answered_with_nothing(client, session):
    answer = post(client, payloads.whatsapp("Salam, شحال؟ é"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
    assert kept(session) == [("text", "Salam, شحال؟ é")]
    assert session.execute(select(Conversation.channel)).scalar_one() == "whatsapp"


@pytest.mark.parametrize("path", [WHATSAPP, SMS, STATUS])
def test_what_is_not_signed_by_twilio_leaves_no_trace(client, session, path):
    values = payloads.sms("salam") if path == SMS else payloads.whatsapp("salam")
    whole = payloads.signed(PUBLIC + path, values)
    unsigned = client.post(path, content=whole["content"])
    wrong_token = post(client, values, path, token="0" * 32)
    other_address = post(client, values, path, url=f"https://elsewhere.example{path}")
    changed = client.post(path, content=whole["content"] + b"&Extra=1", headers=whole["headers"])
    odd = client.post(path, content=whole["content"], headers={"X-Twilio-Signature": "é".encode("latin-1")})
    for answer in (unsigned, wrong_token, other_address, changed, odd, client.get(path)):
        assert (answer.status_code, answer.content) == (403, b"")
    for table in (InboxMessage, Conversation, Delivery):
        assert session.execute(select(func.count()).select_from(table)).scalar_one() == 0


@pytest.mark.parametrize("url", [f"https://rafiq.example.ma:443{WHATSAPP}", f"{PUBLIC}{WHATSAPP}"])
def test_the_signature_is_over_the_public_address_with_or_without_its_port(client, session, url):
    assert post(client, payloads.whatsapp("salam"), url=url).status_code == 200


def test_the_query_of_the_configured_address_is_signed_too(client, session):
    path = f"{WHATSAPP}?from=console&a=%20b"
    assert post(client, payloads.whatsapp("salam"), path).status_code == 200
    assert client.post(path, **payloads.signed(PUBLIC + WHATSAPP, payloads.whatsapp("x"))).status_code == 403


@pytest.mark.parametrize("body", [b"Body=caf%E9&From=x", b"Body=caf\xe9", b"&".join([b"a=1"] * 1000)])
def test_a_body_that_cannot_be_read_is_refused(client, session, body):
    answer = client.post(WHATSAPP, content=body, headers={"X-Twilio-Signature": "x" * 28})
    assert answer.status_code == 400
    assert kept(session) == []


@pytest.mark.parametrize(
    "wrong", [{"MessageSid": "", "SmsSid": ""}, {"From": ""}, {"From": "whatsapp:"}, {"From": "+212612345678"}]
)
def test_a_signed_message_that_says_not_who_or_which_is_refused(client, session, wrong):
    values = payloads.whatsapp("salam") | wrong
    assert post(client, values).status_code == 400
    assert kept(session) == []


def test_a_message_that_comes_again_is_kept_once(client, session):
    values = payloads.whatsapp("2")
    assert [post(client, values).status_code for _ in range(3)] == [200] * 3
    assert kept(session) == [("text", "2")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (payloads.button("consent:agree", "Je suis d'accord"), ("choice", "consent:agree")),
        (payloads.whatsapp("Oui", MessageType="button", ButtonText="Oui", ButtonPayload=""), ("text", "Oui")),
        (payloads.row("answer:P1:2", "Parfois"), ("choice", "answer:P1:2")),
        (payloads.media("image/jpeg", "image"), ("media", "image/jpeg")),
        (payloads.media("image/jpeg", "image", "2"), ("text", "2")),
        (payloads.media("audio/ogg; codecs=opus", "audio"), ("media", "audio/ogg")),
        (payloads.media("application/pdf", "document", "facture 2026.pdf"), ("media", "application/pdf")),
        (payloads.media("image/webp", "sticker"), ("media", "image/webp")),
        (payloads.media("text/vcard", "contacts"), ("media", "text/vcard")),
        (payloads.media("", "unsupported"), ("media", "application/octet-stream")),
        (payloads.media("image/png", "image") | {"NumMedia": "many"}, ("media", "image")),
        (payloads.location("33.5731", "-7.5898"), ("location", "33.5731,-7.5898")),
        (payloads.location("91", "0"), ("media", "location")),
        (payloads.location("nan", "inf"), ("media", "location")),
        (payloads.whatsapp("", MessageType="order"), ("media", "order")),
        (payloads.whatsapp("  "), ("text", "")),
        (payloads.whatsapp("a\x00b"), ("text", "ab")),
        (payloads.whatsapp("كلمة من تويليو", OptOutType="START"), ("text", "START")),
        (payloads.whatsapp("3", NewParameter="x", Body2=""), ("text", "3")),
    ],
)
def test_every_kind_of_message_is_read_as_what_was_meant(client, session, values, expected):
    assert post(client, values).status_code == 200
    assert kept(session) == [expected]


def test_an_address_may_be_no_number(client, session, settings):
    post(client, payloads.business_scoped("salam"))
    (row,) = session.execute(select(Conversation)).scalars().all()
    book = AddressBook(settings.derived_key("address-hash"), settings.fernet_key())
    assert book.decrypt(row.address_encrypted) == payloads.BUSINESS_SCOPED


@pytest.mark.parametrize("word", ["STOP", "Arrêt !", "wa9f", "وقف", "حبس"])
@pytest.mark.parametrize(("path", "make"), [(WHATSAPP, payloads.whatsapp), (SMS, payloads.sms)])
def test_stop_takes_effect_before_any_turn(client, session, path, make, word):
    post(client, make("salam"), path)
    conversation = session.execute(select(Conversation)).scalar_one()
    outbox.put(session, conversation.id, conversation.channel, None, [{"text": "not any more"}])
    session.commit()
    assert post(client, make(word), path).status_code == 200
    session.expire_all()
    assert session.execute(select(OutboxMessage.status)).scalar_one() == "cancelled"
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None
    assert kept(session)[-1] == ("choice", "opt_out:yes")
    post(client, make("START"), path)
    session.expire_all()
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is None


def test_stop_in_a_word_of_the_providers_own_list_counts(client, session):
    post(client, payloads.whatsapp("plus de messages svp", OptOutType="STOP"))
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None


def test_an_sms_is_kept_with_its_number(client, session):
    assert post(client, payloads.sms("1"), SMS).status_code == 200
    assert post(client, payloads.sms("2", From="0612345678"), SMS).status_code == 200
    assert kept(session) == [("text", "1"), ("text", "2")]
    assert session.execute(select(Conversation.channel)).scalars().all() == ["sms"]


@pytest.mark.parametrize("sender", ["INWI", "2525"])
def test_an_sms_that_nobody_can_answer_is_not_kept(client, session, sender):
    assert post(client, payloads.sms("Promo -50%", From=sender), SMS).status_code == 200
    assert kept(session) == []


def test_an_mms_without_words_is_media(client, session):
    post(client, payloads.sms("", NumMedia="1", MediaContentType0="image/jpeg"), SMS)
    assert kept(session) == [("media", "image/jpeg")]


@pytest.fixture
def sent(session, addresses):
    """Give a function that makes a reply that Twilio took; it returns the reply's id."""

    def make(channel, sid):
        message = Incoming(channel, payloads.OWNER, f"in-{sid}", "text", "salam")
        where = inbox.accept(session, addresses, message, lambda _s: None).conversation_id
        outbox.put(session, where, channel, None, [{"text": "ahlan"}])
        session.commit()
        (shipment,) = outbox.claim(session, [channel], 1, 60)
        deliveries.book(session, shipment.outbox_id, 0, channel, sid, "accepted", 1)
        outbox.settle(session, shipment, "sent")
        session.commit()
        return shipment.outbox_id

    return make


def state(session):
    session.expire_all()
    session.rollback()
    return [
        tuple(row)
        for row in session.execute(
            select(OutboxMessage.status, OutboxMessage.error, Delivery.status).outerjoin(OutboxMessage.deliveries)
        ).all()
    ]


@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
def test_reports_move_forward_in_whatever_order_and_however_often(client, session, sent, channel):
    sid = payloads.new_sid()
    sent(channel, sid)
    for name in ("delivered", "queued", "sent", "delivered", "read", "sent", "brand_new_status"):
        assert post(client, payloads.status(sid, name, channel=channel), STATUS).status_code == 200
    assert state(session) == [("sent", None, "read")]


def test_a_report_about_nobodys_message_is_kept_apart(client, session):
    assert post(client, payloads.status(payloads.new_sid(), "delivered"), STATUS).status_code == 200
    assert session.execute(select(Delivery.outbox_id)).scalar_one() is None


def test_a_message_outside_the_window_is_held_and_goes_when_the_owner_writes(client, session, sent):
    sid = payloads.new_sid()
    sent("whatsapp", sid)
    values = payloads.status(sid, "failed", 63016)
    post(client, values, STATUS)
    assert state(session) == [("held", "63016", None)]
    post(client, values, STATUS)
    assert state(session) == [("held", "63016", None)]


def test_a_throttled_message_is_tried_again(client, session, sent):
    sid = payloads.new_sid()
    sent("whatsapp", sid)
    post(client, payloads.status(sid, "undelivered", 63018), STATUS)
    assert state(session) == [("waiting", "63018", None)]


def test_a_wrong_number_is_given_up(client, session, sent):
    sid = payloads.new_sid()
    sent("whatsapp", sid)
    post(client, payloads.status(sid, "undelivered", 63024), STATUS)
    assert state(session) == [("sent", None, "failed")]
    assert session.execute(select(Delivery.error)).scalar_one() == "Permanent 63024"


def test_an_opt_out_that_twilio_reports_is_kept(client, session, sent):
    sid = payloads.new_sid()
    sent("sms", sid)
    post(client, payloads.status(sid, "failed", 21610, channel="sms"), STATUS)
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None
