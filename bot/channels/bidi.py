"""Arabic texts with numbers and Latin words in them, so that every reader's screen shows them in the right order."""

from __future__ import annotations

import re
import unicodedata

RIGHT_TO_LEFT, ISOLATE, ISOLATE_END = "\u200f", "\u2066", "\u2069"
_RIGHT = ("R", "AL")
# Telephone numbers and grouped thousands: a space between digits would turn the groups round.
_GROUPS = re.compile(r"\+\d[\d -]*\d|(?<!\d)0\d*(?:[ -]\d+)+|(?<!\d)\d{1,3}(?: \d{3})+(?!\d)")


def for_reading(text: str) -> str:
    """Return the text with each line that holds Arabic set from right to left, and its numbers kept in one piece."""
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    strong = [kind for kind in map(unicodedata.bidirectional, line) if kind in ("L", *_RIGHT)]
    if not any(kind in _RIGHT for kind in strong):
        return line
    kept = _GROUPS.sub(lambda number: f"{ISOLATE}{number.group()}{ISOLATE_END}", line)
    return kept if strong[0] in _RIGHT else RIGHT_TO_LEFT + kept
