"""One turn, one transaction: Rasa reads, predicts and runs the actions; then all is written and committed at once."""

from __future__ import annotations

import time
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from sqlalchemy.orm import Session

from bot.dialogue.choices import as_plain_text, parsed, parsed_choice
from bot.dialogue.output import OutboxChannel, in_one
from bot.followup import unfinished
from bot.storage import inbox, outbox
from bot.storage.database import current_session
from bot.storage.models import Conversation, InboxMessage
from bot.storage.prompt import open_prompt
from bot.storage.reminders import CLOCK
from bot.storage.wakeup import Wakeup

# Longer texts are cut: no owner's message is that long, and NLU time grows with the length.
LONGEST_TEXT = 1000
# Every segment is paid for: the replies of a turn go out as one.
SMS = "sms"
# What only a channel or the clock can say: no text and no choice leads to these intents.
_NOT_TYPED = {CLOCK: "clock", "location": "send_location"}


class TurnFailed(Exception):
    """An action failed: nothing of the turn may be kept."""


async def take_turn(agent: Agent, session: Session, claim: inbox.Claim, wakeup: Wakeup) -> None:
    """Take the claimed message's turn and commit; on any exception the caller rolls back and nothing has happened."""
    message = session.get(InboxMessage, claim.inbox_id)
    conversation = session.get(Conversation, claim.conversation_id)
    if message is None or conversation is None:
        raise inbox.LeaseLost(claim.conversation_id)  # erased meanwhile
    token = current_session.set(session)
    try:
        payloads = await _replies(agent, conversation, message)
    finally:
        current_session.reset(token)
    if message.kind != CLOCK:
        conversation.last_message_at = time.time()
        unfinished.start_over(session, conversation)
    session.flush()
    inbox.close(session, claim, "done")
    outbox.put(session, conversation.id, conversation.channel, message.id, payloads)
    wakeup.notify(session, "outbox", str(message.id))
    session.commit()
    wakeup.notify_committed("outbox", str(message.id))


async def _replies(agent: Agent, conversation: Conversation, message: InboxMessage) -> list[dict[str, Any]]:
    channel = OutboxChannel(conversation.channel)
    text, parsed = reading(agent, message.kind, message.body)
    await agent.handle_message(
        UserMessage(
            text,
            channel,
            conversation.id,
            parse_data=parsed,
            input_channel=conversation.channel,
            message_id=str(message.id),
            metadata=_metadata(conversation, message),
        )
    )
    failure = agent.action_endpoint.take_failure()  # type: ignore[union-attr]
    if failure is not None:
        raise TurnFailed(type(failure).__name__) from failure
    if not channel.payloads and message.kind != CLOCK:
        raise TurnFailed("the turn has no reply")
    if conversation.channel == SMS or message.kind == CLOCK:
        return in_one(channel.payloads, open_prompt(conversation), media=conversation.channel != SMS)
    return channel.payloads


def reading(agent: Agent, kind: str, body: str) -> tuple[str, dict[str, Any] | None]:
    """Return what Rasa reads: text that it cannot obey, or a choice of ours as parse data."""
    intents = frozenset(agent.domain.intents)  # type: ignore[union-attr]
    text = as_plain_text(body)[:LONGEST_TEXT]
    if kind == "media":
        return "", parsed("send_media")
    if kind in _NOT_TYPED:
        return "", parsed(_NOT_TYPED[kind], body)
    if kind == "choice":
        return text, parsed_choice(body, intents)
    return text, None if text.strip() else parsed_choice("send_nothing", intents)


def _metadata(conversation: Conversation, message: InboxMessage) -> dict[str, Any]:
    """Return what the NLU may know beside the text: the open prompt, and when and how the message came."""
    prompt = open_prompt(conversation)
    return {
        "prompt": prompt.as_document() if prompt else None,
        "language": conversation.language,
        "kind": message.kind,
        "received_at": message.received_at,
    }
