"""What a message means to the open prompt: which of its offers it picks, by number, by title or in free words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.nlu.answers import GOAL, Match
from bot.nlu.intents import Ranked
from bot.nlu.options import match_title, option_number

UNSURE = "answer_unsure"
"""The intent of a sentence that may answer in two ways."""
INFORM = "inform"
LIKELY = 0.6
_QUESTIONS = ("question", "unsure")
_PROFILE = "profile"
_ANSWER = "answer:"
_GOAL = "set_profile:goal:"
_LEFT_OVER = ("inform", "out_of_scope")
"""Intents that say too little to push an unsure answer aside."""
_SAID_IN_ANSWERS = (*_LEFT_OVER, "affirm", "deny", "find_funding", "find_provider", "find_training")
"""Intents that clear answers look like."""

_SAID_ALONE: Mapping[str, frozenset[str]] = {
    "delete_my_data": frozenset({"delete"}),
    "export_my_data": frozenset({"everything_i_said"}),
    "opt_out": frozenset({"stop_all", "stop_now"}),
    "go_back": frozenset({"back", "previous", "again", "wrong"}),
    "resume_diagnosis": frozenset({"resume", "again", "back", "start", "test", "ask"}),
}
"""Concepts of the lexicon, one of which says an intent that would leave or undo the open question."""
_SAID_TOGETHER: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "delete_my_data": (frozenset({"keep_data"}), frozenset({"not", "refuse"})),
    "export_my_data": (
        frozenset({"copy_of_data", "data"}),
        frozenset({"want", "send", "give", "show"}),
    ),
    "opt_out": (
        frozenset({"not", "refuse", "nothing", "delete"}),
        frozenset({"message_word", "send", "talk", "call", "put", "want", "number_word"}),
    ),
}
"""Two sets of concepts: one of each, together, says it too."""
_FACTS_OF_FIELD: Mapping[str, Sequence[str]] = {
    "region": ("commune", "province", "region"),
    "size": ("staff",),
    "sector": ("sector",),
}
"""Entities that answer a question of the profile."""
_ASKING_INTENTS = frozenset({"ask_programme", "ask_definition", "explain_question", "ask_privacy", "help"})
"""Intents that stay beside a fact: the owner asks something."""
_MOST_WORDS_OF_FACT = 6


@dataclass(frozen=True)
class Picked:
    """An intent with the choices it carries, best first."""

    intent: str
    choices: tuple[str, ...]
    confidence: float


def is_question(prompt: Mapping[str, Any]) -> bool:
    """Tell whether a prompt is a question of the diagnosis, whose item is `about`."""
    return prompt.get("kind") in _QUESTIONS


def item_of(prompt: Mapping[str, Any]) -> str | None:
    """Give what the free answers of a prompt are matched to: a question, the goals, or None."""
    about = str(prompt.get("about") or "")
    if is_question(prompt):
        return about
    return GOAL if prompt.get("kind") == _PROFILE and _field(about) == "goal" else None


def profile_field(prompt: Mapping[str, Any]) -> str | None:
    """Give the field of the profile a prompt asks for (`region`, `size` …), or None."""
    return _field(str(prompt.get("about") or "")) if prompt.get("kind") == _PROFILE else None


def _field(about: str) -> str:
    return about.partition(":")[0]


def pick_offer(text: str, prompt: Mapping[str, Any]) -> Picked | None:
    """Give the offer whose number or title the message is, or None; a number no question offers is asked back."""
    offers = prompt.get("offers") or ()
    number = option_number(text, len(offers))
    if number is not None and number <= len(offers):
        return _picked(offers[number - 1]["choice"], 1.0)
    place = match_title(text, [offer["title"] for offer in offers])
    if place is not None:
        return _picked(offers[place]["choice"], 0.99)
    return Picked(UNSURE, (), 1.0) if number is not None and is_question(prompt) else None


def pick_answer(match: Match, prompt: Mapping[str, Any]) -> Picked | None:
    """Give the offer a free sentence answers, the two closest when it is not sure, or None."""
    if not match.candidates:
        return None
    offered = [offer["choice"] for offer in prompt.get("offers") or ()]
    goal = item_of(prompt) == GOAL
    key = _GOAL if goal else _answer_key(offered)
    if key is None:
        return None
    candidates = [(f"{key}{value}", chance) for value, chance in match.candidates if _is_open(f"{key}{value}", offered)]
    if match.value is not None and _is_open(f"{key}{match.value}", offered):
        return _picked(f"{key}{match.value}", match.confidence)
    if goal or not candidates:
        return None
    return Picked(UNSURE, tuple(choice.removeprefix(_ANSWER) for choice, _ in candidates[:2]), match.confidence)


def _is_open(choice: str, offered: Sequence[str]) -> bool:
    """Tell whether a choice may be picked: all numbers may, "not concerned" and goals only when offered."""
    return choice in offered or choice.rpartition(":")[2].isdigit()


def is_interruption(rival: Ranked | None, match: Match, sure: float, likely: float) -> bool:
    """Tell whether an intent is served instead: a `sure` one beside a clear answer, a `likely` one beside another."""
    if rival is None or rival.confidence < match.confidence:
        return False
    if match.value is not None:
        return rival.confidence >= sure and rival.name not in _SAID_IN_ANSWERS
    return rival.confidence >= likely and rival.name not in _LEFT_OVER


def is_said(intent: str, concepts: Sequence[str]) -> bool:
    """Tell whether the wording of a message says an intent that would leave or undo the open question."""
    if intent not in _SAID_ALONE:
        return True
    pair = _SAID_TOGETHER.get(intent)
    together = pair is not None and not (pair[0].isdisjoint(concepts) or pair[1].isdisjoint(concepts))
    return together or not _SAID_ALONE[intent].isdisjoint(concepts)


def tells_field(field: str, entities: Sequence[str], words: int, rival: Ranked | None) -> bool:
    """Tell whether a short message is the fact a question of the profile asks for: a town, how many people."""
    if not set(_FACTS_OF_FIELD.get(field, ())).intersection(entities) or words > _MOST_WORDS_OF_FACT:
        return False
    return rival is None or rival.name not in _ASKING_INTENTS or rival.confidence < LIKELY


def _picked(choice: str, confidence: float) -> Picked:
    intent, _, rest = choice.partition(":")
    return Picked(intent, (rest,) if rest else (), confidence)


def _answer_key(offered: Sequence[str]) -> str | None:
    """Give what all answers of the prompt start with (`answer:ab12cd34:G1:`), or None when it has none."""
    choices = [choice for choice in offered if choice.startswith(_ANSWER)]
    return choices[0].rpartition(":")[0] + ":" if choices else None
