"""The Telegram stand-in refuses what Telegram refuses, and holds updates as Telegram does."""

import asyncio

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter
from telegram.request import HTTPXRequest

from tests.simulators.ledger import File, Written
from tests.simulators.serving import serving
from tests.simulators.telegram import Telegram

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def telegram():
    telegram = Telegram("5:abc")
    async with serving(telegram.app) as url:
        telegram.url = url
        await telegram.say("77", Written("/start"))
        yield telegram
        await telegram.close()


@pytest.fixture
async def bot(telegram):
    requests = HTTPXRequest(), HTTPXRequest()
    yield Bot("5:abc", f"{telegram.url}/bot", request=requests[0], get_updates_request=requests[1])
    for request in requests:
        await request.shutdown()


def keys(*data):
    return InlineKeyboardMarkup([[InlineKeyboardButton("a", callback_data=value)] for value in data])


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda bot: bot.send_message(77, " \n"), "text is empty"),
        (lambda bot: bot.send_message(77, "🙂" * 2049), "too long"),
        (lambda bot: bot.send_message(78, "a"), "chat not found"),
        (lambda bot: bot.send_message(77, "a", reply_markup=keys("é" * 33)), "Button_data_invalid"),
        (lambda bot: bot.send_photo(77, InputFile(PNG, filename="a"), caption="a" * 1025), "caption is too long"),
        (lambda bot: bot.send_photo(77, InputFile(b"%PDF", filename="a")), "Image_process_failed"),
        (lambda bot: bot.answer_callback_query("none"), "query id is invalid"),
        (lambda bot: bot.set_my_commands([("Aide", "a")]), "Bot_command_invalid"),
        (lambda bot: bot.set_webhook("http://rafiq.example"), "https url must be provided"),
        (lambda bot: bot.set_webhook("https://rafiq.example:8000"), "only on ports"),
        (lambda bot: bot.edit_message_reply_markup(77, 9, reply_markup=keys("a")), "not found"),
    ],
)
async def test_what_telegram_refuses_is_refused(bot, call, reason):
    with pytest.raises(BadRequest) as caught:
        await call(bot)
    assert reason.lower() in str(caught.value).lower()


async def test_what_telegram_takes_is_taken(bot, telegram):
    await bot.send_message(77, "🙂" * 2048, reply_markup=keys("a" * 64))
    await bot.send_document(77, InputFile(b"\0\r\n--x\r\n", filename="é.pdf"), caption="mot")
    text, document = telegram.ledger.to("77")
    assert (text.kind, text.choices[0].id) == ("inline", "a" * 64)
    assert (document.file.data, document.text) == (b"\0\r\n--x\r\n", "mot")


async def test_a_keyboard_is_edited_once(bot, telegram):
    message = await bot.send_message(77, "a", reply_markup=keys("a"))
    await bot.edit_message_reply_markup(77, message.message_id, reply_markup=None)
    assert telegram.ledger.find("77.2").choices == ()
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_reply_markup(77, message.message_id, reply_markup=None)


async def test_updates_wait_until_an_offset_confirms_them(bot, telegram):
    await telegram.say("77", Written("deux"))
    first = await bot.get_updates()
    assert [update.message.text for update in first] == ["/start", "deux"]
    assert [update.update_id for update in await bot.get_updates()] == [update.update_id for update in first]
    assert len(await bot.get_updates(offset=first[1].update_id)) == 1
    assert len(await bot.get_updates(offset=-1)) == 1
    assert await bot.get_updates(offset=first[1].update_id + 1) == ()


async def test_an_update_wakes_who_waits_and_a_second_asker_ends_the_first(bot, telegram):
    offset = (await bot.get_updates())[0].update_id + 1
    waiting = asyncio.create_task(bot.get_updates(offset=offset, timeout=20))
    while len(telegram.calls) < 2:
        await asyncio.sleep(0.005)
    other = HTTPXRequest()
    second = Bot("5:abc", f"{telegram.url}/bot", get_updates_request=other)
    asking = asyncio.create_task(second.get_updates(offset=offset, timeout=20))
    with pytest.raises(Conflict):
        await waiting
    await telegram.say("77", Written(file=File("audio/ogg", "v", b"x")))
    assert (await asking)[0].message.voice.mime_type == "audio/ogg"
    await other.shutdown()


async def test_errors_are_telegrams(bot, telegram):
    telegram.block("77")
    with pytest.raises(Forbidden):
        await bot.send_message(77, "a")
    telegram.unblock("77")
    telegram.per_chat = 1
    await bot.send_message(77, "a")
    with pytest.raises(RetryAfter):
        await bot.send_message(77, "b")
    with pytest.raises(InvalidToken):
        await Bot("5:wrong", f"{telegram.url}/bot").get_updates()
