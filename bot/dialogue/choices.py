"""Choices (what a button sends back) and free text, told apart before Rasa sees either.

Rasa obeys any text that starts with `/` at confidence 1.0, so only choices of ours may become such text.
"""

from __future__ import annotations

import json
import re

_CHOICE = re.compile(r"^[a-z_]{1,40}(:[\w.+-]{1,64}){0,4}\Z", re.ASCII)
_LEADING = re.compile(r"^[\s/\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def as_rasa_message(choice: str, known_intents: frozenset[str]) -> str | None:
    """Return Rasa's `/intent{"choice": …}` for a choice like `answer:G1:2`; None when it is not one of ours."""
    if not _CHOICE.match(choice):
        return None
    intent, _, value = choice.partition(":")
    if intent not in known_intents:
        return None
    return f"/{intent}" + json.dumps({"choice": value}) if value else f"/{intent}"


def as_plain_text(text: str) -> str:
    """Return free text that Rasa cannot take for a command: no leading slash, also behind invisible marks."""
    return _LEADING.sub("", text)
