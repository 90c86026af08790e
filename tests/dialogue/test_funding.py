"""Whole conversations about money, training and providers, with the trained model, on both databases."""

from __future__ import annotations

import re

import pytest

from actions import funding, signposting
from bot.dialogue.worker import Worker
from bot.funding.records import load_programmes
from bot.service import ServiceUnavailable
from bot.settings import ROOT
from bot.storage.wakeup import make_wakeup
from tests.dialogue.talk import Talk

ENGLISH = re.compile(r"\b(the|turnover|at least|firm|project holder|owner|legal person)\b", re.IGNORECASE)
PROMISES = re.compile(r"vous êtes éligible|vous avez droit", re.IGNORECASE)


@pytest.fixture
def talk(agent, engine, sessions, settings, addresses) -> Talk:
    """Give an owner on the web page; `talk.channel` may be changed before the first message."""
    return Talk(Worker(agent, sessions, make_wakeup(engine), settings), sessions, addresses)


def asked(talk: Talk) -> str | None:
    """Return the question of the funding check that is open, by its id."""
    for choice in talk.choices:
        if choice.startswith("tell_funding:"):
            return choice.split(":")[1]
    return None


async def test_a_request_asks_four_questions_at_most_and_then_shows_three_cards(talk):
    await talk.write("prêt pour acheter une caisse")
    questions = []
    while (field := asked(talk)) is not None:
        questions.append(field)
        option = next((c for c in talk.choices if c.startswith("tell_funding:") and not c.endswith(":skip")), None)
        text = await (talk.write(option, "choice") if option else talk.write("30 000 dh"))
    assert 1 <= len(questions) <= funding.MOST_ASKED
    assert len(set(questions)) == len(questions)
    assert "project.kind" not in questions
    assert sum("À demander à" in reply.get("text", "") for reply in talk.replies) == 3
    assert "intermédiaire" in text
    assert not ENGLISH.search(text)
    assert not PROMISES.search(text)


async def test_one_can_see_at_once_and_say_more_later(talk):
    await talk.write("bghit chi da3m l restaurant f Dakhla")
    assert talk.profile["region"] == "MA-12"
    await talk.press("show_funding:now")
    assert "more_cards:funding" in talk.choices
    await talk.press("show_funding:refine")
    assert asked(talk) is not None


async def test_money_is_understood_the_moroccan_way(talk):
    await talk.write("بغيت كريدي نشري ماكينة، عندي شركة")
    for _ in range(12):
        field = asked(talk)
        if field == "turnover_mad":
            await talk.write("300 مليون فالعام")
        elif field == "project.amount_mad":
            await talk.write("20 mlyoun")
        elif field is None and "show_funding:refine" in talk.choices:
            await talk.press("show_funding:refine")
        elif field is None:
            break
        else:
            await talk.press(f"tell_funding:{field}:skip")
    assert talk.profile["turnover_mad"] == 3_000_000
    assert talk.profile["project"]["amount_mad"] == 200_000


async def test_a_bare_number_with_two_readings_is_asked_back(talk):
    await talk.write("je veux un crédit pour acheter une machine, je suis auto-entrepreneur")
    for _ in range(12):
        field = asked(talk)
        if field == "project.amount_mad":
            break
        await talk.press("show_funding:refine" if field is None else f"tell_funding:{field}:skip")
    await talk.write("20")
    assert {"tell_funding:project.amount_mad:n20000", "tell_funding:project.amount_mad:n200000"} <= set(talk.choices)
    await talk.press("tell_funding:project.amount_mad:n200000")
    assert talk.profile["project"]["amount_mad"] == 200_000


async def test_two_staff_then_fifty_is_asked_back_once(talk):
    await talk.write("bonjour, on est 2 personnes dans mon garage")
    await talk.write("je cherche un financement pour mon garage, nous sommes 50 salariés")
    assert {"tell_funding:staff:n2", "tell_funding:staff:n50"} <= set(talk.choices)
    assert talk.profile["staff"] == 2
    await talk.press("tell_funding:staff:n50")
    assert talk.profile["staff"] == 50
    assert asked(talk) is not None


