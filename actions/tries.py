"""By SMS a question that was not answered is asked twice more, briefly, then given up."""

from __future__ import annotations

from actions import journey, prompts
from actions.turn import Turn
from bot.diagnosis import answers, sitting
from bot.followup import unfinished
from bot.storage.models import Assessment

MORE_TRIES = 2


def try_again(turn: Turn) -> bool:
    """Take a message for a missed answer to the open question; False where that does not apply."""
    current, item = prompts.open_test(turn), prompts.open_item(turn)
    if current is None or item is None or not turn.by_sms:
        return False
    missed = turn.state.get("missed", 0) + 1
    turn.state["missed"] = missed
    if missed > MORE_TRIES:
        turn.say("utter_question_skipped")
        sitting.record(current, answers.skipped(item), "rule", None)
        go_on(turn, current)
    elif missed == 1:
        turn.show(turn.content.diagnosis.instrument.sms_messages.error[turn.language])
    else:
        prompts.ask_question(turn, current, item)
    return True


def go_on(turn: Turn, current: Assessment) -> None:
    """Go on after an answer or a question given up; nothing of it is remembered for the next one."""
    for key in ("dk_item", "unsure_item", "missed"):
        turn.state.pop(key, None)
    left = unfinished.left_for_tomorrow(turn.conversation, current)
    if left:
        turn.say("utter_may_wait", count=left)
    journey.go_on(turn, current)
