"""No faster than a provider allows; a text of several parts has its turn whole."""

import asyncio

import pytest

from bot.channels import pace
from bot.channels.channel import NotTried
from bot.channels.pace import Pace


@pytest.fixture
def slept(monkeypatch):
    naps = []

    async def nap(seconds):
        naps.append(round(seconds, 2))

    monkeypatch.setattr(asyncio, "sleep", nap)
    monkeypatch.setattr(pace.time, "monotonic", lambda: 100.0)
    return naps


async def test_a_text_of_several_parts_keeps_the_others_waiting_for_all_of_them(slept):
    own = Pace(2.0)
    await own.wait(3)
    await own.step()
    await own.step()
    await own.wait()
    assert slept == [0.5, 0.5, 1.5]


async def test_who_would_wait_too_long_is_sent_away_untried(slept):
    own = Pace(1.0)
    for _ in range(9):
        await own.wait()
    with pytest.raises(NotTried):
        await own.wait()
