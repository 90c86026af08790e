"""An aggregator described by a file: what is sent to it on the wire, and what it may send to us."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import textwrap
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.channels.aggregator import load_aggregator
from bot.channels.channel import OptedOut, Permanent, Refused, Retryable, Webhook
from bot.channels.sms_http import HttpProvider, make_http
from bot.gateway.app import make_app
from bot.knowledge.loader import KnowledgeErrors
from bot.settings import ROOT, SettingsError
from bot.storage.models import Conversation, Delivery, InboxMessage
from tests.fake_service import running

EXAMPLE = ROOT / "docs" / "examples" / "sms_aggregator.yml"
ENVIRONMENT = {"SMS_API_TOKEN": "t0ken", "SMS_WEBHOOK_KEY": "k3y"}
TO = "+212612345678"


@dataclass
class Aggregator:
    """The other side: keeps what it is asked and answers what the test says."""

    url: str = ""
    asked: list[tuple[Request, bytes]] = field(default_factory=list)
    answers: list[Response] = field(default_factory=lambda: [Response("OK")])

    async def take(self, request: Request) -> Response:
        self.asked.append((request, await request.body()))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def aggregator(*answers):
    other = Aggregator()
    other.answers = list(answers) or other.answers
    with running(Starlette(routes=[Route("/{path:path}", other.take, methods=["GET", "POST", "PUT"])])) as other.url:
        yield other


def described(tmp_path, text, environment=ENVIRONMENT):
    file = tmp_path / "aggregator.yml"
    file.write_text(textwrap.dedent(text), "utf-8")
    return load_aggregator(file, environment)


def send_only(tmp_path, url, more="", fields='{to: "{to}", text: "{text}"}', form="form"):
    text = f"send:\n  url: {url}/send\n  format: {form}\n  fields: {fields}\n"
    return described(tmp_path, text + textwrap.indent(textwrap.dedent(more), "  "))


@asynccontextmanager
async def provider(aggregator):
    http = HttpProvider(aggregator, b"h" * 32)
    yield http
    await http.close()


async def failure(tmp_path, more, *answers):
    """Return the error that this answer to a message gives."""
    with aggregator(*answers) as other:
        async with provider(send_only(tmp_path, other.url, more)) as http:
            with pytest.raises((Permanent, Retryable)) as caught:
                await http.send(TO, "salam", "7-0")
    return caught.value


def with_url(tmp_path, url):
    """Return the documented example, its address replaced."""
    return described(tmp_path, EXAMPLE.read_text("utf-8").replace("https://api.aggregator.example/v1/sms", f"{url}/v1"))


async def test_the_documented_example_sends_what_it_says(tmp_path):
    taken = Response('{"status": "queued", "message": {"id": 991}}', 202)
    with aggregator(taken) as other:
        async with provider(with_url(tmp_path, other.url)) as http:
            latin = await http.send(TO, "Ça va", "7-0")
            arabic = await http.send(TO, "سلام" * 20, "7-1")
    assert (latin.provider_id, latin.status, latin.segments, arabic.segments) == ("991", "accepted", 1, 2)
    request, body = other.asked[0]
    assert (request.method, request.url.path, request.headers["authorization"]) == ("POST", "/v1", "Bearer t0ken")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "recipient": "212612345678",
        "content": "Ça va",
        "sender": "3030",
        "reference": "7-0",
        "coding": 0,
    }
    assert json.loads(other.asked[1][1])["coding"] == 8


async def test_a_form_is_sent_in_the_described_charset_and_number_form(tmp_path):
    more = """\
        charset: iso-8859-1
        number: national
        from: RAFIQ
        message_id: {body: "ID: (\\\\w+)"}
        """
    fields = '{msisdn: "{to}", msg: "{text}", sender: "{from}", ref: "{id}", pw: "{env:SMS_API_TOKEN}", flash: 0}'
    with aggregator(Response("ID: a1b2")) as other:
        async with provider(send_only(tmp_path, other.url, more, fields)) as http:
            sent = await http.send(TO, "prêt & payé", "7-0")
            with pytest.raises(Permanent, match="charset"):
                await http.send(TO, "سلام", "7-0")
    request, body = other.asked[0]
    assert body == b"msisdn=0612345678&msg=pr%EAt+%26+pay%E9&sender=RAFIQ&ref=7-0&pw=t0ken&flash=0"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=iso8859-1"
    assert (sent.provider_id, sent.status) == ("a1b2", "sent")


async def test_a_query_takes_the_text_as_hexadecimal_where_the_aggregator_wants_it(tmp_path):
    fields = '{u: "a b", to: "{to}", hex: "{hex}", dcs: "{encoding}"}'
    more = "method: GET\nencodings: {gsm7: 0, ucs2: 8}\n"
    with aggregator() as other:
        async with provider(send_only(tmp_path, f"{other.url}/x?v=2&p=", more, fields, "query")) as http:
            sent = await http.send(TO, "سل😀", "7-0")
    request, body = other.asked[0]
    assert (request.method, body) == ("GET", b"")
    assert str(request.url.query).startswith("v=2&p=/send&u=a+b&to=%2B2126")
    assert request.query_params["hex"] == "06330644D83DDE00"
    assert (request.query_params["to"], request.query_params["dcs"]) == (TO, "8")
    assert sent.provider_id == "7-0"


async def test_nested_json_and_paths_into_lists(tmp_path):
    fields = '{messages: [{destinations: [{to: "{to}"}], content: {text: "{text}"}, unicode: "{encoding}"}]}'
    more = "encodings: {gsm7: false, ucs2: true}\nmessage_id: {json: messages.0.messageId}\n"
    answer = Response('{"messages": [{"messageId": "2034072219640523072", "status": {"groupName": "PENDING"}}]}')
    with aggregator(answer) as other:
        async with provider(send_only(tmp_path, other.url, more, fields, "json")) as http:
            sent = await http.send(TO, "salam", "7-0")
    document = json.loads(other.asked[0][1])
    assert document == {"messages": [{"destinations": [{"to": TO}], "content": {"text": "salam"}, "unicode": False}]}
    assert sent.provider_id == "2034072219640523072"


async def test_an_answer_without_the_id_is_still_taken_not_sent_twice(tmp_path):
    with aggregator(Response("done")) as other:
        async with provider(send_only(tmp_path, other.url, "message_id: {header: X-Id}\n")) as http:
            assert (await http.send(TO, "a", "7-0")).provider_id == "no-id:7-0"


ERRORS = """\
success: {status: [200], json: {path: status, is: [0, true]}}
error_code: {json: status}
errors: {retryable: [5, 420], permanent: [7], opted_out: [9]}
"""


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Response('{"status": 5}'), Retryable, "5"),
        (Response('{"status": 7}'), Permanent, "7"),
        (Response('{"status": 9}'), OptedOut, "9"),
        (Response('{"status": "unheard of"}'), Retryable, "http_200"),
        (Response('{"status": "+212612345678"}'), Retryable, "http_200"),
        (Response('{"status": 7}', 500), Permanent, "7"),
        (Response("<html><h1>Maintenance</h1></html>", 200, media_type="text/html"), Retryable, "http_200"),
        (Response("[" * 60_000, 200), Retryable, "http_200"),
        (Response("", 204), Retryable, "http_204"),
        (Response("busy", 503), Retryable, "http_503"),
        (Response("", 401), Retryable, "http_401"),
        (Response("", 302, headers={"Location": "/elsewhere"}), Retryable, "http_302"),
        (Response("bad number", 400), Permanent, "http_400"),
        (Response("calm down", 420), Retryable, "http_420"),
    ],
)
async def test_an_answer_says_whether_trying_again_may_help(tmp_path, answer, kind, code):
    error = await failure(tmp_path, ERRORS, answer)
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [("30", 30, 30), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("Sat, 01 Jan 2050 00:00:00 GMT", 1e8, 1e10)],
)
async def test_retry_after_is_obeyed_in_both_forms(tmp_path, given, low, high):
    error = await failure(tmp_path, "", Response("", 429, headers={"Retry-After": given}))
    assert low <= error.after <= high


async def test_a_retry_after_that_cannot_be_read_is_left_out(tmp_path):
    assert (await failure(tmp_path, "", Response("", 503, headers={"Retry-After": "soon"}))).after is None


async def test_a_connection_refused_or_an_answer_that_does_not_come_is_tried_again(tmp_path):
    with aggregator() as other:
        url = other.url
    async with provider(send_only(tmp_path, url)) as http:
        with pytest.raises(Retryable, match="ConnectError"):
            await http.send(TO, "a", "7-0")
        assert http.state() == "down"
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with provider(send_only(tmp_path, url, "timeout_seconds: 0.2\n")) as http:
            with pytest.raises(Retryable, match="timeout"):
                await http.send(TO, "a", "7-0")


async def test_the_state_follows_the_aggregator(tmp_path):
    with aggregator(Response("", 500), Response("", 200)) as other:
        async with provider(send_only(tmp_path, other.url)) as http:
            with pytest.raises(Retryable):
                await http.send(TO, "a", "7-0")
            assert http.state() == "down"
            await http.send(TO, "a", "7-0")
            assert http.state() == "up"


async def test_no_faster_than_the_aggregator_allows(tmp_path):
    with aggregator() as other:
        async with provider(send_only(tmp_path, other.url, "max_per_second: 0.5\n")) as http:
            await http.send(TO, "a", "7-0")
            http._pace._next += 10
            with pytest.raises(Retryable) as caught:
                await http.send(TO, "a", "7-1")
    assert 10 < caught.value.after <= 12
    assert len(other.asked) == 1


GUARDED = """\
send: {url: "https://a.example", format: form, fields: {}}
receive:
  format: form
  fields: {from: msisdn, text: text, id: id}
  secret: {field: key, value: "{env:SMS_WEBHOOK_KEY}"}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("format: form, fields", "format: xml, fields", 1, "unexpected value"),
        ("https://a.example", "ftp://a.example", 1, "must start with http"),
        ("fields: {}}", "fields: {a: '{nobody}'}}", 1, "{nobody} is not known here"),
        ("fields: {}}", "fields: {a: '{env:NOT_SET}'}}", 1, "the environment variable NOT_SET is not set"),
        ("fields: {}}", "fields: {}, headers: {X: '{text}'}}", 1, "the text cannot stand in a header"),
        ("fields: {}}", "fields: {}, charset: klingon}", 1, "charset 'klingon' is not known"),
        ("fields: {}}", "fields: {}, message_id: {body: 'id=.*'}}", 1, "one group in parentheses"),
        ("fields: {}}", "fields: {}, success: {body: '(('}}", 1, "not a pattern"),
        ("fields: {}}", "fields: {}, message_id: {json: a, header: b}}", 1, "exactly one of json, body and header"),
        ("fields: {}}", "fields: {}, timeout_seconds: 60}", 1, "less than or equal to 15"),
        ("fields: {}}", "fields: {}, max: 3}", 1, "extra fields not permitted"),
        ('  secret: {field: key, value: "{env:SMS_WEBHOOK_KEY}"}\n', "", 2, "a secret or a signature is needed"),
        ("field: key, value", "field: key, header: X, value", 5, "exactly one of header and field"),
        ("env:SMS_WEBHOOK_KEY", "text", 5, "{text} is not known here"),
        ("text: text, id", "id", 4, "field required"),
        ("  format: form\n", "  format: form\n  hex_when: [8]\n", 2, "hex_when needs fields.coding"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path, old, new, line, reason):
    assert old in GUARDED
    with pytest.raises(KnowledgeErrors) as caught:
        described(tmp_path, GUARDED.replace(old, new))
    assert [error.line for error in caught.value.errors] == [line]
    assert reason in caught.value.errors[0].reason


