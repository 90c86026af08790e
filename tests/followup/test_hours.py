"""Owners are written to by day, Moroccan time."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.followup.hours import MOROCCO, next_open


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=MOROCCO).timestamp()


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ("2026-11-23 09:00", "2026-11-23 09:00"),
        ("2026-11-23 14:30", "2026-11-23 14:30"),
        ("2026-11-23 19:44", "2026-11-23 19:44"),
        ("2026-11-23 19:50", "2026-11-24 09:00"),
        ("2026-11-23 20:00", "2026-11-24 09:00"),
        ("2026-11-23 23:59", "2026-11-24 09:00"),
        ("2026-11-24 03:00", "2026-11-24 09:00"),
        ("2026-11-24 08:59", "2026-11-24 09:00"),
        ("2026-12-31 22:00", "2027-01-01 09:00"),
        # Ramadan 2027 begins: the clocks go back an hour on 7 February.
        ("2027-02-06 21:00", "2027-02-07 09:00"),
    ],
)
def test_a_message_waits_for_the_morning(wanted: str, opened: str) -> None:
    assert next_open(at(wanted)) == at(opened)


@given(st.floats(1_790_000_000, 1_990_000_000))
def test_nobody_is_ever_written_to_at_night(moment: float) -> None:
    opened = next_open(moment)
    local = datetime.fromtimestamp(opened, MOROCCO)
    assert 9 <= local.hour < 20
    assert 0 <= opened - moment <= 15 * 3600
    assert next_open(opened) == opened
