"""Negation in three varieties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.negation import asserted, is_negated, is_nothing
from bot.nlu.text import plain


@pytest.mark.parametrize(
    "text",
    [
        "pas de plan",
        "rien n'est relié",
        "personne n'a fait de formation",
        "je n'ai plus de stock",
        "ma3ndich plan",
        "ma kayn 7ta technicien",
        "bla code",
        "حتى واحد ماعندو كود",
        "ماكنصاوبوش الفاكتورة",
        "باقي مافكرنا فحتى حاجة",
    ],
)
def test_a_negation_is_seen(text: str) -> None:
    assert is_negated(text)


@pytest.mark.parametrize(
    "text",
    [
        "je veux plus de clients",
        "ma page facebook",
        "paiement sans contact",
        "une personne formée",
        "pas mal de clients",
        "pas seulement le cahier",
        "7tta carte",
        "3omri 35 ans",
        "match",
        "كنمشي",
        "معايا",
        "",
    ],
)
def test_words_that_look_like_a_negation_are_none(text: str) -> None:
    assert not is_negated(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("je n'ai pas de logiciel mais un cahier", "mais un cahier"),
        ("لا ماقرينا والو، تعلمنا بوحدنا", "تعلمنا بوحدنا"),
        ("ma3ndich site ghir whatsapp", "ghir whatsapp"),
        ("pas de plan", ""),
    ],
)
def test_the_clauses_without_a_negation_are_left(text: str, rest: str) -> None:
    assert asserted(text) == rest


@pytest.mark.parametrize(
    "text",
    ["la", "non", "walo", "والو", "rien", "ma kayn walo", "rien pour l'instant", "pas encore", "ماكاين والو"],
)
def test_a_bare_no_says_nothing_else(text: str) -> None:
    assert is_nothing(text)


@pytest.mark.parametrize("text", ["pas de plan", "non merci", "la page", "makanktbch", "", "oui", "pas encore de site"])
def test_a_no_with_something_beside_is_no_bare_one(text: str) -> None:
    assert not is_nothing(text)


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_taken(text: str) -> None:
    if not is_negated(text):
        assert asserted(text).replace(",", "").split() == plain(text).split()
    assert is_nothing(text) in (True, False)
