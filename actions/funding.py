"""The funding check: only what still decides is asked, then programmes are told with what decides them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from actions import cards, journey, prompts
from actions.profile import absurd, ask_which, contradicted, fields_from, keep_fields, known_fields, set_aside
from actions.turn import Button, RafiqAction, Turn
from bot.funding.records import Programme, load_programmes
from bot.funding.service import FundingService, make_funding
from bot.funding.words import Ask, grouped, holding, rule_of
from bot.knowledge.text import Text
from bot.service import ServiceUnavailable
from bot.settings import get_settings

MOST_ASKED = 4
"""So many questions before something is shown; the owner may go on afterwards."""
CARDS, CARDS_BY_SMS = 3, 1
MOST_REASONS = 3
VERDICTS = ("yes", "unknown")
STATUSES = ("in force", "announced", "unknown", "no new intake found")
# Who finds a loan too dear, or does not trust it, is shown first what is not paid back.
GENTLE = ("advice", "grant", "guarantee", "equity", "loan")


@lru_cache(maxsize=1)
def funding() -> FundingService:
    """Return the funding service of the settings: local, or a ministry's own."""
    settings = get_settings()
    return make_funding(settings.funding_url, settings.knowledge_dir)


@lru_cache(maxsize=1)
def records() -> Mapping[str, Programme]:
    """Return our own records by id: they have the words for rules, whoever decided."""
    return {programme.id: programme for programme in load_programmes(get_settings().knowledge_dir)}


def firm_profile(turn: Turn) -> dict[str, Any]:
    """Return the firm's profile in the fields of services.md."""
    known = dict(turn.firm.profile) if turn.firm else {}
    return {name: value for name, value in known.items() if name not in ("size", "goal", cards.REFUSED)}


class ActionFindFunding(RafiqAction):
    """Ask what still decides, four questions at most, then tell what may fit."""

    action_name = "action_find_funding"

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        found = fields_from(turn)
        state = memory(turn)
        if turn.prompt is None or turn.prompt.kind != "funding":
            state |= {"asked": 0, "shown": []}
        name = contradicted(turn, found)
        new = set_aside(found, name) if name else None
        if found:
            keep_fields(turn, found)
        remember(turn, state)
        if name:
            remember(turn, {**state, "pending": True})
            ask_which(turn, name, new)
            return
        served(turn, lambda: go_on(turn))


class ActionTellFunding(RafiqAction):
    """Take an answer of the funding check: a button, or free words that the NLU read."""

    action_name = "action_tell_funding"

    def reply(self, turn: Turn) -> None:
        name, _, value = (turn.choice or "").partition(":")
        ask = turn.content.funding.ask(name)
        kind = turn.prompt.kind if turn.prompt else ""
        told = None if ask is None else answer(turn, ask, value)
        if ask is None or (told is None and value != "skip" and not _is_special(ask, value)):
            turn.say("utter_old_button")
            prompts.ask_again(turn)
        elif kind == "which":
            keep_fields(turn, told or {})
            prompts.ask_again(turn) if not memory(turn).get("pending") else self._resume(turn)
        elif kind != "funding" or turn.prompt is None or turn.prompt.about != ask.id:
            keep_fields(turn, told or {})
            served(turn, lambda: go_on(turn)) if kind == "funding" else self._late(turn)
        elif value.startswith("page."):
            ask_question(turn, ask, int(value.removeprefix("page.")))
        elif value.startswith("q"):
            _ask_unit(turn, ask, float(value[1:]))
        else:
            self._take(turn, ask, value, told)

    @staticmethod
    def _take(turn: Turn, ask: Ask, value: str, told: dict[str, Any] | None) -> None:
        state = memory(turn)
        if told and _unlikely(turn, ask, told) and state.get("odd") != ask.id:
            remember(turn, {**state, "odd": ask.id})
            turn.say("utter_funding_odd")
            ask_question(turn, ask)
            return
        if told and not _unlikely(turn, ask, told):
            if not turn.pressed and not turn.by_sms:
                turn.say("utter_funding_noted", value=said(turn, ask, value, told))
            others = fields_from(turn, asked_money=False)
            keep_fields(turn, {**others, **told})
        else:
            state["skipped"] = [*state.get("skipped", []), ask.id]
        remember(turn, state)
        served(turn, lambda: go_on(turn))

    @staticmethod
    def _late(turn: Turn) -> None:
        turn.say("utter_funding_kept")
        if turn.prompt is None:
            served(turn, lambda: go_on(turn))
        else:
            prompts.ask_again(turn)

    @staticmethod
    def _resume(turn: Turn) -> None:
        state = memory(turn)
        state.pop("pending", None)
        remember(turn, state)
        turn.leave_aside()
        served(turn, lambda: go_on(turn))


