"""Sending no faster than a provider allows."""

from __future__ import annotations

import asyncio
import time

from bot.channels.channel import NotTried

# Who would wait longer than this gives its place back: the sender's own time limit would end the wait anyway.
LONGEST_WAIT_SECONDS = 8.0


class Pace:
    """Lets callers through one after the other, at most so many a second; None is no limit."""

    def __init__(self, per_second: float | None) -> None:
        self._between = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def wait(self, steps: int = 1) -> None:
        """Wait for one's turn, which takes so many steps; raise NotTried when it would be too long."""
        now = time.monotonic()
        turn = max(now, self._next)
        if turn - now > LONGEST_WAIT_SECONDS:
            raise NotTried("own rate limit", turn - now)
        self._next = turn + self._between * steps
        if turn > now:
            await asyncio.sleep(turn - now)

    async def step(self) -> None:
        """Wait between two steps of one's turn."""
        await asyncio.sleep(self._between)
