"""What was not understood: one question with the two likeliest readings; twice in a row, a human too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from actions import journey, prompts
from actions.tries import try_again
from actions.turn import ADVISER, READING, Button, RafiqAction, Turn
from bot.diagnosis import sitting
from bot.storage.misunderstood import Heard, keep

READINGS = 2
# What a message names of these stays readable: trades, places, things one asks about.
_KNOWN = ("sector", "commune", "province", "region", "programme", "concept", "legal_form")
# When the ranking says too little: what an owner most often wants at this point, in this order.
_USUAL = ("explain_question", "resume_diagnosis", "start_diagnosis", "help", "ask_result")
# A reading about a thing makes sense when the message names that thing; its button carries it.
_ABOUT = {"ask_definition": "concept", "ask_programme": "programme"}


class ActionFallback(RafiqAction):
    """Nothing was likely enough."""

    action_name = "action_fallback"

    def reply(self, turn: Turn) -> None:
        fall_back(turn)


def fall_back(turn: Turn) -> None:
    """Keep the message for review, offer its two likeliest readings, and bring the open question back.

    By SMS a message that was not understood is a missed answer while a question is open.
    """
    kept = _is_kept(turn)
    if try_again(turn):
        return
    journey.introduce(turn)
    if turn.by_sms and (turn.prompt is None or turn.prompt.kind == "consent"):
        _ask_consent_by_sms(turn)
        return
    times = turn.stumbles + 1
    turn.state["misunderstood"] = times
    buttons = list(readings(turn, human=times >= 2))
    if kept:
        turn.state["readings"] = [button.choice.partition(":")[0] for button in buttons]
    if times >= 2:
        buttons.append(turn.button(ADVISER, "adviser"))
    turn.say("utter_not_understood_twice" if times >= 2 else "utter_not_understood", buttons)
    if prompts.is_idle(turn) or turn.by_sms:
        turn.ask_aside(READING)
    else:
        prompts.ask_again(turn)


def _ask_consent_by_sms(turn: Turn) -> None:
    """Invite who has not been invited yet, and ask the others again."""
    if turn.prompt is None:
        prompts.ask_start(turn)
    else:
        turn.say("utter_not_understood_short")
        prompts.ask_again(turn)


def _is_kept(turn: Turn) -> bool:
    """Keep what was typed; a button's own form says nothing new."""
    if turn.pressed:
        return False
    language = turn.latest.get("language") or {}
    named = (entity for entity in turn.latest.get("entities") or () if entity["entity"] in _KNOWN)
    heard = Heard(
        turn.text,
        language.get("code") if language.get("words", 1) else None,
        bool(language.get("mixed")),
        [row for row in turn.latest.get("intent_ranking") or () if row["name"] != "nlu_fallback"],
        tuple(turn.text[entity["start"] : entity["end"]] for entity in named if "start" in entity),
    )
    return keep(turn.session, turn.conversation, heard, turn.prompt)


def readings(turn: Turn, human: bool = False) -> Iterator[Button]:
    """Yield the two likeliest intents that can be chosen and make sense now; `human` when one is offered anyway."""
    ranked = turn.latest.get("intent_ranking") or ()
    likely = [row["name"] for row in ranked if row["confidence"] > chance(turn)]
    names = dict.fromkeys([*likely, *_USUAL])
    fitting = [name for name in names if makes_sense(turn, name) and not (human and name == ADVISER)]
    for name in fitting[:READINGS]:
        about = turn.entities(_ABOUT[name])[0] if name in _ABOUT else None
        yield Button(f"{name}:{about}" if about else name, turn.label(f"reading_{name}"), label=f"reading_{name}")


def chance(turn: Turn) -> float:
    """Return the probability of an intent about which nothing is known: no likelier one is no reading."""
    return 1 / sum(key.startswith("reading_") for key in turn.content.words.labels)


def makes_sense(turn: Turn, intent: str) -> bool:
    """Say whether an intent can be chosen by a button at this point: politeness and answers never can."""
    if intent in _ABOUT:
        return bool(turn.entities(_ABOUT[intent]))
    return intent in _ALWAYS or (intent in _SOMETIMES and _SOMETIMES[intent](turn))


def _in_question(turn: Turn) -> bool:
    return turn.prompt is not None and turn.prompt.kind in ("question", "unsure")


def _under_way(turn: Turn) -> bool:
    return prompts.open_test(turn) is not None


def _has_result(turn: Turn) -> bool:
    at_stop = turn.prompt is not None and turn.prompt.kind == "checkpoint"
    return at_stop or (turn.firm is not None and sitting.last_done(turn.firm) is not None)


def _can_go_back(turn: Turn) -> bool:
    current = prompts.open_test(turn)
    return current is not None and bool(current.answers)


_ALWAYS = frozenset(
    {
        *("find_funding", "find_provider", "find_training", "ask_cost", "ask_privacy", "help", "bot_challenge"),
        *("export_my_data", "delete_my_data", "change_language", "opt_out", "complain", ADVISER),
    }
)
_SOMETIMES: Mapping[str, Callable[[Turn], bool]] = {
    "start_diagnosis": lambda turn: not _under_way(turn),
    "resume_diagnosis": lambda turn: _under_way(turn) and not _in_question(turn),
    "explain_question": lambda turn: _in_question(turn) or (turn.prompt is not None and turn.prompt.kind == "consent"),
    "go_back": _can_go_back,
    "pause": lambda turn: not prompts.is_idle(turn),
    "ask_result": _has_result,
}