class ActionShowFunding(RafiqAction):
    """Show what there is now, ask on, or say why the others do not fit."""

    action_name = "action_show_funding"

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        state = memory(turn)
        if turn.choice == "refine":
            remember(turn, {**state, "asked": 0})
            served(turn, lambda: go_on(turn))
        elif turn.choice == "others":
            served(turn, lambda: tell_others(turn))
        else:
            remember(turn, {**state, "shown": []})
            served(turn, lambda: tell_cards(turn, check(turn)))


class ActionAskProgramme(RafiqAction):
    """Tell the state of a named programme, also of one that is over, and what the rules say to this firm."""

    action_name = "action_ask_programme"

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        found = fields_from(turn, asked_money=False)
        if found and contradicted(turn, found) is None:
            keep_fields(turn, found)
        served(turn, lambda: self._tell(turn))
        cards.back(turn)

    @staticmethod
    def _tell(turn: Turn) -> None:
        # A reading's button carries the programme that the message before named.
        named = [turn.choice] if turn.choice else turn.entities("programme")[:2]
        document = check(turn, named) if named else {"programmes": []}
        known = [programme for programme in document["programmes"] if programme["id"] in named]
        if not known:
            turn.say("utter_programme_unknown")
        told = _tells_much(turn)
        for programme in known:
            turn.say("utter_programme_state", **programme_words(turn, programme))
            if (told and programme["deciding"] is None) or _fails_by_rule(programme):
                turn.show(verdict_words(turn, programme))


def _tells_much(turn: Turn) -> bool:
    return bool(known_fields(firm_profile(turn)))


def _fails_by_rule(programme: Mapping[str, Any]) -> bool:
    return programme.get("deciding") is not None and programme["deciding"].get("field") != "status"


def served(turn: Turn, tell: Any) -> None:
    """Do what asks the service; say so when it does not answer."""
    try:
        tell()
    except ServiceUnavailable:
        turn.say("utter_service_away", contact=turn.content.words.operator.contact[turn.language])
        leave(turn)


def check(turn: Turn, named: Sequence[str] = ()) -> dict[str, Any]:
    """Ask the service, with every field that an entry may lack."""
    document = funding().check(firm_profile(turn), named)
    blank: dict[str, Any] = {
        "deciding": None,
        "missing": [],
        "undocumented": [],
        "estimate_mad": None,
        "estimate_max_mad": None,
    }
    programmes = [{**blank, "status": "unknown", "to_verify": False, **entry} for entry in document["programmes"]]
    return {**document, "programmes": programmes}


def memory(turn: Turn) -> dict[str, Any]:
    """Return what the funding check remembers of this conversation."""
    return dict(turn.state.get("funding") or {})


def remember(turn: Turn, state: dict[str, Any]) -> None:
    """Keep it."""
    turn.state["funding"] = state


def go_on(turn: Turn) -> None:
    """Ask the next question that decides, or tell what there is."""
    document, state = check(turn), memory(turn)
    ask = next_ask(turn, document)
    if ask is None or state.get("asked", 0) >= MOST_ASKED:
        remember(turn, {**state, "shown": []})
        tell_cards(turn, document)
        return
    if not state.get("asked") and not state.get("opened"):
        state["opened"] = True
        if not turn.by_sms:
            turn.say("utter_funding_start")
    state["asked"] = state.get("asked", 0) + 1
    remember(turn, state)
    ask_question(turn, ask)


def next_ask(turn: Turn, document: Mapping[str, Any]) -> Ask | None:
    """Return the question to ask now; None when no answer would decide anything."""
    known = known_fields(firm_profile(turn))
    return turn.content.funding.next_ask(document, known, memory(turn).get("skipped", []))


