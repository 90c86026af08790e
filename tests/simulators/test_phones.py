"""The phone page without a browser: what owners do reaches the lines, what happens there reaches the page."""

from __future__ import annotations

import asyncio
import base64
import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulators.environment import environment
from tests.simulators.ledger import Accepted, Choice, Event, File, Ledger, Written
from tests.simulators.lines import WebLine
from tests.simulators.phones import BAD_DAY, PAGE, Phones
from tests.simulators.serving import serving


class Echo:
    """A line whose bot repeats what it hears."""

    channel = "sms"

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.said: list[tuple[str, Written]] = []
        self.numbers = 0

    def new_number(self) -> str:
        self.numbers += 1
        return f"+21260000000{self.numbers}"

    async def say(self, number: str, written: Written) -> None:
        self.said.append((number, written))
        if written.text == "break":
            raise RuntimeError("the line is cut")
        choices = (Choice("1", "Oui"),)
        self.ledger.accept(Accepted(f"m{len(self.said)}", "sms", number, written.text, choices=choices, segments=2))

    async def close(self) -> None:
        pass


@pytest.fixture
async def phones():
    phones = Phones({"sms": Echo()}, {"sms": "over nothing"})
    yield phones
    await phones.close()


@pytest.fixture
async def page(phones):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(phones.app), base_url="http://phones") as client:
        yield client


async def events(page, after: int = 0, count: int = 1) -> list[dict]:
    """Wait for so many events after a number."""
    while True:
        rows = (await page.get("/events", params={"after": after, "wait": "no"})).json()["events"]
        if len(rows) >= count:
            return rows
        await asyncio.sleep(0.005)


async def test_what_an_owner_types_is_shown_and_answered(phones, page):
    number = phones.numbers["sms"]
    assert (await page.post("/phones/sms/messages", json={"text": "salam"})).status_code == 202
    owner, bot = await events(page, count=2)
    assert (owner["what"], owner["number"], owner["text"]) == ("owner", number, "salam")
    assert (bot["what"], bot["text"], bot["segments"]) == ("accepted", "salam", 2)
    assert bot["choices"] == [{"id": "1", "title": "Oui", "description": ""}]
    assert phones.transcript("sms", number) == [owner, bot]


async def test_a_pressed_choice_a_file_and_a_place_reach_the_line(phones, page):
    data = base64.b64encode(b"OggS").decode()
    for body in (
        {"pressed": {"id": "1", "title": "Oui", "on": "m1"}},
        {"file": {"type": "audio/ogg", "name": "", "data": data}},
        {"place": [33.5, -7.6]},
    ):
        await page.post("/phones/sms/messages", json=body)
    await events(page, count=6)
    assert [written for _, written in phones.lines["sms"].said] == [
        Written(pressed=Choice("1", "Oui"), pressed_on="m1"),
        Written(file=File("audio/ogg", "", b"OggS")),
        Written(place=(33.5, -7.6)),
    ]
    shown = next(row for row in await events(page) if row.get("file"))
    answer = await page.get(shown["file"]["url"])
    assert (answer.content, answer.headers["content-type"]) == (b"OggS", "audio/ogg")


async def test_the_network_may_write_the_number_otherwise(phones, page):
    await page.post("/phones/sms/messages", json={"text": "salam", "as_number": "0600000001"})
    await events(page, count=2)
    assert phones.lines["sms"].said[0][0] == "0600000001"


async def test_a_new_owner_has_a_new_number_or_the_given_one(phones, page):
    first = phones.numbers["sms"]
    assert (await page.post("/phones/sms/number", json={})).json()["number"] != first
    assert (await page.post("/phones/sms/number", json={"number": " +33600000000 "})).json()["number"] == "+33600000000"
    assert phones.numbers["sms"] == "+33600000000"


async def test_the_page_waits_for_the_next_event(phones, page):
    waiting = asyncio.create_task(page.get("/events?after=0"))
    await asyncio.sleep(0)
    while not waiting.done():
        phones.lines["sms"].ledger.tell(Event("note", "sms", "x", text="hello"))
        await asyncio.sleep(0.01)
    assert (await waiting).json()["events"][0]["text"] == "hello"


async def test_a_line_that_fails_is_shown(page):
    await page.post("/phones/sms/messages", json={"text": "break"})
    _, failed = await events(page, count=2)
    assert (failed["what"], failed["code"]) == ("webhook", "RuntimeError('the line is cut')")


@pytest.mark.parametrize("body", ["x", "{}", '{"file": {"type": "a/b", "data": "%"}}', '{"place": [1]}', "[]"])
async def test_what_is_no_message_is_refused(page, body):
    assert (await page.post("/phones/sms/messages", content=body)).status_code == 422


async def test_a_bad_day_can_be_had_and_ended(phones, page):
    await page.post("/weather", json={"bad": True})
    assert phones.dice.faults == BAD_DAY
    assert (await page.get("/phones")).json()["bad_day"] is True
    await page.post("/weather", json={"bad": False})
    assert phones.dice.draw() == ""


async def test_the_page_loads_nothing_from_elsewhere(page):
    assert (await page.get("/")).status_code == 200
    for file in PAGE.iterdir():
        assert (await page.get(f"/page/{file.name}")).status_code == 200
        assert not re.search("https?:", file.read_text("utf-8"))


async def test_the_web_phone_reads_replies_and_what_comes_later():
    later = []

    async def post(request: Request) -> Response:
        body = await request.json()
        reply = {"id": 1, "text": body.get("text") or body.get("choice"), "buttons": [{"choice": "go", "title": "Go"}]}
        return JSONResponse({"messages": [reply]})

    async def get(_request: Request) -> Response:
        return JSONResponse({"messages": later})

    path = "/api/chat/messages"
    app = Starlette(routes=[Route(path, post, methods=["POST"]), Route(path, get, methods=["GET"])])
    async with serving(app) as url:
        line = WebLine(url, poll_seconds=0.01)
        number = line.new_number()
        await line.say(number, Written("salam"))
        assert [(m.text, m.choices[0].title) for m in line.ledger.to(number)] == [("salam", "Go")]
        later.extend([{"id": 1, "from": "rafiq", "text": "salam"}, {"id": 2, "from": "rafiq", "text": "rappel"}])
        while len(line.ledger.to(number)) < 2:
            await asyncio.sleep(0.005)
        assert line.ledger.texts(number) == ["salam", "rappel"]
        await line.close()


@pytest.mark.parametrize("sms", ["http", "smpp", "twilio"])
def test_a_simulation_uses_nothing_of_a_real_installation(tmp_path, sms):
    one, other = environment(8000, tmp_path, sms), environment(8000, tmp_path, sms)
    assert one["TWILIO_AUTH_TOKEN"] != other["TWILIO_AUTH_TOKEN"]
    assert one["TELEGRAM_TOKEN"] != other["TELEGRAM_TOKEN"]
    assert (one["DATABASE_URL"], one["PUBLIC_URL"], one["SMS_PROVIDER"]) == ("", "", sms)
    assert one["DATA_DIR"] == str(tmp_path / "simulation")
    for name in ("TWILIO_API_URL", "TELEGRAM_API_URL"):
        assert one[name].startswith("http://127.0.0.1:")
