"""When an owner may be written to unasked: by day, Moroccan time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

MOROCCO = ZoneInfo("Africa/Casablanca")
OPENS, CLOSES = clock_time(9), clock_time(20)
# A message handed over at the last minute would arrive after it.
MARGIN = timedelta(minutes=15)


def now() -> float:
    """Return the time in epoch seconds; the tests set it."""
    return time.time()


def next_open(at: float) -> float:
    """Return the first moment from `at` on at which an owner may be written to."""
    local = datetime.fromtimestamp(at, MOROCCO)
    if local.time() < OPENS:
        return _opening(local)
    if local >= _on(local, CLOSES) - MARGIN:
        return _opening(local + timedelta(days=1))
    return at


def _opening(day: datetime) -> float:
    return _on(day, OPENS).timestamp()


def _on(day: datetime, moment: clock_time) -> datetime:
    return datetime.combine(day.date(), moment, MOROCCO)