def ask_question(turn: Turn, ask: Ask, page: int = 0) -> None:
    """Ask one question: its answers, then "I don't know" and "show me now"."""
    ways_out = [turn.button(f"tell_funding:{ask.id}:skip", "dont_know"), turn.button("show_funding:now", "show_now")]
    if turn.by_sms:
        ways_out = ways_out[:1]
    turn.say("utter_funding_question", [*_rows(turn, ask, page), *ways_out], question=ask.text[turn.language])
    open_question(turn, ask.id)


def open_question(turn: Turn, about: str) -> None:
    """Leave the question open above what was open before the check."""
    within = turn.prompt is not None and turn.prompt.kind == "funding"
    below = turn.state.get("below") if within or turn.state.get("below") else turn.state.get("prompt")
    turn.ask("funding", about)
    turn.state["below"] = below


def leave(turn: Turn) -> None:
    """Close the check's question and bring back what was open before it."""
    if turn.prompt is not None and turn.prompt.kind == "funding":
        turn.leave_aside()
    cards.back(turn)


def _rows(turn: Turn, ask: Ask, page: int) -> list[Button]:
    language = turn.language
    if ask.listed is None:
        return [Button(f"tell_funding:{ask.id}:{option.id}", option.title[language]) for option in ask.options]
    named: Sequence[Any] = turn.content.words.sectors if ask.listed == "sectors" else turn.content.words.regions
    size = prompts.ROWS - 3
    rows = [Button(f"tell_funding:{ask.id}:{row.id}", row.title[language]) for row in named]
    shown = rows[page * size : (page + 1) * size]
    if (page + 1) * size < len(rows):
        shown.append(turn.button(f"tell_funding:{ask.id}:page.{page + 1}", "more"))
    return shown


def _ask_unit(turn: Turn, ask: Ask, number: float) -> None:
    """Ask which of two readings of a bare number is meant: thousands of dirhams, or millions of centimes."""
    readings = [int(number * 1000), int(number * 10000)]
    buttons = [Button(f"tell_funding:{ask.id}:n{value}", f"{grouped(value)} DH") for value in readings]
    buttons.append(turn.button(f"tell_funding:{ask.id}:skip", "dont_know"))
    turn.say("utter_which_amount", buttons)
    open_question(turn, ask.id)


def _is_special(ask: Ask, value: str) -> bool:
    return (value.startswith("page.") and value[5:].isdecimal() and ask.listed is not None) or (
        ask.free == "money" and value[:1] == "q" and value[1:].replace(".", "", 1).isdecimal()
    )


def answer(turn: Turn, ask: Ask, value: str) -> dict[str, Any] | None:
    """Return the fields an answer tells; None when it is none of the question's."""
    option = next((option for option in ask.options if option.id == value), None)
    if option is not None:
        return option.told()
    if ask.listed is not None:
        named: Sequence[Any] = turn.content.words.sectors if ask.listed == "sectors" else turn.content.words.regions
        return {ask.id: value} if value in [row.id for row in named] else None
    if ask.free is None or not value:
        return None
    try:
        if value[0] == "r":
            low, _, high = value[1:].partition("-")
            return {ask.id: {"min": _read(low), "max": _read(high)}}
        return {ask.id: _read(value[1:], ask.free == "count" or ask.id == "owner_age")} if value[0] == "n" else None
    except ValueError:
        return None


def _read(text: str, whole: bool = False) -> float | int:
    number = float(text)
    return int(number) if whole or number == int(number) else number


def _unlikely(turn: Turn, ask: Ask, told: Mapping[str, Any]) -> bool:
    """Say whether a number cannot be right: absurd, or more of one's own money than the project needs."""
    value = told.get(ask.id)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    limits = ask.limits
    if absurd(ask.id, value) or value < limits.min or (limits.max is not None and value > limits.max):
        return True
    amount = known_fields(firm_profile(turn)).get("project.amount_mad")
    return ask.id == "project.own_funds_mad" and amount is not None and value > amount


def said(turn: Turn, ask: Ask, value: str, told: Mapping[str, Any]) -> str:
    """Return an answer as it was understood, in words."""
    option = next((option for option in ask.options if option.id == value), None)
    if option is not None:
        return option.title[turn.language]
    number = told[ask.id]
    if isinstance(number, dict):
        return f"{grouped(number['min'])} - {grouped(number['max'])} {turn.label('dirham')}"
    if isinstance(number, str):
        return code_word(turn, ask.id, number) or number
    unit = f" {turn.label('dirham')}" if ask.free == "money" else ""
    return f"{grouped(number)}{unit}"


