"""Which entries fit, in which order. The order is neutral: integer points for reasons that are told, nothing else.

An entry outside a hard limit (who may have it, where it can be had, the languages it is in, a price above the
budget) is left out first. An entry that serves nothing of what is needed is left out next. Then points add up as
below; ties go to the newer information, then to the id. No entry can buy a place, and the same request gives the
same order. docs/matching.md tells it in words.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from operator import add
from typing import get_args

from bot.knowledge.firm import Firm
from bot.matching.fit import PARTS, Asked, Part, Reason
from bot.matching.records import Entry, Kind
from bot.matching.request import Need

POINTS = {
    "topic": 40,
    "category": 40,
    "axis": 20,
    "goal": 10,
    # made for the step the firm is about to take
    "rung": 8,
    # on the spot where the firm is, or within its reach
    "near_province": 8,
    "near_region": 6,
    "online": 4,
    "language": 4,
    # made for this kind of firm: one of its limits, met
    "region": 6,
    "sector": 6,
    "legal_form": 6,
    "owner_gender": 6,
    "firm_age_years": 6,
    "staff": 3,
    "turnover_mad": 3,
    # security before anything when security is the need; "Cloud First", founding document 000
    "security_first": 5,
    "cloud_first": 3,
    "free": 5,
    "in_budget": 2,
    "in_force": 4,
    # a limit the owner has not told us about yet, a price we do not know
    "to_check": -3,
    "price_unknown": 0,
}
KINDS: tuple[str, ...] = get_args(Kind)
"""The kinds of entries in the order of an answer: training before tools (flow 5 of dialogue.md)."""


_OUT = -1_000_000
"""The points of a part that shuts out: more than all others can bring."""
_KEPT = 128
"""For so many different answers to a part, what was decided is kept: more than there are provinces."""


@dataclass(frozen=True)
class Match:
    """An entry that fits, with the reasons that gave it its points."""

    entry: Entry
    reasons: tuple[Reason, ...]

    @property
    def score(self) -> int:
        """Return the sum of the reasons' points."""
        return _points(self.reasons)


def _points(reasons: Sequence[Reason]) -> int:
    return sum(POINTS[reason["code"]] for reason in reasons)


class _Column:
    """One part of all entries: the number of each entry's part among the different ones, and the points of these."""

    def __init__(self, part: Part, entries: Sequence[Entry]) -> None:
        self.part = part
        numbers: dict[Hashable, int] = {}
        self.numbers = [numbers.setdefault(part.of(entry), len(numbers)) for entry in entries]
        self.different = tuple(numbers)
        self.points = lru_cache(maxsize=_KEPT)(self._points)

    def _points(self, told: Hashable) -> list[int]:
        """Return the points of each different part for what is told of a firm."""
        verdicts = (self.part.rule(part, told) for part in self.different)
        return [_OUT if verdict is None else _points(verdict) for verdict in verdicts]

    def add(self, points: list[int], asked: Asked) -> list[int]:
        """Return the points of all entries with those of this part."""
        own = self.points(self.part.told(asked))
        if len(own) == 1:
            return points if own[0] == 0 else [value + own[0] for value in points]
        return list(map(add, points, map(own.__getitem__, self.numbers)))


class Ranking:
    """Entries in their fixed order (newest first, then by id), ready to be ranked again and again.

    Each part of an entry is decided once for all entries that share it, and what was decided is kept for the next
    firm of which the same is told: a request costs an addition for each part of each entry.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        by_id = sorted(entries, key=lambda entry: entry.id)
        self.entries = tuple(sorted(by_id, key=lambda entry: entry.as_of or "", reverse=True))
        self._columns = tuple(_Column(part, self.entries) for part in PARTS)
        self._places: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for place, entry in enumerate(self.entries):
            self._places[entry.kind].append(place)

    def best(self, firm: Firm, need: Need, limit: int) -> dict[str, list[Match]]:
        """Return at most `limit` entries of each kind, the best first."""
        asked = Asked(firm, need)
        points = [0] * len(self.entries)
        for column in self._columns:
            points = column.add(points, asked)
        best = {}
        for kind, places in self._places.items():
            fitting = [(-points[place], place) for place in places if points[place] > _OUT // 2]
            best[kind] = [
                Match(self.entries[place], _reasons(self.entries[place], asked))
                for _, place in nsmallest(limit, fitting)
            ]
        return best


def _reasons(entry: Entry, asked: Asked) -> tuple[Reason, ...]:
    return tuple(reason for part in PARTS for reason in part.rule(part.of(entry), part.told(asked)) or ())


def rank(entries: Sequence[Entry], firm: Firm, need: Need) -> list[Match]:
    """Return all entries that fit, of whatever kind, the best first."""
    ranking = Ranking(entries)
    place = {entry.id: number for number, entry in enumerate(ranking.entries)}
    found = [match for matches in ranking.best(firm, need, len(entries)).values() for match in matches]
    return sorted(found, key=lambda match: (-match.score, place[match.entry.id]))
