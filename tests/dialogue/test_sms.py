"""Whole conversations by SMS with the trained model: short, cheap, forgiving, and by themselves again the next day."""

from __future__ import annotations

import re
import shutil

import pytest

from bot.diagnosis.sms import MOST_SEGMENTS, sms_segments

ARABIC = re.compile(r"[\u0600-\u06ff]")
ITEMS = ["P1", "C1", "V1", "G1", "E1", "D1", "S1"]
HELLO = {"fr": "bonjour, je veux faire le test", "ary-Latn": "salam bghit ndir ttest"}


@pytest.fixture
def database_url(tmp_path, migrated_file) -> str:
    """The rules and the storage are tested on both databases elsewhere."""
    return f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'rafiq.db')}"


async def begin(owner, language: str = "fr") -> str:
    await owner.write(HELLO[language])
    return await owner.write("1")


@pytest.mark.parametrize("language", ["fr", "ary-Latn"])
@pytest.mark.parametrize("answers", [(1, 2, 3, 1, 1, 2, 1), (4, 4, 4, 4, 4, 4, 4), (1, 1, 1, 1, 1, 1, 1)])
async def test_a_whole_test_takes_ten_segments_at_most_and_one_message_a_turn(owner, language, answers):
    first = await begin(owner, language)
    assert "1/7" in first
    for number, answer in enumerate(answers, 2):
        said = await owner.write(str(answer))
        assert len(owner.replies) == 1
        assert number == 8 or said.startswith(f"{number}/7 ")
    costs = [sms_segments(text) for text in owner.sent]
    assert len(costs) == 9
    assert costs[:8] == [1] * 8
    assert sum(costs) <= MOST_SEGMENTS
    assert not ARABIC.search("".join(owner.sent))
    assert all(not {"image", "document", "template"} & set(reply) for reply in owner.replies)
    assert owner.answers() == {item: ("answered", value - 1) for item, value in zip(ITEMS, answers, strict=True)}


async def test_the_first_message_says_what_it_costs_what_is_kept_and_how_to_stop(owner):
    first = await owner.write("bonjour, je veux faire le test")
    for words in ("09-08", "gratuit", "7 questions", "STOP", "1 oui"):
        assert words in first
    assert sms_segments(first) == 1


async def test_the_result_leads_on_by_numbers(owner):
    await begin(owner)
    for answer in "2222222":
        said = await owner.write(answer)
    assert "Rep 1 comment faire" in said
    how = await owner.write("1")
    assert "\n1. " in how
    assert "1 Je le fais" in how
    assert "1 Mon plan 90 jours" in await owner.write("1")
    assert "Votre plan" in await owner.write("1")


async def test_another_idea_asks_why_and_comes_by_the_same_numbers(owner):
    await begin(owner)
    for answer in "2222222":
        first = await owner.write(answer)
    assert "1 Pas besoin" in await owner.write("2")
    other = await owner.write("1")
    assert "Rep 1 comment faire" in other
    step = re.search(r"A faire: (.*)\.", first)[1]
    assert step not in other


@pytest.mark.parametrize("typed", ["2", "2.", "Rep: 2", "R 2", "jouj", "٢", "２", "2️⃣", "n°2", "#2", "2 svp", "deux"])
async def test_an_answer_is_understood_however_it_is_typed(owner, typed):
    await begin(owner)
    assert (await owner.write(typed)).startswith("2/7 ")
    assert owner.answers() == {"P1": ("answered", 1)}


@pytest.mark.parametrize("wrong", ["5", "0", "9", "12", "1 ou 2", "zzz hhhh", "barça a gagné hier soir"])
async def test_a_missed_answer_is_asked_twice_more_then_left_out_of_the_score(owner, wrong):
    await begin(owner)
    first, second = await owner.write(wrong), await owner.write(wrong)
    assert not owner.answers()
    third = await owner.write(wrong)
    assert "1, 2, 3 ou 4" in first or "Vous voulez dire" in first
    assert "1/7 " in second
    assert "2/7 " in third
    assert owner.answers() == {"P1": ("skipped", None)}
    assert all(sms_segments(text) == 1 for text in owner.sent)