def code_word(turn: Turn, field: str, code: str) -> str | None:
    """Return the word for a code of the profile."""
    words, language = turn.content.words, turn.language
    if field in ("sector", "region"):
        rows: Sequence[Any] = words.sectors if field == "sector" else words.regions
        return next((row.title[language] for row in rows if row.id == code), None)
    if field == "legal_form":
        label = words.labels.get(f"legal_{code}")
        return label[language] if label else None
    if field == "project.kind":
        kinds: Mapping[Any, Text] = turn.content.funding.kinds
        return kinds[code][language] if code in kinds else None
    ask = turn.content.funding.ask(field)
    options = ask.options if ask else ()
    return next((option.title[language] for option in options if option.tells.get(field) == code), None)


def _field_name(turn: Turn, field: str) -> str:
    return turn.content.funding.field_name(field, turn.language) or field


def tell_cards(turn: Turn, document: Mapping[str, Any], only: int | None = None) -> None:
    """Tell the next programmes that may fit, why, for how much; then what can be done."""
    state = memory(turn)
    possible = fitting(turn, document)
    left = [programme for programme in possible if programme["id"] not in state.get("shown", [])]
    count = only or (CARDS_BY_SMS if turn.by_sms else CARDS)
    shown = left[:count]
    alternative = turn.content.words.operator.contact[turn.language]
    if not possible:
        turn.say("utter_funding_none", alternative=alternative)
    elif not shown:
        turn.say("utter_funding_end", alternative=alternative)
    elif turn.by_sms:
        for programme in shown:
            turn.say("utter_funding_sms", **sms_words(turn, programme))
    else:
        if not state.get("shown"):
            turn.say("utter_funding_intro")
        for programme in shown:
            turn.show(card_text(turn, programme))
    state["shown"] = [*state.get("shown", []), *(programme["id"] for programme in shown)]
    remember(turn, state)
    cards.set_shown(turn, "funding", [(p["id"], programme_name(turn, p)) for p in shown])
    _offer_next(turn, document, len(left) > len(shown), bool(shown))


def _offer_next(turn: Turn, document: Mapping[str, Any], more: bool, shown: bool) -> None:
    buttons = []
    if more:
        buttons.append(turn.button("more_cards:funding", "more"))
    if next_ask(turn, document) is not None:
        buttons.append(turn.button("show_funding:refine", "refine"))
    if shown:
        buttons.append(turn.button("refuse_card:funding", "not_for_me"))
    if any(_fails_by_rule(programme) for programme in document["programmes"]):
        buttons.append(turn.button("show_funding:others", "why_not_others"))
    if turn.prompt is not None and turn.prompt.kind == "funding":
        turn.leave_aside()
    cards.offer(turn, "funding", buttons)


def tell_others(turn: Turn) -> None:
    """Say of the programmes that do not fit which rule decides, three at a time."""
    document, state = check(turn), memory(turn)
    failed = [programme for programme in document["programmes"] if _fails_by_rule(programme)]
    told = state.get("others", 0) % max(len(failed), 1)
    shown = failed[told : told + (CARDS_BY_SMS if turn.by_sms else CARDS)]
    if not shown:
        turn.say("utter_funding_all_open")
    for programme in shown:
        turn.show(f"{programme_name(turn, programme)}\n{verdict_words(turn, programme)}")
    remember(turn, {**state, "others": told + len(shown)})
    rest = [turn.button("show_funding:others", "more")] if told + len(shown) < len(failed) else []
    cards.offer(turn, "funding", [*rest, turn.button("show_funding:now", "show_fitting")])


