"""What of a firm and its need an entry fits, part by part: each rule tells its reasons, or shuts the firm out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from bot.knowledge.firm import Bracket, Firm
from bot.knowledge.places import Province, places
from bot.matching.records import Axis, Cost, Limits, Territory
from bot.matching.request import Need

GOALS: dict[str, Axis] = {"sell": "V", "collect": "E", "manage": "G", "protect": "S", "learn": "C", "finance": "P"}
"""The axis each goal favours (services.md)."""
UNDERSTOOD = {"fr": ("fr",), "ary-Arab": ("ary", "ar"), "ary-Latn": ("ary", "ar")}
"""The languages in which an owner who writes a variety can be served, the nearest first."""

Reason = dict[str, Any]
Verdict = tuple[Reason, ...] | None
"""The reasons for which a part of an entry fits; None when it shuts the firm out."""


class Asked:
    """A firm and its need, with what follows from them."""

    def __init__(self, firm: Firm, need: Need) -> None:
        self.firm = firm
        self.need = need
        self.province: Province | None = places().province(firm.province or "")
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


class Standing(NamedTuple):
    """What speaks for an entry whoever asks."""

    cloud: bool
    status: str
    as_of: str | None


def purpose_fits(purpose: Purpose, asked: Asked) -> Verdict:
    """Tell what the entry serves of the need; nothing of a need that names something shuts it out."""
    served = tuple(_served(purpose, asked.need))
    return served if served or purpose.is_general or not asked.need.asks else None


def _served(purpose: Purpose, need: Need) -> Iterator[Reason]:
    if need.training_topic is not None and need.training_topic in purpose.topics:
        yield {"code": "topic", "value": need.training_topic}
    if need.provider_category is not None and need.provider_category == purpose.category:
        yield {"code": "category", "value": need.provider_category}
    if need.wanted_axis in purpose.axes:
        yield {"code": "axis", "value": need.wanted_axis}
    if need.goal is not None and GOALS[need.goal] in purpose.axes:
        yield {"code": "goal", "value": need.goal}
    if "S" in purpose.axes and "S" in (need.wanted_axis, GOALS.get(need.goal or "")):
        yield {"code": "security_first"}


def limits_hold(limits: Limits, asked: Asked) -> Verdict:
    """Tell which limits the firm is within, and which are still to check."""
    reasons: list[Reason] = []
    for field, value, met in _decided(limits, asked):
        if met is False:
            return None
        reasons.append({"code": "to_check", "field": field} if met is None else {"code": field, "value": value})
    return tuple(reasons)


def _decided(limits: Limits, asked: Asked) -> Iterator[tuple[str, Any, bool | None]]:
    """Give each limit with the firm's value, and whether it is met (None: not known)."""
    firm = asked.firm
    known = {"region": asked.region} | {name: getattr(firm, name) for name in ("sector", "legal_form", "owner_gender")}
    for field, value in known.items():
        allowed = getattr(limits, field)
        if allowed is not None:
            yield field, value, None if value is None else value in allowed
    for field, low, high in (
        ("firm_age_years", None, limits.firm_age_max),
        ("staff", limits.staff_min, limits.staff_max),
        ("turnover_mad", limits.turnover_min_mad, limits.turnover_max_mad),
    ):
        if low is not None or high is not None:
            number = getattr(firm, field)
            yield field, _shown(number), _between(low, number, high)


def _between(
    low: Fraction | int | None, number: Fraction | int | Bracket | None, high: Fraction | int | None
) -> bool | None:
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


def _shown(number: Fraction | int | Bracket | None) -> Any:
    if isinstance(number, Bracket):
        return {"min": _shown(number.min or Fraction(0)), "max": _shown(number.max)}
    return float(number) if isinstance(number, Fraction) and number.denominator > 1 else number and int(number)


def territory_reaches(territory: Territory, asked: Asked) -> Verdict:
    """Tell how the firm reaches it: on the spot, or online from anywhere."""
    if territory.region or territory.province:
        for name in territory.province:
            if _lies_in(asked.province, name):
                return ({"code": "near_province", "value": name},)
        if asked.region in territory.region:
            return ({"code": "near_region", "value": asked.region},)
    if territory.online:
        return ({"code": "online"},)
    if not territory.region and not territory.province:
        return ()
    if asked.region is None:
        return ({"code": "to_check", "field": "region"},)
    if any(_may_lie_in(asked, name) for name in territory.province):
        return ({"code": "to_check", "field": "province"},)
    return None


def _lies_in(province: Province | None, name: str) -> bool:
    return province is not None and name in (province.name, province.within)


def _may_lie_in(asked: Asked, name: str) -> bool:
    """Say whether a firm of which less is known than its province may be in the one named."""
    there = places().province(name)
    if there is None or there.region != asked.region:
        return False
    return asked.province is None or asked.province.name == there.within


def language_fits(languages: tuple[str, ...], asked: Asked) -> Verdict:
    """Tell in which language the owner is served; where no source says, nobody is shut out."""
    if not languages or asked.need.language is None:
        return ()
    spoken = [language for language in UNDERSTOOD[asked.need.language] if language in languages]
    return ({"code": "language", "value": spoken[0]},) if spoken else None


def rung_fits(rungs: tuple[int, ...], asked: Asked) -> Verdict:
    """Tell whether it is made for the rung to reach; no rung shuts out."""
    return ({"code": "rung", "value": asked.need.rung},) if asked.need.rung in rungs else ()


def cost_fits(cost: Cost, asked: Asked) -> Verdict:
    """Tell whether the price may be paid; what is paid at an unknown price does not fit a budget of nothing."""
    budget = asked.need.budget_mad
    if cost.kind == "free":
        return ({"code": "free"},)
    if cost.mad is None:
        return None if cost.kind == "paid" and budget == 0 else ({"code": "price_unknown"},)
    if budget is None:
        return ()
    return ({"code": "in_budget", "mad": int(cost.mad)},) if cost.mad <= budget else None


def standing(stands: Standing, _asked: Asked) -> Verdict:
    """Tell what speaks for it whoever asks."""
    cloud: tuple[Reason, ...] = ({"code": "cloud_first"},) if stands.cloud else ()
    return (*cloud, {"code": "in_force", "as_of": stands.as_of}) if stands.status == "in force" else cloud
