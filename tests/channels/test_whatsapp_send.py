"""WhatsApp messages on the wire, against the stand-in that takes what Twilio takes."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from bot.channels import twilio_content
from bot.channels.channel import Button, MediaFile, OptedOut, Permanent, Reply, Retryable, WindowClosed
from bot.channels.registry import Ground
from bot.channels.whatsapp import WhatsApp
from bot.storage.resources import find_resource
from tests.channels.twilio_ground import problem, scripted, with_twilio
from tests.payloads.twilio import ACCOUNT, OURS, OWNER, TOKEN
from tests.simulators.serving import serving
from tests.simulators.twilio import Twilio

TEMPLATE = "HX" + "0a" * 16
TAKEN = (201, {"sid": "SM" + "1" * 32, "status": "queued"})


def offer(count, **more):
    return tuple(Button(f"answer:{number}", f"Réponse {number}", **more) for number in range(count))


async def no_media(_media_id):
    return None


async def say(channel, reply, load_media=no_media):
    return [await channel.send(OWNER, part, load_media) for part in channel.render(reply)]


@asynccontextmanager
async def channel_at(url, settings, sessions, **more):
    channel = WhatsApp(Ground(with_twilio(settings, twilio_api_url=url, **more), sessions))
    yield channel
    await channel.close()


@asynccontextmanager
async def stand_in():
    twilio = Twilio(ACCOUNT, TOKEN, whatsapp_from=OURS)
    twilio.heard[OWNER] = time.time()
    async with serving(twilio.app) as url:
        twilio.url = url
        yield twilio
        await twilio.close()


@pytest.fixture
def templates(settings, tmp_path):
    """Give settings whose knowledge has one approved template, in French only."""
    folder = tmp_path / "knowledge"
    folder.mkdir()
    for source in settings.knowledge_dir.iterdir():
        (folder / source.name).symlink_to(source)
    (folder / "whatsapp_templates.yml").unlink()
    (folder / "whatsapp_templates.yml").write_text(f"test_reminder_first:\n  fr: {TEMPLATE}\n")
    return settings.copy(update={"knowledge_dir": folder})


async def test_quick_replies_arrive_as_written(settings, sessions):
    async with stand_in() as twilio, channel_at(twilio.url, settings, sessions) as channel:
        text = "Bonjour !\n\nOn commence ?\nC'est gratuit."
        (sent,) = await say(channel, Reply(1, text, offer(3)))
        (shown,) = twilio.ledger.to(OWNER)
        assert (shown.kind, shown.text, shown.provider_id) == ("quick-reply", text, sent.provider_id)
        assert [(choice.id, choice.title) for choice in shown.choices] == [
            (f"answer:{n}", f"Réponse {n}") for n in range(3)
        ]


async def test_a_list_of_ten_arrives_as_written(settings, sessions):
    async with stand_in() as twilio, channel_at(twilio.url, settings, sessions) as channel:
        await say(channel, Reply(1, "شنو القطاع؟", offer(10, description="détail"), language="ary-Arab"))
        (shown,) = twilio.ledger.to(OWNER)
        assert (shown.kind, shown.text, shown.label) == ("list", "شنو القطاع؟", "ختار")
        assert [choice.description for choice in shown.choices] == ["détail"] * 10


async def test_a_template_serves_every_text_of_its_shape_and_the_next_start(settings, sessions):
    async with stand_in() as twilio:
        for _start in range(2):
            async with channel_at(twilio.url, settings, sessions) as channel:
                for text in ("Un", "Deux", "Trois"):
                    await say(channel, Reply(1, text, offer(2)))
        assert len(twilio.content) == 1
        assert twilio.ledger.texts(OWNER) == ["Un", "Deux", "Trois"] * 2


async def test_two_gateways_at_once_end_with_one_template(settings, sessions):
    async with stand_in() as twilio:
        async with (
            channel_at(twilio.url, settings, sessions) as one,
            channel_at(twilio.url, settings, sessions) as two,
        ):
            replies = [Reply(number, "Lequel ?", offer(2)) for number in range(10)]
            await asyncio.gather(*(say(channel, reply) for channel in (one, two) for reply in replies))
        assert {message.kind for message in twilio.ledger.to(OWNER)} == {"quick-reply"}
        with sessions() as session:
            kept = find_resource(session, "whatsapp", f"{ACCOUNT}/quick-2-")
        assert list(twilio.content) == [kept]


async def test_a_template_that_is_gone_is_made_anew_and_the_owner_gets_text_meanwhile(settings, sessions):
    async with stand_in() as twilio, channel_at(twilio.url, settings, sessions) as channel:
        await say(channel, Reply(1, "Lequel ?", offer(2)))
        twilio.content.clear()
        await say(channel, Reply(2, "Lequel ?", offer(2)))
        await say(channel, Reply(3, "Lequel ?", offer(2)))
        assert [message.kind for message in twilio.ledger.to(OWNER)] == ["quick-reply", "text", "quick-reply"]
        assert twilio.ledger.texts(OWNER)[1] == "Lequel ?\n\n1. Réponse 0\n2. Réponse 1"


@pytest.mark.parametrize("refusal", [problem(20422), problem(20003, 401), (500, "<html>"), (200, "<html>"), "reset"])
async def test_without_templates_the_owner_gets_numbered_text(settings, sessions, monkeypatch, refusal):
    async with scripted(refusal) as script, channel_at(script.url, settings, sessions) as channel:
        await say(channel, Reply(1, "Lequel ?", offer(4)))
        await say(channel, Reply(2, "Lequel ?", offer(2)))
        texts = [asked.values.get("Body") for asked in script.asked]
        assert texts == [
            None,
            "Lequel ?\n\n1. Réponse 0\n2. Réponse 1\n3. Réponse 2\n4. Réponse 3",
            "Lequel ?\n\n1. Réponse 0\n2. Réponse 1",
        ]
        monkeypatch.setattr(twilio_content, "PAUSE_SECONDS", 0.0)
        channel._contents._not_before = 0.0
        script.answers[:] = [(201, {"sid": TEMPLATE})]
        await say(channel, Reply(3, "Lequel ?", offer(2)))
        assert script.asked[-1].values["ContentSid"] == TEMPLATE


async def test_a_content_document_is_what_the_content_api_wants(settings, sessions):
    async with scripted((201, {"sid": TEMPLATE})) as script, channel_at(script.url, settings, sessions) as channel:
        await say(channel, Reply(1, "Titre\nLequel ?", offer(2)))
        made, sent = script.asked
        assert (made.method, made.path) == ("POST", "/v1/Content")
        assert made.document == {
            "friendly_name": "rafiq_quick_2_b",
            "language": "fr",
            "variables": {str(number): f"example {number}" for number in range(1, 7)},
            "types": {
                "twilio/quick-reply": {
                    "body": "{{1}}\n{{2}}",
                    "actions": [
                        {"type": "QUICK_REPLY", "title": "{{3}}", "id": "{{4}}"},
                        {"type": "QUICK_REPLY", "title": "{{5}}", "id": "{{6}}"},
                    ],
                }
            },
        }
        assert sent.values["To"] == f"whatsapp:{OWNER}"
        assert sent.values["From"] == f"whatsapp:{OURS}"
        assert json.loads(sent.values["ContentVariables"]) == {
            "1": "Titre",
            "2": "Lequel ?",
            "3": "Réponse 0",
            "4": "answer:0",
            "5": "Réponse 1",
            "6": "answer:1",
        }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(problem(21610), OptedOut), (problem(63016), WindowClosed), (problem(20429, 429), Retryable)],
)
async def test_an_interactive_message_that_cannot_go_now_does_not_go_as_text(settings, sessions, answer, kind):
    async with (
        scripted((201, {"sid": TEMPLATE}), answer) as script,
        channel_at(script.url, settings, sessions) as channel,
    ):
        with pytest.raises(kind):
            await say(channel, Reply(1, "Lequel ?", offer(2)))
        assert len(script.asked) == 2


async def test_a_wrong_number_fails_for_good(settings, sessions):
    async with (
        scripted((201, {"sid": TEMPLATE}), problem(63003), problem(63003)) as script,
        channel_at(script.url, settings, sessions) as channel,
    ):
        with pytest.raises(Permanent, match="63003"):
            await say(channel, Reply(1, "Lequel ?", offer(2)))


async def test_a_wrong_number_costs_no_template(settings, sessions):
    async with (
        scripted((201, {"sid": TEMPLATE}), problem(63003), problem(63003), problem(63003), problem(63003)) as script,
        channel_at(script.url, settings, sessions) as channel,
    ):
        for number in (1, 2):
            with pytest.raises(Permanent, match="63003"):
                await say(channel, Reply(number, "Lequel ?", offer(2)))
        assert [asked.values.get("ContentSid") for asked in script.asked] == [None, TEMPLATE, None, TEMPLATE, None]


async def test_a_long_text_arrives_whole_and_in_order(settings, sessions):
    text = "\n\n".join(f"Paragraphe {number}. " + "mot " * 100 for number in range(12))
    async with stand_in() as twilio, channel_at(twilio.url, settings, sessions) as channel:
        await say(channel, Reply(1, text, offer(2)))
        assert twilio.ledger.counts["accepted"] > 3
        assert " ".join(twilio.ledger.texts(OWNER)).split() == text.split()
        assert [message.kind for message in twilio.ledger.to(OWNER)][-1] == "quick-reply"


async def test_pictures_and_documents_go_by_their_signed_address(settings, sessions):
    async def load(media_id):
        return MediaFile("image/png", "a.png", b"png", f"https://rafiq.example.ma/media/{media_id}-9-f")

    async with scripted() as script, channel_at(script.url, settings, sessions) as channel:
        await say(channel, Reply(1, "Votre score", image="m1", document="m2"), load)
        sent = [(asked.values["MediaUrl"], asked.values.get("Body")) for asked in script.asked]
        assert sent == [
            ("https://rafiq.example.ma/media/m1-9-f", "Votre score"),
            ("https://rafiq.example.ma/media/m2-9-f", None),
        ]


async def test_a_file_that_whatsapp_does_not_carry_goes_as_a_link(settings, sessions):
    async def load(media_id):
        return MediaFile("application/json", "data.json", b"{}", f"https://rafiq.example.ma/media/{media_id}-9-f")

    async with scripted() as script, channel_at(script.url, settings, sessions) as channel:
        await say(channel, Reply(1, "data.json", document="m2"), load)
        assert [(asked.values.get("MediaUrl"), asked.values["Body"]) for asked in script.asked] == [
            (None, "data.json"),
            (None, "https://rafiq.example.ma/media/m2-9-f"),
        ]


async def test_an_expired_picture_leaves_its_text(settings, sessions):
    async with scripted() as script, channel_at(script.url, settings, sessions) as channel:
        await say(channel, Reply(1, "Votre score", image="m1"))
        assert [(a.values.get("MediaUrl"), a.values["Body"]) for a in script.asked] == [(None, "Votre score")]
        with pytest.raises(Permanent, match="media expired"):
            await say(channel, Reply(1, "", document="m2"))


async def test_outside_the_window_an_approved_template_goes(templates, sessions):
    async with stand_in() as twilio, channel_at(twilio.url, templates, sessions) as channel:
        twilio.approve(TEMPLATE, "Il vous reste {{1}} questions.")
        twilio.close_window(OWNER)
        await say(channel, Reply(1, "…", template="test_reminder_first", variables=("3  \n questions",)))
        assert twilio.ledger.texts(OWNER) == ["Il vous reste 3 questions questions."]


@pytest.mark.parametrize(("name", "language"), [("test_reminder_first", "ary-Latn"), ("other", "fr")])
async def test_without_a_template_the_message_waits_and_says_which(templates, sessions, name, language):
    async with scripted() as script, channel_at(script.url, templates, sessions) as channel:
        with pytest.raises(WindowClosed, match=f"no template {name} {language}"):
            await say(channel, Reply(1, "…", template=name, language=language))
        assert script.asked == []


async def test_an_owner_without_a_number_is_answered(settings, sessions):
    async with stand_in() as twilio, channel_at(twilio.url, settings, sessions) as channel:
        (part,) = channel.render(Reply(1, "Salam"))
        await channel.send("US.13491208655302741918", part, no_media)
        assert twilio.ledger.texts("US.13491208655302741918") == ["Salam"]
