"""The test itself: answers, doubts, corrections, pauses."""

from __future__ import annotations

import time

from actions import journey, prompts
from actions.misunderstood import fall_back
from actions.tries import go_on, try_again
from actions.turn import RafiqAction, Turn
from bot.diagnosis import answers, sitting
from bot.diagnosis.answers import Answer
from bot.storage.models import Assessment


class ActionStartDiagnosis(RafiqAction):
    """Start the test, or bring the owner back to the one under way."""

    action_name = "action_start_diagnosis"

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        if turn.choice == "full":
            journey.want_full(turn)
            return
        if turn.choice == "again":
            turn.close_prompt()
        journey.advance(turn)


class ActionResumeDiagnosis(RafiqAction):
    """Go on where the owner stopped."""

    action_name = "action_resume_diagnosis"

    def reply(self, turn: Turn) -> None:
        current = prompts.open_test(turn)
        if turn.prompt is not None and turn.prompt.kind in ("consent", "profile"):
            prompts.ask_again(turn)
        elif current is None and turn.prompt is not None and turn.prompt.kind in ("next_step", "menu"):
            journey.want_full(turn)
        elif current is None:
            turn.say("utter_nothing_to_resume")
            prompts.ask_start(turn)
        elif turn.prompt is not None and turn.prompt.kind == "checkpoint":
            journey.pass_checkpoint(turn, current)
        else:
            _resume(turn, current)


def _resume(turn: Turn, current: Assessment) -> None:
    item = sitting.next_item(current, turn.content.diagnosis, turn.profile, turn.content.rules)
    if item is None:
        journey.go_on(turn, current)
        return
    number, total = sitting.number_of(current, turn.content.diagnosis, item, turn.content.rules)
    turn.say("utter_resumed", number=number, total=total)
    turn.state["block"] = turn.content.diagnosis.instrument.block_of(item)
    prompts.ask_question(turn, current, item)


class ActionPause(RafiqAction):
    """Stop for now; the place is kept when the owner agreed to that."""

    action_name = "action_pause"

    def reply(self, turn: Turn) -> None:
        pause(turn)


def pause(turn: Turn) -> None:
    """Say that the place is kept, or that it cannot be."""
    kept = turn.firm is not None and turn.firm.consent_at is not None
    if prompts.open_test(turn) is None:
        turn.say("utter_paused_no_test")
    elif kept:
        turn.say("utter_paused", days=turn.content.rules.resume_days)
    else:
        turn.say("utter_paused_guest")


class ActionAnswer(RafiqAction):
    """Take an answer: a button, a number, a title, or a sentence matched to an option."""

    action_name = "action_answer"

    def reply(self, turn: Turn) -> None:
        current, item, value = _chosen(turn)
        if current is None or value is None:
            turn.say("utter_old_button")
            prompts.ask_again(turn)
            return
        given = answers.not_applicable(item) if value == "na" else answers.answered(item, int(value))
        if item == prompts.open_item(turn):
            take(turn, current, given, announce=not turn.pressed)
        else:
            _late(turn, current, given)


class ActionAnswerUnsure(RafiqAction):
    """Ask back once with the two closest answers; the next time, repeat all of them. Never guess."""

    action_name = "action_answer_unsure"

    def reply(self, turn: Turn) -> None:
        current, item = prompts.open_test(turn), prompts.open_item(turn)
        if current is None or item is None:
            fall_back(turn)
            return
        if turn.by_sms and (turn.state.get("missed") or not turn.choice):
            try_again(turn)
            return
        if turn.state.get("unsure_item") == item:
            turn.say("utter_choose_one")
            prompts.ask_question(turn, current, item)
            return
        turn.state["unsure_item"] = item
        turn.state["missed"] = 1
        ends = [choice.rpartition(":")[2] for choice in turn.entities("choice")]
        values = [int(end) for end in ends if end in ("0", "1", "2", "3")][:2]
        if not values:
            turn.say("utter_choose_one")
            prompts.ask_question(turn, current, item)
            return
        buttons = [
            button
            for value in values
            for button in prompts.answer_buttons(turn, current, item, [value])
            if button.choice.startswith("answer:")
        ]
        turn.say("utter_answer_unsure", [*buttons, turn.button("explain_question", "neither")])
        turn.ask("unsure", item)


class ActionDontKnow(RafiqAction):
    """Explain and ask once more; the second time, note "does not know" and go on."""

    action_name = "action_dont_know"

    def reply(self, turn: Turn) -> None:
        current, item = prompts.open_test(turn), prompts.open_item(turn)
        if current is None or item is None:
            if turn.prompt is not None and turn.prompt.kind == "profile":
                journey.skip_profile_field(turn)
                return
            turn.say("utter_no_problem")
            prompts.ask_again(turn)
            return
        if turn.choice is not None and turn.choice != f"{current.id[:8]}:{item}":
            turn.say("utter_old_button")
            prompts.ask_again(turn)
        elif turn.state.get("dk_item") != item:
            turn.state["dk_item"] = item
            explain(turn, current, item)
        else:
            turn.say("utter_dk_noted")
            take(turn, current, answers.dont_know(item), announce=False)


