"""The channels that this installation has, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from bot.channels.channel import Channel
from bot.settings import Settings


@dataclass(frozen=True)
class Ground:
    """What a channel may build on besides its settings."""

    settings: Settings
    sessions: sessionmaker[Session]


Maker = Callable[[Ground], "Channel | None"]
"""Makes a channel, or returns None where its credentials are not set; raises SettingsError where they are wrong."""

MAKERS: Sequence[tuple[str, Maker]] = ()


def make_channels(ground: Ground) -> tuple[dict[str, Channel], list[str]]:
    """Return the channels that are on, by name, and the names of those that are off."""
    made = {name: make(ground) for name, make in MAKERS}
    on = {name: channel for name, channel in made.items() if channel is not None}
    return on, [name for name in made if name not in on]
