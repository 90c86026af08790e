"""The web chat: JSON in, JSON out; the browser's random session id is the address."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from pydantic import BaseModel, Extra, Field, root_validator

from bot.storage.inbox import Incoming

NAME = "web"
# Longer texts are refused, not cut: nothing an owner types by hand is that long.
LONGEST_TEXT = 20_000
_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z"


class WebMessage(BaseModel):
    """The body of POST /api/chat/messages: exactly one of text, choice and media."""

    conversation: str = Field(..., regex=_ID)
    message_id: str = Field(..., regex=r"^[A-Za-z0-9._:-]{1,128}\Z")
    text: str | None = Field(None, max_length=LONGEST_TEXT)
    choice: str | None = Field(None, min_length=1, max_length=200)
    media: str | None = Field(None, regex=r"^[a-z]+/[a-z0-9.+-]{1,64}\Z")

    class Config:
        extra = Extra.forbid

    @root_validator(skip_on_failure=True)
    def _one_content(cls, values: dict[str, Any]) -> dict[str, Any]:
        if sum(values[name] is not None for name in ("text", "choice", "media")) != 1:
            raise ValueError("exactly one of text, choice and media is needed")
        return values

    def incoming(self) -> Incoming:
        """Return the message as the inbox takes it; message ids are unique within a conversation only."""
        kind = "text" if self.text is not None else "choice" if self.choice is not None else "media"
        body = self.text if self.text is not None else self.choice or self.media or ""
        return Incoming(
            channel=NAME,
            address=self.conversation,
            provider_id=f"{self.conversation_key()}:{self.message_id}",
            kind=kind,
            body=storable(body),
        )

    def conversation_key(self) -> str:
        """Return a short stand-in for the conversation, so that the inbox keeps no address in clear."""
        return blake2b(self.conversation.encode(), digest_size=16).hexdigest()


def storable(text: str) -> str:
    """Return the text without what no database stores: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
