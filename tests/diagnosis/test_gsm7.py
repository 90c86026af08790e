from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.gsm7 import outside, septets, transliterate, utf16_units

# facts/channels.md C.2, checked there against 3GPP TS 23.038
INSIDE = "àéèùìòÉÇäöüñÄÖÜÑæÆøØåÅß¿¡@£$¥Δ_§¤\n\r"
ESCAPED = "€[]{}\\^~|\f"
OUTSIDE = "çêëâîïôûÿœŒÀÂÈÊËÎÏÔÙÛ«»\u2019\u2018“”…\u2013—°•№→\u00a0\u202f"


def test_the_alphabet_has_127_characters_one_septet_each_and_ten_that_take_two() -> None:
    known = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000 and not outside(chr(code))]
    assert sum(septets(character) == 1 for character in known) == 127
    assert sum(septets(character) == 2 for character in known) == 10


@pytest.mark.parametrize("character", INSIDE)
def test_letters_of_the_alphabet_count_one_and_stay(character: str) -> None:
    assert septets(character) == 1
    assert transliterate(character) == character


@pytest.mark.parametrize("character", ESCAPED)
def test_escaped_characters_count_two(character: str) -> None:
    assert septets(character) == 2


@pytest.mark.parametrize("character", OUTSIDE)
def test_french_letters_and_marks_outside_are_made_plain(character: str) -> None:
    with pytest.raises(ValueError, match="not in the GSM 7-bit alphabet"):
        septets(character)
    assert outside(transliterate(character)) == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ça va, garçon ?", "Ça va, garcon ?"),
        ("À l\u2019œil, être prêt…", "A l'oeil, etre pret..."),
        ("e\u0301te\u0301", "été"),
        ("c\u0327a", "ca"),
        ("stock → Œuvre", "stock -> OEuvre"),
    ],
)
def test_transliteration_keeps_what_the_alphabet_has(text: str, plain: str) -> None:
    assert transliterate(text) == plain


def test_arabic_is_left_alone_and_refused() -> None:
    assert transliterate("سلام") == "سلام"
    assert outside("a سلام س") == "سلام"


def test_a_line_of_the_spec_counts_as_the_spec_says() -> None:
    line = (
        "1/7 Digital chez vous: 1)pas un sujet 2)des idées 3)plan simple + petit budget "
        "4)plan écrit et suivi. Répondez 1, 2, 3 ou 4"
    )
    assert septets(line) == 123  # diagnosis.md 3.3


def test_a_character_outside_the_first_plane_takes_two_utf16_units() -> None:
    assert utf16_units("سلام") == 4
    assert utf16_units("😀") == 2


@given(st.text())
def test_transliteration_is_stable(text: str) -> None:
    assert transliterate(transliterate(text)) == transliterate(text)
