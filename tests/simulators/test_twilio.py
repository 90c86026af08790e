"""The Twilio stand-in, through Twilio's own library: it takes what Twilio takes and refuses what Twilio refuses."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl

import httpx
import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.simulators.faults import Faults
from tests.simulators.ledger import Choice, File, Written
from tests.simulators.serving import Background, serving
from tests.simulators.twilio import Twilio, check_content

OWNER = "+212612345678"
PNG = b"\x89PNG" + b"0" * 100


class Here(TwilioHttpClient):
    """Sends what is meant for Twilio's hosts to the stand-in."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=2)
        self._url = url

    def request(self, method, url, **more):
        return super().request(method, self._url + url.split(".twilio.com", 1)[1], **more)


class Bot:
    """What the bot would serve: webhooks and a picture; keeps what came in."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], str]] = []
        self.status = 200
        self.picture = Response(
            PNG, media_type="image/png", headers={"Content-Disposition": 'inline; filename="a.png"'}
        )
        self.app = Starlette(
            routes=[
                Route("/webhooks/{name}", self.webhook, methods=["POST"]),
                Route("/media/{name}", self.media),
            ]
        )

    async def webhook(self, request: Request) -> Response:
        values = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.seen.append((request.url.path, values, request.headers["x-twilio-signature"]))
        return Response("", self.status)

    async def media(self, _request: Request) -> Response:
        return self.picture

    def statuses(self, sid: str) -> list[str]:
        return [values["MessageStatus"] for path, values, _ in self.seen if values["MessageSid"] == sid]


class Scene:
    def __init__(self, twilio: Twilio, bot: Bot, bot_url: str, client: Client, background: Background) -> None:
        self.twilio, self.bot, self.bot_url, self.client, self.background = twilio, bot, bot_url, client, background

    def send(self, to: str = f"whatsapp:{OWNER}", **more: object):
        sender = f"whatsapp:{self.twilio.senders['whatsapp']}" if to.startswith("w") else self.twilio.senders["sms"]
        return self.client.messages.create(**{"to": to, "from_": sender, **more})

    def say(self, channel: str, written: Written) -> int:
        return self.background.call(self.twilio.say(channel, OWNER, written))

    def wait(self, condition) -> None:
        async def until() -> None:
            while not condition():
                await asyncio.sleep(0.005)

        self.background.call(asyncio.wait_for(until(), 5))

    def content(self, **types: object) -> str:
        types = {name.replace("__", "/").replace("_", "-"): value for name, value in types.items()}
        body = {"friendly_name": "t", "language": "fr", "types": types}
        answer = httpx.post(f"{self.twilio.url}/v1/Content", json=body, auth=self.client.auth)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["sid"])


class Mounted:
    """An application that changes with each test, behind one server for all."""

    async def __call__(self, scope, receive, send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def servers():
    background, provider, bot = Background(), Mounted(), Mounted()
    with background.running(serving(provider)) as url, background.running(serving(bot)) as bot_url:
        yield background, provider, url, bot, bot_url
    background.close()


@pytest.fixture
def scene(servers):
    background, provider, url, mounted, bot_url = servers
    twilio, bot = Twilio(), Bot()
    provider.app, mounted.app = twilio.app, bot.app
    twilio.url, twilio.status_delay = url, 0.0
    twilio.webhooks = {name: f"{bot_url}/webhooks/{name}" for name in ("whatsapp", "sms")}
    client = Client(twilio.account_sid, twilio.auth_token, http_client=Here(url))
    yield Scene(twilio, bot, bot_url, client, background)
    background.call(twilio.close())


def code_of(scene: Scene, **message: object) -> int:
    with pytest.raises(TwilioRestException) as caught:
        scene.send(**message)
    return int(caught.value.code)


def test_a_message_goes_from_queued_to_delivered_with_signed_callbacks(scene):
    scene.say("whatsapp", Written("salam"))
    callback = f"{scene.bot_url}/webhooks/status"
    sent = scene.send(body="ahlan", status_callback=callback)
    assert (sent.status, sent.sid[:2], sent.direction) == ("queued", "SM", "outbound-api")
    scene.wait(lambda: scene.bot.statuses(sent.sid) == ["queued", "sent", "delivered"])
    _, values, signature = scene.bot.seen[-1]
    assert RequestValidator(scene.twilio.auth_token).validate(callback, values, signature)
    assert scene.twilio.ledger.texts(OWNER) == ["ahlan"]


def test_reports_may_come_in_another_order(scene):
    scene.say("whatsapp", Written("salam"))
    scene.twilio.disorder = 1.0
    sent = scene.send(body="ahlan", status_callback=f"{scene.bot_url}/webhooks/status")
    scene.wait(lambda: scene.bot.statuses(sent.sid) == ["queued", "delivered", "sent"])


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"to": "0612345678", "body": "a"}, 21211),
        ({"to": "+212", "body": "a"}, 21211),
        ({"to": "whatsapp:0612345678", "body": "a"}, 21211),
        ({"to": OWNER, "body": "a" * 1601}, 21617),
        ({"body": "a" * 1601}, 21617),
        ({"to": OWNER}, 21619),
        ({"from_": "whatsapp:+212500000000", "body": "a"}, 63007),
        ({"from_": "+212520000002", "body": "a"}, 21910),
        ({"to": OWNER, "from_": "+212500000000", "body": "a"}, 21606),
        ({"body": "a", "status_callback": "localhost/status"}, 21609),
        ({"body": "a", "media_url": ["/media/x"]}, 21620),
        ({"media_url": ["http://a.ma/1", "http://a.ma/2"]}, 21623),
        ({"content_sid": "HX" + "0" * 32}, 21655),
    ],
)
def test_what_twilio_refuses_at_once_is_refused_with_its_code(scene, message, code):
    assert code_of(scene, **message) == code
    assert scene.twilio.ledger.accepted == []


def test_wrong_credentials_are_refused(scene):
    stranger = Client(scene.twilio.account_sid, "wrong", http_client=Here(scene.twilio.url))
    with pytest.raises(TwilioRestException) as caught:
        stranger.messages.create(to=OWNER, from_=scene.twilio.senders["sms"], body="a")
    assert (caught.value.status, caught.value.code) == (401, 20003)


def test_free_text_outside_the_window_fails_later_with_63016(scene):
    def failed() -> bool:
        return bool(scene.bot.seen) and scene.bot.seen[-1][1].get("ErrorCode") == "63016"

    scene.send(body="a", status_callback=f"{scene.bot_url}/webhooks/status")
    scene.wait(failed)
    scene.say("whatsapp", Written("salam"))
    sent = scene.send(body="b", status_callback=f"{scene.bot_url}/webhooks/status")
    scene.wait(lambda: "delivered" in scene.bot.statuses(sent.sid))
    scene.twilio.close_window(OWNER)
    scene.send(body="c", status_callback=f"{scene.bot_url}/webhooks/status")
    scene.wait(failed)


def test_an_approved_template_goes_out_at_any_time(scene):
    sid = "HX" + "a" * 32
    scene.twilio.approve(sid, "Bonjour {{1}}, on continue ?")
    assert code_of(scene, content_sid=sid) == 21656
    assert code_of(scene, content_sid=sid, content_variables='{"1": "deux\\nlignes"}') == 21656
    sent = scene.send(content_sid=sid, content_variables='{"1": "Amina"}')
    scene.wait(lambda: scene.twilio.ledger.statuses.get(sent.sid) == "delivered")
    assert scene.twilio.ledger.texts(OWNER) == ["Bonjour Amina, on continue ?"]


def test_a_list_is_shown_and_its_row_comes_back(scene):
    scene.say("whatsapp", Written("salam"))
    items = [
        {"item": "Commerce", "id": "set:commerce", "description": "Epicerie"},
        {"item": "Artisanat", "id": "set:a"},
    ]
    sid = scene.content(**{"twilio__list_picker": {"body": "Votre secteur ?", "button": "Choisir", "items": items}})
    sent = scene.send(content_sid=sid)
    shown = scene.twilio.ledger.find(sent.sid)
    assert (shown.kind, shown.label, shown.choices[0]) == (
        "list",
        "Choisir",
        Choice("set:commerce", "Commerce", "Epicerie"),
    )
    scene.say("whatsapp", Written(pressed=shown.choices[1], pressed_on=sent.sid))
    values = scene.bot.seen[-1][1]
    assert (values["ListId"], values["ListTitle"], values["MessageType"]) == ("set:a", "Artisanat", "interactive")
    assert values["OriginalRepliedMessageSid"] == sent.sid


def test_a_quick_reply_comes_back_with_its_payload(scene):
    scene.say("whatsapp", Written("salam"))
    action = {"type": "QUICK_REPLY", "title": "Oui", "id": "affirm"}
    sent = scene.send(content_sid=scene.content(twilio__quick_reply={"body": "On commence ?", "actions": [action]}))
    scene.say("whatsapp", Written(pressed=Choice("affirm", "Oui"), pressed_on=sent.sid))
    values = scene.bot.seen[-1][1]
    assert (values["ButtonPayload"], values["ButtonText"], values["Body"]) == ("affirm", "Oui", "Oui")


def test_what_fills_a_template_is_held_to_the_same_limits(scene):
    scene.say("whatsapp", Written("salam"))
    action = {"type": "QUICK_REPLY", "title": "{{2}}", "id": "{{3}}"}
    sid = scene.content(twilio__quick_reply={"body": "{{1}}", "actions": [action]})
    scene.send(content_sid=sid, content_variables=json.dumps({"1": "On commence ?", "2": "Oui", "3": "affirm"}))
    assert scene.twilio.ledger.accepted[-1].choices == (Choice("affirm", "Oui"),)
    for values, code in (
        ({"1": "On commence ?", "2": "t" * 21, "3": "affirm"}, 21658),
        ({"1": "On\ncommence ?", "2": "Oui", "3": "affirm"}, 21656),
        ({"1": "", "2": "Oui", "3": "affirm"}, 21656),
        ({"1": "On commence ?", "2": "Oui"}, 21656),
    ):
        assert code_of(scene, content_sid=sid, content_variables=json.dumps(values)) == code


def test_more_than_three_quick_replies_need_an_approved_template(scene):
    scene.say("whatsapp", Written("salam"))
    actions = [{"title": str(n), "id": str(n)} for n in range(4)]
    sent = scene.send(content_sid=scene.content(twilio__quick_reply={"body": "?", "actions": actions}))
    scene.wait(lambda: scene.twilio.ledger.statuses.get(sent.sid) == "failed")


QUICK = {"title": "Oui", "id": "yes"}
ITEM = {"item": "Oui", "id": "yes"}


@pytest.mark.parametrize(
    ("kind", "resource", "reason"),
    [
        ("quick-reply", {"body": "a" * 1025, "actions": [QUICK]}, "body has 1025"),
        ("quick-reply", {"body": "", "actions": [QUICK]}, "body is required"),
        ("quick-reply", {"body": "a", "actions": []}, "1 to 10"),
        ("quick-reply", {"body": "a", "actions": [{"title": "t" * 21, "id": "a"}]}, "title has 21"),
        ("quick-reply", {"body": "a", "actions": [{"title": "t", "id": "a" * 201}]}, "id has 201"),
        ("quick-reply", {"body": "a", "actions": [QUICK, {"title": "Oui", "id": "other"}]}, "each title"),
        ("list-picker", {"body": "a", "button": "b" * 21, "items": [ITEM]}, "button has 21"),
        ("list-picker", {"body": "a", "button": "b", "items": [{"item": "i" * 25, "id": "a"}]}, "item has 25"),
        (
            "list-picker",
            {"body": "a", "button": "b", "items": [ITEM | {"description": "d" * 73}]},
            "description has 73",
        ),
        ("list-picker", {"body": "a", "button": "b", "items": [ITEM, ITEM]}, "each id"),
        ("list-picker", {"body": "a", "button": "b", "items": [ITEM] * 11}, "1 to 10"),
        ("carousel-of-ours", {}, "not a content type"),
    ],
)
def test_content_beyond_the_limits_is_refused(kind, resource, reason):
    with pytest.raises(ValueError, match=reason):
        check_content({"language": "fr", "types": {f"twilio/{kind}": resource}})


def test_content_is_listed_in_pages(scene):
    sids = [scene.content(twilio__text={"body": "a"}) for _ in range(3)]
    listed = scene.client.content.v1.contents.list(page_size=10)
    assert [row.sid for row in listed] == sids
    assert scene.client.content.v1.contents(sids[1]).fetch().types == {"twilio/text": {"body": "a"}}


def test_media_is_fetched_with_its_name_and_shown(scene):
    scene.say("whatsapp", Written("salam"))
    sent = scene.send(media_url=[f"{scene.bot_url}/media/a"], body="Votre profil")
    scene.wait(lambda: scene.twilio.ledger.statuses.get(sent.sid) == "delivered")
    shown = scene.twilio.ledger.find(sent.sid)
    assert (shown.kind, shown.file) == ("image", File("image/png", "a.png", PNG))


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=404),
        Response("<html>", media_type="text/html"),
        Response(b"0" * (5 * 2**20 + 1), media_type="image/png"),
    ],
)
def test_media_that_cannot_be_had_or_carried_fails_later(scene, answer):
    scene.say("whatsapp", Written("salam"))
    scene.bot.picture = answer
    sent = scene.send(media_url=[f"{scene.bot_url}/media/a"])
    scene.wait(lambda: scene.twilio.ledger.statuses.get(sent.sid) == "failed")


def test_an_inbound_message_is_signed_and_keeps_blank_fields(scene):
    assert scene.say("sms", Written("salam é +&=")) == 200
    path, values, signature = scene.bot.seen[-1]
    assert (path, values["Body"], values["FromCity"], values["From"]) == ("/webhooks/sms", "salam é +&=", "", OWNER)
    assert RequestValidator(scene.twilio.auth_token).validate(scene.bot_url + path, values, signature)


def test_a_voice_note_can_be_fetched_with_the_accounts_credentials_only(scene):
    scene.say("whatsapp", Written(file=File("audio/ogg", "", b"OggS")))
    values = scene.bot.seen[-1][1]
    assert (values["NumMedia"], values["MediaContentType0"], values["MessageType"]) == ("1", "audio/ogg", "audio")
    assert requests.get(values["MediaUrl0"]).status_code == 401
    answer = requests.get(values["MediaUrl0"], auth=scene.client.auth)
    assert (answer.content, answer.headers["content-type"]) == (b"OggS", "audio/ogg")


def test_a_place_comes_with_its_coordinates(scene):
    scene.say("whatsapp", Written(place=(33.57, -7.59)))
    values = scene.bot.seen[-1][1]
    assert (values["Latitude"], values["Longitude"], values["Body"]) == ("33.57", "-7.59", "")


def test_stop_by_sms_closes_the_number_until_start(scene):
    scene.say("sms", Written("STOP"))
    assert code_of(scene, to=OWNER, body="a") == 21610
    scene.say("sms", Written("start"))
    assert scene.send(to=OWNER, body="a").sid


def test_messages_that_never_arrived_are_in_the_list(scene):
    for number in range(5):
        scene.twilio.write("whatsapp", OWNER, Written(f"m{number}"))
    scene.twilio.write("sms", OWNER, Written("other"))
    to = f"whatsapp:{scene.twilio.senders['whatsapp']}"
    listed = scene.client.messages.list(to=to, page_size=2)
    assert [row.body for row in listed] == ["m4", "m3", "m2", "m1", "m0"]
    assert {(row.direction, row.status) for row in listed} == {("inbound", "received")}


def test_a_webhook_that_fails_is_told(scene):
    events = []
    scene.twilio.ledger.listen(events.append)
    scene.bot.status = 503
    assert scene.say("sms", Written("a")) == 503
    assert [(event.what, event.code) for event in events] == [("webhook", "11200")]


@pytest.mark.parametrize("fault", ["throttled", "failing", "html", "reset", "silent"])
def test_a_call_that_meets_a_fault_is_not_taken(scene, fault):
    scene.twilio.dice.faults = Faults(silence_seconds=0.01, retry_after=3)
    scene.twilio.dice.queue(fault)
    try:
        scene.send(to=OWNER, body="a")
        raise AssertionError("an answer was read")
    except TwilioRestException as error:
        assert {"throttled": 429, "failing": 500, "html": 503}[fault] == error.status
    except (requests.ConnectionError, json.JSONDecodeError):
        assert fault in ("reset", "silent", "html")
    assert scene.twilio.ledger.accepted == []
    assert scene.twilio.ledger.counts[f"fault {fault}"] == 1
    assert scene.send(to=OWNER, body="b").sid


def test_a_lost_answer_leaves_a_message_that_was_taken_and_is_counted(scene):
    scene.twilio.dice.queue("lost")
    with pytest.raises(requests.ConnectionError):
        scene.send(to=OWNER, body="a")
    assert [(message.text, message.lost) for message in scene.twilio.ledger.accepted] == [("a", True)]
    assert scene.twilio.ledger.counts["answer lost"] == 1


def test_a_429_says_when_to_come_back(scene):
    scene.twilio.dice.faults = Faults(throttled=1.0, retry_after=2.5)
    path = f"/2010-04-01/Accounts/{scene.twilio.account_sid}/Messages.json"
    answer = httpx.post(scene.twilio.url + path, auth=scene.client.auth, data={})
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "2.5", 20429)
