"""Length of an SMS: septets of the GSM 7-bit alphabet (3GPP TS 23.038, 6.2.1), UTF-16 units outside it."""

from __future__ import annotations

import unicodedata

SEGMENT = 160
"""Septets in a message sent as one segment."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # each sent as an escape and a character: two septets

_PLAIN = str.maketrans(
    {
        "œ": "oe",
        "Œ": "OE",
        "\u2018": "'",
        "\u2019": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "…": "...",
        "\u2013": "-",
        "\u2014": "-",
        "•": "-",
        "→": "->",
        "°": "o",
        "№": "No",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


def transliterate(text: str) -> str:
    """Replace French letters and typographic marks outside the alphabet by plain ones; leave the rest."""
    composed = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return "".join(_plain_letter(character) for character in composed)


def outside(text: str) -> str:
    """Give the characters of `text` that the alphabet lacks, each once, in order of appearance."""
    return "".join(dict.fromkeys(c for c in text if c not in _BASIC and c not in _EXTENSION))


def septets(text: str) -> int:
    """Count the septets of `text`; raise ValueError when a character is not in the alphabet."""
    if foreign := outside(text):
        raise ValueError(f"not in the GSM 7-bit alphabet: {foreign!r}")
    return len(text) + sum(character in _EXTENSION for character in text)


def utf16_units(text: str) -> int:
    """Count the UTF-16 code units of `text`: what a UCS-2 message is billed by."""
    return len(text.encode("utf-16-le")) // 2


def _plain_letter(character: str) -> str:
    if not outside(character):
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if not outside(base) else character
