"""Names found in messages."""

from __future__ import annotations

import pytest

from bot.nlu.phrases import PhraseBook, bare
from bot.nlu.text import words

BOOK = PhraseBook(
    {
        "restaurant": ["restaurant", "مطعم"],
        "repair": ["mécanicien", "ميكانيسيان"],
        "cooperative": ["coopérative", "تعاونية", "ta3awoniya"],
        "cosmetics": ["coopérative de cosmétiques"],
        "_none": ["restaurant scolaire"],
    },
    ordinary=["mikansyan"],
)


def found(text: str) -> list[str]:
    return [hit.name for hit in BOOK.find(words(text))]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mon restaurant à Fès", ["restaurant"]),
        ("les restaurants", ["restaurant"]),
        ("عندي المطعم", ["restaurant"]),
        ("فالمطعم ديالي", ["restaurant"]),
        ("restorant", ["restaurant"]),
        ("التعاونية ديالنا", ["cooperative"]),
        ("lcoperative dyalna", ["cooperative"]),
        ("une coopérative de cosmétiques", ["cosmetics"]),
        ("restaurant w coopérative", ["restaurant", "cooperative"]),
    ],
)
def test_a_name_is_found_in_its_spellings(text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize("text", ["restaurant scolaire", "mikansyan", "rester", "", "😀"])
def test_what_only_looks_like_a_name_is_not_found(text: str) -> None:
    assert found(text) == []


def test_without_loose_only_the_exact_spelling_counts() -> None:
    book = PhraseBook({"restaurant": ["restaurant"]}, loose=False)
    assert book.find(words("restorant")) == []
    assert book.find(words("Restaurant"))[0].exact


def test_the_first_name_keeps_a_spelling_that_two_share() -> None:
    assert PhraseBook({"first": ["taxi"], "second": ["taxi"]}).find(words("taxi"))[0].name == "first"


@pytest.mark.parametrize(
    ("form", "bared"), [("المطعم", "مطعم"), ("l7anout", "7anout"), ("ssit", "sit"), ("tapis", "tapi")]
)
def test_article_and_plural_are_dropped(form: str, bared: str) -> None:
    assert bare(form) == bared