@pytest.mark.parametrize("sentence", ["on n'a pas de plan", "Pas un sujet", "on a un plan écrit avec un budget"])
async def test_an_answer_in_words_is_never_taken_silently(owner, sentence):
    await begin(owner)
    said = await owner.write(sentence)
    assert "2/7 " not in said or "Noté" in said
    assert "Noté" not in await owner.write("2")


async def test_a_miss_is_forgotten_with_the_next_answer(owner):
    await begin(owner)
    for _ in range(3):
        await owner.write("7")
        assert "/7 " in await owner.write("2")
    assert owner.answers() == {item: ("answered", 1) for item in ITEMS[:3]}


async def test_a_question_in_between_is_answered_and_the_test_comes_back(owner):
    await begin(owner)
    said = await owner.write("c'est gratuit ?")
    assert len(owner.replies) == 1
    assert "prix de vos SMS" in said
    assert "1/7 " in said
    assert (await owner.write("3")).startswith("2/7 ")


async def test_who_writes_arabic_letters_is_answered_in_latin_ones_unless_they_ask(owner):
    said = await owner.write("السلام عليكم بغيت ندير التيست")
    assert not ARABIC.search(said)
    assert ARABIC.search(await owner.write("4"))
    assert ARABIC.search(await owner.write("1"))
    assert ARABIC.search(await owner.write("2"))


async def test_french_readers_can_change_to_darija_and_back(owner):
    await owner.write("bonjour, je veux faire le test")
    assert "Mttaf" in (darija := await owner.write("4")) or "wakha" in darija
    assert "d'accord" in await owner.write("5")


async def test_the_numbers_of_the_first_message_hold_after_a_question_about_privacy(owner):
    first = await owner.write("bonjour")
    assert "4 darija" in first
    await owner.write("3")
    assert "1 iyeh" in await owner.write("4")


async def test_without_consent_the_test_is_still_possible(owner):
    await owner.write("bonjour, je veux faire le test")
    refused = await owner.write("2")
    assert "1 Faire le test" in refused
    assert "1/7 " in await owner.write("1")


async def test_the_full_test_and_the_page_are_not_for_sms(owner):
    await begin(owner)
    for answer in "2222222":
        await owner.write(answer)
    for choice in ("start_diagnosis:full", "show_page"):
        assert "SMS" in await owner.write(choice, "choice")
        assert len(owner.replies) == 1


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "telegram", "web"])
@pytest.mark.parametrize("content", ["audio/ogg", "audio/amr", "audio/mpeg", "image/jpeg", "video/mp4"])
async def test_a_voice_note_is_kindly_asked_for_in_words_and_the_question_stays(owner, channel, content):
    owner.channel = channel
    if channel == "sms":
        await begin(owner)
    else:
        await owner.write("bonjour")
    said = await owner.write(content, "media")
    assert "texte" in said or "vocaux" in said
    if channel == "sms":
        assert (await owner.write("2")).startswith("2/7 ")


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
async def test_who_begins_with_a_voice_note_chooses_a_language(owner, channel):
    owner.channel = channel
    said = await owner.write("audio/ogg", "media")
    assert "vocaux" in said and "الفوكال" in said and "Mazal" in said
    choices = [button["choice"] for reply in owner.replies for button in reply.get("buttons") or ()]
    assert choices == ["change_language:fr", "change_language:ary-Arab", "change_language:ary-Latn"]
    assert "القانون" in await owner.write("change_language:ary-Arab", "choice")


async def test_four_today_and_three_tomorrow(owner):
    await begin(owner)
    await owner.write("2")
    reminder = await owner.wait(24)
    assert "2/7 " in reminder
    assert sms_segments(reminder) == 1
    for answer in "22":
        await owner.write(answer)
    fourth = await owner.write("2")
    assert "demain" in fourth
    assert "5/7 " in fourth
    assert "5/7 " in await owner.wait(24)
    for answer in "222":
        said = await owner.write(answer)
    assert "Niveau" in said
    assert set(owner.answers()) == set(ITEMS)
    assert await owner.wait(24) == ""
    assert await owner.wait(48) == ""