def test_rafiq_check_and_the_start_name_the_mistake(tmp_path, monkeypatch):
    from bot.check import problems
    from bot.settings import Settings

    file = tmp_path / "aggregator.yml"
    file.write_text("send: {}\n", "utf-8")
    settings = Settings(sms_http_file=file, secret_key="k" * 40, data_dir=tmp_path)
    assert any(line.startswith(f"{file}:1: send.url: field required") for line in problems(settings))
    with pytest.raises(SettingsError, match=r"aggregator.yml:1: send.url: field required"):
        make_http(settings)
    assert make_http(Settings(sms_http_file=None)) is None


def webhook(body=b"", query="", method="POST", path="/webhooks/sms", **headers):
    from starlette.datastructures import Headers

    url = f"https://rafiq.example{path}" + (f"?{query}" if query else "")
    return Webhook(method, url, Headers({name.replace("_", "-"): value for name, value in headers.items()}), body)


def reader(tmp_path, receive, now=lambda: 1000.0):
    text = 'send: {url: "https://a.example", format: form, fields: {}}\nreceive:\n'
    text += textwrap.indent(textwrap.dedent(receive), "  ")
    return HttpProvider(described(tmp_path, text), b"h" * 32, now).read_messages


FORM = """\
format: form
fields: {from: msisdn, text: text, id: id, time: at, coding: dcs}
hex_when: [8]
secret: {field: key, value: "{env:SMS_WEBHOOK_KEY}"}
answer: {body: "ACK", content_type: text/xml}
"""


