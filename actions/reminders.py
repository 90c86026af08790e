"""When the clock strikes: a reminder is said, or nothing at all."""

from __future__ import annotations

from actions import journey, prompts
from actions.turn import RafiqAction, Turn
from bot.diagnosis import sitting
from bot.followup import unfinished
from bot.storage.models import Assessment


class ActionClock(RafiqAction):
    """Bring an unfinished test back, where the owner may still be reminded; no owner can ask for this."""

    action_name = "action_clock"

    def reply(self, turn: Turn) -> None:
        if not turn.by_clock:
            return
        current = prompts.open_test(turn)
        name = unfinished.take_due(turn.session, turn.conversation, turn.choice or "") if current else None
        if current is None or name is None:
            return
        count = questions_left(turn, current)
        # What is said outside a channel's window: an approved template of this name, with the questions left.
        turn.say(f"utter_{name.removeprefix('test_')}", count=count, reminder=name, variables=[str(count)])
        if turn.prompt is not None and turn.prompt.kind in (*prompts.ASIDE, "question", "unsure", "checkpoint"):
            prompts.ask_again(turn)
        if not turn.shown:
            journey.go_on(turn, current)


def questions_left(turn: Turn, current: Assessment) -> int:
    """Return how many questions of the sitting are open."""
    library, rules = turn.content.diagnosis, turn.content.rules
    item = sitting.next_item(current, library, turn.profile, rules)
    if item is None:
        return 0
    number, total = sitting.number_of(current, library, item, rules)
    return total - number + 1
