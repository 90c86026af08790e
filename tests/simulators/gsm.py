"""What a text costs as SMS, counted from 3GPP TS 23.038 and on purpose not with the bot's own code."""

from __future__ import annotations

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"


def encoding_of(text: str) -> str:
    """Return GSM-7 or UCS-2."""
    return "GSM-7" if all(letter in BASIC or letter in EXTENSION for letter in text) else "UCS-2"


def segments_of(text: str) -> int:
    """Return the number of parts; a pair (an escape, an emoji) is never torn between two."""
    if encoding_of(text) == "GSM-7":
        sizes, single, part = [2 if letter in EXTENSION else 1 for letter in text], 160, 153
    else:
        sizes, single, part = [2 if ord(letter) > 0xFFFF else 1 for letter in text], 70, 67
    if sum(sizes) <= single:
        return 1
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > part:
            parts, filled = parts + 1, 0
        filled += size
    return parts
