"""From a need to training, tools and providers through the matching service; the next cards of every kind."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from actions import cards, funding, journey
from actions.funding import firm_profile
from actions.profile import contradicted, fields_from, keep_fields
from actions.results import card_of, plan_of
from actions.turn import RafiqAction, Turn
from bot.diagnosis import sitting
from bot.diagnosis.plan import Step
from bot.matching.service import MatchingService, make_matching
from bot.service import ServiceUnavailable
from bot.settings import get_settings

CARDS, CARDS_BY_SMS = 3, 1
MOST = 50
"""So many entries of a kind are asked for, to leave out those shown and refused."""


@lru_cache(maxsize=1)
def matching() -> MatchingService:
    """Return the matching service of the settings."""
    settings = get_settings()
    return make_matching(settings.matching_url, settings.knowledge_dir, settings.database)


def cards_for(turn: Turn) -> int:
    """Return how many cards are told at once."""
    return CARDS_BY_SMS if turn.by_sms else CARDS


class Signpost(RafiqAction):
    """Ask the matching service, tell at most three cards, then what can be done with them."""

    kind = ""

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        found = fields_from(turn, asked_money=False)
        if found and contradicted(turn, found) is None:
            keep_fields(turn, found)
        sought = turn.entities("provider_category")
        turn.state["sought"] = sought[0] if sought and self.kind == "provider" else None
        tell_entries(turn, self.kind, again=False)


class ActionFindTraining(Signpost):
    """Name trainings for the next step, or for the weakest axis."""

    action_name = "action_find_training"
    kind = "training"


class ActionFindProvider(Signpost):
    """Name tools, providers and platforms; training comes first where it is needed."""

    action_name = "action_find_provider"
    kind = "provider"


SOUGHT = {"training": ("training",), "provider": ("tool", "provider", "platform")}
INTROS = {"training": "utter_training_intro", "provider": "utter_provider_intro"}


def tell_entries(turn: Turn, kind: str, again: bool) -> None:
    """Tell the next entries of a kind that were neither shown nor refused."""
    alternative = turn.content.words.operator.contact[turn.language]
    try:
        found = matching().match({"profile": firm_profile(turn), "need": need_of(turn), "limit": MOST})
    except ServiceUnavailable:
        turn.say("utter_service_away", contact=alternative)
        cards.back(turn)
        return
    seen = turn.state.get(f"seen_{kind}", []) if again else []
    hidden = {*seen, *cards.refused(turn, kind)}
    left = [entry for sought in SOUGHT[kind] for entry in found.get(sought, ()) if entry["id"] not in hidden]
    shown = left[: cards_for(turn)]
    if not shown:
        turn.say("utter_cards_end" if again else "utter_match_none", alternative=alternative)
    elif not again and not turn.by_sms:
        turn.say(INTROS[kind])
    for entry in shown:
        turn.say("utter_card" if entry["as_of"] else "utter_card_undated", **entry_words(turn, entry))
    turn.state[f"seen_{kind}"] = [*seen, *(entry["id"] for entry in shown)]
    cards.set_shown(turn, kind, [(entry["id"], entry["name"][turn.language]) for entry in shown])
    buttons = [turn.button(f"more_cards:{kind}", "more")] if len(left) > len(shown) else []
    if shown:
        buttons.append(turn.button(f"refuse_card:{kind}", "not_for_me"))
    cards.offer(turn, kind, buttons)


class ActionMoreCards(RafiqAction):
    """Tell the next three of what was shown last."""

    action_name = "action_more_cards"

    def reply(self, turn: Turn) -> None:
        kind = turn.choice or ""
        if kind == "funding":
            funding.served(turn, lambda: funding.tell_cards(turn, funding.check(turn)))
        elif kind in SOUGHT:
            tell_entries(turn, kind, again=True)
        else:
            turn.say("utter_old_button")
            cards.back(turn)


class ActionRefuseCard(RafiqAction):
    """Take "not for me": which one, then why; it is not shown again, and the reason changes what comes next."""

    action_name = "action_refuse_card"

    def reply(self, turn: Turn) -> None:
        kind, _, rest = (turn.choice or "").partition(":")
        card, _, reason = rest.partition(":")
        known = [shown for shown, _ in cards.shown_last(turn, kind)]
        if kind not in cards.KINDS or (card and card not in known):
            turn.say("utter_old_button")
            cards.back(turn)
        elif not card:
            cards.ask_which(turn, kind)
        elif reason not in cards.REASONS:
            cards.ask_why(turn, kind, card)
        else:
            cards.refuse(turn, kind, card, reason)
            self._next(turn, kind, reason)

    @staticmethod
    def _next(turn: Turn, kind: str, reason: str) -> None:
        """Propose what answers the reason."""
        turn.leave_aside()
        if reason == "no_trust":
            turn.say("utter_card_no_trust", contact=turn.content.words.operator.contact[turn.language])
        elif reason == "no_skill" and kind != "training":
            turn.say("utter_card_no_skill")
            tell_entries(turn, "training", again=False)
            return
        else:
            turn.say("utter_card_refused")
        if kind == "funding":
            funding.served(turn, lambda: funding.tell_cards(turn, funding.check(turn), only=1))
        else:
            tell_entries(turn, kind, again=True)


def need_of(turn: Turn) -> dict[str, Any]:
    """Return what the firm needs: its next step when there is a result, else its goal."""
    goal = turn.firm.profile.get("goal") if turn.firm else None
    need: dict[str, Any] = {"language": turn.language, "goal": goal}
    step = _next_step(turn)
    if step is not None:
        card = card_of(turn, step)
        need |= {
            "axis": step.axis,
            "item": step.item,
            "rung": step.to,
            "training_topic": card.training_topic,
            "provider_category": card.provider_category,
        }
    if turn.state.get("sought"):
        # What was named is what is looked for, whatever the next step is.
        need = {"language": turn.language, "provider_category": turn.state["sought"]}
    return {name: value for name, value in need.items() if value is not None}


def _next_step(turn: Turn) -> Step | None:
    current = sitting.last_done(turn.firm) if turn.firm else None
    plan = plan_of(turn, current) if current is not None else ()
    return plan[0] if plan else None


def entry_words(turn: Turn, entry: dict[str, Any]) -> dict[str, str]:
    """Return the parts of a matched entry's card in the owner's variety, with why it is shown."""
    return {
        "name": entry["name"][turn.language],
        "reason": f"{entry['summary'][turn.language]}{_why(turn, entry)}",
        "cost": turn.label(f"entry_cost_{entry['cost']['kind']}"),
        "contact": entry["contact"][turn.language],
        "as_of": cards.as_day(entry["as_of"] or ""),
    }


def _why(turn: Turn, entry: dict[str, Any]) -> str:
    labels = turn.content.words.labels
    keys = dict.fromkeys(f"why_{reason.get('code')}" for reason in entry.get("reasons") or ())
    words = [labels[key][turn.language] for key in keys if key in labels][:2]
    return f"\n{turn.content.funding.phrase('because', turn.language, reasons=turn.listed(words))}" if words else ""
