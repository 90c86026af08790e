"""What a message means to the open prompt: which of its offers it picks, by number, by title or in free words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.nlu.answers import Match
from bot.nlu.intents import Ranked
from bot.nlu.options import match_title, option_number

UNSURE = "answer_unsure"
"""The intent of a sentence that may answer in two ways."""
_QUESTIONS = ("question", "unsure")
_ANSWER = "answer:"
_LEFT_OVER = ("inform", "out_of_scope")
"""Intents that say too little to push an unsure answer aside."""
_SAID_IN_ANSWERS = (*_LEFT_OVER, "affirm", "deny", "find_funding", "find_provider", "find_training")
"""Intents that clear answers look like."""


@dataclass(frozen=True)
class Picked:
    """An intent with the choices it carries, best first."""

    intent: str
    choices: tuple[str, ...]
    confidence: float


def is_question(prompt: Mapping[str, Any]) -> bool:
    """Tell whether a prompt is a question of the diagnosis, whose item is `about`."""
    return prompt.get("kind") in _QUESTIONS


def pick_offer(text: str, prompt: Mapping[str, Any]) -> Picked | None:
    """Give the offer whose number or title the message is, or None."""
    offers = prompt.get("offers") or ()
    number = option_number(text, len(offers))
    if number is not None and number <= len(offers):
        return _picked(offers[number - 1]["choice"], 1.0)
    place = match_title(text, [offer["title"] for offer in offers])
    return _picked(offers[place]["choice"], 0.99) if place is not None else None


def pick_answer(match: Match, prompt: Mapping[str, Any]) -> Picked | None:
    """Give the offer a free sentence answers, the two closest when it is not sure, or None."""
    key = _answer_key(prompt.get("offers") or ())
    if key is None or not match.candidates:
        return None
    if match.value is not None:
        return _picked(f"{key}{match.value}", match.confidence)
    choices = tuple(f"{key}{value}".removeprefix(_ANSWER) for value, _ in match.candidates[:2])
    return Picked(UNSURE, choices, match.confidence)


def is_interruption(rival: Ranked | None, match: Match, sure: float, likely: float) -> bool:
    """Tell whether an intent is served instead: a `sure` one beside a clear answer, a `likely` one beside another."""
    if rival is None or rival.confidence < match.confidence:
        return False
    if match.value is not None:
        return rival.confidence >= sure and rival.name not in _SAID_IN_ANSWERS
    return rival.confidence >= likely and rival.name not in _LEFT_OVER


def _picked(choice: str, confidence: float) -> Picked:
    intent, _, rest = choice.partition(":")
    return Picked(intent, (rest,) if rest else (), confidence)


def _answer_key(offers: Sequence[Mapping[str, str]]) -> str | None:
    """Give what all answers of the prompt start with (`answer:ab12cd34:G1:`), or None when it has none."""
    choices = [offer["choice"] for offer in offers if offer["choice"].startswith(_ANSWER)]
    return choices[0].rpartition(":")[0] + ":" if choices else None