def test_a_form_is_read_and_answered_as_described(tmp_path):
    received = reader(tmp_path, FORM)(webhook(b"msisdn=0612345678&text=Rep%3A+2&id=m-1&key=k3y&extra=1"))
    (message,) = received.messages
    assert (message.channel, message.address, message.provider_id) == ("sms", TO, "http:m-1")
    assert (message.kind, message.body) == ("text", "Rep: 2")
    assert (received.answer, received.content_type) == ("ACK", "text/xml")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"text=", ""),
        (b"text=%D8%B3%D9%84%D8%A7%D9%85", "سلام"),
        ("text=سلام".encode(), "سلام"),
        (b"text=pr%EAt", "prêt"),
        (b"text=06330644&dcs=8", "سل"),
        (b"text=d83dde00&dcs=8", "😀"),
        (b"text=12&dcs=0", "12"),
        (b"text=a%00b", "ab"),
        (b"text=1&text=2", "1"),
    ],
)
def test_texts_in_every_coding_are_understood(tmp_path, body, text):
    (message,) = reader(tmp_path, FORM)(webhook(b"msisdn=0612345678&id=1&key=k3y&" + body)).messages
    assert message.body == text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"msisdn=0612345678&text=a&id=1", 403),
        (b"msisdn=0612345678&text=a&id=1&key=", 403),
        (b"msisdn=0612345678&text=a&id=1&key=k3y2", 403),
        ("msisdn=0612345678&text=a&id=1&key=clé".encode(), 403),
        (b"text=a&id=1&key=k3y", 400),
        (b"msisdn=&text=a&id=1&key=k3y", 400),
        (b"msisdn=0612345678&id=1&key=k3y", 400),
        (b"msisdn=0612345678&text=zz&dcs=8&id=1&key=k3y", 400),
        (b"msisdn=0612345678&id=1&key=k3y&text=" + b"a" * 20_001, 400),
        (b"&".join([b"a=1"] * 200), 400),
        (b"", 403),
        (b"\xff\xfe\x00" * 50, 403),
    ],
)
def test_a_forged_or_broken_call_is_refused(tmp_path, body, status):
    with pytest.raises(Refused) as caught:
        reader(tmp_path, FORM)(webhook(body))
    assert caught.value.status == status


