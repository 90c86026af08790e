"""Rasa's tracker in the transaction of the turn: the last turns only, in one row of the conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
    deserialise_events,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.storage.database import current_session
from bot.storage.models import Conversation

# Rasa copies and replays every event several times a turn, so the cost of a turn grows with them.
KEPT_TURNS = 2


class TurnTrackerStore(TrackerStore):
    """Read and write the tracker through the session of the turn; a failed read fails the turn, never restarts it."""

    def __init__(self, domain: Domain | None = None, event_broker: Any = None, **kwargs: Any) -> None:
        super().__init__(domain, event_broker, **kwargs)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Put the slots and the last turns into the conversation; the turn's commit writes them."""
        conversation = _conversation(tracker.sender_id)
        if conversation.erase_at is not None:  # erased in this turn: its words and those before it go too
            conversation.tracker = None
            return
        conversation.tracker = {
            "slots": {name: slot.value for name, slot in tracker.slots.items() if slot.value != slot.initial_value},
            "events": [event.as_dict() for event in _last_turns(tracker.events)],
        }

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Return the tracker of a conversation; a new one starts a session that listens."""
        kept = _conversation(sender_id).tracker or {}
        slots = [SlotSet(name, value) for name, value in kept.get("slots", {}).items()]
        events = deserialise_events(kept.get("events", []))
        started: list[Event] = [ActionExecuted("action_session_start"), SessionStarted()]
        listening: list[Event] = [] if events else [ActionExecuted("action_listen")]
        return DialogueStateTracker.from_events(sender_id, [*started, *slots, *events, *listening], self.domain.slots)

    async def delete(self, sender_id: str) -> None:
        """Forget the tracker."""
        _conversation(sender_id).tracker = None

    async def keys(self) -> Iterable[str]:
        """Return no ids: conversations are listed by the storage, not by Rasa."""
        return []


def _conversation(sender_id: str) -> Conversation:
    conversation = current_session.get().get(Conversation, sender_id)
    if conversation is None:
        raise LookupError("the tracker's conversation is not in the database")
    return conversation


def _last_turns(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events of the last turns, from the listen before the first of them on, without slots (kept apart)."""
    kept = list(events)
    starts = [index for index, event in enumerate(kept) if isinstance(event, UserUttered)]
    first = starts[-KEPT_TURNS] if len(starts) >= KEPT_TURNS else (starts[0] if starts else len(kept))
    yield ActionExecuted("action_listen")
    for event in kept[first:]:
        if not isinstance(event, SlotSet):
            yield event
