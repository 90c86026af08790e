"""Collect what Rasa utters during a turn, in the shape the outbox keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa.core.channels.channel import OutputChannel

from bot.storage.prompt import Prompt

KEYS = ("text", "buttons", "image", "language", "variables")


class OutboxChannel(OutputChannel):
    """Gather payloads {text, buttons, image, document, language, …}; nothing leaves before the commit."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.payloads: list[dict[str, Any]] = []

    def name(self) -> str:  # type: ignore[override]
        """Return the channel's name, which selects channel-specific responses."""
        return self._name

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keep one utterance; keys Rasa left empty are dropped."""
        custom = message.get("custom") or {}
        for button in message.get("buttons") or ():
            button.pop("payload", None)  # only for Rasa's own channels
        payload = {key: message[key] for key in KEYS if message.get(key)} | custom
        if message.get("reminder"):  # `template` is Rasa's own: the name of the response
            payload["template"] = message["reminder"]
        if payload:
            self.payloads.append(payload)


def in_one(payloads: Sequence[dict[str, Any]], prompt: Prompt | None, media: bool) -> list[dict[str, Any]]:
    """Join the replies of a turn into one; of the buttons those stay that the open prompt offers by these numbers."""
    if not payloads:
        return []
    one: dict[str, Any] = {}
    for payload in payloads:
        one |= {key: value for key, value in payload.items() if media or key not in ("image", "document")}
    one["text"] = "\n".join(payload["text"] for payload in payloads if payload.get("text"))
    offered = [offer.choice for offer in prompt.offers] if prompt else []
    if [button["choice"] for button in one.get("buttons", ())] != offered:
        one.pop("buttons", None)
    return [one]
