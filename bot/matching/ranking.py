"""Which entries fit, in which order. The order is neutral: integer points for reasons that are told, nothing else.

An entry outside a hard limit (Limits, or a budget that its price passes) is left out first. An entry that serves
nothing of what is needed is left out next. Then points add up as below; ties go to the newer information, then to
the id. No entry can buy a place, and the same request gives the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bot.knowledge.firm import Firm
from bot.matching.records import Axis, Entry
from bot.matching.request import Need

POINTS = {
    "topic": 40,
    "category": 40,
    "axis": 20,
    "goal": 10,
    # made for this kind of firm: one of its limits, met
    "region": 6,
    "sector": 6,
    "legal_form": 6,
    "owner_gender": 6,
    "firm_age_years": 6,
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
GOALS: dict[str, Axis] = {"sell": "V", "collect": "E", "manage": "G", "protect": "S", "learn": "C", "finance": "P"}
"""The axis each goal favours (services.md)."""

Reason = dict[str, Any]


@dataclass(frozen=True)
class Match:
    """An entry that fits, with the reasons that gave it its points."""

    entry: Entry
    reasons: tuple[Reason, ...]

    @property
    def score(self) -> int:
        """Return the sum of the reasons' points."""
        return sum(POINTS[reason["code"]] for reason in self.reasons)


def rank(entries: Sequence[Entry], firm: Firm, need: Need) -> list[Match]:
    """Return the entries that fit, the best first."""
    fitting = [
        Match(entry, (*served, *_limit_reasons(entry, firm), *_other_reasons(entry, need)))
        for entry in entries
        if _within_limits(entry, firm) and _within_budget(entry, need)
        for served in [tuple(_served(entry, need))]
        if served or _is_general(entry) or not need.asks
    ]
    by_id = sorted(fitting, key=lambda match: match.entry.id)
    newest_first = sorted(by_id, key=lambda match: match.entry.as_of or "", reverse=True)
    return sorted(newest_first, key=lambda match: -match.score)


def _is_general(entry: Entry) -> bool:
    return entry.kind == "training" and not entry.topics and not entry.axes


def _served(entry: Entry, need: Need) -> Iterator[Reason]:
    """Give what the entry serves of the need."""
    if need.training_topic is not None and need.training_topic in entry.topics:
        yield {"code": "topic", "value": need.training_topic}
    if need.provider_category is not None and need.provider_category == entry.category:
        yield {"code": "category", "value": need.provider_category}
    if need.wanted_axis in entry.axes:
        yield {"code": "axis", "value": need.wanted_axis}
    if need.goal is not None and GOALS[need.goal] in entry.axes:
        yield {"code": "goal", "value": need.goal}


def _limits(entry: Entry, firm: Firm) -> Iterator[tuple[str, Any, bool | None]]:
    """Give each limit of the entry with the firm's value, and whether it is met (None: not known)."""
    for field in ("region", "sector", "legal_form", "owner_gender"):
        allowed = getattr(entry.limits, field)
        if allowed is not None:
            value = getattr(firm, field)
            yield field, value, None if value is None else value in allowed
    if entry.limits.firm_age_max is not None:
        age = firm.firm_age_years
        shown = age if age is None or age.denominator > 1 else int(age)
        yield (
            "firm_age_years",
            float(shown) if isinstance(shown, Fraction) else shown,
            (None if age is None else age <= entry.limits.firm_age_max),
        )


def _within_limits(entry: Entry, firm: Firm) -> bool:
    return all(met is not False for _, _, met in _limits(entry, firm))


def _within_budget(entry: Entry, need: Need) -> bool:
    """Say whether the price may be paid; what is paid at an unknown price does not fit a budget of nothing."""
    if need.budget_mad is None or entry.cost.kind != "paid":
        return True
    return need.budget_mad > 0 if entry.cost.mad is None else entry.cost.mad <= need.budget_mad


def _limit_reasons(entry: Entry, firm: Firm) -> Iterator[Reason]:
    for field, value, met in _limits(entry, firm):
        yield {"code": "to_check", "field": field} if met is None else {"code": field, "value": value}


def _other_reasons(entry: Entry, need: Need) -> Iterator[Reason]:
    if "S" in entry.axes and "S" in (need.wanted_axis, GOALS.get(need.goal or "")):
        yield {"code": "security_first"}
    if entry.cloud:
        yield {"code": "cloud_first"}
    if entry.cost.kind == "free":
        yield {"code": "free"}
    elif entry.cost.mad is None:
        yield {"code": "price_unknown"}
    elif need.budget_mad is not None:
        yield {"code": "in_budget", "mad": int(entry.cost.mad)}
    if entry.status == "in force":
        yield {"code": "in_force", "as_of": entry.as_of}