def test_another_method_is_refused(tmp_path):
    with pytest.raises(Refused) as caught:
        reader(tmp_path, FORM)(webhook(b"", "msisdn=0612345678&text=a&key=k3y", "GET"))
    assert caught.value.status == 405


def test_the_secret_may_stand_in_the_address_or_in_a_header(tmp_path):
    body = b"msisdn=0612345678&text=a&id=1"
    assert reader(tmp_path, FORM)(webhook(body, "key=k3y")).messages
    in_header = reader(tmp_path, FORM.replace("field: key", "header: X-Key"))
    assert in_header(webhook(body, x_key="k3y")).messages
    with pytest.raises(Refused):
        in_header(webhook(body, x_key="other"))
    with pytest.raises(Refused):
        in_header(webhook(body))


def test_without_an_id_the_content_and_the_time_tell_messages_apart_and_hold_no_words(tmp_path):
    clock = [1000.0]
    read = reader(tmp_path, FORM.replace("id: id, ", ""), lambda: clock[0])

    def message_id(body):
        (message,) = read(webhook(b"key=k3y&msisdn=0612345678&" + body)).messages
        assert "0612345678" not in message.provider_id
        return message.provider_id

    assert message_id(b"text=1&at=12:00:01") == message_id(b"text=1&at=12:00:01")
    assert message_id(b"text=1&at=12:00:01") != message_id(b"text=1&at=12:00:02")
    assert message_id(b"text=1&at=12:00:01") != message_id(b"text=2&at=12:00:01")
    at_once = message_id(b"text=1")
    assert at_once == message_id(b"text=1")
    clock[0] += 60
    assert at_once != message_id(b"text=1")


