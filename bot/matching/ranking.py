"""Which entries fit, in which order. The order is neutral: integer points for reasons that are told, nothing else.

An entry outside a hard limit (who may have it, where it can be had, the languages it is in, a price above the
budget) is left out first. An entry that serves nothing of what is needed is left out next. Then points add up as
below; ties go to the newer information, then to the id. No entry can buy a place, and the same request gives the
same order. docs/matching.md tells it in words.

Rules look at parts of an entry, not at entries: thousands of providers share a few hundred limits, territories and
prices, so each is decided once a request, and an entry costs a handful of additions (`Ranking`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, get_args

from bot.knowledge.firm import Firm
from bot.matching import fit
from bot.matching.fit import Asked, Purpose, Reason, Standing, Verdict
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


_PARTS: tuple[tuple[Callable[[Entry], Hashable], Callable[[Any, Asked], Verdict]], ...] = (
    (lambda entry: entry.limits, fit.limits_hold),
    (lambda entry: entry.territory, fit.territory_reaches),
    (lambda entry: entry.languages, fit.language_fits),
    (lambda entry: entry.rungs, fit.rung_fits),
    (lambda entry: entry.cost, fit.cost_fits),
    (lambda entry: Standing(entry.cloud, entry.status, entry.as_of), fit.standing),
)
"""The parts of an entry after its purpose, and the rule of each, in the order reasons are told."""
_OUT = -1_000_000
"""The points of a part that shuts out: more than all others can bring."""


class Ranking:
    """Entries in their fixed order (newest first, then by id), by purpose, with the number of each of their parts."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        by_id = sorted(entries, key=lambda entry: entry.id)
        self.entries = tuple(sorted(by_id, key=lambda entry: entry.as_of or "", reverse=True))
        numbers: tuple[dict[Hashable, int], ...] = tuple({} for _ in _PARTS)
        self._members: dict[Purpose, list[tuple[int, ...]]] = {}
        for place, entry in enumerate(self.entries):
            parts = (take(entry) for take, _ in _PARTS)
            row = (place, *(known.setdefault(part, len(known)) for known, part in zip(numbers, parts, strict=True)))
            self._members.setdefault(_purpose(entry), []).append(row)
        self._parts = tuple(tuple(known) for known in numbers)

    def best(self, firm: Firm, need: Need, limit: int) -> dict[str, list[Match]]:
        """Return at most `limit` entries of each kind, the best first."""
        asked = Asked(firm, need)
        verdicts = [[rule(part, asked) for part in parts] for parts, (_, rule) in zip(self._parts, _PARTS, strict=True)]
        scores = self._scores(asked, verdicts)
        return {kind: [self._match(key, asked, verdicts) for key in nsmallest(limit, scores[kind])] for kind in KINDS}

    def _scores(self, asked: Asked, verdicts: Sequence[Sequence[Verdict]]) -> Mapping[str, list[tuple[int, ...]]]:
        """Return by kind the rows that fit, each after its points below zero: the smallest is the best."""
        limits, territories, languages, rungs, costs, standings = (
            [_OUT if verdict is None else _points(verdict) for verdict in column] for column in verdicts
        )
        scores: dict[str, list[tuple[int, ...]]] = {kind: [] for kind in KINDS}
        for purpose, rows in self._members.items():
            served = fit.purpose_fits(purpose, asked)
            if served is None:
                continue
            base = _points(served)
            keep = scores[purpose.kind].append
            for row in rows:
                _, limit, territory, language, rung, cost, stands = row
                points = (
                    base
                    + limits[limit]
                    + territories[territory]
                    + languages[language]
                    + rungs[rung]
                    + costs[cost]
                    + standings[stands]
                )
                if points > _OUT // 2:
                    keep((-points, *row))
        return scores

    def _match(self, key: tuple[int, ...], asked: Asked, verdicts: Sequence[Sequence[Verdict]]) -> Match:
        _, place, *numbers = key
        entry = self.entries[place]
        parts = (column[number] or () for column, number in zip(verdicts, numbers, strict=True))
        return Match(entry, sum(parts, fit.purpose_fits(_purpose(entry), asked) or ()))


def _purpose(entry: Entry) -> Purpose:
    return Purpose(entry.kind, entry.topics, entry.category, entry.axes)


def rank(entries: Sequence[Entry], firm: Firm, need: Need) -> list[Match]:
    """Return all entries that fit, of whatever kind, the best first."""
    ranking = Ranking(entries)
    place = {entry.id: number for number, entry in enumerate(ranking.entries)}
    found = [match for matches in ranking.best(firm, need, len(entries)).values() for match in matches]
    return sorted(found, key=lambda match: (-match.score, place[match.entry.id]))
