"""Responses of domain.yml in the owner's variety, also within the turn that changes it."""

from __future__ import annotations

from typing import Any

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.trackers import DialogueStateTracker


class VarietyResponses(TemplatedNaturalLanguageGenerator):
    """Choose the variation by the `language` an action hands over, before the slot of the last turn."""

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Return the filled response; raise KeyError when domain.yml has none, so that no owner meets silence."""
        slots = tracker.current_slot_values()
        if "language" in kwargs:
            slots["language"] = kwargs["language"]
        response = self.generate_from_slots(utter_action, slots, output_channel, **kwargs)
        if response is None:
            raise KeyError(f"domain.yml has no response {utter_action} in {slots.get('language')}")
        return response
