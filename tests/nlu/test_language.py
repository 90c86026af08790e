"""French, Darija in Arabic letters, Darija in Latin letters, and mixtures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.language import WordLanguages

FRENCH = [
    "je cherche une formation pour mon magasin",
    "combien ça coûte svp",
    "jveu savoir si ya une aide",
    "je ne comprends pas la question",
    "vous êtes un robot ou une personne",
    "c'est quoi le cloud exactement",
    "on est quatre dans la boutique",
    "merci beaucoup pour votre aide",
]
DARIJA = [
    "bghit chi takwin l l7anout dyali",
    "ch7al katkhelles 3afak",
    "wach kayn chi da3m",
    "mafhemtch had so2al",
    "wach nta robot wla bnadm",
    "chnou howa had lcloud",
    "7na rb3a f l7anout",
    "chokran bzzaf 3la lmou3awana",
]
EXAMPLES = [(text, "fr") for text in FRENCH] * 2 + [(text, "ary-Latn") for text in DARIJA] * 2


@pytest.fixture(scope="module")
def model() -> WordLanguages:
    return WordLanguages.fit(EXAMPLES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("je cherche une aide pour la boutique", "fr"),
        ("bghit n3ref ch7al katkhelles", "ary-Latn"),
        ("بغيت نعرف واش كاين شي دعم", "ary-Arab"),
        ("أريد الحصول على قرض", "ary-Arab"),
    ],
)
def test_a_plain_message_has_one_language(model: WordLanguages, text: str, code: str) -> None:
    language = model.identify(text)
    assert (language.code, language.mixed) == (code, False)


def test_two_scripts_are_a_mixture_answered_in_arabic_letters(model: WordLanguages) -> None:
    language = model.identify("je cherche تمويل للمشروع")
    assert (language.code, language.mixed) == ("ary-Arab", True)


def test_french_nouns_in_a_darija_sentence_leave_it_darija(model: WordLanguages) -> None:
    language = model.identify("bghit formation wla aide pour l7anout dyali")
    assert language.code == "ary-Latn"


@pytest.mark.parametrize("text", ["", "2", "٢", "😀 !!", "\ud83d"])
def test_without_words_nothing_is_known(model: WordLanguages, text: str) -> None:
    language = model.identify(text)
    assert (language.words, language.confidence) == (0, 0.0)


def test_a_saved_model_says_the_same(model: WordLanguages) -> None:
    loaded = WordLanguages.from_arrays(model.arrays())
    for text, _ in EXAMPLES:
        assert loaded.identify(text).code == model.identify(text).code


def test_with_one_variety_only_every_latin_word_is_of_it() -> None:
    assert WordLanguages.fit([("salut à tous", "fr")]).identify("bonjour").code == "fr"
    assert WordLanguages.fit([("salam khoya", "ary-Latn")]).identify("bonjour").code == "ary-Latn"


@settings(deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_any_text_has_a_language(model: WordLanguages, text: str) -> None:
    language = model.identify(text)
    assert language.code in ("fr", "ary-Arab", "ary-Latn")
    assert 0 <= language.confidence <= 1