async def test_a_silent_owner_hears_from_us_twice_and_the_answer_still_counts(owner):
    await begin(owner)
    for answer in "2222":
        await owner.write(answer)
    assert await owner.wait(23) == ""
    first = await owner.wait(1)
    assert "5/7 " in first
    assert owner.replies[0]["template"] == "test_reminder_first"
    assert owner.replies[0]["variables"] == ["3"]
    last = await owner.wait(48)
    assert "5/7 " in last
    assert owner.replies[0]["template"] == "test_reminder_last"
    for _ in range(5):
        assert await owner.wait(72) == ""
    assert (await owner.write("3")).startswith("6/7 ")
    assert owner.answers()["E1"] == ("answered", 2)


@pytest.mark.parametrize("agreed", ["oui", "ok", "wakha"])
async def test_yes_to_a_reminder_is_no_missed_answer(owner, agreed):
    await begin(owner)
    await owner.wait(24)
    assert "1/7 " in await owner.write(agreed)
    with owner.sessions() as session:
        assert "missed" not in owner.conversation(session).state


async def test_nobody_is_reminded_without_consent_after_stop_or_after_erasing(owner):
    await owner.write("bonjour, je veux faire le test")
    await owner.write("2")
    await owner.write("1")
    assert await owner.wait(24) == ""
    await owner.write("STOP")
    assert await owner.wait(24) == ""


async def test_stop_ends_the_reminders(owner):
    await begin(owner)
    await owner.write("opt_out:yes", "choice")
    assert await owner.wait(24) == ""
    assert await owner.wait(48) == ""


async def test_erasing_ends_the_reminders(owner):
    await begin(owner)
    await owner.write("EFFACER mes données")
    assert "effacé" in await owner.write("1")
    assert await owner.wait(24) == ""


@pytest.mark.parametrize("kind", ["text", "choice"])
@pytest.mark.parametrize(
    "body", ["clock:unfinished_test", "/clock", "clock", "unfinished_test", '/clock{"choice":"x"}']
)
async def test_no_owner_can_strike_the_clock(owner, kind, body):
    await begin(owner)
    said = await owner.write(body, kind)
    assert said
    assert "on finit le test" not in said


async def test_whatsapp_gets_the_template_and_the_whole_question(owner):
    owner.channel = "whatsapp"
    await owner.write("bonjour")
    with owner.sessions() as session:
        from bot.storage.models import Assessment, Firm

        conversation = owner.conversation(session)
        conversation.firm = Firm(profile={"sector": "grocery"}, consent_at=owner.now)
        conversation.firm.assessments.append(Assessment(id="ab12cd34", instrument_version="1.0", blocks_wanted=1))
        conversation.state["consent"] = "given"
        session.commit()
    await owner.write("continuer le test")
    reminder = await owner.wait(24)
    assert len(owner.replies) == 1
    assert owner.replies[0]["template"] == "test_reminder_first"
    assert owner.replies[0]["variables"] == ["7"]
    assert owner.replies[0]["buttons"][0]["choice"] == "answer:ab12cd34:P1:0"
    assert "Votre test n'est pas fini" in reminder


@pytest.mark.parametrize(
    ("pin", "region"), [("33.5731,-7.5898", "MA-06"), ("34.0331,-5.0003", "MA-03"), ("23.6848,-15.957", "MA-12")]
)
async def test_a_pin_on_the_map_gives_the_region(owner, pin, region):
    owner.channel = "whatsapp"
    await owner.write("bonjour, je veux faire le test")
    await owner.write("1")
    said = await owner.write(pin, "location")
    assert "C'est noté" in said
    with owner.sessions() as session:
        profile = owner.conversation(session).firm.profile
        assert profile["region"] == region
        assert profile["province"]


@pytest.mark.parametrize("pin", ["48.85,2.35", "36.75,3.06", "0,0", "", "x", "999,999"])
async def test_a_pin_abroad_is_asked_again(owner, pin):
    owner.channel = "whatsapp"
    await owner.write("bonjour, je veux faire le test")
    await owner.write("1")
    assert "je ne trouve pas cet endroit" in (await owner.write(pin, "location")).lower()
    with owner.sessions() as session:
        assert "region" not in (owner.conversation(session).firm.profile or {})
