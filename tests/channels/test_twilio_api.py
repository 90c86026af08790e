"""Every way in which Twilio does not take a message has its type; the real library talks to a real server."""

import base64
import socket

import pytest
from aiohttp import ClientTimeout

from bot.channels import twilio_api
from bot.channels.channel import OptedOut, Permanent, Retryable, WindowClosed
from bot.channels.twilio_api import TwilioApi, check_settings
from bot.settings import Settings, SettingsError
from tests.channels.twilio_ground import PUBLIC, problem, scripted, with_twilio
from tests.payloads.twilio import ACCOUNT, OURS, OWNER, TOKEN

HTML = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.fixture
def own_settings(tmp_path):
    return with_twilio(Settings(data_dir=tmp_path, secret_key="k" * 40))


async def send(own_settings, *answers, sender=OURS, **content):
    """Send one message to a server that answers so; return what came of it, and what was asked."""
    async with scripted(*answers) as script:
        api = TwilioApi(own_settings.copy(update={"twilio_api_url": script.url}))
        try:
            return await api.send(sender, OWNER, **(content or {"body": "ahlan"})), script.asked, api.state()
        except twilio_api.SendError as error:
            return error, script.asked, api.state()
        finally:
            await api.close()


async def test_a_message_goes_out_as_the_documentation_says(own_settings):
    taken = (201, {"sid": "SM1", "status": "queued", "num_segments": "2", "error_code": None})
    sent, (asked,), state = await send(own_settings, taken, body="شحال؟ é", media_url=["https://a/b"])
    assert (sent.provider_id, sent.status, sent.segments, state) == ("SM1", "accepted", 2, "up")
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert asked.values == {
        "To": OWNER,
        "From": OURS,
        "Body": "شحال؟ é",
        "MediaUrl": "https://a/b",
        "StatusCallback": f"{PUBLIC}/webhooks/twilio/status",
    }


async def test_the_account_signs_in(own_settings):
    seen = []

    async def app(scope, _receive, send_):
        seen.append(dict(scope["headers"])[b"authorization"].decode())
        await send_({"type": "http.response.start", "status": 201, "headers": []})
        await send_({"type": "http.response.body", "body": b'{"sid": "SM1"}'})

    async with twilio_server(app) as url:
        api = TwilioApi(own_settings.copy(update={"twilio_api_url": url}))
        await api.send(OURS, OWNER, body="x")
        await api.close()
    assert seen == ["Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()]


def twilio_server(app):
    from tests.simulators.serving import serving

    return serving(app)


async def test_a_messaging_service_can_be_the_sender(own_settings):
    _, (asked,), _ = await send(own_settings, sender="MG" + "0" * 32)
    assert asked.values["MessagingServiceSid"].startswith("MG") and "From" not in asked.values


@pytest.mark.parametrize(
    ("answer", "kind", "code", "after"),
    [
        (problem(21610), OptedOut, "21610", None),
        (problem(63014), OptedOut, "63014", None),
        (problem(63016), WindowClosed, "63016", None),
        (problem(21211), Permanent, "21211", None),
        (problem(21614), Permanent, "21614", None),
        (problem(21408, 403), Permanent, "21408", None),
        (problem(20429, 429, **{"Retry-After": "7"}), Retryable, "20429", 7.0),
        (problem(20429, 429), Retryable, "20429", None),
        (problem(63018, 400), Retryable, "63018", None),
        (problem(20003, 401), Retryable, "20003", None),
        (problem(20503, 503, **{"Retry-After": "Sun, 22 Nov 2026 17:00:00 GMT"}), Retryable, "20503", None),
        ((500, ""), Retryable, "http 500", None),
        ((502, HTML), Retryable, "http 502", None),
        ((403, HTML), Retryable, "http 403", None),
        ((302, "", {"Location": "/login"}), Retryable, "http 302", None),
        ((429, HTML, {"Retry-After": "3"}), Retryable, "http 429", 3.0),
        ((200, HTML), Retryable, "not JSON", None),
        ((200, HTML, {"Content-Type": "text/html; charset=nonsense"}), Retryable, "not JSON", None),
        ((201, '["SM1"]'), Retryable, "not JSON", None),
        ((201, "[" * 100_000), Retryable, "not JSON", None),
        ((201, {"status": "queued"}), Retryable, "no sid", None),
        ((201, {"sid": "SM1", "status": "failed", "error_code": 63016}), WindowClosed, "63016", None),
        ((400, {"code": "21211", "message": "a code that is no number"}), Retryable, "http 400", None),
        ("reset", Retryable, "reset", None),
    ],
)
async def test_a_refusal_has_its_type(own_settings, answer, kind, code, after):
    error, asked, state = await send(own_settings, answer)
    assert (type(error), error.code, getattr(error, "after", None)) == (kind, code, after)
    assert len(asked) == 1
    assert state == ("down" if kind is Retryable and code != "no sid" else "up")


async def test_silence_is_a_time_out(own_settings, monkeypatch):
    monkeypatch.setattr(twilio_api, "TIMEOUT", ClientTimeout(total=0.2))
    error, _, state = await send(own_settings, "silence")
    assert (type(error), error.code, state) == (Retryable, "timeout", "down")


async def test_nobody_there_is_tried_again(own_settings):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    api = TwilioApi(own_settings.copy(update={"twilio_api_url": f"http://127.0.0.1:{port}"}))
    with pytest.raises(Retryable, match="reset"):
        await api.send(OURS, OWNER, body="x")
    await api.close()


async def test_errors_hold_nothing_that_twilio_said(own_settings):
    told = (400, {"code": 21211, "message": f"{OWNER} is not a valid phone number"})
    error, _, _ = await send(own_settings, told)
    assert OWNER not in repr(error)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"twilio_account_sid": ""}, "TWILIO_ACCOUNT_SID"),
        ({"twilio_account_sid": "SK1"}, "TWILIO_ACCOUNT_SID"),
        ({"twilio_auth_token": type(Settings().twilio_auth_token)("")}, "TWILIO_AUTH_TOKEN"),
        ({"twilio_whatsapp_from": "", "twilio_sms_from": ""}, "TWILIO_WHATSAPP_FROM"),
        ({"public_url": ""}, "PUBLIC_URL"),
    ],
)
def test_settings_that_do_not_fit_are_named(own_settings, changed, named):
    with pytest.raises(SettingsError, match=named):
        check_settings(own_settings.copy(update=changed))


def test_settings_that_fit(own_settings, tmp_path):
    check_settings(own_settings)
    check_settings(own_settings.copy(update={"public_url": "", "twilio_api_url": "http://127.0.0.1:1"}))
    check_settings(Settings(data_dir=tmp_path))
