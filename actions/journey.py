"""Where a conversation goes next: consent, profile, questions, stopping point, result."""

from __future__ import annotations

from actions import prompts
from actions.results import show_result
from actions.turn import Turn
from bot.diagnosis import sitting
from bot.storage.models import Assessment

EXPRESS, FULL = 1, 3


def introduce(turn: Turn) -> None:
    """Say once what this is, that it is free and who runs it; by SMS the invitation says so."""
    if not turn.state.get("greeted"):
        turn.state["greeted"] = True
        if turn.by_sms:
            return
        turn.say("utter_welcome", operator=turn.content.words.operator.presentation[turn.language])


def advance(turn: Turn) -> None:
    """Do the next thing on the way to a result."""
    if turn.state.get("consent") is None:
        prompts.ask_consent(turn)
        return
    name = prompts.missing_profile_field(turn)
    if name is not None:
        prompts.ask_profile(turn, name)
        return
    current = prompts.open_test(turn)
    if current is not None:
        go_on(turn, current)
    else:
        begin(turn, turn.state.pop("blocks", EXPRESS))


def begin(turn: Turn, blocks: int) -> None:
    """Start a new test."""
    firm = turn.make_firm()
    current = sitting.start(firm, turn.content.diagnosis, turn.content.rules, blocks)
    turn.state["block"] = 0
    item = sitting.next_item(current, turn.content.diagnosis, turn.profile, turn.content.rules)
    if item is not None:
        if not turn.by_sms:
            _, count = sitting.number_of(current, turn.content.diagnosis, item, turn.content.rules)
            turn.say("utter_test_starts", count=count)
        prompts.ask_question(turn, current, item)


def go_on(turn: Turn, current: Assessment) -> None:
    """Ask the next question, or stop between two blocks, or tell the result."""
    library, rules = turn.content.diagnosis, turn.content.rules
    item = sitting.next_item(current, library, turn.profile, rules)
    if item is None:
        sitting.finish(current, library, turn.profile, rules)
        show_result(turn, current)
        return
    number, _ = sitting.number_of(current, library, item, rules)
    block = library.instrument.block_of(item)
    if block != turn.state.get("block", 0) and number > 1:
        turn.say(
            "utter_checkpoint",
            [
                turn.button("resume_diagnosis:checkpoint", "continue"),
                turn.button("ask_result", "see_result"),
                turn.button("pause", "later"),
            ],
            count=len(library.instrument.blocks[block]),
        )
        turn.ask("checkpoint", str(block))
        return
    prompts.ask_question(turn, current, item)


def pass_checkpoint(turn: Turn, current: Assessment) -> None:
    """Go on with the block after the stopping point."""
    library, rules = turn.content.diagnosis, turn.content.rules
    item = sitting.next_item(current, library, turn.profile, rules)
    if item is None:
        go_on(turn, current)
        return
    turn.state["block"] = library.instrument.block_of(item)
    number, total = sitting.number_of(current, library, item, rules)
    turn.say("utter_test_goes_on", count=total - number + 1)
    prompts.ask_question(turn, current, item)


def want_full(turn: Turn) -> None:
    """Go for all questions: further in the last test when it can be, else in a new one. Needs the consent.

    By SMS there are seven questions only (rule 3 of diagnosis.md 3.5).
    """
    if turn.by_sms:
        turn.say("utter_not_by_sms")
        prompts.ask_again(turn)
        return
    if turn.firm is None or turn.firm.consent_at is None:
        turn.state.pop("consent", None)
        turn.state["blocks"] = FULL
        turn.say("utter_consent_needed_full")
        prompts.ask_consent(turn)
        return
    current = prompts.open_test(turn) or sitting.last_done(turn.firm)
    if current is None or _is_whole(turn, current):
        turn.state["blocks"] = FULL
        advance(turn)
        return
    sitting.extend(current, FULL)
    if prompts.missing_profile_field(turn) is None and current.answers:
        pass_checkpoint(turn, current)
    else:
        advance(turn)


def _is_whole(turn: Turn, current: Assessment) -> bool:
    """Say whether the sitting has all blocks, or belongs to another version of the instrument."""
    instrument = turn.content.diagnosis.instrument
    answered = {row.item for row in current.answers}
    whole = current.status == "done" and current.blocks_wanted >= FULL
    return whole or current.instrument_version != instrument.version or answered >= set(instrument.order)


def skip_profile_field(turn: Turn) -> None:
    """Leave a profile field unknown and go on."""
    if turn.prompt is not None:
        name = turn.prompt.about.partition(":")[0]
        turn.state["skipped"] = [*turn.state.get("skipped", []), name]
    advance(turn)
