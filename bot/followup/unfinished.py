"""Reminders of an unfinished test: a day and three days after the owner's last word, never a third.

One row a conversation: the kind is unique there, so two can never wait at once.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.followup import hours
from bot.storage.models import Assessment, Conversation, InboxMessage
from bot.storage.reminders import CLOCK, forget, remind

KIND = "unfinished_test"
NAMES = ("test_reminder_first", "test_reminder_last")
"""What the reminders are called where a channel wants approved templates; each is filled with the questions left."""
DAY = 86400.0
AFTER = (1 * DAY, 3 * DAY)
# Clocks of two machines differ a little.
SLACK = 120.0
_SENT = "reminders_sent"
# Who fell silent once is told after this many answers that the rest can wait until tomorrow: 4 + 3 over two days.
A_DAY = 4
SEVEN = 7
_SLOW = "slow_test"


def start_over(session: Session, conversation: Conversation) -> None:
    """Set the first reminder after a turn of the owner's, or drop what was set, in the caller's transaction."""
    waiting = conversation.state.pop(_SENT, None) is not None
    if is_wanted(conversation):
        _set(session, conversation, 0, hours.now() + AFTER[0])
    else:
        conversation.state.pop(_SLOW, None)
        if waiting:
            forget(session, conversation.id, KIND)


def is_wanted(conversation: Conversation) -> bool:
    """Say whether a test waits to be finished by an owner who agreed to be kept, and never said stop."""
    firm = conversation.firm
    if firm is None or firm.consent_at is None or conversation.opted_out_at is not None:
        return False
    return any(sitting.status == "open" for sitting in firm.assessments)


def take_due(session: Session, conversation: Conversation, kind: str) -> str | None:
    """Return the name of the reminder to say now, and set the next one; None when there is nothing to say any more."""
    sent = conversation.state.get(_SENT)
    if kind != KIND or sent is None or sent >= len(NAMES) or not is_wanted(conversation):
        return None
    at = hours.now()
    if at < conversation.last_message_at + AFTER[sent] - SLACK or _has_written(session, conversation):
        return None  # the owner came back meanwhile: that turn sets it anew
    if hours.next_open(at) > at:
        _set(session, conversation, sent, at)
        return None
    if sent + 1 < len(NAMES):
        # A worker that was away for days must not send both at once.
        _set(session, conversation, sent + 1, max(conversation.last_message_at + AFTER[sent + 1], at + DAY))
    else:
        conversation.state[_SENT] = len(NAMES)
    conversation.state[_SLOW] = True
    return NAMES[sent]


def was_reminded(conversation: Conversation) -> bool:
    """Say whether the owner has been reminded since their last word."""
    return (conversation.state.get(_SENT) or 0) > 0


def left_for_tomorrow(conversation: Conversation, sitting: Assessment) -> int:
    """Return how many of the seven questions may wait until tomorrow, just after the fourth; else 0."""
    answered = len(sitting.answers)
    slow = conversation.state.get(_SLOW) and sitting.blocks_wanted == 1
    return SEVEN - answered if slow and answered == A_DAY else 0


def _set(session: Session, conversation: Conversation, sent: int, at: float) -> None:
    conversation.state[_SENT] = sent
    remind(session, conversation.id, KIND, hours.next_open(at))


def _has_written(session: Session, conversation: Conversation) -> bool:
    waiting = select(InboxMessage.id).where(
        InboxMessage.conversation_id == conversation.id,
        InboxMessage.status == "waiting",
        InboxMessage.kind != CLOCK,
    )
    return session.execute(waiting.limit(1)).first() is not None
