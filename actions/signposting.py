"""From a need to training, tools, providers and money, through the matching and funding services."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from actions import journey, prompts
from actions.profile import keep, profile_from
from actions.results import card_of, offer_menu, plan_of
from actions.turn import RafiqAction, Turn
from bot.diagnosis import sitting
from bot.diagnosis.plan import Step
from bot.funding.service import FundingService, make_funding
from bot.matching.service import MatchingService, make_matching
from bot.service import ServiceUnavailable
from bot.settings import get_settings

CARDS = 3
CARDS_BY_SMS = 1
VERDICTS = ("yes", "unknown")


@lru_cache(maxsize=1)
def funding() -> FundingService:
    """Return the funding service of the settings: local, or a ministry's own."""
    settings = get_settings()
    return make_funding(settings.funding_url, settings.knowledge_dir)


@lru_cache(maxsize=1)
def matching() -> MatchingService:
    """Return the matching service of the settings."""
    settings = get_settings()
    return make_matching(settings.matching_url, settings.knowledge_dir, settings.database)


def cards_for(turn: Turn) -> int:
    """Return how many cards are told at once."""
    return CARDS_BY_SMS if turn.by_sms else CARDS


def firm_profile(turn: Turn) -> dict[str, Any]:
    """Return the firm's profile in the fields of services.md."""
    known = dict(turn.firm.profile) if turn.firm else {}
    return {name: value for name, value in known.items() if name not in ("size", "goal")}


class Signpost(RafiqAction):
    """Ask a service, tell at most three cards, then bring back what was open."""

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        told = profile_from(turn)
        if told:
            keep(turn, told)
        try:
            self.tell(turn)
        except ServiceUnavailable:
            turn.say("utter_service_away", contact=turn.content.words.operator.contact[turn.language])
        if turn.prompt is None or (turn.prompt.kind == "menu" and not turn.by_sms):
            offer_menu(turn)
        else:
            prompts.ask_again(turn)

    def tell(self, turn: Turn) -> None:
        """Say the cards."""
        raise NotImplementedError


class ActionFindFunding(Signpost):
    """Name the programmes a firm may be eligible for, never more than that."""

    action_name = "action_find_funding"

    def tell(self, turn: Turn) -> None:
        document = funding().check(firm_profile(turn))
        possible = [p for p in document["programmes"] if p["verdict"] in VERDICTS]
        possible.sort(key=_nearest)
        if not possible:
            turn.say("utter_funding_none", alternative=turn.content.words.operator.contact[turn.language])
            return
        turn.say("utter_funding_intro")
        for programme in possible[: cards_for(turn)]:
            turn.say("utter_funding_card", **programme_words(turn, programme))


def _nearest(programme: dict[str, Any]) -> tuple[int, float, int]:
    """Order programmes: those that fit, then small amounts first, then those with the least left to settle."""
    most = programme["benefit"].get("max_mad")
    return VERDICTS.index(programme["verdict"]), float("inf") if most is None else most, len(programme["missing"])


class ActionAskProgramme(Signpost):
    """Tell the state of a named programme, also of one that is over."""

    action_name = "action_ask_programme"

    def tell(self, turn: Turn) -> None:
        # A reading's button carries the programme that the message before named.
        named = [turn.choice] if turn.choice else turn.entities("programme")[:2]
        document = funding().check(firm_profile(turn), named) if named else {"programmes": []}
        known = [programme for programme in document["programmes"] if programme["id"] in named]
        if not known:
            turn.say("utter_programme_unknown")
        for programme in known:
            turn.say("utter_programme_state", **programme_words(turn, programme))


class ActionFindTraining(Signpost):
    """Name trainings for the next step, or for the weakest axis."""

    action_name = "action_find_training"
    kinds: tuple[str, ...] = ("training",)
    intro = "utter_training_intro"

    def tell(self, turn: Turn) -> None:
        found = matching().match({"profile": firm_profile(turn), "need": need_of(turn), "limit": CARDS})
        entries = [entry for kind in self.kinds for entry in found.get(kind, ())][: cards_for(turn)]
        if not entries:
            turn.say("utter_match_none", alternative=turn.content.words.operator.contact[turn.language])
            return
        turn.say(self.intro)
        for entry in entries:
            turn.say("utter_card" if entry["as_of"] else "utter_card_undated", **entry_words(turn, entry))


class ActionFindProvider(ActionFindTraining):
    """Name tools, providers and platforms; training comes first where it is needed."""

    action_name = "action_find_provider"
    kinds = ("tool", "provider", "platform")
    intro = "utter_provider_intro"


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
    return {name: value for name, value in need.items() if value is not None}


def _next_step(turn: Turn) -> Step | None:
    current = sitting.last_done(turn.firm) if turn.firm else None
    plan = plan_of(turn, current) if current is not None else ()
    return plan[0] if plan else None


def programme_words(turn: Turn, programme: dict[str, Any]) -> dict[str, str]:
    """Return the parts of a programme's card in the owner's variety."""
    name = programme["name"]
    return {
        "name": name["ar"] if turn.language == "ary-Arab" and name.get("ar") else name["fr"],
        "kind": turn.label(f"kind_{programme['benefit']['kind']}"),
        "reason": programme["summary"][turn.language],
        "status": programme["status_text"][turn.language],
        "contact": programme["contact"][turn.language],
        "as_of": as_day(programme["as_of"]),
    }


def as_day(as_of: str) -> str:
    """Return an ISO date or month the way it is read: 11/2025 keeps its order also from right to left."""
    return "/".join(reversed(as_of.split("-")))


def entry_words(turn: Turn, entry: dict[str, Any]) -> dict[str, str]:
    """Return the parts of a matched entry's card in the owner's variety."""
    return {
        "name": entry["name"][turn.language],
        "reason": entry["summary"][turn.language],
        "cost": turn.label(f"entry_cost_{entry['cost']['kind']}"),
        "contact": entry["contact"][turn.language],
        "as_of": as_day(entry["as_of"] or ""),
    }
