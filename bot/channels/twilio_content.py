"""Content templates for interactive messages: made once in the account for each shape, shared by all gateways."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from bot.channels.channel import SendError
from bot.channels.twilio_api import TwilioApi
from bot.channels.whatsapp_parts import Choices
from bot.storage.resources import find_resource, forget_resource, keep_resource

logger = logging.getLogger(__name__)

CHANNEL = "whatsapp"
# After a refusal the owner gets numbered text for so long, before it is tried again.
PAUSE_SECONDS = 60.0


_BREAK = re.compile(r"\n+")


def shape(part: Choices) -> str:
    """Name what a template must have: quick replies or rows, how many, which of the rows with a description.

    The breaks between the body's lines belong to the template (b, or p with an empty line between): no value may
    hold one.
    """
    rows = "".join("d" if button.description else "t" for button in part.buttons)
    breaks = "".join("p" if len(found) > 1 else "b" for found in _BREAK.findall(part.body))
    return f"list-{rows}-{breaks}" if part.is_list else f"quick-{len(rows)}-{breaks}"


def variables(part: Choices, button: str) -> dict[str, str]:
    """Return what fills the template of the part's shape; `button` is what opens a list."""
    values = [*_BREAK.split(part.body), *([button] if part.is_list else [])]
    for choice in part.buttons:
        values += [choice.title, choice.choice, *([choice.description] if choice.description else [])]
    return {str(number): value for number, value in enumerate(values, 1)}


def template(part: Choices) -> dict[str, Any]:
    """Return the document that makes the template of the part's shape: placeholders everywhere."""
    number = iter(range(1, 100))

    def hole() -> str:
        return f"{{{{{next(number)}}}}}"

    content: dict[str, Any] = {"body": re.sub(r"[^\n]+", lambda _line: hole(), part.body)}
    if part.is_list:
        content["button"] = hole()
        content["items"] = [
            {"item": hole(), "id": hole()} | ({"description": hole()} if button.description else {})
            for button in part.buttons
        ]
    else:
        content["actions"] = [{"type": "QUICK_REPLY", "title": hole(), "id": hole()} for _ in part.buttons]
    kind = "twilio/list-picker" if part.is_list else "twilio/quick-reply"
    # The examples that Twilio wants with each placeholder.
    examples = {str(place): f"example {place}" for place in range(1, next(number))}
    return {
        "friendly_name": f"rafiq_{shape(part)}".replace("-", "_"),
        "language": "fr",
        "variables": examples,
        "types": {kind: content},
    }


class Contents:
    """Finds the template for a shape, or makes it."""

    def __init__(self, api: TwilioApi, sessions: sessionmaker[Session]) -> None:
        self._api = api
        self._sessions = sessions
        self._known: dict[str, str] = {}
        self._making = asyncio.Lock()
        self._not_before = 0.0

    async def filled(self, part: Choices, button: str) -> Mapping[str, str] | None:
        """Return what sends the part as an interactive message; None while Twilio makes no templates for us."""
        sid = await self._sid(part)
        if sid is None:
            return None
        values = json.dumps(variables(part, button), ensure_ascii=False)
        return {"content_sid": sid, "content_variables": values}

    async def forget(self, part: Choices) -> None:
        """Make the template anew next time: it is no longer in the account."""
        key = self._key(part)
        sid = self._known.pop(key, None)
        if sid is not None:
            await run_in_threadpool(self._forget, key, sid)

    async def _sid(self, part: Choices) -> str | None:
        key = self._key(part)
        if key in self._known:
            return self._known[key]
        async with self._making:
            found = self._known.get(key) or await run_in_threadpool(self._find, key) or await self._make(key, part)
            if found is not None:
                self._known[key] = found
            return found

    async def _make(self, key: str, part: Choices) -> str | None:
        if time.monotonic() < self._not_before:
            return None
        try:
            made = await self._api.make_content(template(part))
        except SendError as error:
            logger.warning("no template for %s could be made: %s", shape(part), error.code)
            self._not_before = time.monotonic() + PAUSE_SECONDS
            return None
        kept = await run_in_threadpool(self._keep, key, made)
        if kept != made:  # another gateway was first
            with suppress(SendError):
                await self._api.drop_content(made)
        return kept

    def _key(self, part: Choices) -> str:
        return f"{self._api.account}/{shape(part)}"

    def _find(self, key: str) -> str | None:
        with self._sessions() as session:
            return find_resource(session, CHANNEL, key)

    def _keep(self, key: str, sid: str) -> str:
        with self._sessions() as session:
            return keep_resource(session, CHANNEL, key, sid)

    def _forget(self, key: str, sid: str) -> None:
        with self._sessions() as session:
            forget_resource(session, CHANNEL, key, sid)
