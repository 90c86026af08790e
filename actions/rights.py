"""The owner's rights under law 09-08: see, erase, stop. Each works from any point."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone

from sqlalchemy import func, select

from actions import prompts
from actions.profile import summary
from actions.results import keep_media
from actions.turn import RafiqAction, Turn
from bot.storage import retention
from bot.storage.models import InboxMessage, OutboxMessage
from bot.storage.reminders import CLOCK, forget
from bot.storage.rights import export

# The longest message that is taken for STOP without asking.
PLAIN_WORDS = 3


class ActionExportMyData(RafiqAction):
    """Return everything that is kept: a summary to read, and the whole as a file."""

    action_name = "action_export_my_data"

    def reply(self, turn: Turn) -> None:
        firm = turn.firm
        document = export(turn.session, turn.conversation)
        consent = turn.label("consent_not_given")
        if firm is not None and firm.consent_at is not None:
            consent = f"{turn.label('consent_given_on')} {_day(firm.consent_at)}"
        turn.say(
            "utter_export",
            consent=consent,
            profile=summary(turn, list(firm.profile)) if firm else turn.label("noted"),
            messages=len(document["messages"]),
            **_counts(turn),
        )
        if turn.by_sms:
            prompts.ask_again(turn)
            return
        data = json.dumps(document, ensure_ascii=False, indent=1).encode()
        file = keep_media(turn, data, "application/json", "rafiq-mes-donnees.json")
        turn.show("rafiq-mes-donnees.json", document=file)
        prompts.ask_again(turn)


def _counts(turn: Turn) -> dict[str, int]:
    tests = turn.firm.assessments if turn.firm else []
    return {
        "tests": len(tests),
        "answers": sum(len(test.answers) for test in tests),
        "results": sum(len(test.results) for test in tests),
    }


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%d/%m/%Y}"


class ActionDeleteMyData(RafiqAction):
    """Ask once, then erase."""

    action_name = "action_delete_my_data"

    def reply(self, turn: Turn) -> None:
        turn.say("utter_ask_delete", [turn.button("affirm:delete", "erase"), turn.button("deny:delete", "cancel")])
        turn.ask_aside("delete")


def delete_now(turn: Turn) -> None:
    """Erase firm, tests, results, pictures and messages, and say what was erased; the conversation's row follows."""
    session, conversation = turn.session, turn.conversation
    counts = _counts(turn)
    messages = sum(
        session.execute(select(func.count()).select_from(table).filter_by(conversation_id=conversation.id)).scalar_one()
        for table in (InboxMessage, OutboxMessage)
    )
    firm_id = conversation.firm_id
    language = turn.language
    conversation.firm = None
    conversation.state.clear()
    conversation.tracker = None
    conversation.language = language
    conversation.erase_at = time.time()
    turn.session.flush()
    retention.erase_messages(session, conversation.id)
    if firm_id is not None:
        retention.erase_firm(session, firm_id)
    turn.say("utter_deleted", answers=counts["answers"], results=counts["results"], messages=messages)


class ActionOptOut(RafiqAction):
    """Write no more; the owner may write again."""

    action_name = "action_opt_out"

    def reply(self, turn: Turn) -> None:
        # "Je veux plus de clients" looks like a refusal to the understanding: a longer sentence is asked back.
        if not turn.pressed and len(turn.text.split()) > PLAIN_WORDS:
            turn.say("utter_ask_opt_out", [turn.button("opt_out:yes", "reading_opt_out"), turn.button("deny", "no")])
            turn.ask_aside("opt_out")
            return
        opt_out_now(turn)


def opt_out_now(turn: Turn) -> None:
    """Note that the owner wants no more messages."""
    if not _taken_back(turn):
        # From this message on: its own reply still goes out, what was said before it no longer does.
        turn.conversation.opted_out_at = turn.received_at
    forget(turn.session, turn.conversation.id)
    turn.close_prompt()
    turn.say("utter_opted_out")


def _taken_back(turn: Turn) -> bool:
    """Say whether a stop, which is obeyed as soon as it comes in, was taken back before its turn came."""
    if not turn.pressed or turn.conversation.opted_out_at is not None:
        return False
    since = select(InboxMessage.id).where(
        InboxMessage.conversation_id == turn.conversation.id,
        InboxMessage.received_at > turn.received_at,
        InboxMessage.kind != CLOCK,
    )
    return turn.session.execute(since.limit(1)).first() is not None