async def test_not_for_me_asks_why_and_is_remembered(talk):
    await talk.write("je cherche un financement pour ma boutique")
    first = await talk.press("show_funding:now")
    await talk.press("refuse_card:funding")
    name = talk.titles[0]
    assert name in first
    await talk.press("refuse_card:funding:")
    await talk.write("trop cher")
    assert list(talk.profile["refused_cards"].values()) == ["too_expensive"]
    again = await talk.press("show_funding:now") if "show_funding:now" in talk.choices else ""
    assert not again or f"{name} (" not in again


async def test_more_goes_on_to_the_end_without_repeating(talk):
    await talk.write("je cherche un financement pour ma boutique")
    text, seen = await talk.press("show_funding:now"), []
    for _ in range(15):
        seen += re.findall(r"^(.+) \((?:prêt|aide|conseil|garantie|argent)", text, flags=re.M)
        if "more_cards:funding" not in talk.choices:
            break
        text = await talk.press("more_cards:funding")
    assert len(seen) > 6
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ("est-ce que Moussanada existe encore ?", "2009-2013"),
        ("wach programme forsa mazal kayn?", "forsa.ma"),
        ("واش برنامج انطلاقة مازال كاين؟", "CCG|Tamwilcom|تمويلكم|لبانكة"),
    ],
)
async def test_a_named_programme_is_answered_with_its_state(talk, asks, says):
    text = await talk.write(asks)
    assert re.search(says, text)
    assert re.search(r"20\d\d", text)


async def test_what_does_not_fit_is_said_with_its_reason_in_plain_words(talk):
    await talk.write("je cherche une aide, nous sommes une coopérative, on vend 30 000 dh par an")
    await talk.press("show_funding:now")
    text = await talk.press("show_funding:others")
    assert "ce n'est pas pour vous" in text
    assert not ENGLISH.search(text)


async def test_a_word_is_explained_and_the_question_comes_back(talk):
    await talk.write("bghit chi kridi l 7anout")
    field = asked(talk)
    assert field is not None
    await talk.write("chno hiya garantie?")
    assert asked(talk) == field


async def test_who_asks_for_a_website_is_shown_who_builds_one(talk):
    text = await talk.write("شكون يصاوب ليا سيت")
    first = next(reply["text"] for reply in talk.replies if "فين تسولو" in reply.get("text", ""))
    assert "سيت" in first
    assert "more_cards:provider" in talk.choices or text


async def test_by_sms_a_card_is_one_short_text(talk):
    talk.channel = "sms"
    await talk.write("bghit chi kridi l 7anout")
    for _ in range(8):
        field = asked(talk)
        if field is None:
            break
        await talk.press(f"tell_funding:{field}:")
    assert sum(reply.get("text", "").count("Info ") for reply in talk.replies) <= 1


class TheirFunding:
    """A ministry's service: fewer fields, one programme of ours, rules of its own."""

    def check(self, profile, named=()):
        ours = next(p for p in load_programmes(ROOT / "knowledge") if p.id == "forsa")
        entry = {
            "id": "forsa",
            "verdict": "no",
            "deciding": {"field": "owner_age", "rule": "the owner is too young", "value": 17},
            "benefit": {"kind": "loan"},
            "name": {"fr": ours.name.fr, "ar": ours.name.ar},
            "summary": {v: ours.summary[v] for v in ("fr", "ary-Arab", "ary-Latn")},
            "contact": {v: ours.contact[v] for v in ("fr", "ary-Arab", "ary-Latn")},
            "status_text": {v: ours.status.text[v] for v in ("fr", "ary-Arab", "ary-Latn")},
            "as_of": "2025-11",
        }
        return {"checked_on": "2026-11-22", "programmes": [entry], "next_question": None}


async def test_another_service_s_rules_are_said_in_our_words(talk, monkeypatch):
    monkeypatch.setattr(funding, "funding", TheirFunding)
    text = await talk.write("je cherche un financement pour ma boutique")
    assert "microcrédit" in text
    text = await talk.press("show_funding:others")
    assert "l'âge de la personne qui dirige ne convient pas" in text
    assert not ENGLISH.search(text)


async def test_a_service_that_does_not_answer_is_admitted(talk, monkeypatch):
    class Away:
        def check(self, profile, named=()):
            raise ServiceUnavailable("down")

    monkeypatch.setattr(funding, "funding", Away)
    assert "Réessayez plus tard" in await talk.write("je cherche un financement pour ma boutique")
    assert signposting.matching is not None
