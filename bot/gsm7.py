"""SMS lengths and letters: the GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1), UCS-2 outside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

SEGMENT = 160
"""Septets in a message sent as one segment."""
LINKED_SEGMENT = 153
"""Septets in each segment of a longer message: the header that links them takes seven."""
UCS2_SEGMENT = 70
"""UTF-16 units in a message sent as one segment."""
LINKED_UCS2_SEGMENT = 67

_ESCAPE = "\x1b"
# The place of a character in these tables is its code.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_CODES = {character: bytes([code]) for code, character in enumerate(_BASIC) if character != _ESCAPE}
# Each sent as an escape and a code: two septets.
_CODES |= {character: bytes([0x1B, code]) for code, character in _EXTENSION.items()}

_PLAIN = str.maketrans(
    {
        "œ": "oe",
        "Œ": "OE",
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033«»", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212•◦▪●‣▸►·", "-"),
        **dict.fromkeys("→⇒➜➔⟶", "->"),
        **dict.fromkeys("←⇐", "<-"),
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),
        **dict.fromkeys("\u2028\u2029\x0b\x85", "\n"),
        # Not seen: soft hyphen, joiners, marks of direction and of variation.
        **dict.fromkeys("\u00ad\u2060\ufeff\ufe0e\ufe0f\u20e3", ""),
        **dict.fromkeys(map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))), ""),
        "،": ",",
        "؛": ";",
        "؟": "?",
        "…": "...",
        "°": "o",
        "№": "No",
        "×": "x",
        "÷": "/",
        "\u2044": "/",
        "±": "+/-",
        "≈": "~",
        "≤": "<=",
        "≥": ">=",
        "≠": "<>",
        "¦": "|",
        "©": "(c)",
        "®": "(r)",
        "¢": "c",
        **dict.fromkeys("\u00b5\u03bc", "u"),
        **dict.fromkeys("✓✔", "v"),
        **dict.fromkeys("✗✘", "x"),
        "Ł": "L",
        "ł": "l",
        "Đ": "D",
        "đ": "d",
        "ı": "i",
    }
)

# French sets its quotation marks off by spaces, which look lost beside the plain ones.
_INSIDE_QUOTES = re.compile(r"(?<=«)\s+|\s+(?=»)")


def transliterate(text: str) -> str:
    """Replace French letters and typographic marks outside the alphabet by plain ones; leave the rest."""
    plain: list[str] = []
    for character in unicodedata.normalize("NFC", text).translate(_PLAIN):
        if unicodedata.combining(character) and plain and not outside(plain[-1]):
            continue  # an accent that no composed letter has
        plain.append(_plain_letter(character))
    return "".join(plain)


def for_sms(text: str) -> str:
    """Give the text as an SMS should carry it: in the alphabet, unless letters of another script need UCS-2.

    Signs that only decorate, such as emoji, are left out of a text that is otherwise in the alphabet: one of
    them would make every segment of it half as long.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    plain = transliterate(_INSIDE_QUOTES.sub("", whole))
    foreign = outside(plain)
    if any(unicodedata.category(character)[0] in "LN" for character in foreign):
        return unicodedata.normalize("NFC", whole)
    return plain.translate(dict.fromkeys(map(ord, foreign)))


def outside(text: str) -> str:
    """Give the characters of `text` that the alphabet lacks, each once, in order of appearance."""
    return "".join(dict.fromkeys(character for character in text if character not in _CODES))


def septets(text: str) -> int:
    """Count the septets of `text`; raise ValueError when a character is not in the alphabet."""
    return len(encode(text))


def utf16_units(text: str) -> int:
    """Count the UTF-16 code units of `text`: what a UCS-2 message is billed by."""
    return len(text.encode("utf-16-le")) // 2


def segments(text: str, ucs2: bool = False) -> list[str]:
    """Cut a text as it is sent and billed; an escaped character or a surrogate pair is never cut in two.

    `ucs2` says that it is sent so although the alphabet has all of it.
    """
    if ucs2 or outside(text):
        return _cut(text, utf16_units, UCS2_SEGMENT, LINKED_UCS2_SEGMENT)
    return _cut(text, septets, SEGMENT, LINKED_SEGMENT)


def encode(text: str) -> bytes:
    """Give the codes of `text`, a septet in each byte; raise ValueError when a character is not in the alphabet."""
    if foreign := outside(text):
        raise ValueError(f"not in the GSM 7-bit alphabet: {foreign!r}")
    return b"".join(_CODES[character] for character in text)


def decode(codes: bytes) -> str:
    """Read codes, a septet in each byte, as a telephone does: an unknown escaped code shows its plain character.

    A byte that is no septet is read as Latin-1: that is what a sender means who takes this alphabet for it.
    """
    text, escaped = [], False
    for code in codes:
        if code == 0x1B and not escaped:
            escaped = True
            continue
        basic = _BASIC[code] if code < 0x80 else chr(code)
        text.append(_EXTENSION.get(code, " " if basic == _ESCAPE else basic) if escaped else basic)
        escaped = False
    return "".join(text)


def _cut(text: str, length: Callable[[str], int], alone: int, linked: int) -> list[str]:
    if length(text) <= alone:
        return [text]
    cut, start, used = [], 0, 0
    for position, character in enumerate(text):
        units = length(character)
        if used + units > linked:
            cut.append(text[start:position])
            start, used = position, 0
        used += units
    return [*cut, text[start:]]


def _plain_letter(character: str) -> str:
    """Give a letter without its accent, and a form such as ² or ﬁ as what it stands for, if the alphabet has it."""
    if character in _CODES:
        return character
    parts = unicodedata.normalize("NFKD", character).translate(_PLAIN)
    plain = "".join(part for part in parts if not unicodedata.combining(part)) or character
    if not outside(plain):
        return plain
    digit = unicodedata.digit(character, None)
    return character if digit is None else str(digit)
