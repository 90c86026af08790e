"""The open prompt of a conversation: what was asked last, and which choices were offered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bot.storage.models import Conversation


@dataclass(frozen=True)
class Offer:
    """One choice as it was shown: what a button sends back, its title, and the label behind the title, if any."""

    choice: str
    title: str
    label: str = ""


@dataclass(frozen=True)
class Prompt:
    """An open prompt: kind (consent, profile, question, …), what it is about (a field, an item), its offers."""

    kind: str
    about: str = ""
    offers: tuple[Offer, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """Return the JSON form kept in the conversation and handed to the NLU as message metadata."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any] | None) -> Prompt | None:
        """Read the JSON form; None stays None."""
        if not document:
            return None
        offers = tuple(Offer(**offer) for offer in document.get("offers", ()))
        return cls(document["kind"], document.get("about", ""), offers)


def open_prompt(conversation: Conversation) -> Prompt | None:
    """Return what the conversation was asked last and has not answered yet."""
    return Prompt.from_document(conversation.state.get("prompt"))


def set_prompt(conversation: Conversation, prompt: Prompt | None) -> None:
    """Replace the open prompt; None closes it."""
    if prompt is None:
        conversation.state.pop("prompt", None)
    else:
        conversation.state["prompt"] = prompt.as_document()
