"""What of a firm and its need an entry fits, part by part: each rule tells its reasons, or shuts the firm out.

A rule looks at one part of an entry and at what is told of the firm for that part, at nothing else: so what it says
can be kept for the next request (`bot.matching.ranking`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from bot.knowledge.firm import Bracket, Firm
from bot.knowledge.places import Province, places
from bot.matching.records import Axis, Cost, Entry, Territory
from bot.matching.request import Need

GOALS: dict[str, Axis] = {"sell": "V", "collect": "E", "manage": "G", "protect": "S", "learn": "C", "finance": "P"}
"""The axis each goal favours (services.md)."""
UNDERSTOOD = {"fr": ("fr",), "ary-Arab": ("ary", "ar"), "ary-Latn": ("ary", "ar")}
"""The languages in which an owner who writes a variety can be served, the nearest first."""

Reason = dict[str, Any]
Verdict = tuple[Reason, ...] | None
"""The reasons for which a part of an entry fits; None when it shuts the firm out."""
Number = Fraction | int


class Asked:
    """A firm and its need, with what follows from them."""

    def __init__(self, firm: Firm, need: Need) -> None:
        self.firm = firm
        self.need = need
        self.province: Province | None = _official(firm.province) if firm.province else None
        self.region: str | None = firm.region or (self.province.region if self.province else None)


class Purpose(NamedTuple):
    """What an entry is for."""

    kind: str
    topics: tuple[str, ...]
    category: str | None
    axes: tuple[str, ...]

    @property
    def is_general(self) -> bool:
        """Say whether it serves every need."""
        return self.kind == "training" and not self.topics and not self.axes


class Wanted(NamedTuple):
    """What a need names."""

    topic: str | None
    category: str | None
    axis: str | None
    goal: str | None


class Standing(NamedTuple):
    """What speaks for an entry whoever asks."""

    cloud: bool
    status: str
    as_of: str | None


class Part(NamedTuple):
    """A part of an entry, what has to be told of the firm for it, and the rule that decides."""

    of: Callable[[Entry], Hashable]
    told: Callable[[Asked], Hashable]
    rule: Callable[[Any, Any], Verdict]


def _purpose_fits(purpose: Purpose, wanted: Wanted) -> Verdict:
    """Tell what the entry serves of the need; nothing of a need that names something shuts it out."""
    served = tuple(_served(purpose, wanted))
    return served if served or purpose.is_general or not any(wanted) else None


def _served(purpose: Purpose, wanted: Wanted) -> Iterator[Reason]:
    if wanted.topic is not None and wanted.topic in purpose.topics:
        yield {"code": "topic", "value": wanted.topic}
    if wanted.category is not None and wanted.category == purpose.category:
        yield {"code": "category", "value": wanted.category}
    if wanted.axis in purpose.axes:
        yield {"code": "axis", "value": wanted.axis}
    if wanted.goal is not None and GOALS[wanted.goal] in purpose.axes:
        yield {"code": "goal", "value": wanted.goal}
    if "S" in purpose.axes and "S" in (wanted.axis, GOALS.get(wanted.goal or "")):
        yield {"code": "security_first"}


def _territory_reaches(territory: Territory, told: tuple[str | None, Province | None]) -> Verdict:
    """Tell how the firm reaches it: on the spot, or online from anywhere."""
    region, province = told
    if province is not None:
        for name in territory.province:
            if name in (province.name, province.within):
                return ({"code": "near_province", "value": name},)
    if region in territory.region:
        return ({"code": "near_region", "value": region},)
    if territory.online:
        return ({"code": "online"},)
    if not territory.region and not territory.province:
        return ()
    if region is None:
        return ({"code": "to_check", "field": "region"},)
    if any(_may_lie_in(name, region, province) for name in territory.province):
        return ({"code": "to_check", "field": "province"},)
    return None


def _may_lie_in(name: str, region: str, province: Province | None) -> bool:
    """Say whether a firm of which less is known than its province may be in the one named."""
    there = _official(name)
    if there is None or there.region != region:
        return False
    return province is None or province.name == there.within


@lru_cache(maxsize=512)
def _official(name: str) -> Province | None:
    return places().province(name)


def _language_fits(languages: tuple[str, ...], written: str | None) -> Verdict:
    """Tell in which language the owner is served; where no source says, nobody is shut out."""
    if not languages or written is None:
        return ()
    spoken = [language for language in UNDERSTOOD[written] if language in languages]
    return ({"code": "language", "value": spoken[0]},) if spoken else None


def _rung_fits(rungs: tuple[int, ...], rung: int | None) -> Verdict:
    """Tell whether it is made for the rung to reach; no rung shuts out."""
    return ({"code": "rung", "value": rung},) if rung in rungs else ()


def _cost_fits(cost: Cost, budget: Fraction | None) -> Verdict:
    """Tell whether the price may be paid; what is paid at an unknown price does not fit a budget of nothing."""
    if cost.kind == "free":
        return ({"code": "free"},)
    if cost.mad is None:
        return None if cost.kind == "paid" and budget == 0 else ({"code": "price_unknown"},)
    if budget is None:
        return ()
    return ({"code": "in_budget", "mad": int(cost.mad)},) if cost.mad <= budget else None


def _stands(standing: Standing, _told: None) -> Verdict:
    """Tell what speaks for it whoever asks."""
    cloud: tuple[Reason, ...] = ({"code": "cloud_first"},) if standing.cloud else ()
    return (*cloud, {"code": "in_force", "as_of": standing.as_of}) if standing.status == "in force" else cloud


def _listed(field: str) -> Part:
    """Return the part for a limit that is a list of codes."""

    def rule(allowed: tuple[str, ...] | None, value: str | None) -> Verdict:
        if allowed is None:
            return ()
        return _limit(field, value, None if value is None else value in allowed)

    return Part(
        lambda entry: getattr(entry.limits, field),
        lambda asked: asked.region if field == "region" else getattr(asked.firm, field),
        rule,
    )


def _bounded(field: str, least: str | None, most: str) -> Part:
    """Return the part for a limit with a lowest and a highest number."""

    def rule(bounds: tuple[Number | None, Number | None], number: Number | Bracket | None) -> Verdict:
        if bounds == (None, None):
            return ()
        return _limit(field, _shown(number), _between(bounds[0], number, bounds[1]))

    return Part(
        lambda entry: (getattr(entry.limits, least) if least else None, getattr(entry.limits, most)),
        lambda asked: getattr(asked.firm, field),
        rule,
    )


def _limit(field: str, value: Any, met: bool | None) -> Verdict:
    if met is None:
        return ({"code": "to_check", "field": field},)
    return ({"code": field, "value": value},) if met else None


def _between(low: Number | None, number: Number | Bracket | None, high: Number | None) -> bool | None:
    """Say whether low <= number <= high; None when it is not known, or when a bracket has values on both sides."""
    if number is None:
        return None
    if not isinstance(number, Bracket):
        return (low is None or low <= number) and (high is None or number <= high)
    least, end = number.min or Fraction(0), number.max
    if (high is not None and least > high) or (low is not None and end is not None and end <= low):
        return False
    within = (low is None or least >= low) and (high is None or (end is not None and end <= high))
    return True if within else None


def _shown(number: Number | Bracket | None) -> Any:
    if isinstance(number, Bracket):
        return {"min": _shown(number.min or Fraction(0)), "max": _shown(number.max)}
    return float(number) if isinstance(number, Fraction) and number.denominator > 1 else number and int(number)


PARTS = (
    Part(
        lambda entry: Purpose(entry.kind, entry.topics, entry.category, entry.axes),
        lambda asked: Wanted(
            asked.need.training_topic, asked.need.provider_category, asked.need.wanted_axis, asked.need.goal
        ),
        _purpose_fits,
    ),
    *(_listed(field) for field in ("region", "sector", "legal_form", "owner_gender")),
    _bounded("firm_age_years", None, "firm_age_max"),
    _bounded("staff", "staff_min", "staff_max"),
    _bounded("turnover_mad", "turnover_min_mad", "turnover_max_mad"),
    Part(lambda entry: entry.territory, lambda asked: (asked.region, asked.province), _territory_reaches),
    Part(lambda entry: entry.languages, lambda asked: asked.need.language, _language_fits),
    Part(lambda entry: entry.rungs, lambda asked: asked.need.rung, _rung_fits),
    Part(lambda entry: entry.cost, lambda asked: asked.need.budget_mad, _cost_fits),
    Part(lambda entry: Standing(entry.cloud, entry.status, entry.as_of), lambda _asked: None, _stands),
)
"""The parts of an entry in the order reasons are told."""
