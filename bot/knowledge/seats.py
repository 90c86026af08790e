"""From a point on the map to a province: the nearest seat, inside the country's outline (knowledge/seats.yml)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path

from pydantic import Field, StrictStr

from bot.knowledge.loader import Problem, Record, load

_FEWEST_CORNERS = 3


class Seat(Record):
    """The seat of a province or prefecture, under the province's census name."""

    province: StrictStr
    region: StrictStr
    seat: StrictStr
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class _File(Record):
    seats: tuple[Seat, ...]
    border: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Seats:
    """All seats, and the outline of the country as corners (lat, lon)."""

    seats: tuple[Seat, ...]
    border: tuple[tuple[float, float], ...]

    def nearest(self, lat: float, lon: float) -> Seat | None:
        """Return the nearest seat; None for a point outside the country."""
        if not self._inside(lat, lon):
            return None
        narrower = cos(radians(lat))  # a degree of longitude is shorter than one of latitude
        return min(self.seats, key=lambda seat: (seat.lat - lat) ** 2 + ((seat.lon - lon) * narrower) ** 2)

    def _inside(self, lat: float, lon: float) -> bool:
        """Count how often a line to the west crosses the outline: an odd number of times from inside."""
        inside = False
        for (lat1, lon1), (lat2, lon2) in zip(self.border, (*self.border[1:], self.border[0]), strict=True):
            if (lat1 > lat) != (lat2 > lat) and lon > lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1):
                inside = not inside
        return inside


def as_point(text: str) -> tuple[float, float] | None:
    """Read `33.57,-7.59`; None when it is no latitude and longitude."""
    first, _, second = text.partition(",")
    try:
        lat, lon = float(first), float(second)
    except ValueError:
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def load_seats(knowledge: Path) -> Seats:
    """Read seats.yml; raise KnowledgeErrors for a seat outside the outline or a province given twice."""
    document = load(knowledge / "seats.yml")
    file = document.parse(_File)
    seats = Seats(file.seats, file.border)
    document.refuse(_problems(seats))
    return seats


def _problems(seats: Seats) -> Iterator[Problem]:
    if len(seats.border) < _FEWEST_CORNERS:
        yield ("border",), "at least three corners are needed"
        return
    named: set[str] = set()
    for position, seat in enumerate(seats.seats):
        if seat.province in named:
            yield ("seats", position, "province"), f"{seat.province!r} is given twice"
        if seats.nearest(seat.lat, seat.lon) is None:
            yield ("seats", position), f"{seat.seat} lies outside the border"
        named.add(seat.province)
