from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import gsm7
from bot.gsm7 import decode, encode, for_sms, outside, segments, septets, transliterate, utf16_units

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


ALPHABET = "".join(c for c in map(chr, range(0x3000)) if not outside(c))
WRITTEN = st.text(st.sampled_from(ALPHABET + OUTSIDE + "سلام😀👍🏽١٢،\u0301\u200f \n"), max_size=700)


def test_the_codes_are_those_of_the_standard() -> None:
    assert encode("@£$¥èéùìòÇ\n") == bytes(range(11))
    assert encode("Δ_ΦΓΛΩΠΨΣΘΞ") == bytes(range(0x10, 0x1B))
    assert encode("¤¡ÄÖÑÜ§¿äöñüà") == bytes(
        [0x24, 0x40, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x7B, 0x7C, 0x7D, 0x7E, 0x7F]
    )
    assert encode("\f^{}\\[~]|€") == bytes.fromhex("1b0a1b141b281b291b2f1b3c1b3d1b3e1b401b65")


def test_codes_a_telephone_does_not_know_are_read_as_it_shows_them() -> None:
    assert decode(b"\x1bA") == "A"
    assert decode(b"a\x1b") == "a"
    assert decode(b"\x1b\x1b") == " "
    assert decode("prêt".encode("latin-1")) == "prêt"


@given(st.text(st.sampled_from(ALPHABET)))
def test_what_is_encoded_is_read_back(text: str) -> None:
    assert decode(encode(text)) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2)),
        *(("س" * 70, 1), ("س" * 71, 2), ("س" * 134, 2), ("س" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2)),
        # An escape pair, or a surrogate pair, that would straddle two segments goes whole into the next one.
        *(("a" * 152 + "€" + "a" * 151, 2), ("a" * 152 + "€" + "a" * 152, 3)),
        *(("س" * 66 + "😀" + "س" * 65, 2), ("س" * 66 + "😀" + "س" * 66, 3)),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, count: int) -> None:
    assert len(segments(text)) == count


@given(WRITTEN)
def test_segments_put_together_are_the_text_and_none_is_too_long(text: str) -> None:
    cut = segments(text)
    assert "".join(cut) == text
    if outside(text):
        length, alone, linked = utf16_units, gsm7.UCS2_SEGMENT, gsm7.LINKED_UCS2_SEGMENT
    else:
        length, alone, linked = septets, gsm7.SEGMENT, gsm7.LINKED_SEGMENT
    assert len(cut) == 1 or length(text) > alone
    assert all(length(part) <= (alone if len(cut) == 1 else linked) for part in cut)
    # None is left half empty either: at most one unit is lost to a pair that is not cut.
    assert all(length(part) >= linked - 1 for part in cut[:-1])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("✅ C\u2019est noté 👍🏽 !", " C'est noté  !"),
        ("1\ufe0f\u20e3 Ventes", "1 Ventes"),
        ("Jawb b ٣، wach mzyan؟", "Jawb b 3, wach mzyan?"),
        ("5 m² à 1 200\u202fDH · ½ journée", "5 m2 à 1 200 DH - 1/2 journée"),
        ("s\u0323ba7", "sba7"),
        ("Noté : «\u00a0Cahier\u202f».", 'Noté : "Cahier".'),
        ("œ\u0301", "oe"),
        ("رفيق: «سلام» 😀", "رفيق: «سلام» 😀"),
        ("Société سلام, à côté…", "Société سلام, à côté…"),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", "ⵜⴰⵎⴰⵣⵉⵖⵜ"),
        ("\ud83d\ude00 ok \ud800", " ok "),
    ],
)
def test_an_sms_leaves_the_alphabet_only_for_letters_of_another_script(text: str, sent: str) -> None:
    assert for_sms(text) == sent


@given(st.text(st.characters(max_codepoint=0x17F)))
def test_latin_letters_with_accents_never_force_ucs2(text: str) -> None:
    letters = "".join(c for c in text if unicodedata.decomposition(c) or c.isascii())
    assert outside(for_sms(letters)) == ""


@given(WRITTEN | st.text(st.characters()))
def test_what_an_sms_carries_is_stable_and_can_always_be_sent(text: str) -> None:
    sent = for_sms(text)
    assert for_sms(sent) == sent
    assert "".join(segments(sent)) == sent