class ActionExplainQuestion(RafiqAction):
    """Say the question in other words, with an example."""

    action_name = "action_explain_question"

    def reply(self, turn: Turn) -> None:
        current, item = prompts.open_test(turn), prompts.open_item(turn)
        if current is not None and item is not None:
            explain(turn, current, item)
        elif turn.prompt is not None and turn.prompt.kind == "consent":
            turn.say("utter_explain_consent")
            prompts.ask_consent(turn, "utter_ask_consent_again")
        elif turn.prompt is not None:
            if turn.prompt.kind == "funding":
                turn.say("utter_funding_start")
            prompts.ask_again(turn)
        else:
            turn.say("utter_help")


class ActionGoBack(RafiqAction):
    """Bring the question before back, with what was answered."""

    action_name = "action_go_back"

    def reply(self, turn: Turn) -> None:
        if turn.prompt is not None and turn.prompt.kind == "profile":
            _back_in_profile(turn)
            return
        current = prompts.open_test(turn)
        if current is None and turn.firm is not None:
            current = sitting.last_done(turn.firm)
        item = sitting.last_answered(current, prompts.open_item(turn)) if current is not None else None
        if current is None or item is None:
            turn.say("utter_nothing_before")
            prompts.ask_again(turn)
            return
        sitting.extend(current, current.blocks_wanted)
        given = sitting.answers_of(current)[item]
        if given.status == "skipped":
            turn.say("utter_back_to_skipped")
        else:
            turn.say("utter_back_to", title=prompts.answer_title(turn, item, given.status, given.value))
        prompts.ask_question(turn, current, item)


class ActionReplaceAnswer(RafiqAction):
    """Replace an answer given before, or keep it: what a late button asked for."""

    action_name = "action_replace_answer"

    def reply(self, turn: Turn) -> None:
        if turn.prompt is not None and turn.prompt.kind == "replace":
            replace_answer(turn, keep=turn.choice == "keep")
        else:
            turn.say("utter_old_button")
            prompts.ask_again(turn)


def take(turn: Turn, current: Assessment, given: Answer, announce: bool) -> None:
    """Record the answer to the open question and go on."""
    asked_at = turn.state.get("asked_at")
    source = "choice" if turn.pressed else "text"
    sitting.record(current, given, source, max(time.time() - asked_at, 0) if asked_at else None)
    if announce and not (turn.by_sms and turn.exact) and given.status == "answered":
        turn.say("utter_answer_noted", title=prompts.answer_title(turn, given.item, given.status, given.value))
    if given.status == "dk" and sitting.two_unknown(current):
        turn.say("utter_dk_twice", [turn.button("talk_to_adviser", "adviser")])
    go_on(turn, current)


def explain(turn: Turn, current: Assessment, item: str) -> None:
    """Explain the open question and show its answers again."""
    question = turn.content.diagnosis.instrument.wording(item, turn.profile)
    turn.say("utter_explanation", explanation=question.explain[turn.language])
    prompts.ask_question(turn, current, item, "utter_question_again")


def replace_answer(turn: Turn, keep: bool) -> None:
    """Do what the owner decided about an answer given before, then go on with the test."""
    prompt, current = turn.prompt, prompts.open_test(turn)
    if prompt is None or current is None:
        turn.say("utter_old_button")
        prompts.ask_again(turn)
        return
    item, _, value = prompt.about.partition(":")
    old = sitting.answers_of(current)[item]
    if keep:
        turn.say("utter_answer_kept", old=prompts.answer_title(turn, item, old.status, old.value))
    else:
        given = answers.not_applicable(item) if value == "na" else answers.answered(item, int(value))
        sitting.record(current, given, "choice", None)
        turn.say("utter_answer_replaced", new=prompts.answer_title(turn, item, given.status, given.value))
    prompts.ask_again(turn)


def _late(turn: Turn, current: Assessment, given: Answer) -> None:
    """Answer a button of another question: never silently, and never twice."""
    old = sitting.answers_of(current).get(given.item)
    if old is None:
        turn.say("utter_old_button")
        prompts.ask_again(turn)
        return
    title = prompts.answer_title(turn, given.item, old.status, old.value)
    if (old.status, old.value) == (given.status, given.value):
        turn.say("utter_answer_already", old=title)
        prompts.ask_again(turn)
        return
    turn.say(
        "utter_replace_answer",
        [turn.button("replace_answer:yes", "replace"), turn.button("replace_answer:keep", "keep")],
        old=title,
        new=prompts.answer_title(turn, given.item, given.status, given.value),
    )
    turn.ask_aside("replace", f"{given.item}:{'na' if given.status == 'na' else given.value}")


def _chosen(turn: Turn) -> tuple[Assessment | None, str, str | None]:
    """Return the open sitting, item and value that a choice `sitting:item:value` names; None where it is not ours."""
    current = prompts.open_test(turn)
    sitting_id, _, rest = (turn.choice or "").partition(":")
    item, _, value = rest.partition(":")
    instrument = turn.content.diagnosis.instrument
    if current is None or not sitting_id or current.id[:8] != sitting_id or item not in instrument.order:
        return None, item, None
    allowed = ["0", "1", "2", "3"] + (["na"] if instrument.question(item).not_applicable is not None else [])
    return current, item, value if value in allowed else None


def _back_in_profile(turn: Turn) -> None:
    name = turn.prompt.about.partition(":")[0] if turn.prompt else prompts.PROFILE_FIELDS[0]
    position = prompts.PROFILE_FIELDS.index(name)
    if position == 0:
        turn.say("utter_nothing_before")
    prompts.ask_profile(turn, prompts.PROFILE_FIELDS[max(position - 1, 0)])