JSON_LIST = """\
format: json
list: results
fields: {from: from, text: message.text, id: messageId}
signature: {header: X-Signature, algorithm: sha256, encoding: hex, prefix: "sha256=", key: "{env:SMS_WEBHOOK_KEY}"}
"""
TWO = {
    "results": [
        {"messageId": "817790313235066447", "from": "212612345678", "message": {"text": "1"}},
        {"messageId": "817790313235066448", "from": "", "message": {"text": "nobody"}},
        {"messageId": 817790313235066449, "from": "33612345678", "message": {"text": "\ud83d 2"}},
    ]
}


def signed(body, algorithm="sha256", encoding="hex", prefix="sha256="):
    digest = hmac.new(b"k3y", body, algorithm).digest()
    return prefix + (digest.hex() if encoding == "hex" else base64.b64encode(digest).decode())


def test_one_call_may_bring_several_messages_and_a_broken_one_does_not_block_the_others(tmp_path):
    body = json.dumps(TWO).encode()
    received = reader(tmp_path, JSON_LIST)(webhook(body, x_signature=signed(body)))
    assert [(message.address, message.provider_id, message.body) for message in received.messages] == [
        (TO, "http:817790313235066447", "1"),
        ("+33612345678", "http:817790313235066449", "? 2"),
    ]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"results": 7}', b"[" * 100_000, b"\xff", b'"results"'])
def test_a_signed_document_of_another_shape_is_refused(tmp_path, body):
    with pytest.raises(Refused) as caught:
        reader(tmp_path, JSON_LIST)(webhook(body, x_signature=signed(body)))
    assert caught.value.status == 400


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_is_over_the_raw_body(tmp_path, algorithm, encoding):
    described = JSON_LIST.replace("sha256, encoding: hex", f"{algorithm}, encoding: {encoding}").replace("sha256=", "")
    read, body = reader(tmp_path, described), b' { "results" : [{"messageId":1,"from":"7777","message":{"text":"a"}}] }'
    right = signed(body, algorithm, encoding, "")
    assert read(webhook(body, x_signature=right)).messages
    wrong = [signed(body + b" ", algorithm, encoding, ""), right[:-4], "", "é"]
    for given in wrong:
        with pytest.raises(Refused) as caught:
            read(webhook(body, x_signature=given))
        assert caught.value.status == 403
    with pytest.raises(Refused):
        read(webhook(body))


