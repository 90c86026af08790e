"""The result: level, picture, next step, plan, page to show."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone

from actions import prompts
from actions.content import get_content
from actions.turn import Button, RafiqAction, Turn
from bot.diagnosis import sitting
from bot.diagnosis.answers import answered
from bot.diagnosis.cards import Card
from bot.diagnosis.document import Request, score_document
from bot.diagnosis.instrument import Level
from bot.diagnosis.page import draw_page
from bot.diagnosis.picture import draw_picture, result_bars
from bot.diagnosis.plan import Step, make_plan, ranked_steps
from bot.diagnosis.profile import Profile
from bot.diagnosis.sms import result_text
from bot.knowledge.text import VARIETIES
from bot.storage.models import Assessment, ChosenAction, Media, Result, new_id

# Twice the error of the seven-question score in the simulations of diagnosis.md 3.6.
EXPRESS_MARGIN = 13
PLAN_DAYS = (30, 60, 90)
MEDIA_DAYS = 30
COSTS = ("free", "low", "provider")
# Nobody wants to refuse for ever.
MOST_IDEAS = 3
REASONS = ("no_need", "too_expensive", "no_skill", "no_time", "no_trust")


def show_result(turn: Turn, current: Assessment) -> None:
    """Tell the newest result of a sitting: level, strongest and weakest, picture, next step."""
    result = current.results[-1]
    document, instrument, language = result.document, turn.content.diagnosis.instrument, turn.language
    if document["level_shown"] is None:
        turn.say("utter_no_result")
        prompts.ask_start(turn)
        return
    level = next(level for level in instrument.levels if level.id == document["level_shown"])
    if turn.by_sms:
        _tell_by_sms(turn, current, level)
        return
    turn.say("utter_result_level", level=level.name[language], rank=level.id, meaning=level.meaning[language])
    _say_score(turn, result)
    if document["strongest"] != document["weakest"]:
        turn.say(
            "utter_result_axes",
            strong=instrument.axis(document["strongest"]).plain[language],
            weak=instrument.axis(document["weakest"]).plain[language],
        )
    _show_picture(turn, result)
    _say_progress(turn, current)
    # The guard-rail says the same as this alert, and comes with the next step.
    guarded = document["security_first"]
    alerts = [alert for alert in document["alerts"] if not (guarded and alert == "data_without_protection")]
    for alert in alerts[:1]:
        turn.say(f"utter_alert_{alert}")
    offer_next_step(turn, current)


def _tell_by_sms(turn: Turn, current: Assessment, level: Level) -> None:
    """Tell the result in words, in two segments at most: level, strongest and weakest, next step, how to go on."""
    document, instrument, language = current.results[-1].document, turn.content.diagnosis.instrument, turn.language
    plan = plan_of(turn, current)
    card = card_of(turn, plan[0]) if plan else None
    differ = document["strongest"] != document["weakest"]
    text = result_text(
        instrument,
        language,
        level=level.id,
        label=level.name[language],
        score=instrument.whole_points(document["score"]),
        strong=instrument.axis(document["strongest"]).short[language] if differ else None,
        weak=instrument.axis(document["weakest"]).short[language],
        step=card.title[language] if card else None,
    )
    turn.show(text)
    if card is None:
        turn.close_prompt()
    else:
        _offer_step_by_sms(turn, card)


def _offer_step_by_sms(turn: Turn, card: Card) -> None:
    """Leave the choices open that the text has named."""
    turn.offer(
        [
            turn.button(f"show_how:{card.id}", "how"),
            turn.button(f"refuse_step:{card.id}", "other_idea"),
            turn.button("talk_to_adviser", "adviser"),
        ]
    )
    turn.ask("next_step", card.id)


def _say_score(turn: Turn, result: Result) -> None:
    points = turn.content.diagnosis.instrument.whole_points(result.document["score"])
    if result.document["provisional"]:
        low, high = max(points - EXPRESS_MARGIN, 0), min(points + EXPRESS_MARGIN, 100)
        turn.say("utter_result_about", low=low, high=high, count=len(result.items))
    else:
        turn.say("utter_result_score", score=points)


def _show_picture(turn: Turn, result: Result) -> None:
    words, instrument = turn.content.words, turn.content.diagnosis.instrument
    picture = draw_picture(result.document, instrument, words.labels, turn.language)
    bars = turn.listed(
        f"{bar.short} {bar.points}"
        for bar in result_bars(result.document, instrument, turn.language)
        if bar.points is not None
    )
    turn.say("utter_result_picture", image=keep_media(turn, picture, "image/png", "rafiq.png"), bars=bars)


def keep_media(turn: Turn, data: bytes, content_type: str, filename: str) -> str:
    """Keep a file for the conversation and return its id, which the gateway turns into a signed address."""
    media = Media(
        id=new_id(),
        conversation_id=turn.conversation.id,
        content_type=content_type,
        filename=filename,
        data=data,
        expires_at=time.time() + MEDIA_DAYS * 86400,
    )
    turn.session.add(media)
    return str(media.id)


def _say_progress(turn: Turn, current: Assessment) -> None:
    """Tell the rungs gained since the test before: a difference in points may be noise."""
    earlier = [s for s in turn.firm.assessments if s.results and s is not current] if turn.firm else []
    if not earlier:
        return
    gained = sitting.rungs_gained(earlier[-1], current)
    if not gained:
        turn.say("utter_progress_none")
        return
    steps = [
        f"{prompts.answer_title(turn, item, 'answered', old)} → {prompts.answer_title(turn, item, 'answered', new)}"
        for item, old, new in gained[:5]
    ]
    turn.say("utter_progress", count=sum(new - old for _, old, new in gained), steps=turn.listed(steps))


def warm_up() -> None:
    """Draw one picture and one page, so that the first owner does not wait for fonts to be opened."""
    content = get_content()
    library, labels = content.diagnosis, content.words.labels
    document = score_document(
        library.instrument, library.cards, library.priorities, Request({"S1": answered("S1", 1)}, Profile(), None)
    )
    for variety in VARIETIES:
        draw_picture(document, library.instrument, labels, variety)
    draw_page(document, library.instrument, labels, VARIETIES[0], [], date.today())


def plan_of(turn: Turn, current: Assessment) -> tuple[Step, ...]:
    """Return the plan of a sitting without the actions the owner refused."""
    library = turn.content.diagnosis
    profile = turn.profile
    refused = {choice.card for choice in turn.firm.choices if choice.status == "refused"} if turn.firm else set()
    answers = sitting.completed_answers(current, library, profile, turn.content.rules)
    steps = ranked_steps(library.instrument, library.cards, library.priorities, answers, profile, profile.goal)
    document = current.results[-1].document
    open_steps = tuple(step for step in steps if step.card not in refused)
    if turn.firm and any(choice.reason == "too_expensive" for choice in turn.firm.choices):
        open_steps = tuple(sorted(open_steps, key=lambda step: COSTS.index(card_of(turn, step).cost)))
    return make_plan(open_steps, document["security_first"])


def card_of(turn: Turn, step: Step) -> Card:
    """Return the card of a step in the words for this firm."""
    return turn.content.diagnosis.cards.for_step(step.item, step.to, turn.profile)


def offer_next_step(turn: Turn, current: Assessment) -> None:
    """Tell the one next step, with what it brings and how to do it."""
    plan = plan_of(turn, current)
    if not plan:
        turn.say("utter_all_done")
        turn.close_prompt()
        return
    card, language = card_of(turn, plan[0]), turn.language
    words = {"title": card.title[language], "why": card.why[language]}
    details = {"steps": steps_of(turn, card), "cost": turn.label(f"cost_{card.cost}")}
    if turn.by_sms:
        turn.say("utter_next_step", **words)
        turn.show(turn.content.diagnosis.instrument.sms_messages.go_on[language])
        _offer_step_by_sms(turn, card)
        return
    if current.results[-1].document["security_first"] and plan[0].axis == "S":
        turn.say("utter_result_guard")
    turn.say("utter_next_step", _step_buttons(turn, current, card), **words, **details)
    turn.ask("next_step", card.id)


def steps_of(turn: Turn, card: Card) -> str:
    """Return how to do a card, a numbered line each."""
    return "\n".join(f"{number}. {step[turn.language]}" for number, step in enumerate(card.steps, 1))


def _step_buttons(turn: Turn, current: Assessment, card: Card) -> list[Button]:
    buttons = [turn.button(f"choose_step:{card.id}", "do_it"), turn.button(f"refuse_step:{card.id}", "not_for_me")]
    return [*buttons, *_menu_buttons(turn, current)]


def _menu_buttons(turn: Turn, current: Assessment) -> list[Button]:
    if turn.by_sms:
        return [turn.button("show_plan", "see_plan")]
    buttons = [turn.button("show_plan", "see_plan"), turn.button("show_page", "pdf")]
    if current.results[-1].document["provisional"]:
        buttons.append(turn.button("start_diagnosis:full", "start_full"))
    return buttons


def offer_menu(turn: Turn) -> None:
    """Ask what to do now, with what is possible now."""
    current = sitting.last_done(turn.firm) if turn.firm else None
    if current is None:
        prompts.ask_start(turn)
        return
    help_buttons = [
        turn.button("find_training", "find_training"),
        turn.button("find_provider", "find_provider"),
        turn.button("find_funding", "find_funding"),
    ]
    turn.say("utter_what_now", [*_menu_buttons(turn, current), *help_buttons])
    turn.ask("menu")


def accept_step(turn: Turn, card: str | None = None) -> None:
    """Note that the owner takes the step on."""
    card = card or (turn.prompt.about if turn.prompt else None)
    if turn.firm is None or card is None:
        offer_menu(turn)
        return
    _note_choice(turn, card, "accepted", None)
    turn.say("utter_step_accepted")
    offer_menu(turn)


def refuse_step(turn: Turn, card: str | None = None) -> None:
    """Ask why not: the reason decides what is proposed instead."""
    card = card or (turn.prompt.about if turn.prompt else "")
    turn.say("utter_why_not", [turn.button(f"refuse_step:{card}:{reason}", f"reason_{reason}") for reason in REASONS])
    turn.ask_aside("why_not", card)


def _note_choice(turn: Turn, card: str, status: str, reason: str | None) -> None:
    firm = turn.make_firm()
    known = next((choice for choice in firm.choices if choice.card == card), None)
    if known is None:
        known = ChosenAction(card=card)
        firm.choices.append(known)
    known.status, known.reason, known.chosen_at = status, reason, time.time()


def _last_result(turn: Turn) -> Assessment | None:
    """Return the sitting with the newest result; without one, say so and offer the test."""
    current = sitting.last_done(turn.firm) if turn.firm else None
    if current is None:
        turn.say("utter_no_result")
        if turn.prompt is None:
            prompts.ask_start(turn)
        else:
            prompts.ask_again(turn)
    return current


class ActionAskResult(RafiqAction):
    """Tell the result; a test that has passed a stopping point is scored as far as it goes."""

    action_name = "action_ask_result"

    def reply(self, turn: Turn) -> None:
        under_way = prompts.open_test(turn)
        if under_way is not None and turn.prompt is not None and turn.prompt.kind == "checkpoint":
            sitting.finish(under_way, turn.content.diagnosis, turn.profile, turn.content.rules)
            show_result(turn, under_way)
            return
        current = _last_result(turn)
        if current is not None:
            asked = turn.prompt
            show_result(turn, current)
            if under_way is not None and asked is not None and asked.kind == "question":
                prompts.ask_question(turn, under_way, asked.about, "utter_question_again")


class ActionShowPlan(RafiqAction):
    """Tell the plan for 90 days: at most three actions, one an axis, each with its date."""

    action_name = "action_show_plan"

    def reply(self, turn: Turn) -> None:
        current = _last_result(turn)
        if current is None:
            return
        today = date.today()
        why = not turn.by_sms
        entries = [
            f"{number}. {card_of(turn, step).title[turn.language]} "
            f"({turn.label('result_before')} {today + timedelta(days=days):%d/%m/%Y})"
            + (f"\n{card_of(turn, step).why[turn.language]}" if why else "")
            for number, (step, days) in enumerate(zip(plan_of(turn, current), PLAN_DAYS, strict=False), 1)
        ]
        if not entries:
            turn.say("utter_all_done")
            return
        turn.say("utter_plan", entries=("\n\n" if why else "\n").join(entries))
        if not turn.by_sms or turn.prompt is None:
            offer_menu(turn)


class ActionShowPage(RafiqAction):
    """Give the one-page PDF that the owner can show."""

    action_name = "action_show_page"

    def reply(self, turn: Turn) -> None:
        current = _last_result(turn)
        if current is None:
            return
        if turn.by_sms:
            turn.say("utter_not_by_sms")
            return
        result = current.results[-1]
        plan = [
            (card_of(turn, step), date.today() + timedelta(days=days))
            for step, days in zip(plan_of(turn, current), PLAN_DAYS, strict=False)
        ]
        told_on = datetime.fromtimestamp(result.created_at, timezone.utc).date()
        data = draw_page(
            result.document, turn.content.diagnosis.instrument, turn.content.words.labels, turn.language, plan, told_on
        )
        turn.say("utter_pdf")
        turn.show("rafiq.pdf", document=keep_media(turn, data, "application/pdf", "rafiq.pdf"))
        offer_menu(turn)


class ActionChooseStep(RafiqAction):
    """Take a step on."""

    action_name = "action_choose_step"

    def reply(self, turn: Turn) -> None:
        accept_step(turn, _known_card(turn, turn.choice))


class ActionShowHow(RafiqAction):
    """Tell how a step is done."""

    action_name = "action_show_how"

    def reply(self, turn: Turn) -> None:
        known = _known_card(turn, turn.choice)
        current = sitting.last_done(turn.firm) if turn.firm else None
        step = next((s for s in plan_of(turn, current) if s.card == known), None) if current is not None else None
        if known is None or step is None:
            turn.say("utter_old_button")
            prompts.ask_again(turn)
            return
        card = card_of(turn, step)
        buttons = [turn.button(f"choose_step:{known}", "do_it"), turn.button(f"refuse_step:{known}", "not_for_me")]
        turn.say("utter_how", buttons, title=card.title[turn.language], steps=steps_of(turn, card))
        turn.ask("next_step", known)


class ActionRefuseStep(RafiqAction):
    """Refuse a step, then say why; the next idea follows."""

    action_name = "action_refuse_step"

    def reply(self, turn: Turn) -> None:
        card, _, reason = (turn.choice or "").partition(":")
        known = _known_card(turn, card)
        current = sitting.last_done(turn.firm) if turn.firm else None
        if known is None or current is None:
            turn.say("utter_old_button")
            prompts.ask_again(turn)
        elif reason not in REASONS:
            refuse_step(turn, known)
        else:
            _note_choice(turn, known, "refused", reason)
            self._next_idea(turn, current, reason)

    @staticmethod
    def _next_idea(turn: Turn, current: Assessment, reason: str) -> None:
        """Offer one other idea that answers the reason; after a few refusals, the menu."""
        refused = [choice for choice in turn.make_firm().choices if choice.status == "refused"]
        if len(refused) >= MOST_IDEAS or not plan_of(turn, current):
            turn.say("utter_refusal_noted_last")
            offer_menu(turn)
            return
        if reason == "no_skill":
            turn.say("utter_skill_first", [turn.button("find_training", "find_training")])
        else:
            turn.say("utter_refusal_noted")
        offer_next_step(turn, current)


def _known_card(turn: Turn, card: str | None) -> str | None:
    cards = turn.content.diagnosis.cards.by_step.values()
    return card if any(known.id == card for known in cards) else None
