"""Collect what Rasa utters during a turn, in the shape the outbox keeps."""

from __future__ import annotations

from typing import Any

from rasa.core.channels.channel import OutputChannel


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
        payload = {key: message[key] for key in ("text", "buttons", "image", "language") if message.get(key)} | custom
        if payload:
            self.payloads.append(payload)
