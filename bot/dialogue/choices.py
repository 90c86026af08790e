"""Choices (what a button sends back) and free text, told apart before Rasa sees either.

A choice needs no understanding: it is handed to Rasa as already parsed, which also saves the NLU's time.
Rasa obeys any text that starts with `/` at confidence 1.0, so free text never may.
"""

from __future__ import annotations

import re
from typing import Any

_CHOICE = re.compile(r"^[a-z_]{1,40}(:[\w.+-]{1,64}){0,4}\Z", re.ASCII)
# What only the program itself says of a message.
NOT_CHOSEN = frozenset({"clock", "send_location"})
_LEADING = re.compile(r"^[\s/\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def parsed_choice(choice: str, known_intents: frozenset[str]) -> dict[str, Any] | None:
    """Return Rasa's parse data for a choice like `answer:ab12cd34:G1:2`; None when it is not one of ours."""
    if not _CHOICE.match(choice):
        return None
    intent, _, value = choice.partition(":")
    return parsed(intent, value, choice) if intent in known_intents - NOT_CHOSEN else None


def parsed(intent: str, value: str = "", text: str = "") -> dict[str, Any]:
    """Return Rasa's parse data for an intent that is certain, with the choice it carries."""
    entities = [{"entity": "choice", "value": value, "start": 0, "end": len(text)}] if value else []
    name = {"name": intent, "confidence": 1.0}
    return {"text": text, "intent": name, "entities": entities, "intent_ranking": [name]}


def as_plain_text(text: str) -> str:
    """Return free text that Rasa cannot take for a command: no leading slash, also behind invisible marks."""
    return _LEADING.sub("", text)
