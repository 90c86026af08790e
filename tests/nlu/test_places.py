"""Places of Morocco."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge.loader import load
from bot.nlu.places import Gazetteer
from bot.nlu.text import words


@pytest.fixture(scope="module")
def gazetteer(knowledge: Path) -> Gazetteer:
    return Gazetteer(load(knowledge / "place_names.yml").data)


def found(gazetteer: Gazetteer, text: str) -> list[tuple[str, str]]:
    return [(hit.place.kind, hit.place.name) for hit in gazetteer.find(words(text), text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("f casa", "Casablanca"),
        ("فكازا", "Casablanca"),
        ("الدار البيضاء", "Casablanca"),
        ("mn tanja", "Tanger"),
        ("طنجة", "Tanger"),
        ("fas", "Fès"),
        ("ففاس", "Fès"),
        ("kech", "Marrakech"),
        ("mrakch", "Marrakech"),
        ("9nitra", "Kénitra"),
        ("Salé", "Salé"),
        ("mécanicien à sale", "Salé"),
        ("ana f sla", "Salé"),
        ("f safi", "Safi"),
        ("asfi", "Safi"),
        ("khribga", "Khouribga"),
        ("à Mohamadia", "Mohammadia"),
        ("f lwarzazat", "Ouarzazate"),
        ("للعيون", "Laâyoune"),
        ("فالجديدة", "El Jadida"),
        ("آيت ملول", "Ait Melloul"),
        ("à Imlil", "Imlil"),
        ("cordonnier f derb omar", "Casablanca"),
        ("a Casablancaa", "Casablanca"),
    ],
)
def test_a_town_is_found_under_its_official_french_name(gazetteer: Gazetteer, text: str, name: str) -> None:
    assert found(gazetteer, text) == [("commune", name)]


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("province d'Azilal", "province", "Azilal"),
        ("dans la province de Taounate", "province", "Taounate"),
        ("إقليم زاكورة", "province", "Zagora"),
        ("f l7ouz", "province", "Al Haouz"),
        ("souss massa", "region", "Souss-Massa"),
        ("جهة بني ملال خنيفرة", "region", "Béni Mellal-Khénifra"),
        ("région de l'oriental", "region", "Oriental"),
    ],
)
def test_the_word_before_tells_a_province_or_region(gazetteer: Gazetteer, text: str, kind: str, name: str) -> None:
    assert found(gazetteer, text) == [(kind, name)]


@pytest.mark.parametrize(
    "text",
    [
        "c'est sale",
        "c'est trop salé la facture",
        "safi",
        "safi baraka",
        "sla wajba",
        "tata aicha",
        "had chi",
        "bir",
        "maintenant",
        "bonjour",
        "الخدمة الجديدة",
        "كنصلح فالمنزل",
        "وصلنا",
        "c'est frais taza lyoum?",
    ],
)
def test_an_everyday_word_is_no_place(gazetteer: Gazetteer, text: str) -> None:
    assert found(gazetteer, text) == []


def test_a_part_of_town_counts_only_where_no_other_place_is_named(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "hay mohammadi") == [("commune", "Casablanca")]
    assert found(gazetteer, "Agadir hay mohammadi") == [("commune", "Agadir")]


def test_a_town_brings_its_region_and_province(gazetteer: Gazetteer) -> None:
    place = gazetteer.find(words("Tiflet"), "Tiflet")[0].place
    assert (place.region, place.province) == ("MA-04", "Khémisset")


def test_communes_of_one_name_leave_open_which_one(gazetteer: Gazetteer) -> None:
    text = "douar Sidi Boubker"
    assert gazetteer.find(words(text), text)[0].place.province is None


def test_training_messages_without_a_place_name_none(gazetteer: Gazetteer, knowledge: Path) -> None:
    lines = [
        line.strip()[2:]
        for intent in ("thank", "affirm", "dont_know", "go_back", "explain_question")
        for line in (knowledge.parent / f"nlu_data/intents/{intent}.yml").read_text("utf-8").splitlines()
        if line.strip().startswith("- ") and "intent:" not in line
    ]
    named = [line for line in lines if found(gazetteer, line)]
    assert len(named) <= 0.02 * len(lines), named