def test_a_get_is_signed_over_its_query(tmp_path):
    described = JSON_LIST.replace("format: json\nlist: results", "format: query\nmethod: GET")
    read, query = reader(tmp_path, described), "from=0612345678&message.text=a&messageId=1"
    assert read(webhook(b"", query, "GET", x_signature=signed(query.encode()))).messages
    with pytest.raises(Refused):
        read(webhook(b"", query + "&x=1", "GET", x_signature=signed(query.encode())))


@pytest.fixture
def gateway(settings, engine, monkeypatch):
    """Run the gateway with the documented example."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with aggregator(Response('{"status": "ok", "message": {"id": "A1"}}')) as other:
        file = settings.data_dir / "aggregator.yml"
        file.write_text(EXAMPLE.read_text("utf-8").replace("https://api.aggregator.example/v1/sms", f"{other.url}/v1"))
        with TestClient(make_app(settings.copy(update={"sms_http_file": file}))) as client:
            yield client, other


def write(client, text, message_id="m-1", sender="0612345678"):
    body = json.dumps({"sender": sender, "content": text, "message": {"id": message_id}}).encode()
    signature = "sha256=" + hmac.new(b"k3y", body, hashlib.sha256).hexdigest()
    return client.post("/webhooks/sms", content=body, headers={"X-Signature": signature})


def until(condition):
    import time

    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        time.sleep(0.02)


def test_a_message_a_reply_and_its_report_go_the_whole_way(gateway, session):
    from bot.storage import outbox

    client, other = gateway
    assert write(client, "salam").text == "OK"
    assert write(client, "salam").status_code == 200
    (message,) = session.execute(select(InboxMessage)).scalars().all()
    assert (message.channel, message.body, message.provider_id) == ("sms", "salam", "http:m-1")
    outbox.put(session, message.conversation_id, "sms", message.id, [{"text": "C’est prêt"}])
    session.commit()
    until(lambda: other.asked)
    assert json.loads(other.asked[0][1])["content"] == "C'est pret"

    def delivery():
        session.rollback()
        return session.execute(select(Delivery.provider_id, Delivery.status, Delivery.error)).one_or_none()

    until(delivery)
    assert delivery() == ("A1", "accepted", None)
    report = {"id": "A1", "status": "DELIVRD", "key": "k3y"}
    assert client.post("/webhooks/sms/status", data=report).status_code == 200
    assert client.post("/webhooks/sms/status", data=report | {"status": "SENT"}).status_code == 200
    assert client.post("/webhooks/sms/status", data=report | {"status": "BANANA"}).status_code == 200
    assert delivery() == ("A1", "delivered", None)
    assert client.post("/webhooks/sms/status", data=report | {"key": "x"}).status_code == 403
    assert client.get("/health").json()["channels"]["sms"] == "up"


def test_an_owner_who_unsubscribed_at_the_aggregator_gets_nothing_more(gateway, session):
    from bot.storage import outbox

    client, _ = gateway
    write(client, "salam")
    message = session.execute(select(InboxMessage)).scalar_one()
    outbox.put(session, message.conversation_id, "sms", message.id, [{"text": "a"}])
    session.commit()
    until(lambda: session.rollback() or session.execute(select(Delivery)).first())
    session.rollback()
    report = {"id": "A1", "status": "REJECTD", "error": "UNSUBSCRIBED", "key": "k3y"}
    assert client.post("/webhooks/sms/status", data=report).status_code == 200
    session.rollback()
    assert session.execute(select(Conversation.opted_out_at)).scalar_one() is not None
    assert session.execute(select(Delivery.status, Delivery.error)).one() == ("failed", "OptedOut UNSUBSCRIBED")


def test_a_forged_message_leaves_no_row(gateway, session):
    client, _ = gateway
    answer = client.post("/webhooks/sms", content=b'{"sender": "0612345678", "content": "a"}')
    assert (answer.status_code, answer.text) == (403, "")
    assert session.execute(select(Conversation.id)).all() == []
