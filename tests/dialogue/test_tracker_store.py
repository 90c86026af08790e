"""The tracker repeats an owner's last words: an erasure takes it along."""

import time

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.tracker_store import TurnTrackerStore
from bot.storage.database import current_session
from bot.storage.models import Conversation


@pytest.mark.parametrize("erased", [False, True])
async def test_no_words_outlive_an_erasure(session, erased):
    conversation = Conversation(id="c", channel="web", address_hash="h", address_encrypted=b"", state={})
    conversation.erase_at = time.time() if erased else None
    session.add(conversation)
    session.commit()
    tracker = DialogueStateTracker.from_events("c", [ActionExecuted("action_listen"), UserUttered("efface tout")])
    token = current_session.set(session)
    try:
        await TurnTrackerStore(Domain.empty()).save(tracker)
    finally:
        current_session.reset(token)
    session.commit()
    assert ("efface tout" in str(conversation.tracker)) is not erased
