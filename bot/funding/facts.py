"""What is known of a firm, field by field: the ground on which conditions are decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bot.knowledge.firm import Bracket, Firm
from bot.knowledge.places import folded

FIELDS = (
    "legal_form", "sector", "region", "province", "rural", "staff", "turnover_mad", "firm_age_years",
    "owner_gender", "owner_age", "moroccan_private", "owned_by_large_firm", "public_majority",
    "innovative_startup", "exports", "exports_to_africa", "farm_modernisation", "deep_sea_fishing",
    "project.kind", "project.amount_mad", "project.own_funds_mad", "project.stable_jobs",
)  # fmt: skip
"""The fields of a profile, in the order of services.md's table."""
WHOLE_NUMBERS = ("staff", "owner_age")
NUMBERS = (
    *WHOLE_NUMBERS, "turnover_mad", "firm_age_years",
    "project.amount_mad", "project.own_funds_mad", "project.stable_jobs",
)  # fmt: skip
IMPLIED_BY = {"exports_to_africa": "exports", "deep_sea_fishing": "sector"}
"""Fields that another one may tell (`Facts.get`)."""
CREDIT = "project.credit_mad"
"""Not told by an owner: what of the project's amount the own funds leave to be lent."""


@dataclass(frozen=True)
class Span:
    """The values a number may have: from `low` to `high` (None: no upper end), `high` itself only when `closed`."""

    low: Fraction
    high: Fraction | None
    closed: bool = False

    @property
    def exact(self) -> bool:
        """Say whether the number is known exactly."""
        return self.low == self.high

    def at_least(self, value: Fraction) -> bool | None:
        """Decide `number >= value`; None when some of the values are on each side."""
        if self.low >= value:
            return True
        return False if self._ends_before(value) else None

    def above(self, value: Fraction) -> bool | None:
        """Decide `number > value`; None when some of the values are on each side."""
        if self.low > value:
            return True
        return False if self.high is not None and self.high <= value else None

    def _ends_before(self, value: Fraction) -> bool:
        return self.high is not None and (self.high < value or (self.high == value and not self.closed))


def just(value: Fraction | int) -> Span:
    """Return the span of one exact number."""
    return Span(Fraction(value), Fraction(value), closed=True)


Value = bool | str | Span


@dataclass(frozen=True)
class Facts:
    """The known fields of a firm; what is not known is absent."""

    told: Mapping[str, Value]

    def get(self, field: str) -> Value | None:
        """Return a field's value, also where another field implies it; None when it is not known."""
        if field == CREDIT:
            return self._credit()
        if field == "exports_to_africa" and self.told.get("exports") is False:
            return False
        value = self.told.get(field)
        if value is None and field == "deep_sea_fishing" and self.told.get("sector", "fishing") != "fishing":
            return False
        return value

    def number(self, field: str) -> Span | None:
        """Return a number; None when it is not known at all."""
        value = self.get(field)
        return value if isinstance(value, Span) else None

    def told_that(self, field: str, value: Value) -> Facts:
        """Return these facts with one more."""
        return Facts({**self.told, field: value})

    def _credit(self) -> Span | None:
        amount, own = self.number("project.amount_mad"), self.number("project.own_funds_mad")
        if amount is None or amount.high is None:
            return None
        if own is None:
            return Span(Fraction(0), amount.high, closed=True)
        return just(max(amount.low - own.low, Fraction(0)))


def facts_of(firm: Firm) -> Facts:
    """Return what a profile tells."""
    told: dict[str, Value] = {}
    for field in FIELDS:
        value = _value(field, _given(firm, field))
        if value is not None:
            told[field] = value
    return Facts(told)


def shown(firm: Firm, field: str) -> Any:
    """Return a field of the profile as JSON shows it; null when it is not known."""
    value = _given(firm, field)
    if isinstance(value, Bracket):
        return {
            "min": plain(value.min or Fraction(0)),
            "max": None if value.max is None else plain(value.max),
        }
    return plain(value) if isinstance(value, Fraction) else value


def plain(number: Fraction) -> int | float:
    """Return a number as JSON has it: whole where it is whole."""
    return int(number) if number.denominator == 1 else float(number)


def _given(firm: Firm, field: str) -> Any:
    owner: Any = firm.project if field.startswith("project.") else firm
    return getattr(owner, field.removeprefix("project."))


def _value(field: str, given: Any) -> Value | None:
    if isinstance(given, Bracket):
        return Span(given.min or Fraction(0), given.max)
    if field in NUMBERS and given is not None:
        return just(given)
    if isinstance(given, str) and field == "province":
        return folded(given)
    value: bool | str | None = given
    return value
