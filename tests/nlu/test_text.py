"""The three views of a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.text import MAX_CHARS, clean, is_arabic, normalise, plain, skeleton, word_set, words

ANYTHING = st.text(st.characters(), max_size=300)  # lone surrogates included


@pytest.mark.parametrize("spelling", ["bghit", "bghyt", "Bghiiiit", "بغيت", "بغيييييت", "بَغِيت"])
def test_spellings_and_scripts_of_a_word_meet_in_one_skeleton(spelling: str) -> None:
    assert skeleton(spelling) == "bGt"


@pytest.mark.parametrize(
    ("latin", "arabic"),
    [
        ("7anout", "حانوت"),
        ("l7anout", "الحانوت"),
        ("ch7al", "شحال"),
        ("khassni", "خاصني"),
        ("9hwa", "قهوة"),
        ("wakha", "واخا"),
        ("oujda", "وجدة"),
        ("gestion", "جيستيون"),
        ("mo9awala", "مقاولة"),
    ],
)
def test_latin_and_arabic_spellings_share_their_skeleton(latin: str, arabic: str) -> None:
    assert skeleton(latin) == skeleton(arabic)


def test_different_words_keep_different_skeletons() -> None:
    assert len({skeleton(word) for word in ("flous", "kridi", "takwin", "site", "7anout")}) == 5


def test_digits_of_every_script_become_western() -> None:
    assert normalise("٢٠٠ ۳") == "200 3"


def test_letters_that_owners_mix_up_are_one() -> None:
    assert normalise("أإآى ة گ") == normalise("ااا" + "ي ه ك")


def test_accents_and_apostrophes_are_folded() -> None:
    assert normalise("L’Été à Fès") == "l'ete a fes"


def test_long_runs_are_shortened_and_digits_are_not() -> None:
    assert clean("ouiiiiiii 200000 !!!!!") == "ouii 200000 !!"


def test_what_nobody_sees_is_dropped() -> None:
    assert clean("sa\u200blam\u202e \ufeff\u0007x") == "salam x"


def test_surrogates_are_joined_or_dropped() -> None:
    assert clean("a\ud83d\ude00b") == "a\U0001f600b"
    assert clean("a\ud83d b") == "a b"


def test_words_know_their_place_in_the_original() -> None:
    text = "«3ndi\u200b» L'Épicerie،  حَانوت"
    assert [(text[word.start : word.end], word.form) for word in words(text)] == [
        ("3ndi\u200b", "3ndi"),
        ("L", "l"),
        ("Épicerie", "epicerie"),
        ("حَانوت", "حانوت"),
    ]


def test_a_word_set_has_plain_forms() -> None:
    assert word_set("Été مئة") == {"ete", "ميه"}


@given(ANYTHING)
def test_views_take_any_text_and_stay_bounded(text: str) -> None:
    for view in (clean, normalise, plain, skeleton):
        assert len(view(text)) <= 4 * MAX_CHARS
    assert all(0 <= word.start < word.end <= len(text) for word in words(text))
    is_arabic(text)


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("unit", ["a", "ا", "😀", "1", "\ud83d", "ﷺ", "e\u0301", "a1ا"])
def test_a_flood_is_cut(unit: str) -> None:
    assert len(plain(unit * 5000)) <= MAX_CHARS
    assert len(words(unit * 5000)) <= MAX_CHARS