def fitting(turn: Turn, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the programmes that are not excluded and not refused, those that fit best first."""
    refused = cards.refused(turn, "funding")
    open_ones = [p for p in document["programmes"] if p["verdict"] in VERDICTS and p["id"] not in refused]
    gentle = {"too_expensive", "no_trust"} & set(refused.values())
    return sorted(open_ones, key=lambda programme: _nearest(programme, bool(gentle)))


def _nearest(programme: Mapping[str, Any], gentle: bool) -> tuple[Any, ...]:
    """Order: what fits, what runs, what is not paid back where that matters, small amounts, least left to settle."""
    most, kind = programme["benefit"].get("max_mad"), programme["benefit"]["kind"]
    status = programme["status"]
    return (
        VERDICTS.index(programme["verdict"]),
        STATUSES.index(status) if status in STATUSES else len(STATUSES),
        GENTLE.index(kind) if gentle and kind in GENTLE else 0,
        float("inf") if most is None else most,
        len(programme["missing"]),
        programme["id"],
    )


def card_text(turn: Turn, programme: Mapping[str, Any]) -> str:
    """Return a programme's card: what it is, what the rules say, why it is shown, how much, where to ask."""
    words, phrase = programme_words(turn, programme), turn.content.funding.phrase
    lines = [
        f"{words['name']} ({words['kind']})",
        words["reason"],
        verdict_words(turn, programme),
        *_because(turn, programme),
        *_amount(turn, programme),
        phrase("ask_at", turn.language, contact=words["contact"]),
        phrase("old" if programme["to_verify"] else "fresh", turn.language, as_of=words["as_of"]),
    ]
    return "\n".join(lines)


def verdict_words(turn: Turn, programme: Mapping[str, Any]) -> str:
    """Say "may be", "not", or "cannot tell yet", with the rule that decides in plain words."""
    words, language = turn.content.funding, turn.language
    deciding = programme["deciding"]
    if programme["verdict"] == "yes":
        return words.phrase("may_fit", language)
    if programme["verdict"] == "no":
        field = str((deciding or {}).get("field"))
        rule = rule_of(records().get(programme["id"]), deciding or {})
        why = words.rule_text(rule, field, language, lambda name, code: code_word(turn, name, code))
        return words.phrase("not_fit", language, why=why) if why else words.phrase("not_fit_plain", language)
    known = known_fields(firm_profile(turn))
    undocumented = {entry.get("field") for entry in programme["undocumented"]}
    open_fields = [f for f in programme["missing"] if f not in undocumented and not isinstance(known.get(f), dict)]
    names = [name for field in open_fields[:MOST_REASONS] if (name := words.field_name(field, language))]
    return words.phrase("missing", language, fields=turn.listed(names)) if names else words.phrase("office", language)


def _because(turn: Turn, programme: Mapping[str, Any]) -> list[str]:
    """Give the rules that hold, in the owner's words; nothing where none is known."""
    profile = firm_profile(turn)
    known = known_fields(profile)
    reasons = [
        word
        for field in holding(records().get(programme["id"]), profile)
        if (word := _reason(turn, field, known.get(field)))
    ]
    if not reasons:
        return []
    return [turn.content.funding.phrase("because", turn.language, reasons=turn.listed(reasons[:MOST_REASONS]))]


def _reason(turn: Turn, field: str, value: Any) -> str | None:
    if isinstance(value, bool):
        ask = turn.content.funding.ask(field)
        options = [option for option in ask.options if option.tells.get(field) == value] if ask else []
        wanted = value and field != "innovative_startup" and options
        return options[0].title[turn.language].lower() if wanted and field == "rural" else None
    if isinstance(value, str):
        return code_word(turn, field, value)
    if isinstance(value, (int, float)) and field == "project.amount_mad":
        return f"{grouped(value)} {turn.label('dirham')}"
    return None


def _amount(turn: Turn, programme: Mapping[str, Any]) -> list[str]:
    low, high = programme["estimate_mad"], programme["estimate_max_mad"]
    words, language = turn.content.funding, turn.language
    if not (high or low):
        return []
    if low and high and low < high:
        return [words.phrase("amount_range", language, low=grouped(low), high=grouped(high))]
    return [words.phrase("amount", language, high=grouped(high or low))]


def programme_name(turn: Turn, programme: Mapping[str, Any]) -> str:
    """Return a programme's name in the owner's letters, where it has one."""
    name = programme["name"]
    return str(name["ar"] if turn.language == "ary-Arab" and name.get("ar") else name["fr"])


def programme_words(turn: Turn, programme: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of a programme's card in the owner's variety."""
    return {
        "name": programme_name(turn, programme),
        "kind": turn.label(f"kind_{programme['benefit']['kind']}"),
        "reason": programme["summary"][turn.language],
        "status": programme["status_text"][turn.language],
        "contact": programme["contact"][turn.language],
        "as_of": cards.as_day(programme["as_of"]),
    }


def sms_words(turn: Turn, programme: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of the one short message of a programme by SMS."""
    words = programme_words(turn, programme)
    return {name: words[name] for name in ("name", "kind", "contact", "as_of")}
