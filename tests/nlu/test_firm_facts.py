"""Head counts, ages and gender."""

from __future__ import annotations

from datetime import date

import pytest

from bot.nlu import firm_facts
from bot.nlu.numbers import tokens

TODAY = date(2026, 11, 22)
UNITS = frozenset({"snin", "ans", "dnas"})


def values(facts: list[firm_facts.Fact]) -> list[object]:
    return [fact.value for fact in facts]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("3 dnas", 3),
        ("m3a 5 dyal nas", 5),
        ("on est 4", 4),
        ("nous sommes douze, à Fès", 12),
        ("حنا 18 مرا فالتعاونية", 18),
        ("معايا خمسة ديال الخدامة", 5),
        ("khddam bo7di", 1),
        ("خدام بوحدي", 1),
        ("cordonnier, seul", 1),
        ("ghir ana", 1),
        ("ana w khoya", 2),
        ("أنا وختي", 2),
        ("المقاولة ديالنا فيها خمسين واحد", 50),
        ("lmo9awala dyali fiha 14", 14),
        ("8 salariés dont 3 à mi temps", 8),
    ],
)
def test_a_head_count_is_read(text: str, count: int) -> None:
    assert values(firm_facts.staff(text, tokens(text, UNITS))) == [count]


@pytest.mark.parametrize(
    "text",
    [
        "un employé de la banque",
        "mon seul souci c'est l'argent",
        "faire mon site tout seul",
        "عندي جوج دراري",
        "7na 3 km mn casa",
        "tilifoun fih 4%",
        "80 فالمية",
    ],
)
def test_other_counts_are_no_staff(text: str) -> None:
    assert firm_facts.staff(text, tokens(text, UNITS)) == []


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("hadi 3 snin", 3),
        ("hadi 3snin", 3),
        ("depuis 2019", 7),
        ("حليت المشروع هادي عامين", 2),
        ("l7anout 7litou f 2015", 11),
        ("ma société a 20 ans", 20),
        ("ouvert il y a 6 mois", 0.5),
        ("bennay 3ndi 10 snin f lbatiment", 10),
        ("عندها 11 عام", 11),
        ("5 ans d'existence", 5),
        ("7 ans", 7),
        ("en cours de création", 0),
        ("hadi 3am w noss", 1.5),
    ],
)
def test_the_age_of_a_firm_is_read(text: str, years: float) -> None:
    firm, owner = firm_facts.ages(text, tokens(text, UNITS), TODAY)
    assert (values(firm), values(owner)) == ([years], [])


@pytest.mark.parametrize(("text", "age"), [("j'ai 40 ans", 40), ("bent 29 3am", 29), ("عندي 26 عام وبغيت نخدم", 26)])
def test_the_age_of_the_owner_is_not_that_of_the_firm(text: str, age: int) -> None:
    firm, owner = firm_facts.ages(text, tokens(text, UNITS), TODAY)
    assert (values(firm), values(owner)) == ([], [age])


def test_an_age_without_a_unit_is_the_owner_s() -> None:
    assert values(firm_facts.age_in_words(tokens("3omri 24 w dayer permis"))) == [24]


@pytest.mark.parametrize(
    "text", ["dans 2 mois", "j'ai moins de 35 ans", "35 ans de crédit", "2019", "en 2026 inchallah"]
)
def test_other_durations_are_no_age(text: str) -> None:
    assert firm_facts.ages(text, tokens(text, UNITS), TODAY) == ([], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [("je suis une femme", ["f"]), ("ana mra", ["f"]), ("أنا راجل", ["m"]), ("aide pour les femmes", [])],
)
def test_gender_is_taken_only_when_the_owner_says_it(text: str, said: list[str]) -> None:
    assert values(firm_facts.gender(tokens(text))) == said
