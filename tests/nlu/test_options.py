"""Option numbers and titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.options import match_title, option_number

TITLES = ["De mémoire", "Cahier / papier", "Excel ou appli", "Logiciel de gestion"]


@pytest.mark.parametrize(
    "text",
    [
        "2", "٢", "2.", "2)", " 2 ", "2️⃣", "Rep: 2", "réponse 2 svp", "deux", "jouj", "جوج", "b", "ب", "la 2",
        "la deuxième", "الثانية", "l option 2", "c'est la 2", "n°2", "tanya", "2 2", "R 2", "R2", "rep2", "#2", "２",
        "(2)", "۲", "②", "opt 2", "Jawb 2", "ljawab 2", "N° 2", "2-", "« 2 »", "2 svp", "numero 2", "raqm 2", "02",
    ],
)  # fmt: skip
def test_a_number_alone_is_the_option(text: str) -> None:
    assert option_number(text) == 2


@pytest.mark.parametrize(
    ("text", "number"), [("wahed", 1), ("tlata", 3), ("rb3a", 4), ("واحد", 1), ("ربعة", 4), ("1er", 1)]
)
def test_number_words_of_each_variety_are_options(text: str, number: int) -> None:
    assert option_number(text) == number


def test_the_last_one_is_counted_from_the_offers() -> None:
    assert option_number("la dernière", 4) == 4
    assert option_number("la dernière") is None


@pytest.mark.parametrize(
    "text",
    ["", "0", "2 ou 3", "3 nas", "j'ai 2 employés", "ok", "oui", "la", "200 dh", "salam", "depuis 2 ans", "w" * 5000],
)
def test_a_sentence_with_a_number_is_no_option(text: str) -> None:
    assert option_number(text) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [("de memoire", 0), ("De mémoire !", 0), ("cahier papier", 1), ("logicel de gestion", 3), ("EXCEL OU APPLI", 2)],
)
def test_a_title_is_found_in_nearly_the_same_letters(text: str, place: int) -> None:
    assert match_title(text, TITLES) == place


def test_a_title_is_found_in_the_other_script() -> None:
    assert match_title("ندير التيست", ["Ndir ttest", "Mn b3d"]) == 0


@pytest.mark.parametrize("text", ["je note tout dans un cahier", "", "de", "pas excel", "gestion logiciel", "x" * 5000])
def test_another_text_is_no_title(text: str) -> None:
    assert match_title(text, TITLES) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [("mon plan", 0), ("lplan", 0), ("البلان", 0), ("ma page", 1), ("plan page", None), ("mon", None)],
)
def test_a_part_of_one_title_picks_it(text: str, place: int | None) -> None:
    assert match_title(text, ["Mon plan 90 jours", "Créer ma page", "Mon résultat"]) == place


def test_a_part_of_two_titles_picks_none() -> None:
    assert match_title("en ligne", ["En ligne, en partie", "Tout en ligne"]) is None


def test_two_equal_titles_are_not_told_apart() -> None:
    assert match_title("oui", ["Oui", "Oui"]) is None
    assert match_title("oui", []) is None


_WORDS = [
    "nas",
    "kilo",
    "dh",
    "ans",
    "magasins",
    "ventes",
    "par",
    "mois",
    "employes",
    "khddamin",
    "lklyan",
    "jours",
    "clients",
    "3amal",
    "factures",
]
_DIGITS = st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９"])


@given(
    st.integers(0, 999),
    _DIGITS,
    st.sampled_from(["{}", "{}.", "{})", "({})", "#{}", "n°{}", "Rep: {}", "R {}", "{} svp"]),
)
def test_a_number_in_any_digits_and_dress_is_itself_or_nothing(number: int, digits: str, dress: str) -> None:
    typed = dress.format(str(number).translate(str.maketrans("0123456789", digits)))
    assert option_number(typed, 4) == (number if 1 <= number <= 99 else None)


@given(st.integers(1, 9), st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5), st.integers(0, 5))
def test_a_number_inside_a_sentence_is_no_option(number: int, words: list[str], place: int) -> None:
    sentence = [*words[:place], str(number), *words[place:]]
    assert option_number(" ".join(sentence), 4) is None


@pytest.mark.parametrize("text", ["2%", "2 €", "1/2", "½", "2,5", "1-4", "+212612345678", "1 ou 2", "2 w 3", "12:30"])
def test_a_measure_a_range_or_a_phone_number_is_no_option(text: str) -> None:
    assert option_number(text) is None


@given(st.text(st.characters(), max_size=80))
def test_any_text_is_taken(text: str) -> None:
    number = option_number(text, 4)
    assert number is None or 1 <= number <= 99
    match_title(text, TITLES)
